#include "planes/balancer/haproxy_balancer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "planes/balancer/test_plane.h"

namespace brume::balancer {
namespace {

using testing::kBalancerAddress;
using testing::kSecondAddress;
using testing::quick_group;
using testing::TestLoad;

class HaproxyBalancerTest : public testing::PlaneTest {};

TEST_F(HaproxyBalancerTest, ServesHealthyTargetsOnEveryAddress) {
  const LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  EXPECT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  std::map<std::string, int> bodies;
  for (int i = 0; i < 10; ++i) {
    ++bodies[get("/").body];
    ++bodies[get("/", "Host: x\r\n", kSecondAddress).body];
  }
  EXPECT_EQ(bodies, (std::map<std::string, int>{{"one /", 10}, {"two /", 10}}));
  EXPECT_EQ(plane_->apply(desired), "") << "an equal apply";
}

TEST_F(HaproxyBalancerTest, RunsInsideTheNamespaceAsAnUnprivilegedUser) {
  ASSERT_EQ(plane_->apply(balancer_over({})), "");
  const std::string process = "/proc/" + std::to_string(plane_->pid());
  struct stat own{}, its{}, wanted{};
  ASSERT_EQ(::stat("/proc/self/ns/net", &own), 0);
  ASSERT_EQ(::stat((process + "/ns/net").c_str(), &its), 0);
  ASSERT_EQ(::stat(plane_->network.path().c_str(), &wanted), 0);
  EXPECT_NE(its.st_ino, own.st_ino);
  EXPECT_EQ(its.st_ino, wanted.st_ino);
  ASSERT_EQ(::stat(process.c_str(), &its), 0);
  EXPECT_EQ(its.st_uid, HaproxyOptions().uid);
}

TEST_F(HaproxyBalancerTest, AddsWhatElbAddsToRequests) {
  const LoadBalancer desired = balancer_over({quick_group("a", {one_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  const auto plain = get("/head");
  const testing::TestReply seen{.head = plain.body};
  EXPECT_EQ(seen.header("x-forwarded-for"), kBalancerAddress) << "the client's address";
  EXPECT_EQ(seen.header("x-forwarded-proto"), "http");
  EXPECT_EQ(seen.header("x-forwarded-port"), "80");
  EXPECT_EQ(seen.header("host"), "app.example.com");
  EXPECT_TRUE(seen.header("x-amzn-trace-id").starts_with("Root=1-")) << seen.head;
  EXPECT_EQ(seen.header("x-amzn-trace-id").size(), std::string("Root=1-12345678-123456789012345678901234").size());
  const testing::TestReply passed{
      .head = get("/head", "Host: a\r\nX-Forwarded-For: 203.0.113.7\r\nX-Amzn-Trace-Id: Root=1-x\r\n").body};
  EXPECT_EQ(passed.header("x-forwarded-for"), std::string("203.0.113.7, ") + kBalancerAddress);
  EXPECT_TRUE(passed.header("x-amzn-trace-id").starts_with("Self=1-")) << passed.head;
  EXPECT_TRUE(passed.header("x-amzn-trace-id").ends_with(";Root=1-x")) << passed.head;
}

TEST_F(HaproxyBalancerTest, ATargetGetsNoRequestBeforeItsFirstPassedCheck) {
  two_->health_status = 503;
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  desired.groups[0].targets.push_back(target_of(*two_));
  ASSERT_EQ(plane_->apply(desired), "");
  EXPECT_EQ((plane_->health[{"a", two_->id()}].health), Health::initial);
  ASSERT_TRUE(plane_->until_health("a", two_->id(), Health::unhealthy));
  const TargetHealth unhealthy = plane_->health[{"a", two_->id()}];
  EXPECT_EQ(unhealthy.reason, "Target.ResponseCodeMismatch");
  EXPECT_EQ(unhealthy.description, "Health checks failed with these codes: [503]");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/").body, "one /");
  EXPECT_EQ(two_->served, 0);
  two_->health_status = 200;
  ASSERT_TRUE(plane_->until_health("a", two_->id(), Health::healthy));
  for (int i = 0; i < 10; ++i) get("/");
  EXPECT_GT(two_->served, 0);
}

TEST_F(HaproxyBalancerTest, AnswersAsElbDoesWithoutTargetsAndFailsOpenWhenAllAreUnhealthy) {
  LoadBalancer desired = balancer_over({quick_group("a", {})});
  ASSERT_EQ(plane_->apply(desired), "");
  const auto none = get("/");
  EXPECT_EQ(none.status, 503);
  EXPECT_TRUE(none.head.starts_with("HTTP/1.1 503 Service Temporarily Unavailable\r\n")) << none.head;
  EXPECT_EQ(none.header("server"), "awselb/2.0");
  EXPECT_NE(none.body.find("<center><h1>503 Service Temporarily Unavailable</h1></center>"), std::string::npos);
  one_->health_status = 500;
  desired.groups[0].targets.push_back(target_of(*one_));
  ASSERT_EQ(plane_->apply(desired), "");
  EXPECT_EQ(get("/").status, 503) << "not while its first checks are in progress";
  ASSERT_TRUE(plane_->until_health("a", one_->id(), Health::unhealthy));
  EXPECT_EQ(get("/").body, "one /") << "fails open";
  one_->kill();
  const auto bad = get("/");
  EXPECT_EQ(bad.status, 502);
  EXPECT_NE(bad.body.find("502 Bad Gateway"), std::string::npos);
}

TEST_F(HaproxyBalancerTest, LosesNoRequestWhenATargetDies) {
  const LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  TestLoad load(plane_->network, kBalancerAddress, 80, "/");
  ASSERT_TRUE(eventually([&] { return two_->served > 20; }));
  two_->kill();
  ASSERT_TRUE(plane_->until_health("a", two_->id(), Health::unhealthy));
  EXPECT_EQ((plane_->health[{"a", two_->id()}].reason), "Target.FailedHealthChecks");
  load.stop();
  EXPECT_GT(load.answered(), 100);
  EXPECT_EQ(load.failed(), 0);
}

TEST_F(HaproxyBalancerTest, ADrainingTargetEndsItsRequestsAndGetsNoNewOnes) {
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  // Balanced in turn: one request waits at each target.
  std::array<testing::TestReply, 2> slow;
  std::thread first([&] { slow[0] = get("/wait"); }), second([&] { slow[1] = get("/wait"); });
  ASSERT_TRUE(eventually([&] { return two_->waiting > 0 && one_->waiting > 0; }));
  desired.groups[0].targets[1].draining = true;
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_health("a", two_->id(), Health::draining));
  const int before = two_->served;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/").body, "one /");
  EXPECT_EQ(two_->served, before);
  one_->release();
  two_->release();
  first.join();
  second.join();
  EXPECT_EQ(slow[0].status, 200) << "the requests in flight were completed";
  EXPECT_EQ(slow[1].status, 200);
  desired.groups[0].targets.pop_back();
  ASSERT_EQ(plane_->apply(desired), "");
  EXPECT_EQ(get("/").body, "one /");
}

TEST_F(HaproxyBalancerTest, ChangesRulesUnderLoadWithoutAFailedRequest) {
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get()}), quick_group("b", {two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  TestLoad load(plane_->network, kBalancerAddress, 80, "/");
  for (int round = 1; round <= 3; ++round) {
    const int before = load.answered();
    ASSERT_TRUE(eventually([&] { return load.answered() > before + 50; }));
    Rule rule{.id = "r", .priority = round};
    rule.conditions = {{.field = Condition::Field::path_pattern, .values = {"/round" + std::to_string(round)}}};
    rule.action.groups = {{"b", 1}};
    desired.listeners[0].rules = {rule};
    ASSERT_EQ(plane_->apply(desired), "");
    EXPECT_EQ(get("/round" + std::to_string(round)).body, "two /round" + std::to_string(round));
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_GT(load.answered(), 150);
}

TEST_F(HaproxyBalancerTest, KeepsUnhealthyTargetsUnhealthyOverAReload) {
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  desired.groups[0].health_check.interval_seconds = 5;  // so that no check comes to help after the reload
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  two_->health_status = 500;
  ASSERT_TRUE(plane_->until_health("a", two_->id(), Health::unhealthy));
  desired.idle_timeout_seconds = 30;
  const int before = two_->served;
  ASSERT_EQ(plane_->apply(desired), "");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/").body, "one /");
  EXPECT_EQ(two_->served, before);
}

}  // namespace
}  // namespace brume::balancer
