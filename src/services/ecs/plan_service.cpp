#include "services/ecs/plan_service.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace brume::ecs {
namespace {

using Kind = ServiceAction::Kind;

bool wanted(const TaskView& task) { return task.desired_status == "RUNNING"; }

// Tasks that fail to start are retried ever more slowly, so that a broken image does not keep the machine busy.
Duration retry_delay(std::int64_t failures) {
  return seconds(
      failures <= 0 ? 0 : std::min<std::int64_t>(std::int64_t{1} << std::min<std::int64_t>(failures - 1, 6), 60));
}

struct Limits {
  int largest = 0;   // tasks that may be there at once
  int smallest = 0;  // healthy tasks that must stay
};

Limits limits_of(const ServiceRecord& service) {
  const DeploymentConfiguration& configuration = service.deployment_configuration;
  const std::int64_t desired = service.desired_count;
  const std::int64_t most = configuration.maximum_percent.value_or(200);
  const std::int64_t least = configuration.minimum_healthy_percent.value_or(100);
  // The maximum is rounded down, the minimum up.
  return {static_cast<int>(desired * most / 100), static_cast<int>((desired * least + 99) / 100)};
}

class Planner {
 public:
  Planner(const ServiceRecord& service, const std::vector<TaskView>& tasks, Time now)
      : service_(service), tasks_(tasks), now_(now) {}

  ServicePlan plan() {
    if (service_.status == "INACTIVE" || service_.deployments.empty()) return {};
    if (service_.status == "DRAINING") return drain();
    const DeploymentRecord& primary = service_.deployments.front();
    count_failures();
    if (trips(primary)) return std::move(plan_);
    stop_unhealthy();
    stop_surplus(primary);
    stop_superseded(primary);
    start_missing(primary);
    settle(primary);
    return std::move(plan_);
  }

 private:
  void add(Kind kind, std::string id, std::string text = {}, int count = 0) {
    plan_.actions.push_back({kind, std::move(id), std::move(text), count});
  }
  void stop(const TaskView& task, std::string reason) {
    add(Kind::stop_task, task.id, std::move(reason));
    stopping_.push_back(task.id);
  }
  // Wanted, and not stopped by this plan.
  bool stays(const TaskView& task) const {
    return wanted(task) && std::ranges::find(stopping_, task.id) == stopping_.end();
  }
  int count(auto&& matches) const { return static_cast<int>(std::ranges::count_if(tasks_, matches)); }

  ServicePlan drain() {
    for (const TaskView& task : tasks_)
      if (wanted(task)) stop(task, "Scaling activity initiated by deployment");
    if (count([](const TaskView& task) { return task.last_status != "STOPPED"; }) == 0)
      add(Kind::become_inactive, service_.name);
    return std::move(plan_);
  }

  void count_failures() {
    for (const TaskView& task : tasks_)
      if (task.failed && !task.failure_counted) add(Kind::count_failure, task.id, task.deployment);
  }

  // The circuit breaker looks at a deployment in progress only. Failures counted by this very plan are seen by the
  // next.
  bool trips(const DeploymentRecord& primary) {
    const auto& breaker = service_.deployment_configuration.deployment_circuit_breaker;
    if (!breaker || !breaker->enable.value_or(false) || primary.rollout_state != "IN_PROGRESS") return false;
    if (primary.failed_tasks < circuit_breaker_threshold(service_.desired_count) || primary.rolled_back_to)
      return false;
    add(Kind::fail, primary.id, "ECS deployment circuit breaker: tasks failed to start.");
    if (breaker->rollback.value_or(false) && !service_.last_completed_definition.empty() &&
        service_.last_completed_definition != primary.task_definition)
      add(Kind::roll_back, primary.id);
    return true;
  }

  void stop_unhealthy() {
    for (const TaskView& task : tasks_)
      if (stays(task) && !task.unhealthy_reason.empty()) stop(task, task.unhealthy_reason);
  }

