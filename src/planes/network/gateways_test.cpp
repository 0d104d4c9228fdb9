// Ways in and out of a VPC, proven by packets: gateways, public addresses, what the router answers, what it refuses.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "planes/network/kernel.h"
#include "planes/network/render.h"
#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"
#include "planes/network/vpc_index.h"

namespace brume::network {
namespace {

using testing::Client;
using testing::EchoServer;
using testing::Outcome;
using testing::sample_vpc;

class Gateways : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = testing::why_no_kernel(); !reason.empty()) GTEST_SKIP() << reason;
    world = testing::make_real_world();
    ASSERT_EQ(world->recover(), "");
    ASSERT_EQ(world->apply(vpc), "");
    auto [listening, error] = world->listen_internet("198.18.0.2", 443);
    ASSERT_TRUE(listening) << error;
    listening.reset();  // Only the permission stays: an EchoServer takes the place.
  }
  std::string at(const std::string& sandbox, const std::string& of = "vpc-a") const {
    return world->network().namespace_path(of + "/" + sandbox);
  }
  std::string internet() const { return world->network().internet_namespace_path(); }
  Counters counters() { return world->counters("vpc-a"); }

  Vpc vpc = sample_vpc();
  std::unique_ptr<testing::World> world;
};

TEST_F(Gateways, PrivateSubnetIsSeenByTheNatGatewaysAddress) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  const Client task(at("task1"), "198.18.0.2", 443);
  EXPECT_EQ(task.outcome(), Outcome::connected);
  EXPECT_EQ(task.seen_as(), "198.19.0.99");
  EXPECT_GE(counters().nat.at("nat-a").packets, 1U);
  const Client balancer(at("balancer"), "198.18.0.2", 443);
  EXPECT_EQ(balancer.seen_as(), "198.19.0.10");
}

TEST_F(Gateways, TheRouteTableChoosesTheNatGateway) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  Vpc changed = vpc;
  changed.nat_gateways.push_back({"nat-b", "subnet-public", "10.0.1.98", "198.19.0.98"});
  changed.route_tables[1].routes[1].target_id = "nat-b";
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).seen_as(), "198.19.0.98");
  changed.nat_gateways.pop_back();
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::timed_out);  // a blackhole, as in AWS
  EXPECT_EQ(Client(at("balancer"), "198.18.0.2", 443).outcome(), Outcome::connected);
}

TEST_F(Gateways, AclOfTheNatGatewaysSubnetAppliesToWhatPassesIt) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  Vpc changed = vpc;
  changed.acls.push_back(
      {"acl-no-answers",
       {{100, true, true, "-1", "0.0.0.0/0", -1, -1}, {100, false, true, "-1", "10.0.0.0/16", -1, -1}}});
  testing::find_subnet(changed, "subnet-public").acl = "acl-no-answers";
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::timed_out);
  EXPECT_GE(counters().acl_dropped.at("acl-no-answers").packets, 1U);
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::connected);
}

TEST_F(Gateways, IsolatedSubnetHasNoWayOut) {
  Vpc changed = vpc;
  testing::group(changed, "sg-database").egress = {testing::allow_everything("sgr-database-out")};
  ASSERT_EQ(world->apply(changed), "");
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  EXPECT_EQ(Client(at("database"), "198.18.0.2", 443).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::connected);
}

// What reaches the gateway goes on by its own subnet's routes, the more specific ones too.
TEST_F(Gateways, NatGatewayForwardsByItsOwnSubnetsRoutes) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  auto [other, error] = world->listen_internet("198.18.3.2", 443);
  ASSERT_TRUE(other) << error;
  Vpc changed = vpc;
  changed.route_tables[0].routes.push_back({"198.18.0.0/24", Route::Target::blackhole, ""});
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("task1"), "198.18.3.2", 443).outcome(), Outcome::connected);
  // Only the gateway's subnet knows a way, and only to that block.
  changed.route_tables[0].routes = {{"10.0.0.0/16", Route::Target::local, ""},
                                    {"198.18.0.0/24", Route::Target::internet_gateway, "igw-a"}};
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("task1"), "198.18.3.2", 443).outcome(), Outcome::timed_out);
}

