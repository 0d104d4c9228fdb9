#include "services/ecs/service_scheduler.h"

#include <algorithm>

#include "core/fault.h"
#include "core/log.h"
#include "services/ecs/events.h"
#include "services/ecs/new_task.h"
#include "services/ecs/task_runner.h"

namespace brume::ecs {
namespace {

using Kind = ServiceAction::Kind;
using Health = ServiceTargets::Health;

constexpr Duration kInactiveServicesStay = hours(1);

DeploymentRecord& deployment_of(ServiceRecord& service, const std::string& id) {
  auto found = std::ranges::find(service.deployments, id, &DeploymentRecord::id);
  BRUME_CHECK(found != service.deployments.end());
  return *found;
}

std::string loop_key(const Scope& scope, const std::string& key) { return TaskKey{scope, key}.text(); }

}  // namespace

ServiceScheduler::ServiceScheduler(Ecs& ecs) : ecs_(ecs) {
  loop_ = std::make_unique<ReconcileLoop>(ecs.needs.control, ecs.needs.clock, "ecs service",
                                          [this](const std::string& text, const ReconcileLoop::Done& done) {
                                            const TaskKey key = TaskKey::parse(text);
                                            step(key.scope, key.key);
                                            done(ReconcileLoop::Outcome::done());
                                          });
}

void ServiceScheduler::start() {
  started_ = true;
  ecs_.services.for_all([this](const Scope& scope, std::string_view key, const ServiceRecord& service) {
    if (service.status == "INACTIVE")
      prune(scope, std::string(key));
    else
      wake(scope, std::string(key));
  });
}

void ServiceScheduler::wake(const Scope& scope, const std::string& key) {
  if (started_) loop_->add(loop_key(scope, key));
}

// What "Service load balancing health" and container health checks say of a running task. The grace period covers both.
void ServiceScheduler::judge_running(const Scope& scope, const ServiceRecord& service, const TaskRecord& task,
                                     TaskView& view) const {
  const TaskDefinitionRecord* found = find_definition(ecs_, scope, task.definition);
  const std::string container_health = found == nullptr ? "UNKNOWN" : health_of(task, found->definition);
  const bool has_check =
      found != nullptr && std::ranges::any_of(found->definition.container_definitions.get(),
                                              [](const ContainerDefinition& c) { return c.health_check.has_value(); });
  view.healthy = !has_check || container_health == "HEALTHY";
  const bool in_grace = service.grace_period_seconds > 0 &&
                        ecs_.needs.clock.now() < task.started_at + seconds(service.grace_period_seconds);
  if (container_health == "UNHEALTHY" && !in_grace) view.unhealthy_reason = "Task failed container health checks";
  for (const TaskTarget& target : task.targets) {
    const Health health =
        ecs_.needs.targets.health(scope, target.target_group, task.private_address, static_cast<int>(target.port));
    if (health != Health::healthy && health != Health::unused) view.healthy = false;
    if (health == Health::unhealthy && !in_grace)
      view.unhealthy_reason = "Task failed ELB health checks in (target-group " + target.target_group + ")";
  }
}

TaskView ServiceScheduler::view_of(const Scope& scope, const ServiceRecord& service, const TaskRecord& task) const {
  TaskView view{.id = task.id,
                .deployment = task.deployment,
                .zone = ecs_.needs.interfaces.zone_of(scope, task.subnet),
                .last_status = task.last_status,
                .desired_status = task.desired_status,
                .failure_counted = task.failure_counted,
                .created_at = task.created_at};
  if (task.last_status == "RUNNING" && task.desired_status == "RUNNING") judge_running(scope, service, task, view);
  const bool failed_checks = task.stopped_reason.starts_with("Task failed ");
  view.failed = task.desired_status == "STOPPED" && (task.stop_code == "TaskFailedToStart" ||
                                                     task.stop_code == "EssentialContainerExited" || failed_checks);
  return view;
}

std::vector<TaskView> ServiceScheduler::views(const Scope& scope, const ServiceRecord& service) const {
  std::vector<TaskView> views;
  ecs_.tasks.for_each(scope, [&](const TaskRecord& task) {
    if (task.cluster == service.cluster && task.service == service.name) views.push_back(view_of(scope, service, task));
  });
  return views;
}

void ServiceScheduler::step(const Scope& scope, const std::string& key) {
  const ServiceRecord* service = ecs_.services.find(scope, key);
  if (service == nullptr) return;
  const ServicePlan plan = plan_service(*service, views(scope, *service), ecs_.needs.clock.now());
  if (!plan.actions.empty()) {
    in_transaction(ecs_.needs.store, [&](Tx& tx) {
      for (const ServiceAction& action : plan.actions) apply(tx, scope, key, action);
      // What was just written may ask for more: failures counted now may trip the circuit breaker.
      tx.on_commit([this, scope, key] { wake(scope, key); });
    });
    fault_point("ecs.deployment");
  }
  const Time now = ecs_.needs.clock.now();
  if (plan.look_again) loop_->add_after(loop_key(scope, key), *plan.look_again - now);
  // A grace period's end changes what an unhealthy task means.
  if (service->grace_period_seconds <= 0) return;
  for (const TaskView& view : views(scope, *service)) {
    const TaskRecord* task = ecs_.tasks.find(scope, service->cluster + "/" + view.id);
    const Time end = task->started_at + seconds(service->grace_period_seconds);
    if (view.last_status == "RUNNING" && !view.healthy && end > now) loop_->add_after(loop_key(scope, key), end - now);
  }
}

void ServiceScheduler::apply(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action) {
  switch (action.kind) {
    case Kind::start_tasks:
      return start_tasks(tx, scope, key, action);
    case Kind::stop_task: {
      const std::string cluster = key.substr(0, key.find('/'));
      ecs_.runner->stop(tx, scope, cluster + "/" + action.id, "ServiceSchedulerInitiated", action.text);
      if (action.text.starts_with("Task failed "))
        add_service_event(ecs_, tx, scope, key, "(task " + action.id + ") is unhealthy: " + action.text);
      else
        add_service_event(ecs_, tx, scope, key, "has stopped 1 running tasks: (task " + action.id + ")");
      return;
    }
    case Kind::count_failure:
      return count_failure(tx, scope, key, action);
    case Kind::complete:
      return complete(tx, scope, key, action);
    case Kind::fail:
      return fail(tx, scope, key, action);
    case Kind::roll_back:
      return roll_back(tx, scope, key, action);
    case Kind::drop_deployment:
      ecs_.services.modify(tx, scope, key, [&](ServiceRecord& service) {
        std::erase_if(service.deployments,
                      [&](const DeploymentRecord& deployment) { return deployment.id == action.id; });
      });
      return;
    case Kind::become_inactive:
      return become_inactive(tx, scope, key);
    case Kind::reach_steady_state:
      ecs_.services.modify(tx, scope, key, [](ServiceRecord& service) {
        service.steady = true;
        if (!service.deployments.empty()) service.deployments.front().failed_tasks = 0;
      });
      return add_service_event(ecs_, tx, scope, key, "has reached a steady state");
    case Kind::leave_steady_state:
      ecs_.services.modify(tx, scope, key, [](ServiceRecord& service) { service.steady = false; });
      return;
  }
}

void ServiceScheduler::start_tasks(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action) {
  const ServiceRecord service = *ecs_.services.find(scope, key);
  const auto deployment = std::ranges::find(service.deployments, action.id, &DeploymentRecord::id);
  const TaskDefinitionRecord* definition = find_definition(ecs_, scope, deployment->task_definition);
  std::vector<std::string> zones;
  for (const TaskView& view : views(scope, service))
    if (view.desired_status == "RUNNING" && view.deployment == action.id) zones.push_back(view.zone);
  std::string started;
  for (int i = 0; i < action.count; ++i) {
    const std::string subnet = pick_subnet(ecs_, scope, deployment->network, zones);
    zones.push_back(ecs_.needs.interfaces.zone_of(scope, subnet));
    TaskRecord task =
        make_task(ecs_, {.definition = definition->definition,
                         .cluster = service.cluster,
                         .group = "service:" + service.name,
                         .started_by = deployment->id,
                         .launch_type = service.launch_type.empty() ? "FARGATE" : service.launch_type,
                         .capacity_provider = service.capacity_provider_strategy.empty()
                                                  ? std::string()
                                                  : service.capacity_provider_strategy[0].capacity_provider.get(),
                         .platform_version = service.platform_version,
                         .network = deployment->network,
                         .subnet = subnet,
                         .overrides = {}});
    task.service = service.name;
    task.deployment = deployment->id;
    for (const LoadBalancer& balancer : service.load_balancers)
      task.targets.push_back(
          {balancer.target_group_arn.get(), balancer.container_name.get(), balancer.container_port.value_or(0), false});
    if (service.propagate_tags == "SERVICE") task.tags = service.tags;
    if (service.propagate_tags == "TASK_DEFINITION") task.tags = definition->tags;
    task.managed_tags = service.managed_tags;
    if (service.managed_tags) {
      task.tags["aws:ecs:clusterName"] = service.cluster;
      task.tags["aws:ecs:serviceName"] = service.name;
    }
    started += " (task " + task.id + ")";
    ecs_.runner->create(tx, scope, std::move(task));
  }
  add_service_event(ecs_, tx, scope, key, "has started " + std::to_string(action.count) + " tasks:" + started);
}

void ServiceScheduler::count_failure(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action) {
  const std::string cluster = key.substr(0, key.find('/'));
  std::string reason;
  ecs_.tasks.modify(tx, scope, cluster + "/" + action.id, [&](TaskRecord& task) {
    task.failure_counted = true;
    reason = task.stopped_reason;
  });
  ecs_.services.modify(tx, scope, key, [&](ServiceRecord& service) {
    for (DeploymentRecord& deployment : service.deployments) {
      if (deployment.id != action.text) continue;
      ++deployment.failed_tasks;
      // "Service throttle logic" slows down tasks that fail to start, not those that ran and failed their checks.
      if (!reason.starts_with("Task failed ")) deployment.last_failure = ecs_.needs.clock.now();
    }
  });
  if (!reason.starts_with("Task failed "))
    add_service_event(ecs_, tx, scope, key, "(task " + action.id + ") stopped: " + reason);
}

void ServiceScheduler::complete(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action) {
  const Time now = ecs_.needs.clock.now();
  const ServiceRecord& service = ecs_.services.modify(tx, scope, key, [&](ServiceRecord& changed) {
    DeploymentRecord& deployment = deployment_of(changed, action.id);
    deployment.rollout_state = "COMPLETED";
    deployment.rollout_state_reason = "ECS deployment " + deployment.id + " completed.";
    deployment.failed_tasks = 0;
    deployment.updated_at = now;
    changed.last_completed_definition = deployment.task_definition;
    changed.last_completed_network = deployment.network;
  });
  add_service_event(ecs_, tx, scope, key, "(deployment " + action.id + ") deployment completed");
  ecs_.needs.events.put(
      deployment_state_change(scope, service, *std::ranges::find(service.deployments, action.id, &DeploymentRecord::id),
                              "SERVICE_DEPLOYMENT_COMPLETED", now));
}

void ServiceScheduler::fail(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action) {
  const Time now = ecs_.needs.clock.now();
  const ServiceRecord& service = ecs_.services.modify(tx, scope, key, [&](ServiceRecord& changed) {
    DeploymentRecord& deployment = deployment_of(changed, action.id);
    deployment.rollout_state = "FAILED";
    deployment.rollout_state_reason = action.text;
    deployment.updated_at = now;
  });
  add_service_event(ecs_, tx, scope, key, "(deployment " + action.id + ") deployment failed: tasks failed to start");
  ecs_.needs.events.put(
      deployment_state_change(scope, service, *std::ranges::find(service.deployments, action.id, &DeploymentRecord::id),
                              "SERVICE_DEPLOYMENT_FAILED", now));
}

// The former deployment becomes the primary again, with the tasks it still has; if it is gone, a new one takes its
// definition.
void ServiceScheduler::roll_back(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action) {
  std::string target;
  ecs_.services.modify(tx, scope, key, [&](ServiceRecord& service) {
    const Time now = ecs_.needs.clock.now();
    auto former = std::ranges::find_if(service.deployments, [&](const DeploymentRecord& deployment) {
      return deployment.id != action.id && deployment.task_definition == service.last_completed_definition &&
             deployment.rollout_state != "FAILED";
    });
    if (former == service.deployments.end()) {
      begin_deployment(ecs_, service, service.last_completed_definition, service.last_completed_network, {});
    } else {
      std::rotate(service.deployments.begin(), former, former + 1);
      for (DeploymentRecord& deployment : service.deployments) deployment.status = "ACTIVE";
    }
    DeploymentRecord& primary = service.deployments.front();
    primary.status = "PRIMARY";
    primary.rollout_state = "IN_PROGRESS";
    primary.rollout_state_reason = "ECS deployment circuit breaker: rolling back to deploymentId " + primary.id + ".";
    primary.rolled_back_to = true;
    primary.failed_tasks = 0;
    primary.updated_at = now;
    service.steady = false;
    target = primary.id;
  });
  add_service_event(ecs_, tx, scope, key, "rolling back to (deployment " + target + ")");
}

void ServiceScheduler::become_inactive(Tx& tx, const Scope& scope, const std::string& key) {
  ecs_.services.modify(tx, scope, key, [&](ServiceRecord& service) {
    service.status = "INACTIVE";
    service.deployments.clear();
    service.deleted_at = ecs_.needs.clock.now();
  });
  tx.on_commit([this, scope, key] { prune(scope, key); });
}

void ServiceScheduler::prune(const Scope& scope, const std::string& key) {
  const Time deleted = ecs_.services.find(scope, key)->deleted_at;
  ecs_.needs.control.at(deleted + kInactiveServicesStay, [this, scope, key, deleted] {
    const ServiceRecord* service = ecs_.services.find(scope, key);
    if (service == nullptr || service->status != "INACTIVE" || service->deleted_at != deleted) return;
    in_transaction(ecs_.needs.store, [&](Tx& tx) { ecs_.services.erase(tx, scope, key); });
  });
}

void begin_deployment(Ecs& ecs, ServiceRecord& service, const std::string& task_definition,
                      const AwsVpcConfiguration& network, const std::string& reason) {
  for (DeploymentRecord& deployment : service.deployments) deployment.status = "ACTIVE";
  DeploymentRecord deployment;
  deployment.id = "ecs-svc/" + ecs.needs.random.digits(19);
  deployment.status = "PRIMARY";
  deployment.task_definition = task_definition;
  deployment.network = network;
  deployment.desired_count = service.desired_count;
  deployment.created_at = deployment.updated_at = ecs.needs.clock.now();
  deployment.rollout_state_reason = reason.empty() ? "ECS deployment " + deployment.id + " in progress." : reason;
  service.deployments.insert(service.deployments.begin(), std::move(deployment));
  service.steady = false;
}

}  // namespace brume::ecs
