#include "services/ec2/render.h"

#include <gtest/gtest.h>

#include <sstream>

namespace brume::ec2 {
namespace {

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ",") + value;
  return text;
}

std::string target_text(const network::Route& route) {
  switch (route.target) {
    case network::Route::Target::local:
      return "local";
    case network::Route::Target::internet_gateway:
      return "internet-gateway";
    case network::Route::Target::nat_gateway:
    case network::Route::Target::interface:
    case network::Route::Target::endpoint:
      return route.target_id;
    case network::Route::Target::blackhole:
      return "blackhole";
  }
  return "";
}

void write_group(std::ostream& out, const network::SecurityGroup& group) {
  out << "group " << group.id << "\n";
  for (const bool egress : {false, true}) {
    for (const network::GroupRule& rule : egress ? group.egress : group.ingress) {
      out << (egress ? "  out " : "  in ") << rule.id << " " << rule.protocol << " " << rule.from_port << "-"
          << rule.to_port << " " << rule.cidr << rule.group << "\n";
    }
  }
}

// A VPC as the plane gets it, one line per thing.
std::string to_text(const network::Vpc& vpc) {
  std::ostringstream out;
  out << "vpc " << vpc.id << " " << joined(vpc.cidrs) << (vpc.dns_support ? " dns" : "")
      << (vpc.internet_gateway ? " gateway" : "") << "\n";
  for (const network::Subnet& subnet : vpc.subnets) {
    out << "subnet " << subnet.id << " " << subnet.cidr << " " << subnet.route_table << " " << subnet.acl << "\n";
  }
  for (const network::RouteTable& table : vpc.route_tables) {
    out << "table " << table.id << "\n";
    for (const network::Route& route : table.routes) out << "  " << route.cidr << " " << target_text(route) << "\n";
  }
  for (const network::Acl& acl : vpc.acls) {
    out << "acl " << acl.id << "\n";
    for (const network::AclEntry& entry : acl.entries) {
      out << "  " << entry.number << (entry.egress ? " out" : " in") << (entry.allow ? " allow " : " deny ")
          << entry.protocol << " " << entry.from_port << "-" << entry.to_port << " " << entry.cidr << "\n";
    }
  }
  for (const network::SecurityGroup& group : vpc.groups) write_group(out, group);
  for (const network::Interface& interface : vpc.interfaces) {
    out << "interface " << interface.id << " " << interface.subnet << " [" << interface.sandbox << "] " << interface.mac
        << " " << joined(interface.addresses) << " " << joined(interface.groups)
        << (interface.source_dest_check ? "" : " unchecked");
    for (const auto& [inside, outside] : interface.public_addresses) out << " " << inside << "=" << outside;
    out << "\n";
  }
  for (const network::NatGateway& gateway : vpc.nat_gateways) {
    out << "nat " << gateway.id << " " << gateway.subnet << " " << gateway.private_address << " "
        << gateway.public_address << "\n";
  }
  return out.str();
}

// The network of the demo: a public and a private subnet, a balancer's interface and a task's, a NAT gateway.
VpcState demo() {
  VpcState state;
  state.vpc = {
      .id = "vpc-1", .cidrs = {{"a-1", "10.0.0.0/16"}, {"a-2", "10.1.0.0/16"}}, .main_route_table = "rtb-main"};
  state.vpc.dns_hostnames = true;
  state.internet_gateway = true;
  state.subnets = {
      {.id = "subnet-private", .vpc = "vpc-1", .cidr = "10.0.2.0/24", .route_table = "rtb-nat", .acl = "acl-1"},
      {.id = "subnet-public", .vpc = "vpc-1", .cidr = "10.0.1.0/24", .acl = "acl-1"}};
  state.route_tables = {{.id = "rtb-main", .vpc = "vpc-1", .routes = {{"0.0.0.0/0", "igw-1"}, {"9.0.0.0/8", "eni-9"}}},
                        {.id = "rtb-nat",
                         .vpc = "vpc-1",
                         .routes = {{"0.0.0.0/0", "nat-1"}, {"8.0.0.0/8", "nat-2"}, {"7.0.0.0/8", "eni-task"}}}};
  state.acls = {
      {.id = "acl-1",
       .vpc = "vpc-1",
       .entries = {{.number = 100, .allow = true, .protocol = "6", .cidr = "0.0.0.0/0", .from_port = 80, .to_port = 81},
                   {.number = 101, .allow = true, .protocol = "-1", .cidr6 = "::/0"},
                   {.number = 110, .protocol = "1", .cidr = "10.9.0.0/16", .icmp_type = 8, .icmp_code = 0},
                   {.number = 100, .egress = true, .allow = true, .protocol = "-1", .cidr = "0.0.0.0/0"}}}};
  state.groups = {{.id = "sg-lb", .vpc = "vpc-1"}, {.id = "sg-task", .vpc = "vpc-1"}};
  state.rules = {
      {.id = "sgr-1", .group = "sg-lb", .protocol = "tcp", .from_port = 80, .to_port = 80, .cidr = "0.0.0.0/0"},
      {.id = "sgr-2", .group = "sg-lb", .protocol = "tcp", .from_port = 80, .to_port = 80, .cidr6 = "::/0"},
      {.id = "sgr-3", .group = "sg-task", .protocol = "tcp", .from_port = 8000, .to_port = 8000, .peer_group = "sg-lb"},
      {.id = "sgr-4", .group = "sg-task", .egress = true, .protocol = "-1", .cidr = "0.0.0.0/0"},
      {.id = "sgr-5", .group = "sg-task", .protocol = "icmpv6", .cidr = "0.0.0.0/0"}};
  state.interfaces = {
      {.id = "eni-lb",
       .vpc = "vpc-1",
       .subnet = "subnet-public",
       .mac = "0a:00:00:00:00:01",
       .addresses = {"10.0.1.10", "10.0.1.11"},
       .groups = {"sg-lb"},
       .sandbox = "lb/x",
       .public_ip = "198.19.0.1"},
      {.id = "eni-nat", .vpc = "vpc-1", .subnet = "subnet-public", .addresses = {"10.0.1.20"}, .type = "nat_gateway"},
      {.id = "eni-task",
       .vpc = "vpc-1",
       .subnet = "subnet-private",
       .mac = "0a:00:00:00:00:02",
       .addresses = {"10.0.2.10"},
       .groups = {"sg-task"},
       .source_dest_check = false,
       .sandbox = "task/y"}};
  state.nat_gateways = {{.id = "nat-1",
                         .subnet = "subnet-public",
                         .vpc = "vpc-1",
                         .interface = "eni-nat",
                         .private_ip = "10.0.1.20",
                         .public_ip = "198.19.0.2",
                         .state = "pending"},
                        {.id = "nat-2", .subnet = "subnet-public", .vpc = "vpc-1", .state = "deleting"}};
  state.addresses = {{.id = "eipalloc-2",
                      .public_ip = "198.19.0.3",
                      .association = "x",
                      .interface = "eni-lb",
                      .private_ip = "10.0.1.11"}};
  return state;
}