TEST_F(Gateways, PublicAddressKeepsTheClientsAddress) {
  const EchoServer balancer(at("balancer"), "10.0.1.10", 80);
  const Client tool(internet(), "198.19.0.10", 80);
  EXPECT_EQ(tool.outcome(), Outcome::connected);
  EXPECT_EQ(tool.seen_as(), kInternetClient);
  EXPECT_GE(counters().rules.at("sgr-web").packets, 1U);
  EXPECT_EQ(Client(internet(), "198.19.0.11", 80).outcome(), Outcome::unreachable);
  auto [socket, error] = world->dial("", "198.19.0.10", 80);
  EXPECT_TRUE(socket) << error;
}

TEST_F(Gateways, NothingComesInThroughANatGateway) {
  const EchoServer task(at("task1"), "10.0.2.11", 80), balancer(at("balancer"), "10.0.1.10", 80);
  EXPECT_EQ(Client(internet(), "198.19.0.99", 80).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(internet(), "198.19.0.10", 80).outcome(), Outcome::connected);
}

TEST_F(Gateways, OwnPublicAddressIsReachedByWayOfTheGateway) {
  const EchoServer balancer(at("balancer"), "10.0.1.10", 80);
  const Client task(at("task1"), "198.19.0.10", 80);
  EXPECT_EQ(task.outcome(), Outcome::connected);
  EXPECT_EQ(task.seen_as(), "198.19.0.99");
}

TEST_F(Gateways, InterfaceWithoutPublicAddressDoesNotPassTheInternetGateway) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  Vpc changed = vpc;
  testing::find_interface(changed, "eni-balancer").public_addresses.clear();
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("balancer"), "198.18.0.2", 443).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::connected);
}

TEST_F(Gateways, DetachedInternetGatewayClosesTheVpc) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443), balancer(at("balancer"), "10.0.1.10", 80);
  Vpc detached = vpc;
  detached.internet_gateway = false;
  ASSERT_EQ(world->apply(detached), "");
  EXPECT_NE(Client(at("balancer"), "198.18.0.2", 443).outcome(), Outcome::connected);
  EXPECT_EQ(Client(internet(), "198.19.0.10", 80).outcome(), Outcome::unreachable);
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(Client(internet(), "198.19.0.10", 80).outcome(), Outcome::connected);
}

// A link that is up does not send yet: the kernel lets it some milliseconds later, and a SYN lost meanwhile is repeated
// only after a second, which is longer than a Client waits.
TEST_F(Gateways, FirstPacketAfterAnApplyIsNotLost) {
  const EchoServer balancer(at("balancer"), "10.0.1.10", 80);
  Vpc detached = vpc;
  detached.internet_gateway = false;
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(world->apply(detached), "");
    ASSERT_EQ(world->apply(vpc), "");
    ASSERT_EQ(Client(internet(), "198.19.0.10", 80).outcome(), Outcome::connected) << "round " << i;
  }
}

TEST_F(Gateways, VpcsWithTheSameAddressesDoNotSeeEachOther) {
  Vpc other = sample_vpc("vpc-b");
  other.interfaces[0].public_addresses = {{"10.0.1.10", "198.19.0.20"}};
  other.nat_gateways[0].public_address = "198.19.0.89";
  ASSERT_EQ(world->apply(other), "");
  const EchoServer task_b(at("task1", "vpc-b"), "10.0.2.11", 8000);
  EXPECT_EQ(Client(at("balancer", "vpc-b"), "10.0.2.11", 8000).outcome(), Outcome::connected);
  // In the first VPC nobody listens there: its own task refuses.
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::refused);
  // By their public addresses they meet, as strangers.
  const EchoServer balancer_b(at("balancer", "vpc-b"), "10.0.1.10", 80);
  EXPECT_EQ(Client(at("task1"), "198.19.0.20", 80).seen_as(), "198.19.0.99");
}

TEST_F(Gateways, WorkloadsReachEndpointsAndNothingElseInTheInternetNamespace) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443), tool(internet(), "198.18.0.3", 9000);
  EXPECT_EQ(Client(at("task1"), "198.18.0.3", 9000).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 443).outcome(), Outcome::connected);
  EXPECT_NE(Client(at("task1"), "8.8.8.8", 443).outcome(), Outcome::connected);
}

