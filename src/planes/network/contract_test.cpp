// What every network plane does, the real one and the fake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "planes/network/network.h"
#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"

namespace brume::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::sample_vpc;
using ::testing::UnorderedElementsAre;
using testing::World;

class NetworkContract : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const bool real = std::string(GetParam()) == "kernel";
    if (const std::string reason = real ? testing::why_no_kernel() : ""; !reason.empty()) GTEST_SKIP() << reason;
    world = real ? testing::make_real_world() : testing::make_fake_world();
    ASSERT_EQ(world->recover(), "");
  }

  std::vector<std::string> told() const {
    std::vector<std::string> all;
    for (const Listener& listener : world->listeners) {
      static constexpr const char* kNames[] = {"dns", "metadata", "credentials"};
      all.push_back(listener.vpc + " " + kNames[static_cast<int>(listener.service)]);
      EXPECT_GE(listener.tcp, 0);
      EXPECT_EQ(listener.udp >= 0, listener.service == Service::dns);
    }
    return all;
  }

  std::unique_ptr<World> world;
};

TEST_P(NetworkContract, RecoverOfNothingOffersTheInternetsResolver) { EXPECT_THAT(told(), ElementsAre(" dns")); }

TEST_P(NetworkContract, EachVpcsServicesAreOfferedOnce) {
  ASSERT_EQ(world->apply(sample_vpc()), "");
  const auto all = UnorderedElementsAre(" dns", "vpc-a dns", "vpc-a dns", "vpc-a metadata", "vpc-a credentials");
  EXPECT_THAT(told(), all);
  Vpc changed = sample_vpc();
  changed.interfaces.pop_back();
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_THAT(told(), all);
}

TEST_P(NetworkContract, RecoverOffersTheServicesOfVpcsThatAreThere) {
  ASSERT_EQ(world->apply(sample_vpc()), "");
  world->restart();
  ASSERT_EQ(world->recover(), "");
  EXPECT_THAT(told(), UnorderedElementsAre(" dns", "vpc-a dns", "vpc-a dns", "vpc-a metadata", "vpc-a credentials"));
  ASSERT_EQ(world->apply(sample_vpc()), "");
  EXPECT_EQ(world->listeners.size(), 5U);
}

TEST_P(NetworkContract, RemovedVpcIsForgotten) {
  ASSERT_EQ(world->apply(sample_vpc()), "");
  ASSERT_EQ(world->remove("vpc-a"), "");
  EXPECT_TRUE(world->counters("vpc-a").rules.empty());
  world->restart();
  ASSERT_EQ(world->recover(), "");
  EXPECT_THAT(told(), ElementsAre(" dns"));
}

TEST_P(NetworkContract, RemovingWhatIsNotThereIsNoError) { EXPECT_EQ(world->remove("vpc-none"), ""); }

TEST_P(NetworkContract, ContradictoryVpcIsRefusedAndTheFormerOneStays) {
  ASSERT_EQ(world->apply(sample_vpc()), "");
  Vpc wrong = sample_vpc();
  wrong.subnets[0].route_table = "rtb-gone";
  EXPECT_THAT(world->apply(wrong), HasSubstr("rtb-gone"));
  EXPECT_EQ(world->counters("vpc-a").rules.size(), 5U);
  EXPECT_EQ(world->apply(sample_vpc()), "");
}

TEST_P(NetworkContract, CountersNameEverythingCounted) {
  ASSERT_EQ(world->apply(sample_vpc()), "");
  const Counters counters = world->counters("vpc-a");
  EXPECT_EQ(counters.rules.size(), 5U);
  EXPECT_EQ(counters.rules.at("sgr-task").packets, 0U);
  EXPECT_EQ(counters.ingress_dropped.size(), 4U);
  EXPECT_EQ(counters.egress_dropped.count("eni-task1"), 1U);
  EXPECT_EQ(counters.acl_dropped.count("acl-open"), 1U);
  EXPECT_EQ(counters.nat.count("nat-a"), 1U);
  EXPECT_TRUE(world->counters("vpc-none").rules.empty());
}

