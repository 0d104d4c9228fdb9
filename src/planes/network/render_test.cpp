#include "planes/network/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "planes/network/golden_file.h"
#include "planes/network/match.h"
#include "planes/network/sample_vpc.h"

namespace brume::network {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::sample_vpc;

std::string changes(const Vpc& from, const Vpc& to) {
  std::string text;
  for (const std::string& statement : difference(render_table(from), render_table(to)))
    if (statement.find("revision.") == std::string::npos) text += statement + "\n";
  return text;
}

std::string refusal(const Vpc& vpc) {
  try {
    render_table(vpc);
    render_topology(vpc, {});
  } catch (const PlaneError& error) {
    EXPECT_EQ(error.kind, PlaneError::Kind::permanent);
    return error.message;
  }
  return "";
}

TEST(Render, SampleTable) { testing::expect_golden("table", to_text(render_table(sample_vpc()))); }

TEST(Render, SampleTopology) { testing::expect_golden("topology", to_text(render_topology(sample_vpc(), {}))); }

TEST(Render, InternetTable) {
  const Endpoints endpoints = {{"198.18.0.1", "udp", 53}, {"198.18.0.2", "tcp", 443}};
  testing::expect_golden("internet_closed", to_text(render_internet_table(endpoints, false)));
  testing::expect_golden("internet_egress", to_text(render_internet_table(endpoints, true)));
  testing::expect_golden("internet_topology", to_text({{kInternetNamespace, render_internet_namespace("0a1b2c")}}));
}

TEST(Render, RevokedRuleTouchesItsChainOnly) {
  Vpc revoked = sample_vpc();
  testing::group(revoked, "sg-task").ingress.clear();
  EXPECT_EQ(changes(sample_vpc(), revoked),
            "flush chain inet brume group_in.sg-task\n"
            "delete counter inet brume rule.sgr-task\n");
}

TEST(Render, AuthorizedRuleIsAppended) {
  Vpc authorized = sample_vpc();
  testing::group(authorized, "sg-task").ingress.push_back(testing::allow("sgr-new", "udp", 53, 60, "10.9.0.0/16"));
  EXPECT_EQ(changes(sample_vpc(), authorized),
            "add counter inet brume rule.sgr-new\n"
            "add rule inet brume group_in.sg-task ip saddr 10.9.0.0/16 udp dport 53-60 counter name \"rule.sgr-new\" "
            "accept\n");
}

TEST(Render, GroupChangeOfAnInterfaceMovesItsAddress) {
  Vpc changed = sample_vpc();
  testing::find_interface(changed, "eni-task2").groups = {"sg-database"};
  EXPECT_EQ(changes(sample_vpc(), changed),
            "flush chain inet brume eni_in.eni-task2\n"
            "add rule inet brume eni_in.eni-task2 jump group_in.sg-database\n"
            "add rule inet brume eni_in.eni-task2 counter name \"in.eni-task2\" drop\n"
            "flush chain inet brume eni_out.eni-task2\n"
            "add rule inet brume eni_out.eni-task2 jump group_out.sg-database\n"
            "add rule inet brume eni_out.eni-task2 counter name \"out.eni-task2\" drop\n"
            "add element inet brume group.sg-database { 10.0.2.12 }\n"
            "delete element inet brume group.sg-task { 10.0.2.12 }\n");
}

TEST(Render, ReleasedPublicAddressLeavesMapsAndRoute) {
  Vpc released = sample_vpc();
  released.interfaces[0].public_addresses.clear();
  EXPECT_EQ(changes(sample_vpc(), released),
            "delete element inet brume private_to_public { 10.0.1.10 }\n"
            "delete element inet brume public_to_private { 198.19.0.10 }\n");
  const std::vector<Change> planned = plan(render_topology(sample_vpc(), {}), render_topology(released, {}));
  ASSERT_EQ(planned.size(), 1U);
  EXPECT_THAT(to_text(planned[0]), HasSubstr("internet: remove route 198.19.0.10/32 via 169.254.0.2"));
}

TEST(Render, EqualVpcsNeedNothing) {
  EXPECT_EQ(changes(sample_vpc(), sample_vpc()), "");
  EXPECT_TRUE(plan(render_topology(sample_vpc(), {}), render_topology(sample_vpc(), {})).empty());
}

TEST(Render, EntriesOfAnAclAreInTheOrderOfTheirNumbersAndTheRestIsDenied) {
  Vpc vpc = sample_vpc();
  vpc.acls[0].entries = {{200, false, true, "tcp", "0.0.0.0/0", 1024, 65535},
                         {100, false, false, "6", "10.0.2.12/32", 5432, 5432},
                         {100, true, true, "-1", "0.0.0.0/0", -1, -1}};
  EXPECT_THAT(render_table(vpc).chains["acl_in.acl-open"].rules,
              ElementsAre("ip saddr 10.0.2.12 tcp dport 5432 counter name \"acl.acl-open\" drop",
                          "tcp dport 1024-65535 return", "counter name \"acl.acl-open\" drop"));
}

TEST(Render, NatGatewayWithoutWayToTheInternetGatewayLeadsNowhere) {
  Vpc vpc = sample_vpc();
  vpc.route_tables[0].routes.pop_back();
  EXPECT_THAT(to_text(render_topology(vpc, {})), Not(HasSubstr("0.0.0.0/0 via 169.254.64")));
  vpc = sample_vpc();
  vpc.internet_gateway = false;
  EXPECT_THAT(to_text(render_topology(vpc, {})), AllOf(Not(HasSubstr("igw0")), HasSubstr("blackhole 0.0.0.0/0")));
}

TEST(Render, RouteToAnInterfaceLeadsThroughItsLink) {
  Vpc vpc = sample_vpc();
  vpc.route_tables[2].routes.push_back({"172.31.0.0/16", Route::Target::interface, "eni-task1"});
  EXPECT_THAT(to_text(render_topology(vpc, {})),
              HasSubstr("172.31.0.0/16 via 10.0.2.11 dev " + interface_link("eni-task1")));
}

TEST(Render, SandboxWithTwoInterfacesAnswersByEachOne) {
  Vpc vpc = sample_vpc();
  vpc.interfaces.push_back(
      testing::interface("eni-balancer2", "subnet-private", "vpc-a/balancer", "10.0.2.10", {"sg-balancer"}));
  const Topology topology = render_topology(vpc, {});
  const NamespaceState& sandbox = topology.at(sandbox_namespace("vpc-a/balancer"));
  EXPECT_THAT(to_text({{"balancer", sandbox}}),
              AllOf(HasSubstr("0.0.0.0/0 via 10.0.1.1 dev eth0 src 10.0.1.10 table main"),
                    HasSubstr("0.0.0.0/0 via 10.0.2.1 dev eth1 src 10.0.2.10 table 1001"),
                    HasSubstr("pref 100 from 10.0.2.10 lookup 1001")));
}

TEST(Render, DeviceNamesAreKept) {
  Vpc vpc = sample_vpc();
  vpc.interfaces.push_back(
      testing::interface("eni-balancer2", "subnet-private", "vpc-a/balancer", "10.0.2.10", {"sg-balancer"}));
  vpc.interfaces.erase(vpc.interfaces.begin());
  const std::string sandbox = sandbox_namespace("vpc-a/balancer");
  const Topology topology = render_topology(vpc, {{{sandbox, "eni-balancer2"}, "eth1"}});
  EXPECT_EQ(topology.at(sandbox).links.at("eth1").label, "eni-balancer2");
}

TEST(Render, Protocols) {
  EXPECT_EQ(match_protocol("-1", -1, -1), "");
  EXPECT_EQ(match_protocol("6", 80, 80), "tcp dport 80 ");
  EXPECT_EQ(match_protocol("udp", 0, 65535), "meta l4proto udp ");
  EXPECT_EQ(match_protocol("icmp", 8, -1), "icmp type 8 ");
  EXPECT_EQ(match_protocol("icmp", 3, 4), "icmp type 3 icmp code 4 ");
  EXPECT_EQ(match_protocol("icmp", -1, -1), "meta l4proto icmp ");
  EXPECT_EQ(match_protocol("50", -1, -1), "meta l4proto 50 ");
  EXPECT_EQ(match_protocol("icmpv6", -1, -1), std::nullopt);
  EXPECT_THROW(match_protocol("tcp; flush ruleset", 1, 1), PlaneError);
  EXPECT_THROW(match_protocol("tcp", 90, 80), PlaneError);
  EXPECT_EQ(match_cidr("saddr", "10.0.1.7/24"), "ip saddr 10.0.1.0/24 ");
  EXPECT_EQ(match_cidr("saddr", "::/0"), std::nullopt);
}

TEST(Render, ContradictionsAreRefusedByName) {
  Vpc vpc = sample_vpc();
  vpc.subnets[0].route_table = "rtb-gone";
  EXPECT_EQ(refusal(vpc), "subnet-public lacks its route table rtb-gone");
  vpc = sample_vpc();
  vpc.interfaces[0].groups = {"sg-gone"};
  EXPECT_EQ(refusal(vpc), "eni-balancer lacks its security group sg-gone");
  vpc = sample_vpc();
  vpc.interfaces[0].addresses = {"10.0.1.10 }; flush ruleset"};
  EXPECT_EQ(refusal(vpc), "not an IPv4 address: \"10.0.1.10 }; flush ruleset\"");
  vpc = sample_vpc();
  vpc.groups[0].id = "sg-a drop";
  EXPECT_EQ(refusal(vpc), "not a resource id: \"sg-a drop\"");
  EXPECT_EQ(refusal(sample_vpc()), "");
}

TEST(Render, CountersAreReadByTheIdsTheyStandFor) {
  const Counters counters = read_counters(parse_counters(
      "table inet brume {\n\tcounter rule.sgr-a {\n\t\tpackets 5 bytes 300\n\t}\n\tcounter in.eni-a {\n\t\tpackets 1 "
      "bytes 60\n\t}\n\tcounter nat.nat-a {\n\t\tpackets 2 bytes 80\n\t}\n}\n"));
  EXPECT_EQ(counters.rules.at("sgr-a").packets, 5U);
  EXPECT_EQ(counters.ingress_dropped.at("eni-a").bytes, 60U);
  EXPECT_EQ(counters.nat.at("nat-a").packets, 2U);
}

}  // namespace
}  // namespace brume::network