TEST_F(Gateways, RouterAnswersOnItsServicesOnlyAndSeesTheInterface) {
  int metadata = -1;
  for (const Listener& listener : world->listeners)
    if (listener.vpc == "vpc-a" && listener.service == Service::metadata) metadata = listener.tcp;
  const Client task(at("task1"), "169.254.169.254", 80);
  EXPECT_EQ(task.outcome(), Outcome::connected);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  const Descriptor accepted(::accept(metadata, reinterpret_cast<sockaddr*>(&peer), &size));
  EXPECT_EQ(ntohl(peer.sin_addr.s_addr), 0x0A00020BU);
  EXPECT_EQ(Client(at("database"), "169.254.170.2", 80).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("task1"), "10.0.0.2", 53).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("task1"), "169.254.169.254", 53).outcome(), Outcome::timed_out);
  Vpc without_dns = vpc;
  without_dns.dns_support = false;
  ASSERT_EQ(world->apply(without_dns), "");
  EXPECT_EQ(Client(at("task1"), "10.0.0.2", 53).outcome(), Outcome::timed_out);
}

TEST_F(Gateways, DialInAVpcReachesAnInterface) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  auto [socket, error] = world->dial("vpc-a", "10.0.2.11", 8000);
  EXPECT_TRUE(socket) << error;
  auto [none, why] = world->dial("vpc-none", "10.0.2.11", 8000);
  EXPECT_FALSE(none);
  EXPECT_THAT(why, ::testing::HasSubstr("vpc-none"));
}

// Puts an address on a sandbox's "lo" and sends from it or listens on it.
void add_address(const std::string& namespace_path, const std::string& address) {
  testing::inside(namespace_path, [&] {
    const Namespaces here(namespace_path.substr(0, namespace_path.rfind("/netns/")));
    carry_out(here,
              {{namespace_path.substr(namespace_path.rfind('/') + 1), AddAddress{{"lo", require_ipv4(address), 32}}}});
  });
}

Outcome connect_from(const std::string& namespace_path, const std::string& source, const std::string& address,
                     int port) {
  Descriptor socket;
  sockaddr_in local{}, remote{};
  local.sin_family = remote.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(require_ipv4(source).value);
  remote.sin_addr.s_addr = htonl(require_ipv4(address).value);
  remote.sin_port = htons(static_cast<std::uint16_t>(port));
  testing::inside(namespace_path, [&] {
    socket = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
    ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote);
  });
  pollfd poll{socket.get(), POLLOUT, 0};
  if (::poll(&poll, 1, 300) != 1) return Outcome::timed_out;
  return (poll.revents & POLLERR) != 0 ? Outcome::refused : Outcome::connected;
}

TEST_F(Gateways, SourceAndDestinationAreChecked) {
  Vpc routed = vpc;
  testing::group(routed, "sg-database").egress = {testing::allow_everything("sgr-database-out")};
  testing::group(routed, "sg-task").ingress = {testing::allow_everything("sgr-task-in")};
  routed.route_tables[2].routes.push_back({"172.31.0.0/16", Route::Target::interface, "eni-task1"});
  ASSERT_EQ(world->apply(routed), "");
  add_address(at("task1"), "172.31.0.1");
  const EchoServer behind(at("task1"), "172.31.0.1", 8000), task(at("task2"), "10.0.2.12", 8000);
  // Neither is what lies behind an interface reached, nor may it speak for another address.
  EXPECT_EQ(Client(at("database"), "172.31.0.1", 8000).outcome(), Outcome::timed_out);
  add_address(at("balancer"), "10.0.3.77");
  EXPECT_EQ(connect_from(at("balancer"), "10.0.3.77", "10.0.2.12", 8000), Outcome::timed_out);
  EXPECT_EQ(connect_from(at("balancer"), "10.0.1.10", "10.0.2.12", 8000), Outcome::connected);
  testing::find_interface(routed, "eni-task1").source_dest_check = false;
  ASSERT_EQ(world->apply(routed), "");
  EXPECT_EQ(Client(at("database"), "172.31.0.1", 8000).outcome(), Outcome::connected);
}