TEST_P(NetworkContract, WaitingApplyIsReplacedByANewerOneAndBothAreAnswered) {
  std::vector<std::string> answers;
  const auto note = [&](const char* which) {
    return [&answers, which](const std::string& error) { answers.push_back(which + error); };
  };
  Vpc second = sample_vpc(), third = sample_vpc();
  second.subnets[0].route_table = "rtb-gone";  // would be refused if it were carried out
  third.interfaces.pop_back();
  world->network().apply(sample_vpc("vpc-b"), note("other"));
  world->network().apply(sample_vpc(), note("first"));
  world->network().apply(second, note("second"));
  world->network().apply(third, note("third"));
  ASSERT_TRUE(world->loop().run_until([&] { return answers.size() == 4; }));
  EXPECT_EQ(answers[0], "other");
  EXPECT_EQ(answers.back(), "third");
  EXPECT_EQ(world->counters("vpc-a").ingress_dropped.size(), 3U);
}

TEST_P(NetworkContract, ApplyAfterRemoveIsNotCarriedOutBeforeIt) {
  std::vector<std::string> answers;
  const auto note = [&](const std::string& error) { answers.push_back(error); };
  world->network().apply(sample_vpc(), note);
  world->network().remove("vpc-a", note);
  world->network().apply(sample_vpc(), note);
  ASSERT_TRUE(world->loop().run_until([&] { return answers.size() == 3; }));
  EXPECT_THAT(answers, ElementsAre("", "", ""));
  EXPECT_EQ(world->counters("vpc-a").rules.size(), 5U);
}

TEST_P(NetworkContract, PathsAreDistinctAndStay) {
  const Network& network = world->network();
  const std::string task = network.namespace_path("task/0a1b");
  EXPECT_NE(task, network.namespace_path("task_0a1b"));
  EXPECT_NE(task, network.router_namespace_path("task/0a1b"));
  EXPECT_THAT(network.internet_namespace_path(), ::testing::EndsWith("/netns/internet"));
  world->restart();
  EXPECT_EQ(task, world->network().namespace_path("task/0a1b"));
  EXPECT_EQ(world->recover(), "");
}

TEST_P(NetworkContract, DialReachesAnEndpoint) {
  auto [listening, why] = world->listen_internet("198.18.0.2", 443);
  ASSERT_TRUE(listening) << why;
  auto [socket, error] = world->dial("", "198.18.0.2", 443);
  ASSERT_TRUE(socket) << error;
  const Descriptor accepted(::accept(listening.get(), nullptr, nullptr));
  ASSERT_EQ(::send(accepted.get(), "hello", 5, MSG_NOSIGNAL), 5);
  char text[5] = {};
  EXPECT_EQ(::recv(socket.get(), text, sizeof text, 0), 5);
}

TEST_P(NetworkContract, DialThatFailsSaysWhy) {
  auto [socket, error] = world->dial("", "198.18.0.2", 81);
  EXPECT_FALSE(socket);
  EXPECT_EQ(error, "Connection refused");
}

TEST_P(NetworkContract, EndpointsAreInTheirPoolOnly) {
  auto [socket, error] = world->listen_internet("10.0.0.1", 443);
  EXPECT_FALSE(socket);
  EXPECT_THAT(error, HasSubstr("198.18.0.0/16"));
}

TEST_P(NetworkContract, RemoveAllLeavesNothingAndTheWorldCanBeginAnew) {
  ASSERT_EQ(world->apply(sample_vpc()), "");
  ASSERT_EQ(world->remove_all(), "");
  EXPECT_TRUE(world->counters("vpc-a").rules.empty());
  world->restart();
  ASSERT_EQ(world->recover(), "");
  EXPECT_THAT(told(), ElementsAre(" dns"));
}

INSTANTIATE_TEST_SUITE_P(Planes, NetworkContract, ::testing::Values("kernel", "fake"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace brume::network
