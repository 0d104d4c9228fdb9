// What a service's scheduler does next: which tasks to start and stop, and how its deployments stand. A pure function
// of the service, its tasks and the moment. Follows "Deploy Amazon ECS services by replacing tasks" (rolling update)
// and "How the Amazon ECS deployment circuit breaker detects failures".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/ecs/records.h"

namespace brume::ecs {

// A task as its service sees it.
struct TaskView {
  std::string id, deployment, zone;
  std::string last_status, desired_status;
  bool healthy = false;          // RUNNING, and its container and load balancer checks pass
  std::string unhealthy_reason;  // why a running task fails its checks; empty: it does not, or may not be judged yet
  bool failed = false;           // it stopped by a failure of its own or of its checks
  bool failure_counted = false;
  Time created_at;
};

struct ServiceAction {
  enum class Kind {
    start_tasks,      // count of deployment `id`
    stop_task,        // task `id`; text: the reason
    count_failure,    // of task `id` against its deployment
    complete,         // deployment `id` reached its steady state
    fail,             // deployment `id` tripped the circuit breaker; text: the reason
    roll_back,        // to the last completed definition, because deployment `id` failed
    drop_deployment,  // `id` has no tasks left
    become_inactive,  // a draining service has no tasks left
    reach_steady_state,
    leave_steady_state
  } kind;
  std::string id;
  std::string text;
  int count = 0;
  bool operator==(const ServiceAction&) const = default;
};

struct ServicePlan {
  std::vector<ServiceAction> actions;
  std::optional<Time> look_again;  // when time alone changes the answer
};

ServicePlan plan_service(const ServiceRecord& service, const std::vector<TaskView>& tasks, Time now);

// How many failed tasks fail a deployment: half the desired count, at least 3 and at most 200.
int circuit_breaker_threshold(std::int64_t desired_count);

}  // namespace brume::ecs
