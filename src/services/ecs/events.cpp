#include "services/ecs/events.h"

#include <boost/json.hpp>

namespace brume::ecs {
namespace {
constexpr std::size_t kEventsKept = 100;
}

void add_service_event(Ecs& ecs, Tx& tx, const Scope& scope, const std::string& service_key, const std::string& text) {
  if (ecs.services.find(scope, service_key) == nullptr) return;
  ecs.services.modify(tx, scope, service_key, [&](ServiceRecord& service) {
    ServiceEvent event;
    event.id = ecs.needs.random.uuid();
    event.created_at = ecs.needs.clock.now();
    event.message = "(service " + service.name + ") " + text + ".";
    service.events.insert(service.events.begin(), std::move(event));
    if (service.events.size() > kEventsKept) service.events.resize(kEventsKept);
  });
}

Event task_state_change(const Scope& scope, const TaskRecord& task, Time now) {
  boost::json::array containers;
  for (const ContainerRecord& container : task.containers) {
    boost::json::object item{{"name", container.name},
                             {"image", container.image},
                             {"lastStatus", container.last_status},
                             {"runtimeId", container.runtime_id}};
    if (container.exit_code) item["exitCode"] = *container.exit_code;
    if (!container.reason.empty()) item["reason"] = container.reason;
    containers.push_back(std::move(item));
  }
  boost::json::object detail{{"clusterArn", cluster_arn(scope, task.cluster)},
                             {"taskArn", task_arn(scope, task.cluster, task.id)},
                             {"taskDefinitionArn", task.definition},
                             {"group", task.group},
                             {"desiredStatus", task.desired_status},
                             {"lastStatus", task.last_status},
                             {"launchType", task.launch_type},
                             {"availabilityZone", task.zone},
                             {"cpu", task.cpu},
                             {"memory", task.memory},
                             {"createdAt", iso8601(task.created_at, true)},
                             {"version", task.version},
                             {"containers", std::move(containers)}};
  if (!task.stop_code.empty()) {
    detail["stopCode"] = task.stop_code;
    detail["stoppedReason"] = task.stopped_reason;
  }
  return {.scope = scope,
          .source = "aws.ecs",
          .detail_type = "ECS Task State Change",
          .detail = boost::json::serialize(detail),
          .resources = {task_arn(scope, task.cluster, task.id)},
          .time = now};
}

Event deployment_state_change(const Scope& scope, const ServiceRecord& service, const DeploymentRecord& deployment,
                              const std::string& name, Time now) {
  boost::json::object detail{{"eventType", name == "SERVICE_DEPLOYMENT_FAILED" ? "ERROR" : "INFO"},
                             {"eventName", name},
                             {"deploymentId", deployment.id},
                             {"updatedAt", iso8601(deployment.updated_at, true)},
                             {"reason", deployment.rollout_state_reason}};
  return {.scope = scope,
          .source = "aws.ecs",
          .detail_type = "ECS Deployment State Change",
          .detail = boost::json::serialize(detail),
          .resources = {service_arn(scope, service.cluster, service.name)},
          .time = now};
}

}  // namespace brume::ecs
