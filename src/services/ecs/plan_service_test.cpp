// The service scheduler's decisions: tables of situations, and rollouts played to their end in a small world.
#include "services/ecs/plan_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace brume::ecs {
namespace {

using Kind = ServiceAction::Kind;
constexpr Time kNow{1'772'366'400'000};

ServiceRecord make_service(std::int64_t desired, bool breaker = true) {
  ServiceRecord service;
  service.cluster = "c";
  service.name = "s";
  service.desired_count = desired;
  service.deployment_configuration.maximum_percent = 200;
  service.deployment_configuration.minimum_healthy_percent = 100;
  service.deployment_configuration.deployment_circuit_breaker.emplace().enable = breaker;
  service.deployment_configuration.deployment_circuit_breaker->rollback = true;
  DeploymentRecord deployment;
  deployment.id = "d1";
  deployment.status = "PRIMARY";
  deployment.task_definition = "def:1";
  service.deployments = {deployment};
  return service;
}

TaskView healthy_task(std::string id, std::string deployment, std::string zone = "a") {
  return {.id = std::move(id),
          .deployment = std::move(deployment),
          .zone = std::move(zone),
          .last_status = "RUNNING",
          .desired_status = "RUNNING",
          .healthy = true,
          .created_at = kNow};
}

int count_of(const ServicePlan& plan, Kind kind) {
  return static_cast<int>(std::ranges::count(plan.actions, kind, &ServiceAction::kind));
}

TEST(PlanService, StartsWhatIsMissing) {
  const ServicePlan plan = plan_service(make_service(2), {}, kNow);
  ASSERT_EQ(plan.actions.size(), 1U);
  EXPECT_EQ(plan.actions[0], (ServiceAction{Kind::start_tasks, "d1", "", 2}));
}

TEST(PlanService, CompletesAndAnnouncesTheSteadyState) {
  const ServicePlan plan = plan_service(make_service(1), {healthy_task("t1", "d1")}, kNow);
  EXPECT_EQ(count_of(plan, Kind::complete), 1);
  EXPECT_EQ(count_of(plan, Kind::reach_steady_state), 1);
}

TEST(PlanService, ScalesInFromTheFullestZone) {
  const ServicePlan plan =
      plan_service(make_service(2),
                   {healthy_task("t1", "d1", "a"), healthy_task("t2", "d1", "a"), healthy_task("t3", "d1", "b")}, kNow);
  ASSERT_EQ(count_of(plan, Kind::stop_task), 1);
  EXPECT_NE(plan.actions[0].id, "t3");
}

TEST(PlanService, KeepsHealthyOldTasksUntilNewOnesTakeOver) {
  ServiceRecord service = make_service(2);
  service.deployments[0].id = "d2";
  DeploymentRecord old;
  old.id = "d1";
  old.status = "ACTIVE";
  service.deployments.push_back(old);
  TaskView starting = healthy_task("n1", "d2");
  starting.healthy = false;
  starting.last_status = "PENDING";
  const ServicePlan plan =
      plan_service(service, {healthy_task("o1", "d1"), healthy_task("o2", "d1"), starting, starting}, kNow);
  EXPECT_EQ(count_of(plan, Kind::stop_task), 0);
  EXPECT_EQ(count_of(plan, Kind::start_tasks), 0) << "the maximum of 200 % is reached";
}

TEST(PlanService, BacksOffAfterFailures) {
  ServiceRecord service = make_service(2, false);
  service.deployments[0].failed_tasks = 3;
  service.deployments[0].last_failure = kNow;
  const ServicePlan plan = plan_service(service, {}, kNow);
  EXPECT_TRUE(plan.actions.empty());
  ASSERT_TRUE(plan.look_again.has_value());
  EXPECT_EQ(*plan.look_again, kNow + seconds(4));
  EXPECT_EQ(count_of(plan_service(service, {}, kNow + seconds(4)), Kind::start_tasks), 1);
}

TEST(PlanService, TheCircuitBreakerFailsAndRollsBack) {
  ServiceRecord service = make_service(2);
  service.last_completed_definition = "def:0";
  service.deployments[0].failed_tasks = 2;
  EXPECT_EQ(count_of(plan_service(service, {}, kNow), Kind::fail), 0);
  service.deployments[0].failed_tasks = 3;
  const ServicePlan plan = plan_service(service, {}, kNow);
  EXPECT_EQ(count_of(plan, Kind::fail), 1);
  EXPECT_EQ(count_of(plan, Kind::roll_back), 1);
  service.last_completed_definition.clear();
  EXPECT_EQ(count_of(plan_service(service, {}, kNow), Kind::roll_back), 0) << "there is nothing to roll back to";
}

TEST(PlanService, TheThresholdIsHalfTheDesiredCountBetween3And200) {
  EXPECT_EQ(circuit_breaker_threshold(1), 3);
  EXPECT_EQ(circuit_breaker_threshold(10), 5);
  EXPECT_EQ(circuit_breaker_threshold(1000), 200);
}

// A world in which started tasks become healthy after a random while, unless their deployment is broken.
class World {
 public:
  World(ServiceRecord service, unsigned seed) : service_(std::move(service)), random_(seed) {}

