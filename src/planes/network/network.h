// The network plane: one router namespace per VPC, one namespace per sandbox (a task, a load balancer), a veth per
// network interface, one nftables table per VPC, and the internet namespace. It is given whole desired VPCs as values
// and makes the kernel equal to them; what it made it finds again after a restart. Work runs on the plane's own thread;
// callbacks come on the control thread. Nothing here touches the host's network namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"

namespace brume::network {

// A rule of a security group. The peer is exactly one of: cidr, group.
struct GroupRule {
  std::string id;                    // sgr-…
  std::string protocol;              // "-1", "tcp", "udp", "icmp" or a number
  int from_port = -1, to_port = -1;  // for icmp: type and code; -1: all
  std::string cidr;
  std::string group;  // sg-…: the addresses of its members
  bool operator==(const GroupRule&) const = default;
};
struct SecurityGroup {
  std::string id;
  std::vector<GroupRule> ingress, egress;
  bool operator==(const SecurityGroup&) const = default;
};

struct AclEntry {
  int number = 0;
  bool egress = false, allow = false;
  std::string protocol, cidr;
  int from_port = -1, to_port = -1;
  bool operator==(const AclEntry&) const = default;
};
struct Acl {
  std::string id;
  std::vector<AclEntry> entries;  // the closing deny (32767) is implied
  bool operator==(const Acl&) const = default;
};

struct Route {
  // An endpoint's destination is within `Vpc::service_addresses`: the router itself answers there.
  enum class Target { local, internet_gateway, nat_gateway, interface, endpoint, blackhole };
  std::string cidr;
  Target target = Target::local;
  std::string target_id;  // nat-…, eni-…, vpce-…
  bool operator==(const Route&) const = default;
};
struct RouteTable {
  std::string id;
  std::vector<Route> routes;
  bool operator==(const RouteTable&) const = default;
};
struct Subnet {
  std::string id, cidr, route_table, acl;
  bool operator==(const Subnet&) const = default;
};

struct Interface {
  std::string id;  // eni-…
  std::string subnet;
  std::string sandbox;  // the namespace it is plugged into; empty: exists but is plugged nowhere
  std::string mac;
  std::vector<std::string> addresses;                   // private, primary first
  std::map<std::string, std::string> public_addresses;  // private → public (elastic or auto-assigned)
  std::vector<std::string> groups;
  bool source_dest_check = true;
  bool operator==(const Interface&) const = default;
};

struct NatGateway {
  std::string id, subnet, private_address, public_address;
  bool operator==(const NatGateway&) const = default;
};

struct Vpc {
  std::string id;
  std::vector<std::string> cidrs;
  bool dns_support = true;
  bool internet_gateway = false;
  std::vector<Subnet> subnets;
  std::vector<RouteTable> route_tables;
  std::vector<Acl> acls;
  std::vector<SecurityGroup> groups;
  std::vector<Interface> interfaces;
  std::vector<NatGateway> nat_gateways;
  // Where AWS's services are found for those subnets whose route tables have a route of an endpoint's: the daemon
  // listens there, in the router. For other subnets these are addresses like any other.
  std::vector<std::string> service_addresses;
  std::vector<std::string> flow_logged;  // eni-…: their packets are counted by flow
  bool operator==(const Vpc&) const = default;
};

// Packets and bytes since the rule, drop or gateway was made.
struct Counter {
  std::uint64_t packets = 0, bytes = 0;
};
struct Counters {
  std::map<std::string, Counter>
      rules;  // by sgr-… id: packets that opened a connection by that rule, and all packets of untracked connections
  std::map<std::string, Counter> ingress_dropped;  // by eni-…: refused by its groups
  std::map<std::string, Counter> egress_dropped;
  std::map<std::string, Counter> acl_dropped;  // by acl-…
  std::map<std::string, Counter> nat;          // by nat-…
};

// What an interface sent (or was sent, if `ingress`) with the same addresses, ports and protocol. Private addresses, as
// the interface has them.
struct Flow {
  std::string interface;  // eni-…
  bool ingress = false;
  std::string source, destination;
  int protocol = 0;
  int source_port = 0, destination_port = 0;  // 0 for protocols without ports
  Counter accepted, rejected;                 // by its security groups and its subnet's ACL
  int tcp_flags = 0;                          // SYN 2, SYN and ACK 18, FIN 1, RST 4, together
};
struct Flows {
  std::vector<Flow> flows;
  bool complete = true;  // false: some packets were not counted
};

enum class Service {
  dns,
  metadata,
  credentials,
  endpoint
};  // x.x.0.2 and 169.254.169.253:53; 169.254.169.254:80; 169.254.170.2:80; a service address's 80 and 443
struct Listener {
  std::string vpc;  // empty: the internet namespace
  Service service = Service::dns;
  int udp = -1, tcp = -1;  // bound sockets, listening; owned by the receiver
};

// "" on success, else why not. A failed apply leaves the former state or a part of the new one, and can be repeated.
using Done = std::function<void(std::string error)>;

class Network {
 public:
  virtual ~Network() = default;

  // Adopts what still exists from an earlier run (by name), so that an equal apply changes nothing and cuts no flow.
  // Called once, first. The listeners told meanwhile name every VPC that is still there.
  virtual void recover(Done done) = 0;
  // Makes the VPC so. Applies of one VPC are done in order; a newer one waiting replaces an older one waiting.
  virtual void apply(Vpc vpc, Done done) = 0;
  virtual void remove(const std::string& vpc_id, Done done) = 0;

  virtual void counters(const std::string& vpc_id, std::function<void(Counters)> done) = 0;
  // The packets of flow-logged interfaces since this was last asked. Nothing is told of what passed before a VPC was
  // adopted: the first answer after that is incomplete.
  virtual void flows(const std::string& vpc_id, std::function<void(Flows)> done) = 0;

  // The path of a sandbox's network namespace. It exists once an apply that names the sandbox is done.
  virtual std::string namespace_path(const std::string& sandbox) const = 0;
  virtual std::string internet_namespace_path() const = 0;
  virtual std::string router_namespace_path(const std::string& vpc_id) const = 0;

  // Called on the control thread for every socket the daemon must serve: each new VPC's and, at recover, the old ones'.
  virtual void on_listener(std::function<void(Listener)> callback) = 0;

  // A TCP connection made inside a namespace (a VPC's router, or the internet namespace when `vpc_id` is empty).
  // -1 and the reason on failure. The deadline is 5 seconds.
  virtual void dial(const std::string& vpc_id, const std::string& address, int port,
                    std::function<void(int fd, std::string error)> done) = 0;
  // A TCP socket bound and listening inside the internet namespace (endpoints on 443 and 80).
  virtual void listen_internet(const std::string& address, int port,
                               std::function<void(int fd, std::string error)> done) = 0;

  // Whether the traffic of VPCs may leave for the real internet, once there is one. At first it may not.
  virtual void set_egress(bool allowed, Done done) = 0;
  // Connects the internet namespace to the real internet by slirp4netns, a child of the keeper, or cuts it off.
  // Private, link-local and Brume's own ranges stay unreachable over it. At first there is none; one from an earlier
  // run is adopted.
  virtual void enable_real_internet(bool enabled, Done done) = 0;

  // Removes every namespace and mount this instance made (`brume down`).
  virtual void remove_all(Done done) = 0;
};

}  // namespace brume::network
