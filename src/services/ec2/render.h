// A VPC's records as the network plane wants them, and as names. Pure functions over a snapshot.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/scope.h"
#include "planes/network/network.h"
#include "services/ec2/records.h"
#include "store/table.h"

namespace brume::ec2 {

struct Ec2;

// Everything that concerns one VPC, each list in the order of ids.
struct VpcState {
  VpcRecord vpc;
  bool internet_gateway = false;
  std::vector<SubnetRecord> subnets;
  std::vector<RouteTableRecord> route_tables;
  std::vector<AclRecord> acls;
  std::vector<GroupRecord> groups;
  std::vector<GroupRuleRecord> rules;  // of those groups
  std::vector<InterfaceRecord> interfaces;
  std::vector<NatGatewayRecord> nat_gateways;
  std::vector<AddressRecord> addresses;  // associated with those interfaces
  std::vector<EndpointRecord> endpoints;
  std::vector<FlowLogRecord> flow_logs;                          // of the VPC, its subnets and its interfaces
  std::map<std::string, std::vector<std::string>> prefix_lists;  // the blocks of those that rules and routes name
  std::map<std::string, std::string> service_addresses;          // of the region, by service
};
VpcState snapshot(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc);
// The part that names are made of: the VPC, its interfaces and their addresses.
VpcState snapshot_interfaces(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc);

network::Vpc render(const VpcState& state);

// Whether the VPC needs a namespace: something is plugged into it, or a NAT gateway runs in it.
bool needs_network(const network::Vpc& vpc);
// The same of the records, so that a VPC in which nothing runs costs nothing to change.
bool needs_network(const Ec2& ec2, const Scope& scope, const std::string& vpc_id);

// Where a route leads now. A target that is gone, or detached, makes a black hole ("Route tables: blackhole").
enum class RouteFate { internet_gateway, nat_gateway, interface, endpoint, blackhole };
RouteFate fate_of(const Ec2& ec2, const Scope& scope, const std::string& vpc_id, const RouteRecord& route);

// (view, name) → address, as "DNS attributes for your VPC" has it: nothing unless both DNS attributes are on.
using PublishedNames = std::map<std::pair<std::string, std::string>, std::string>;
PublishedNames names_of(const VpcState& state, const std::string& region);

// "ip-10-0-1-5.eu-west-1.compute.internal"
std::string private_dns_name(const std::string& address, const std::string& region);
// "ec2-198-19-0-5.eu-west-1.compute.amazonaws.com"
std::string public_dns_name(const std::string& address, const std::string& region);

}  // namespace brume::ec2