TEST_F(Gateways, SandboxWithTwoInterfacesAnswersOnBoth) {
  Vpc two = vpc;
  two.interfaces.push_back(
      testing::interface("eni-balancer2", "subnet-private", "vpc-a/balancer", "10.0.2.10", {"sg-balancer"}));
  ASSERT_EQ(world->apply(two), "");
  const EchoServer first(at("balancer"), "10.0.1.10", 80), second(at("balancer"), "10.0.2.10", 80);
  EXPECT_EQ(Client(at("task1"), "10.0.1.10", 80).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("task1"), "10.0.2.10", 80).outcome(), Outcome::connected);
  EXPECT_EQ(Client(internet(), "198.19.0.10", 80).outcome(), Outcome::connected);
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(Client(at("task1"), "10.0.1.10", 80).outcome(), Outcome::connected);
}

// In the tap's place a pair to a namespace that plays the real internet, with a public and a private address.
class Tap : public Gateways {
 protected:
  void SetUp() override {
    Gateways::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const std::string path = internet();
    const Namespaces here(path.substr(0, path.rfind("/netns/")));
    const std::string outside_name = sandbox_namespace("outside");
    here.create(outside_name, NamespaceKind::sandbox);
    const KernelLink tap = {.label = "tap", .peer_namespace = outside_name, .peer = "eth0", .router_end = true};
    const Cidr everywhere{};
    const RouteKey tap_default{kMainTable, everywhere, 0}, back{kMainTable, host(tap_address), 0};
    carry_out(here, {{kInternetNamespace, CreateLink{kTapLink, tap, ""}},
                     {kInternetNamespace, SetLink{kTapLink, tap}},
                     {kInternetNamespace, AddAddress{{kTapLink, tap_address, 32}}},
                     {kInternetNamespace, PutRoute{tap_default, {.link = kTapLink}}},
                     {outside_name, SetLink{"lo", {.label = "vpc-a"}}},
                     {outside_name, SetLink{"eth0", {.label = "outside"}}},
                     {outside_name, AddAddress{{"eth0", require_ipv4("8.8.8.8"), 32}}},
                     {outside_name, AddAddress{{"eth0", require_ipv4("10.77.0.1"), 32}}},
                     {outside_name, PutRoute{back, {.link = "eth0"}}}});
    outside = here.path(outside_name);
  }
  const Ipv4 tap_address = require_ipv4("192.0.2.100");
  std::string outside;
};

TEST_F(Tap, ToolsGoOutAndWorkloadsOnlyWhenAllowed) {
  const EchoServer real(outside, "8.8.8.8", 443);
  EXPECT_EQ(Client(internet(), "8.8.8.8", 443).seen_as(), "192.0.2.100");
  EXPECT_EQ(Client(at("task1"), "8.8.8.8", 443).outcome(), Outcome::unreachable);
  ASSERT_EQ(world->set_egress(true), "");
  EXPECT_EQ(Client(at("task1"), "8.8.8.8", 443).seen_as(), "192.0.2.100");
  ASSERT_EQ(world->set_egress(false), "");
  EXPECT_EQ(Client(at("task1"), "8.8.8.8", 443).outcome(), Outcome::unreachable);
}

TEST_F(Tap, PrivateRangesAreNeverReachedOverTheTap) {
  const EchoServer neighbour(outside, "10.77.0.1", 443), real(outside, "8.8.8.8", 443);
  ASSERT_EQ(world->set_egress(true), "");
  EXPECT_EQ(Client(internet(), "10.77.0.1", 443).outcome(), Outcome::unreachable);
  EXPECT_EQ(Client(at("task1"), "10.77.0.1", 443).outcome(), Outcome::unreachable);
  EXPECT_EQ(Client(internet(), "169.254.169.254", 80).outcome(), Outcome::unreachable);
  EXPECT_EQ(Client(internet(), "8.8.8.8", 443).outcome(), Outcome::connected);
}

}  // namespace
}  // namespace brume::network
