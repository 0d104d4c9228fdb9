#include "services/ecs/health_monitor.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/control_loop.h"
#include "core/time.h"
#include "planes/containers/fake_containers.h"

namespace brume::ecs {
namespace {

constexpr std::int64_t kSpeed = 20;

// A cloud's clock that runs faster than the machine's, or stands still while somebody steps it.
class FastClock final : public Clock {
 public:
  Time now() const override { return now_; }
  Time machine_now() const override { return machine_; }
  std::optional<std::int64_t> real_ns(Duration cloud) const override {
    return stands_still ? std::nullopt : std::optional(cloud.ms * 1'000'000 / kSpeed);
  }
  void pass(Duration cloud) {
    now_ = now_ + cloud;
    if (!stands_still) machine_.ms += cloud.ms / kSpeed;
  }
  bool stands_still = false;

 private:
  Time now_{1'772'366'400'000}, machine_{1'772'366'400'000};
};

class HealthMonitorTest : public ::testing::Test {
 protected:
  HealthMonitorTest() {
    containers_.states["t/web"].running = true;
    containers_.on_exec = [this](const std::string&, const std::vector<std::string>&) {
      checks.push_back(clock_.now());
      return containers::Containers::ExecResult{is_well ? 0 : 1, ""};
    };
    begun_ = clock_.now();
    monitor_.watch("t/web", {.command = std::vector<std::string>{"CMD", "/check"}, .interval = 5, .retries = 2}, begun_,
                   "");
  }
  void pass(Duration span) {
    for (std::int64_t ms = 0; ms < span.ms; ms += 1000) {
      clock_.pass(seconds(1));
      control_.run_until_idle();
    }
  }
  // When the checks since the last call began, in seconds of the cloud since the beginning.
  std::vector<std::int64_t> checked() {
    std::vector<std::int64_t> moments;
    for (const Time check : checks) moments.push_back((check - begun_).ms / 1000);
    checks.clear();
    return moments;
  }

  FastClock clock_;
  ControlLoop control_{clock_};
  containers::FakeContainers containers_{control_};
  Time begun_;
  std::vector<std::string> reports;
  std::vector<Time> checks;
  bool is_well = true;
  HealthMonitor monitor_{control_, clock_, containers_,
                         [this](const std::string&, const std::string& health) { reports.push_back(health); }};
};

TEST_F(HealthMonitorTest, ConfirmsOnlyOnceASecondOfTheMachines) {
  pass(seconds(60));
  EXPECT_EQ(checked(), (std::vector<std::int64_t>{5, 25, 45}));
  EXPECT_EQ(reports, (std::vector<std::string>{"HEALTHY"}));
}

TEST_F(HealthMonitorTest, LooksAsOftenAsAskedForAtWhatMayChange) {
  is_well = false;
  pass(seconds(12));
  EXPECT_EQ(checked(), (std::vector<std::int64_t>{5, 10}));
  EXPECT_EQ(reports, (std::vector<std::string>{"UNHEALTHY"}));
  is_well = true;
  pass(seconds(20));
  EXPECT_EQ(checked(), (std::vector<std::int64_t>{30}));
  is_well = false;
  pass(seconds(28));
  EXPECT_EQ(checked(), (std::vector<std::int64_t>{50, 55}));
  EXPECT_EQ(reports, (std::vector<std::string>{"UNHEALTHY", "HEALTHY", "UNHEALTHY"}));
}

TEST_F(HealthMonitorTest, LeavesNoneOutOfAnAdvance) {
  clock_.stands_still = true;
  pass(seconds(20));
  EXPECT_EQ(checked(), (std::vector<std::int64_t>{5, 10, 15, 20}));
}

}  // namespace
}  // namespace brume::ecs
