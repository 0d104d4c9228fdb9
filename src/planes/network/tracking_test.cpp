// Which connections outlive the rule that let them begin ("Security group connection tracking"), and what becomes of
// packets that nothing wants. Each denial has a control beside it that passes.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "planes/network/render.h"
#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"

namespace brume::network {
namespace {

using testing::allow;
using testing::allow_everything;
using testing::Client;
using testing::EchoServer;
using testing::group;
using testing::Outcome;

class Tracking : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = testing::why_no_kernel(); !reason.empty()) GTEST_SKIP() << reason;
    world = testing::make_real_world();
    ASSERT_EQ(world->recover(), "");
    // A task that is open to all of the world on 8000 and may answer all of it.
    group(vpc, "sg-task").ingress = {allow("sgr-world", "tcp", 8000, 8000, "0.0.0.0/0"),
                                     allow("sgr-near", "tcp", 8001, 8001, "10.0.0.0/16")};
    ASSERT_EQ(world->apply(vpc), "");
  }
  std::string at(const std::string& sandbox) const { return world->network().namespace_path("vpc-a/" + sandbox); }
  std::string internet() const { return world->network().internet_namespace_path(); }
  std::string without(std::vector<GroupRule> SecurityGroup::* rules, const std::string& id) {
    Vpc changed = vpc;
    std::erase_if(group(changed, "sg-task").*rules, [&](const GroupRule& rule) { return rule.id == id; });
    return world->apply(changed);
  }

  Vpc vpc = testing::sample_vpc();
  std::unique_ptr<testing::World> world;
};

TEST_F(Tracking, RemovedRuleCutsUntrackedConnectionsAtOnceAndTrackedOnesNot) {
  const EchoServer world_port(at("task1"), "10.0.2.11", 8000), near_port(at("task1"), "10.0.2.11", 8001);
  Client untracked(at("balancer"), "10.0.2.11", 8000), tracked(at("balancer"), "10.0.2.11", 8001);
  ASSERT_TRUE(untracked.echo() && tracked.echo());
  Vpc changed = vpc;
  group(changed, "sg-task").ingress.clear();
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_FALSE(untracked.echo());
  EXPECT_TRUE(tracked.echo());
}

TEST_F(Tracking, UntrackedConnectionNeedsTheRuleForItsAnswersToo) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Client cut(at("balancer"), "10.0.2.11", 8000);
  ASSERT_TRUE(cut.echo());
  ASSERT_EQ(without(&SecurityGroup::egress, "sgr-task-out"), "");
  EXPECT_FALSE(cut.echo());
  // What begins now is tracked, since not all answers are let through by a rule: it needs none for them.
  Client later(at("balancer"), "10.0.2.11", 8000);
  EXPECT_EQ(later.outcome(), Outcome::connected);
  EXPECT_TRUE(later.echo());
}

TEST_F(Tracking, NarrowedRuleKeepsUntrackedConnectionsThatItStillLets) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Client near(at("balancer"), "10.0.2.11", 8000), far(at("database"), "10.0.2.11", 8000);
  Vpc open = vpc;
  group(open, "sg-database").egress = {allow("sgr-database-out", "tcp", 8000, 8000, "10.0.2.0/24")};
  ASSERT_EQ(world->apply(open), "");
  Client other(at("database"), "10.0.2.11", 8000);
  ASSERT_TRUE(near.echo() && other.echo());
  Vpc narrowed = open;
  group(narrowed, "sg-task").ingress = {allow("sgr-narrow", "tcp", 8000, 8000, "10.0.1.0/24")};
  ASSERT_EQ(world->apply(narrowed), "");
  EXPECT_TRUE(near.echo());
  EXPECT_FALSE(other.echo());
}

TEST_F(Tracking, GroupRuleIsTrackedEvenBesideAnOpenWayBack) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Vpc by_group = vpc;
  group(by_group, "sg-task").ingress = {testing::allow_group("sgr-group", "tcp", 8000, 8000, "sg-balancer")};
  ASSERT_EQ(world->apply(by_group), "");
  Client tracked(at("balancer"), "10.0.2.11", 8000);
  ASSERT_TRUE(tracked.echo());
  ASSERT_EQ(without(&SecurityGroup::ingress, "sgr-world"), "");
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);
  EXPECT_TRUE(tracked.echo());
}

TEST_F(Tracking, OpenersSideIsUntrackedWhereAllAnswersMayComeIn) {
  const EchoServer balancer(at("balancer"), "10.0.1.10", 80);
  Vpc open = vpc;
  group(open, "sg-task").ingress = {allow("sgr-answers", "tcp", 0, 65535, "0.0.0.0/0")};
  ASSERT_EQ(world->apply(open), "");
  Client untracked(at("task1"), "10.0.1.10", 80);
  ASSERT_TRUE(untracked.echo());
  Vpc closed = open;
  group(closed, "sg-task").egress.clear();
  ASSERT_EQ(world->apply(closed), "");
  EXPECT_FALSE(untracked.echo());
  // The same without the rule for the answers goes on.
  Vpc narrow = vpc;
  group(narrow, "sg-task").ingress.clear();
  ASSERT_EQ(world->apply(narrow), "");
  Client tracked(at("task1"), "10.0.1.10", 80);
  ASSERT_TRUE(tracked.echo());
  group(narrow, "sg-task").egress.clear();
  ASSERT_EQ(world->apply(narrow), "");
  EXPECT_TRUE(tracked.echo());
}

