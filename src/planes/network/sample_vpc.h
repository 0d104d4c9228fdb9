// For tests: VPCs as EC2 would hand them over, and small changes to them. A public subnet with a NAT gateway and a
// balancer, a private subnet that leaves by it, an isolated one.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "planes/network/network.h"

namespace brume::network::testing {

inline GroupRule allow(std::string id, std::string protocol, int from, int to, std::string cidr) {
  return {std::move(id), std::move(protocol), from, to, std::move(cidr), ""};
}
inline GroupRule allow_group(std::string id, std::string protocol, int from, int to, std::string group) {
  return {std::move(id), std::move(protocol), from, to, "", std::move(group)};
}
inline GroupRule allow_everything(std::string id) { return allow(std::move(id), "-1", -1, -1, "0.0.0.0/0"); }

// The default network ACL: everything both ways.
inline Acl open_acl(std::string id) {
  return {std::move(id), {{100, false, true, "-1", "0.0.0.0/0", -1, -1}, {100, true, true, "-1", "0.0.0.0/0", -1, -1}}};
}

inline Interface interface(std::string id, std::string subnet, std::string sandbox, std::string address,
                           std::vector<std::string> groups) {
  Interface made;
  made.id = std::move(id);
  made.subnet = std::move(subnet);
  made.sandbox = std::move(sandbox);
  made.addresses = {std::move(address)};
  made.groups = std::move(groups);
  return made;
}

inline Vpc sample_vpc(const std::string& id = "vpc-a") {
  Vpc vpc;
  vpc.id = id;
  vpc.cidrs = {"10.0.0.0/16"};
  vpc.internet_gateway = true;
  vpc.subnets = {{"subnet-public", "10.0.1.0/24", "rtb-public", "acl-open"},
                 {"subnet-private", "10.0.2.0/24", "rtb-private", "acl-open"},
                 {"subnet-isolated", "10.0.3.0/24", "rtb-isolated", "acl-open"}};
  const Route local = {"10.0.0.0/16", Route::Target::local, ""};
  vpc.route_tables = {{"rtb-public", {local, {"0.0.0.0/0", Route::Target::internet_gateway, "igw-a"}}},
                      {"rtb-private", {local, {"0.0.0.0/0", Route::Target::nat_gateway, "nat-a"}}},
                      {"rtb-isolated", {local}}};
  vpc.acls = {open_acl("acl-open")};
  vpc.groups = {
      {"sg-balancer", {allow("sgr-web", "tcp", 80, 80, "0.0.0.0/0")}, {allow_everything("sgr-balancer-out")}},
      {"sg-task", {allow_group("sgr-task", "tcp", 8000, 8000, "sg-balancer")}, {allow_everything("sgr-task-out")}},
      {"sg-database", {allow_group("sgr-database", "tcp", 5432, 5432, "sg-task")}, {}}};
  vpc.interfaces = {interface("eni-balancer", "subnet-public", id + "/balancer", "10.0.1.10", {"sg-balancer"}),
                    interface("eni-task1", "subnet-private", id + "/task1", "10.0.2.11", {"sg-task"}),
                    interface("eni-task2", "subnet-private", id + "/task2", "10.0.2.12", {"sg-task"}),
                    interface("eni-database", "subnet-isolated", id + "/database", "10.0.3.20", {"sg-database"})};
  vpc.interfaces[0].public_addresses = {{"10.0.1.10", "198.19.0.10"}};
  vpc.nat_gateways = {{"nat-a", "subnet-public", "10.0.1.99", "198.19.0.99"}};
  return vpc;
}

inline SecurityGroup& group(Vpc& vpc, const std::string& id) {
  return *std::ranges::find(vpc.groups, id, &SecurityGroup::id);
}
inline Interface& find_interface(Vpc& vpc, const std::string& id) {
  return *std::ranges::find(vpc.interfaces, id, &Interface::id);
}
inline Subnet& find_subnet(Vpc& vpc, const std::string& id) { return *std::ranges::find(vpc.subnets, id, &Subnet::id); }

}  // namespace brume::network::testing