TEST(Render, TheDemosNetwork) {
  EXPECT_EQ(to_text(render(demo())), R"(vpc vpc-1 10.0.0.0/16,10.1.0.0/16 dns gateway
subnet subnet-private 10.0.2.0/24 rtb-nat acl-1
subnet subnet-public 10.0.1.0/24 rtb-main acl-1
table rtb-main
  10.0.0.0/16 local
  10.1.0.0/16 local
  0.0.0.0/0 internet-gateway
  9.0.0.0/8 blackhole
table rtb-nat
  10.0.0.0/16 local
  10.1.0.0/16 local
  0.0.0.0/0 nat-1
  8.0.0.0/8 blackhole
  7.0.0.0/8 eni-task
acl acl-1
  100 in allow tcp 80-81 0.0.0.0/0
  110 in deny icmp 8-0 10.9.0.0/16
  100 out allow -1 -1--1 0.0.0.0/0
group sg-lb
  in sgr-1 tcp 80-80 0.0.0.0/0
group sg-task
  in sgr-3 tcp 8000-8000 sg-lb
  out sgr-4 -1 -1--1 0.0.0.0/0
interface eni-lb subnet-public [lb/x] 0a:00:00:00:00:01 10.0.1.10,10.0.1.11 sg-lb 10.0.1.10=198.19.0.1 10.0.1.11=198.19.0.3
interface eni-task subnet-private [task/y] 0a:00:00:00:00:02 10.0.2.10 sg-task unchecked
nat nat-1 subnet-public 10.0.1.20 198.19.0.2
)");
}

TEST(Render, WithoutAGatewayItsRoutesAreBlackHoles) {
  VpcState state = demo();
  state.internet_gateway = false;
  const network::Vpc vpc = render(state);
  EXPECT_FALSE(vpc.internet_gateway);
  EXPECT_EQ(vpc.route_tables[0].routes[2].target, network::Route::Target::blackhole);
}

TEST(NeedsNetwork, OnlyWhenSomethingIsPluggedOrANatGatewayRuns) {
  VpcState state = demo();
  EXPECT_TRUE(needs_network(render(state)));
  state.nat_gateways.clear();
  EXPECT_TRUE(needs_network(render(state)));
  for (InterfaceRecord& interface : state.interfaces) interface.sandbox.clear();
  EXPECT_FALSE(needs_network(render(state)));
}

TEST(NamesOf, PrivateInsideAndPublicOutside) {
  const PublishedNames names = names_of(demo(), "eu-west-1");
  const std::string public_name = "ec2-198-19-0-1.eu-west-1.compute.amazonaws.com";
  EXPECT_EQ(names.at({"vpc-1", "ip-10-0-2-10.eu-west-1.compute.internal"}), "10.0.2.10");
  EXPECT_EQ(names.at({"vpc-1", public_name}), "10.0.1.10");
  EXPECT_EQ(names.at({"", public_name}), "198.19.0.1");
  EXPECT_EQ(names.size(), 8u);
}

TEST(NamesOf, NothingUnlessBothAttributesAreOn) {
  VpcState state = demo();
  state.vpc.dns_hostnames = false;
  EXPECT_TRUE(names_of(state, "eu-west-1").empty());
  state.vpc.dns_hostnames = true;
  state.vpc.dns_support = false;
  EXPECT_TRUE(names_of(state, "eu-west-1").empty());
}

TEST(DnsNames, OfTheFirstRegionDiffer) {
  EXPECT_EQ(private_dns_name("10.0.0.5", "us-east-1"), "ip-10-0-0-5.ec2.internal");
  EXPECT_EQ(public_dns_name("198.19.0.5", "us-east-1"), "ec2-198-19-0-5.compute-1.amazonaws.com");
  EXPECT_EQ(public_dns_name("198.19.0.5", "cn-north-1"), "ec2-198-19-0-5.cn-north-1.compute.amazonaws.com.cn");
}

}  // namespace
}  // namespace brume::ec2
