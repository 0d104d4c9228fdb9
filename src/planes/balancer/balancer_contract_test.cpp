// What every Balancer promises, asked of the real one and of the fake.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "planes/balancer/fake_balancer.h"
#include "planes/balancer/test_plane.h"

namespace brume::balancer {
namespace {

class Harness {
 public:
  virtual ~Harness() = default;
  virtual Balancer& balancer() = 0;
  virtual testing::TestLoop& loop() = 0;
  virtual std::string network_namespace() = 0;
  // A target at 10.77.3.11:8000 whose health check gets this status.
  virtual void answer(int status) = 0;
  virtual void request() = 0;
  virtual void restart() = 0;
  std::map<std::pair<std::string, std::string>, std::vector<TargetHealth>> told;
  std::vector<Balancer::Access> accesses;

 protected:
  void listen() {
    balancer().on_health([this](const std::string&, const std::string& group, const std::string& target,
                                const TargetHealth& health) { told[{group, target}].push_back(health); });
    balancer().on_access([this](const Balancer::Access& access) { accesses.push_back(access); });
  }
};

class RealHarness final : public Harness {
 public:
  RealHarness() : target_(std::make_unique<testing::TestTarget>(plane_.network, "10.77.3.11", 8000, "one")) {
    listen();
  }
  Balancer& balancer() override { return *plane_.balancer; }
  testing::TestLoop& loop() override { return plane_.loop; }
  std::string network_namespace() override { return plane_.network.path(); }
  void answer(int status) override { target_->health_status = status; }
  void request() override { testing::fetch(plane_.network, testing::kBalancerAddress, 80, "/"); }
  void restart() override {
    plane_.restart();
    listen();
  }

 private:
  testing::TestPlane plane_;
  std::unique_ptr<testing::TestTarget> target_;
};

class FakeHarness final : public Harness {
 public:
  FakeHarness() {
    listen();
    answer(200);
  }
  Balancer& balancer() override { return fake_; }
  testing::TestLoop& loop() override { return loop_; }
  std::string network_namespace() override { return "/nowhere"; }
  void answer(int status) override {
    fake_.answers["10.77.3.11:8000"] = status;
    loop_.post([this] { fake_.check(); });
  }
  void request() override {
    fake_.access({.balancer = "app-1", .group = "a", .target = "10.77.3.11:8000", .status = 200, .target_status = 200});
  }
  void restart() override {
    told.clear();
    fake_.recover([](const std::string&) {});
  }

 private:
  testing::TestLoop loop_;
  FakeBalancer fake_{loop_};
};

class BalancerContract : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && ::geteuid() != 0) GTEST_SKIP() << "needs root: it makes network namespaces";
    if (GetParam())
      harness_ = std::make_unique<RealHarness>();
    else
      harness_ = std::make_unique<FakeHarness>();
    TargetGroup group = testing::quick_group("a", {});
    group.targets = {{.id = kTarget, .address = "10.77.3.11", .port = 8000}};
    desired_ = testing::load_balancer(harness_->network_namespace(), {group});
  }
  template <class Start>
  std::string await(Start start) {
    return harness_->loop().await<std::string>([&](auto done) { start(Done(std::move(done))); });
  }
  std::string apply() {
    return await([&](Done done) { harness_->balancer().apply(desired_, std::move(done)); });
  }
  bool until_health(Health wanted) {
    return harness_->loop().run_until([&] {
      const auto& told = harness_->told[{"a", kTarget}];
      return !told.empty() && told.back().health == wanted;
    });
  }
  TargetHealth last() { return harness_->told[{"a", kTarget}].back(); }
  Statistics statistics(const std::string& group) {
    return harness_->loop().await<std::map<std::string, Statistics>>(
        [&](auto done) { harness_->balancer().statistics("app-1", done); })[group];
  }

  static constexpr const char* kTarget = "10.77.3.11:8000";
  std::unique_ptr<Harness> harness_;
  LoadBalancer desired_;
};

TEST_P(BalancerContract, ATargetIsInitialFirstAndHealthyLater) {
  EXPECT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  EXPECT_EQ((harness_->told[{"a", kTarget}].front().health), Health::initial);
  EXPECT_EQ(last(), (TargetHealth{Health::healthy, "", ""}));
}

TEST_P(BalancerContract, ATargetThatFailsItsChecksIsUnhealthyWithTheReason) {
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  harness_->answer(503);
  ASSERT_TRUE(until_health(Health::unhealthy));
  EXPECT_EQ(last(), (TargetHealth{Health::unhealthy, "Target.ResponseCodeMismatch",
                                  "Health checks failed with these codes: [503]"}));
  harness_->answer(200);
  EXPECT_TRUE(until_health(Health::healthy));
}

TEST_P(BalancerContract, ADeregisteredTargetDrainsAndCanComeBack) {
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  desired_.groups[0].targets[0].draining = true;
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::draining));
  EXPECT_EQ(last().reason, "Target.DeregistrationInProgress");
  desired_.groups[0].targets[0].draining = false;
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(until_health(Health::healthy));
}

// Deregistered and registered while an earlier change was on its way: nobody saw it gone, and who registered it waits.
TEST_P(BalancerContract, ATargetThatWasRegisteredAnewIsToldOfAnew) {
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  harness_->told.clear();
  desired_.groups[0].targets[0].registration = "another";
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(until_health(Health::healthy));
}

TEST_P(BalancerContract, AnEqualApplyTellsNothingNew) {
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  const auto before = harness_->told[{"a", kTarget}];
  EXPECT_EQ(apply(), "");
  EXPECT_EQ((harness_->told[{"a", kTarget}]), before);
}

TEST_P(BalancerContract, AnotherDaemonIsToldTheHealthOfEveryTarget) {
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  harness_->told.clear();
  harness_->restart();
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(until_health(Health::healthy));
}

TEST_P(BalancerContract, CountsRequestsByTargetGroup) {
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(until_health(Health::healthy));
  harness_->request();
  harness_->request();
  ASSERT_TRUE(harness_->loop().run_until([&] { return harness_->accesses.size() == 2; }));
  EXPECT_EQ(harness_->accesses[0].target, kTarget);
  EXPECT_EQ(harness_->accesses[0].target_status, 200);
  EXPECT_EQ(statistics("a").requests, 2U);
  EXPECT_EQ(statistics("a").status_2xx, 2U);
  EXPECT_EQ(statistics("").requests, 2U);
}

TEST_P(BalancerContract, RefusesWhatItCannotHold) {
  desired_.groups[0].id = "not an id";
  EXPECT_NE(apply(), "");
}

TEST_P(BalancerContract, RemovingWhatIsNotThereIsNoError) {
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(await([&](Done done) { harness_->balancer().remove("app-1", std::move(done)); }), "");
  EXPECT_EQ(await([&](Done done) { harness_->balancer().remove("app-1", std::move(done)); }), "");
  EXPECT_EQ(statistics("").requests, 0U);
  EXPECT_EQ(await([&](Done done) { harness_->balancer().remove_all(std::move(done)); }), "");
}

INSTANTIATE_TEST_SUITE_P(All, BalancerContract, ::testing::Values(true, false),
                         [](const auto& info) { return info.param ? "Haproxy" : "Fake"; });

}  // namespace
}  // namespace brume::balancer
