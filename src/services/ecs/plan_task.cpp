#include "services/ecs/plan_task.h"

#include <algorithm>

namespace brume::ecs {
namespace {

using Kind = TaskAction::Kind;
using Process = ContainerObservation::Process;
using Image = ContainerObservation::Image;
using Sandbox = TaskObservation::Sandbox;

const ContainerObservation& observed_of(const TaskObservation& observed, const std::string& name) {
  static const ContainerObservation kNothing;
  auto found = observed.containers.find(name);
  return found == observed.containers.end() ? kNothing : found->second;
}

const ContainerRecord* record_of(const TaskRecord& task, const std::string& name) {
  auto found = std::ranges::find(task.containers, name, &ContainerRecord::name);
  return found == task.containers.end() ? nullptr : &*found;
}

// "Container dependency" conditions: START, COMPLETE, SUCCESS, HEALTHY.
enum class Dependency { met, waiting, broken };
Dependency dependency_state(const TaskRecord& task, const ContainerDependency& dependency) {
  const ContainerRecord* other = record_of(task, dependency.container_name.get());
  if (other == nullptr) return Dependency::broken;
  const std::string& condition = dependency.condition.get();
  const bool ended = other->last_status == "STOPPED";
  if (condition == "START") return other->last_status == "PENDING" ? Dependency::waiting : Dependency::met;
  if (condition == "COMPLETE") return ended ? Dependency::met : Dependency::waiting;
  if (condition == "SUCCESS") {
    if (!ended) return Dependency::waiting;
    return other->exit_code.value_or(1) == 0 ? Dependency::met : Dependency::broken;
  }
  if (ended) return Dependency::broken;
  return other->health == "HEALTHY" ? Dependency::met : Dependency::waiting;
}

std::string reason_of_end(const ContainerObservation& seen) {
  if (seen.out_of_memory) return "OutOfMemoryError: Container killed due to memory usage";
  // On AWS its writes fail with this error; here it is killed for them (docs/decisions/0041).
  if (seen.out_of_disk) return "no space left on device: Container killed due to ephemeral storage usage";
  return {};
}

// Failures and exits since the last look; a failure ends the plan.
bool note_changes(const TaskRecord& task, const TaskObservation& observed, std::vector<TaskAction>& actions) {
  for (const ContainerRecord& container : task.containers) {
    const ContainerObservation& seen = observed_of(observed, container.name);
    if (seen.image == Image::failed) {
      actions.push_back({Kind::fail, container.name, "CannotPullContainerError: " + seen.error, "TaskFailedToStart"});
      return true;
    }
    if (seen.process == Process::failed && container.last_status != "STOPPED") {
      actions.push_back({Kind::fail, container.name, "CannotStartContainerError: " + seen.error, "TaskFailedToStart"});
      return true;
    }
    if ((seen.process == Process::running || seen.process == Process::exited) && container.last_status == "PENDING")
      actions.push_back({Kind::record_start, container.name, {}, {}});
    if (seen.process == Process::exited && container.last_status != "STOPPED") {
      actions.push_back({Kind::record_exit, container.name, reason_of_end(seen), {}});
      if (container.essential && task.desired_status == "RUNNING") {
        actions.push_back(
            {Kind::fail, container.name, "Essential container in task exited", "EssentialContainerExited"});
        return true;
      }
    }
  }
  return false;
}

void plan_pending(const TaskRecord& task, const TaskDefinition& definition, const TaskObservation& observed,
                  std::vector<TaskAction>& actions) {
  bool images_ready = true;
  for (const ContainerRecord& container : task.containers) {
    const ContainerObservation& seen = observed_of(observed, container.name);
    if (seen.process != Process::absent) continue;
    if (seen.image == Image::absent) actions.push_back({Kind::pull_image, container.name, {}, {}});
    if (seen.image != Image::ready) images_ready = false;
  }
  if (!images_ready) return;
  if (!observed.sandbox_error.empty()) {
    actions.push_back({Kind::fail, {}, "ResourceInitializationError: " + observed.sandbox_error, "TaskFailedToStart"});
    return;
  }
  if (observed.sandbox == Sandbox::absent) actions.push_back({Kind::create_sandbox, {}, {}, {}});
  if (observed.sandbox != Sandbox::ready) return;
  bool all_started = true;
  for (const ContainerDefinition& container : definition.container_definitions.get()) {
    const std::string& name = container.name.get();
    if (record_of(task, name)->last_status != "PENDING") continue;
    all_started = false;
    if (observed_of(observed, name).process != Process::absent) continue;
    bool may_start = true;
    for (const ContainerDependency& dependency : container.depends_on.get()) {
      Dependency state = dependency_state(task, dependency);
      if (state == Dependency::broken) {
        actions.push_back({Kind::fail, name,
                           "Task failed to start: container " + name + " depends on " +
                               dependency.container_name.get() + ", whose condition " + dependency.condition.get() +
                               " was not met",
                           "TaskFailedToStart"});
        return;
      }
      may_start = may_start && state == Dependency::met;
    }
    if (may_start) actions.push_back({Kind::start_container, name, {}, {}});
  }
  if (all_started) actions.push_back({Kind::enter, {}, task.targets.empty() ? "RUNNING" : "ACTIVATING", {}});
}

bool any_registered(const TaskRecord& task) {
  return std::ranges::any_of(task.targets, [](const TaskTarget& target) { return target.registered; });
}

bool is_alive(const ContainerObservation& seen) {
  return seen.process == Process::running || seen.process == Process::starting || seen.process == Process::stopping;
}

// SIGTERM comes only after the deregistration delay, so that no request in flight is cut (DECISIONS 13).
void plan_stop(const TaskRecord& task, const TaskDefinition& definition, const TaskObservation& observed,
               std::vector<TaskAction>& actions) {
  const bool alive =
      std::ranges::any_of(task.containers, [&](const auto& c) { return is_alive(observed_of(observed, c.name)); });
  if (any_registered(task)) {
    actions.push_back({Kind::deregister_targets, {}, {}, {}});
    if (task.last_status != "DEACTIVATING") actions.push_back({Kind::enter, {}, "DEACTIVATING", {}});
    return;
  }
  const bool draining = std::ranges::any_of(observed.targets, [](const auto& target) {
    return target.second != ServiceTargets::Health::absent && target.second != ServiceTargets::Health::unused;
  });
  if (alive && draining) return;
  if (alive) {
    if (task.last_status != "STOPPING") actions.push_back({Kind::enter, {}, "STOPPING", {}});
    for (const ContainerRecord& container : task.containers) {
      if (observed_of(observed, container.name).process != Process::running) continue;
      // A container stops before the ones it depends on ("reverse order" of dependsOn).
      const bool needed = std::ranges::any_of(definition.container_definitions.get(), [&](const auto& other) {
        return is_alive(observed_of(observed, other.name.get())) &&
               std::ranges::any_of(other.depends_on.get(), [&](const ContainerDependency& dependency) {
                 return dependency.container_name.get() == container.name;
               });
      });
      if (!needed) actions.push_back({Kind::stop_container, container.name, {}, {}});
    }
    return;
  }
  if (task.last_status != "DEPROVISIONING") actions.push_back({Kind::enter, {}, "DEPROVISIONING", {}});
  if (observed.sandbox == Sandbox::ready || observed.sandbox == Sandbox::creating)
    actions.push_back({Kind::remove_sandbox, {}, {}, {}});
  if (observed.sandbox != Sandbox::absent && observed.sandbox != Sandbox::removed) return;
  if (!task.interface_id.empty()) actions.push_back({Kind::delete_interface, {}, {}, {}});
  actions.push_back({Kind::enter, {}, "STOPPED", {}});
}

}  // namespace

std::vector<TaskAction> plan_task(const TaskRecord& task, const TaskDefinition& definition,
                                  const TaskObservation& observed) {
  std::vector<TaskAction> actions;
  if (task.last_status == "STOPPED") return actions;
  if (task.desired_status == "STOPPED") {
    note_changes(task, observed, actions);
    std::erase_if(actions, [](const TaskAction& action) { return action.kind == Kind::fail; });
    plan_stop(task, definition, observed, actions);
    return actions;
  }
  if (task.last_status == "PROVISIONING") {
    if (task.interface_id.empty()) actions.push_back({Kind::create_interface, {}, {}, {}});
    if (observed.interface_ready) actions.push_back({Kind::enter, {}, "PENDING", {}});
    return actions;
  }
  if (note_changes(task, observed, actions)) return actions;
  if (!actions.empty()) return actions;  // the record is behind: it is brought up to date first
  if (task.last_status == "PENDING") plan_pending(task, definition, observed, actions);
  if (task.last_status == "ACTIVATING") {
    if (!any_registered(task)) actions.push_back({Kind::register_targets, {}, {}, {}});
    actions.push_back({Kind::enter, {}, "RUNNING", {}});
  }
  return actions;
}

std::int64_t ephemeral_storage_gib(const TaskRecord& task, const TaskDefinition& definition) {
  constexpr std::int64_t kDefault = 20;
  const auto& storage =
      task.overrides.ephemeral_storage ? task.overrides.ephemeral_storage : definition.ephemeral_storage;
  return storage ? storage->size_in_gi_b.value_or(kDefault) : kDefault;
}

std::string health_of(const TaskRecord& task, const TaskDefinition& definition) {
  bool checked = false;
  bool all_healthy = true;
  for (const ContainerDefinition& container : definition.container_definitions.get()) {
    if (!container.health_check) continue;
    const ContainerRecord* record = record_of(task, container.name.get());
    if (record == nullptr || !record->essential) continue;
    checked = true;
    if (record->health == "UNHEALTHY") return "UNHEALTHY";
    all_healthy = all_healthy && record->health == "HEALTHY";
  }
  return checked && all_healthy ? "HEALTHY" : "UNKNOWN";
}

}  // namespace brume::ecs