  // Scaling in: tasks that do not run yet go first, then those of the fullest zone, the youngest first.
  void stop_surplus(const DeploymentRecord& primary) {
    std::vector<const TaskView*> mine;
    for (const TaskView& task : tasks_)
      if (stays(task) && task.deployment == primary.id) mine.push_back(&task);
    while (static_cast<std::int64_t>(mine.size()) > target(primary)) {
      std::map<std::string, int> per_zone;
      for (const TaskView* task : mine) ++per_zone[task->zone];
      auto worst = std::ranges::max_element(mine, [&](const TaskView* a, const TaskView* b) {
        return std::tuple(a->last_status != "RUNNING", per_zone[a->zone], a->created_at) <
               std::tuple(b->last_status != "RUNNING", per_zone[b->zone], b->created_at);
      });
      stop(**worst, "Scaling activity initiated by deployment " + primary.id);
      mine.erase(worst);
    }
  }

  std::int64_t target(const DeploymentRecord& primary) const {
    return primary.rollout_state == "FAILED" ? 0 : service_.desired_count;
  }

  // Tasks of former deployments: those that serve nothing go at once, healthy ones as the primary's take over.
  void stop_superseded(const DeploymentRecord& primary) {
    int healthy = count([&](const TaskView& task) { return stays(task) && task.healthy; });
    const int smallest = limits_of(service_).smallest;
    for (const TaskView& task : tasks_) {
      if (!stays(task) || task.deployment == primary.id) continue;
      if (task.healthy && healthy - 1 < smallest) continue;
      if (task.healthy) --healthy;
      stop(task, "Scaling activity initiated by deployment " + primary.id);
    }
  }

  void start_missing(const DeploymentRecord& primary) {
    const int mine = count([&](const TaskView& task) { return stays(task) && task.deployment == primary.id; });
    const std::int64_t missing = target(primary) - mine;
    if (missing <= 0) return;
    const int present = count([&](const TaskView& task) { return stays(task); });
    const std::int64_t room = std::max(limits_of(service_).largest - present, 0);
    const std::int64_t starting = std::min(missing, room);
    if (starting <= 0) return;
    const Time due = primary.last_failure + retry_delay(primary.failed_tasks);
    if (primary.failed_tasks > 0 && now_ < due) {
      plan_.look_again = due;
      return;
    }
    add(Kind::start_tasks, primary.id, {}, static_cast<int>(starting));
  }

  void settle(const DeploymentRecord& primary) {
    for (std::size_t i = 1; i < service_.deployments.size(); ++i) {
      const std::string& id = service_.deployments[i].id;
      if (count([&](const TaskView& task) { return task.deployment == id && task.last_status != "STOPPED"; }) == 0)
        add(Kind::drop_deployment, id);
    }
    const int ready =
        count([&](const TaskView& task) { return stays(task) && task.deployment == primary.id && task.healthy; });
    const int active = count([&](const TaskView& task) { return task.last_status != "STOPPED"; });
    const bool reached = ready == service_.desired_count && plan_is_quiet();
    const bool alone = active == ready;
    if (reached && alone && primary.rollout_state == "IN_PROGRESS") add(Kind::complete, primary.id);
    if (reached && alone && !service_.steady) add(Kind::reach_steady_state, service_.name);
    if (!reached && service_.steady) add(Kind::leave_steady_state, service_.name);
  }

  bool plan_is_quiet() const {
    return std::ranges::none_of(plan_.actions, [](const ServiceAction& action) {
      return action.kind == Kind::start_tasks || action.kind == Kind::stop_task;
    });
  }

  const ServiceRecord& service_;
  const std::vector<TaskView>& tasks_;
  Time now_;
  std::vector<std::string> stopping_;
  ServicePlan plan_;
};

}  // namespace

int circuit_breaker_threshold(std::int64_t desired_count) {
  return static_cast<int>(std::clamp<std::int64_t>((desired_count + 1) / 2, 3, 200));
}

ServicePlan plan_service(const ServiceRecord& service, const std::vector<TaskView>& tasks, Time now) {
  return Planner(service, tasks, now).plan();
}

}  // namespace brume::ecs