TEST_F(Tracking, ConnectionsThroughANatGatewayAreTrackedWhateverTheRules) {
  const EchoServer endpoint(internet(), "198.18.0.2", 443);
  auto [listening, error] = world->listen_internet("198.18.0.2", 80);
  ASSERT_TRUE(listening) << error;
  Vpc open = vpc;
  group(open, "sg-task").ingress = {allow("sgr-answers", "tcp", 0, 65535, "0.0.0.0/0")};
  ASSERT_EQ(world->apply(open), "");
  Client tracked(at("task1"), "198.18.0.2", 80, 1000);
  ASSERT_EQ(tracked.outcome(), Outcome::connected);
  Descriptor accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  Vpc closed = open;
  group(closed, "sg-task").egress.clear();
  group(closed, "sg-task").ingress.clear();
  ASSERT_EQ(world->apply(closed), "");
  EXPECT_EQ(Client(at("task1"), "198.18.0.2", 80).outcome(), Outcome::timed_out);
  ASSERT_EQ(::send(accepted.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(tracked.echo(1000));  // the byte sent to it has come
  pollfd poll{accepted.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&poll, 1, 1000), 1);  // and so has its own
}

// A stream of datagrams one way, which no answer makes "established".
TEST_F(Tracking, DatagramsOneWayGoOnAfterTheRuleIsGone) {
  Vpc open = vpc;
  group(open, "sg-task").ingress = {allow("sgr-udp", "udp", 5353, 5353, "10.0.1.0/24")};
  ASSERT_EQ(world->apply(open), "");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(5353);
  address.sin_addr.s_addr = htonl(0x0A00020B);
  Descriptor receiver, old_sender, new_sender;
  testing::inside(at("task1"), [&] {
    receiver = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  });
  testing::inside(at("balancer"), [&] {
    for (Descriptor* sender : {&old_sender, &new_sender}) {
      *sender = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(::connect(sender->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
  });
  const auto arrives = [&](const Descriptor& sender) {
    ::send(sender.get(), "x", 1, 0);
    pollfd poll{receiver.get(), POLLIN, 0};
    char ignored = 0;
    return ::poll(&poll, 1, 400) == 1 && ::recv(receiver.get(), &ignored, 1, 0) == 1;
  };
  ASSERT_TRUE(arrives(old_sender));
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_TRUE(arrives(old_sender));
  EXPECT_FALSE(arrives(new_sender));
}

// The first packet of a task that joins a VPC waits for no random time.
TEST_F(Tracking, RoutersAnswerForNeighboursAtOnce) {
  vpc.interfaces.push_back(testing::interface("eni-late", "subnet-private", "vpc-a/late", "10.0.2.13", {"sg-task"}));
  ASSERT_EQ(world->apply(vpc), "");
  testing::inside(world->network().router_namespace_path("vpc-a"), [&] {
    for (const Interface& interface : vpc.interfaces) {
      std::ifstream setting("/proc/sys/net/ipv4/neigh/" + interface_link(interface.id) + "/proxy_delay");
      std::string value;
      setting >> value;
      EXPECT_EQ(value, "0") << interface.id;
    }
  });
}

// A datagram to the resolver with a made-up source address, which a program with CAP_NET_RAW can send.
void ask_resolver_as(const std::string& from, std::uint32_t source, char sign) {
  testing::inside(from, [&] {
    const Descriptor raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    struct {
      iphdr ip;
      udphdr udp;
      char sign;
    } __attribute__((packed)) packet{};
    packet.ip.version = 4;
    packet.ip.ihl = 5;
    packet.ip.ttl = 64;
    packet.ip.protocol = IPPROTO_UDP;
    packet.ip.saddr = htonl(source);
    packet.ip.daddr = htonl(0x0A000002);  // 10.0.0.2
    packet.udp.dest = htons(53);
    packet.udp.len = htons(sizeof packet.udp + 1);
    packet.sign = sign;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(0x0A000002);
    ::sendto(raw.get(), &packet, sizeof packet, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  });
}

// Who asks the VPC's own services is known by the address, and credentials are given by it.
TEST_F(Tracking, OwnServicesKnowWhoAsksEvenWhereTheSourceCheckIsOff) {
  testing::find_interface(vpc, "eni-balancer").source_dest_check = false;
  ASSERT_EQ(world->apply(vpc), "");
  const auto resolver = std::ranges::find_if(
      world->listeners, [](const Listener& each) { return each.vpc == "vpc-a" && each.service == Service::dns; });
  ASSERT_NE(resolver, world->listeners.end());
  ask_resolver_as(at("balancer"), 0x0A00020B, 'x');  // as the task 10.0.2.11
  ask_resolver_as(at("balancer"), 0x0A00010A, 'y');  // as itself: what was sent before has come, or never will
  pollfd poll{resolver->udp, POLLIN, 0};
  char sign = 0;
  ASSERT_EQ(::poll(&poll, 1, 1000), 1);
  EXPECT_EQ(::recv(resolver->udp, &sign, 1, 0), 1);
  EXPECT_EQ(sign, 'y');
}

TEST_F(Tracking, AbsentAddressesAnswerNothing) {
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  EXPECT_EQ(Client(at("balancer"), "10.0.2.77", 8000).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "10.0.9.9", 8000).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "169.254.1.1", 80).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "198.19.0.77", 80).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("task2"), "198.19.0.77", 80).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "169.254.0.1", 80).outcome(), Outcome::timed_out);
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::connected);
  // A port that nobody listens on is refused by the task itself, where its group lets the packet in.
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8001).outcome(), Outcome::refused);
}

}  // namespace
}  // namespace brume::network