  // Plays until nothing changes any more; returns the smallest number of healthy tasks that was seen.
  int play(bool broken) {
    int least = healthy();
    for (int round = 0; round < 400; ++round, now_ = now_ + seconds(1)) {
      if (round % 3 == 0) live(broken);
      const ServicePlan plan = plan_service(service_, tasks_, now_);
      for (const ServiceAction& action : plan.actions) apply(action);
      EXPECT_LE(std::ranges::count_if(tasks_, [](auto& t) { return t.desired_status == "RUNNING"; }),
                2 * service_.desired_count);
      least = std::min(least, healthy());
    }
    return least;
  }
  int healthy() const {
    return static_cast<int>(
        std::ranges::count_if(tasks_, [](auto& t) { return t.healthy && t.desired_status == "RUNNING"; }));
  }
  void deploy(const std::string& id, const std::string& definition) {
    DeploymentRecord deployment;
    deployment.id = id;
    deployment.task_definition = definition;
    service_.deployments.insert(service_.deployments.begin(), deployment);
    service_.steady = false;
  }
  ServiceRecord service_;
  std::vector<TaskView> tasks_;

 private:
  void live(bool broken) {
    for (TaskView& task : tasks_) {
      if (task.last_status == "STOPPED" || random_() % 2 == 0) continue;
      if (task.desired_status == "STOPPED") {
        task.last_status = "STOPPED";
        task.healthy = false;
      } else if (task.last_status != "RUNNING" && broken && task.deployment == service_.deployments[0].id &&
                 !service_.deployments[0].rolled_back_to) {
        task.desired_status = task.last_status = "STOPPED";
        task.failed = true;
      } else {
        task.last_status = "RUNNING";
        task.healthy = true;
      }
    }
  }
  void apply(const ServiceAction& action) {
    DeploymentRecord& primary = service_.deployments.front();
    const auto task = std::ranges::find(tasks_, action.id, &TaskView::id);
    switch (action.kind) {
      case Kind::start_tasks:
        for (int i = 0; i < action.count; ++i) {
          TaskView started =
              healthy_task("t" + std::to_string(tasks_.size()), action.id, tasks_.size() % 2 ? "a" : "b");
          started.last_status = "PROVISIONING";
          started.healthy = false;
          tasks_.push_back(started);
        }
        break;
      case Kind::stop_task:
        task->desired_status = "STOPPED";
        break;
      case Kind::count_failure:
        task->failure_counted = true;
        for (DeploymentRecord& deployment : service_.deployments)
          if (deployment.id == action.text) {
            ++deployment.failed_tasks;
            deployment.last_failure = now_;
          }
        break;
      case Kind::complete:
        primary.rollout_state = "COMPLETED";
        service_.last_completed_definition = primary.task_definition;
        break;
      case Kind::fail:
        primary.rollout_state = "FAILED";
        break;
      case Kind::roll_back:
        std::swap(service_.deployments[0], service_.deployments[1]);
        service_.deployments[0].rollout_state = "IN_PROGRESS";
        service_.deployments[0].rolled_back_to = true;
        break;
      case Kind::drop_deployment:
        std::erase_if(service_.deployments, [&](auto& deployment) { return deployment.id == action.id; });
        break;
      case Kind::reach_steady_state:
        service_.steady = true;
        break;
      case Kind::leave_steady_state:
        service_.steady = false;
        break;
      case Kind::become_inactive:
        service_.status = "INACTIVE";
        break;
    }
  }
  std::mt19937 random_;
  Time now_ = kNow;
};

class Rollouts : public testing::TestWithParam<unsigned> {};

TEST_P(Rollouts, AGoodRevisionReplacesTheOldWithoutEverGoingBelowTheMinimum) {
  World world(make_service(1 + GetParam() % 5), GetParam());
  world.play(false);
  ASSERT_EQ(world.service_.deployments[0].rollout_state, "COMPLETED");
  world.deploy("d2", "def:2");
  EXPECT_GE(world.play(false), world.service_.desired_count);
  ASSERT_EQ(world.service_.deployments.size(), 1U);
  EXPECT_EQ(world.service_.deployments[0].id, "d2");
  EXPECT_EQ(world.service_.deployments[0].rollout_state, "COMPLETED");
  EXPECT_TRUE(world.service_.steady);
}

TEST_P(Rollouts, ABrokenRevisionIsRolledBackAndTheOldOneServesThroughout) {
  World world(make_service(1 + GetParam() % 5), GetParam());
  world.play(false);
  world.deploy("d2", "def:2");
  EXPECT_GE(world.play(true), world.service_.desired_count);
  ASSERT_EQ(world.service_.deployments.size(), 1U);
  EXPECT_EQ(world.service_.deployments[0].id, "d1");
  EXPECT_TRUE(world.service_.steady);
}

TEST_P(Rollouts, ADrainingServiceStopsEverything) {
  World world(make_service(3), GetParam());
  world.play(false);
  world.service_.status = "DRAINING";
  world.service_.desired_count = 0;
  world.play(false);
  EXPECT_EQ(world.service_.status, "INACTIVE");
}

INSTANTIATE_TEST_SUITE_P(Seeds, Rollouts, testing::Range(1U, 21U));

}  // namespace
}  // namespace brume::ecs
