// Security groups and network ACLs, proven by packets between sandboxes. Each denial has a control beside it that
// passes.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"

namespace brume::network {
namespace {

using testing::Client;
using testing::EchoServer;
using testing::Outcome;
using testing::sample_vpc;

class Groups : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = testing::why_no_kernel(); !reason.empty()) GTEST_SKIP() << reason;
    world = testing::make_real_world();
    ASSERT_EQ(world->recover(), "");
    ASSERT_EQ(world->apply(vpc), "");
  }
  std::string at(const std::string& sandbox) const { return world->network().namespace_path("vpc-a/" + sandbox); }
  Counters counters() { return world->counters("vpc-a"); }

  Vpc vpc = sample_vpc();
  std::unique_ptr<testing::World> world;
};

TEST_F(Groups, OnlyTheReferencedGroupMayConnect) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  const Client allowed(at("balancer"), "10.0.2.11", 8000);
  const Client denied(at("database"), "10.0.2.11", 8000);
  EXPECT_EQ(allowed.outcome(), Outcome::connected);
  EXPECT_EQ(allowed.seen_as(), "10.0.1.10");
  EXPECT_EQ(denied.outcome(), Outcome::timed_out);
  const Counters after = counters();
  EXPECT_EQ(after.rules.at("sgr-task").packets, 1U);
  EXPECT_EQ(after.rules.at("sgr-balancer-out").packets, 1U);
  // The database's group has no egress rule: it was stopped on its way out, not on its way in.
  EXPECT_GE(after.egress_dropped.at("eni-database").packets, 1U);
  EXPECT_EQ(after.ingress_dropped.at("eni-task1").packets, 0U);
}

TEST_F(Groups, SameSubnetIsNoWayAroundThem) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  const Client neighbour(at("task2"), "10.0.2.11", 8000);
  const Client balancer(at("balancer"), "10.0.2.11", 8000);
  EXPECT_EQ(neighbour.outcome(), Outcome::timed_out);
  EXPECT_EQ(balancer.outcome(), Outcome::connected);
  EXPECT_GE(counters().ingress_dropped.at("eni-task1").packets, 1U);
}

TEST_F(Groups, OtherPortsAreClosed) {
  const EchoServer open(at("task1"), "10.0.2.11", 8000), closed(at("task1"), "10.0.2.11", 8001);
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8001).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::connected);
}

TEST_F(Groups, RevokedRuleStopsNewConnectionsAndLetsEstablishedOnesGoOn) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Client established(at("balancer"), "10.0.2.11", 8000);
  ASSERT_TRUE(established.echo());
  Vpc revoked = vpc;
  testing::group(revoked, "sg-task").ingress.clear();
  ASSERT_EQ(world->apply(revoked), "");
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);
  EXPECT_TRUE(established.echo());
  EXPECT_GE(counters().ingress_dropped.at("eni-task1").packets, 1U);
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::connected);
}

TEST_F(Groups, MembershipOfAGroupTakesEffectAtOnce) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Vpc joined = vpc;
  testing::find_interface(joined, "eni-task2").groups.push_back("sg-balancer");
  ASSERT_EQ(world->apply(joined), "");
  EXPECT_EQ(Client(at("task2"), "10.0.2.11", 8000).outcome(), Outcome::connected);
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(Client(at("task2"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::connected);
}

// Sends a datagram from `from` and says whether `to` received it.
bool datagram_arrives(const std::string& from, const std::string& to, int port) {
  Descriptor receiver, sender;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(0x0A00020B);  // 10.0.2.11
  testing::inside(to, [&] {
    receiver = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  });
  testing::inside(from, [&] {
    sender = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  pollfd poll{receiver.get(), POLLIN, 0};
  return ::poll(&poll, 1, 300) == 1;
}

// An echo request by an unprivileged ICMP socket; whether 10.0.2.11 answered.
bool ping(const std::string& from) {
  Descriptor socket;
  testing::inside(from, [&] {
    socket = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x0A00020B);
    icmphdr request{};
    request.type = ICMP_ECHO;
    ::sendto(socket.get(), &request, sizeof request, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  pollfd poll{socket.get(), POLLIN, 0};
  return ::poll(&poll, 1, 300) == 1;
}

TEST_F(Groups, UdpAndIcmpRules) {
  EXPECT_FALSE(datagram_arrives(at("balancer"), at("task1"), 5353));
  EXPECT_FALSE(ping(at("balancer")));
  Vpc opened = vpc;
  testing::group(opened, "sg-task").ingress.push_back(testing::allow("sgr-udp", "udp", 5353, 5353, "10.0.1.0/24"));
  testing::group(opened, "sg-task").ingress.push_back(testing::allow("sgr-ping", "icmp", 8, -1, "10.0.1.0/24"));
  ASSERT_EQ(world->apply(opened), "");
  EXPECT_TRUE(datagram_arrives(at("balancer"), at("task1"), 5353));
  EXPECT_FALSE(datagram_arrives(at("balancer"), at("task1"), 5354));
  EXPECT_TRUE(ping(at("balancer")));
  EXPECT_FALSE(ping(at("task2")));
  EXPECT_EQ(counters().rules.at("sgr-ping").packets, 1U);
}

TEST_F(Groups, AclCutsEvenEstablishedConnections) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000), other(at("task2"), "10.0.2.12", 8000);
  Client cut(at("balancer"), "10.0.2.11", 8000), control(at("balancer"), "10.0.2.12", 8000);
  ASSERT_TRUE(cut.echo() && control.echo());
  Vpc denied = vpc;
  denied.acls[0].entries.push_back({50, true, false, "-1", "10.0.2.11/32", -1, -1});
  ASSERT_EQ(world->apply(denied), "");
  EXPECT_FALSE(cut.echo());
  EXPECT_TRUE(control.echo());
  EXPECT_GE(counters().acl_dropped.at("acl-open").packets, 1U);
}

TEST_F(Groups, AclIsStateless) {
  // What comes in on 8000 may: the answers to it may not go out, since no rule lets ephemeral ports out.
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Vpc changed = vpc;
  changed.acls.push_back({"acl-in", {{100, false, true, "tcp", "0.0.0.0/0", 8000, 8000}}});
  testing::find_subnet(changed, "subnet-private").acl = "acl-in";
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);
  EXPECT_GE(counters().acl_dropped.at("acl-in").packets, 1U);
  changed.acls[1].entries.push_back({100, true, true, "tcp", "0.0.0.0/0", 1024, 65535});
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::connected);
}

TEST_F(Groups, AclSeesOnlyWhatCrossesItsSubnet) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Vpc changed = vpc;
  changed.acls.push_back({"acl-nothing", {}});
  testing::find_subnet(changed, "subnet-private").acl = "acl-nothing";
  testing::group(changed, "sg-task")
      .ingress.push_back(testing::allow_group("sgr-neighbours", "tcp", 8000, 8000, "sg-task"));
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_EQ(Client(at("task2"), "10.0.2.11", 8000).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);
}

}  // namespace
}  // namespace brume::network
