#include "services/ecs/task_runner.h"

#include <unistd.h>

#include <algorithm>

#include "core/fault.h"
#include "core/log.h"
#include "core/text.h"
#include "services/ecs/events.h"
#include "services/ecs/health_monitor.h"
#include "services/ecs/render_container.h"
#include "services/ecs/service_scheduler.h"

namespace brume::ecs {
namespace {

using Kind = TaskAction::Kind;
using Process = ContainerObservation::Process;
using Image = ContainerObservation::Image;
using Sandbox = TaskObservation::Sandbox;

// "Stopped tasks only appear in the results for at least one hour."
constexpr Duration kStoppedTasksStay = hours(1);
constexpr int kDefaultStopTimeout = 30;

ContainerRecord& container_record(TaskRecord& task, const std::string& name) {
  auto found = std::ranges::find(task.containers, name, &ContainerRecord::name);
  BRUME_CHECK(found != task.containers.end());
  return *found;
}

// As the keeper calls it.
std::string child_of(const TaskRecord& task, const std::string& container) {
  return "task/" + task.id + "/" + container;
}

std::int64_t machine_memory_mib() {
  return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE) / (1 << 20);
}

std::int64_t memory_mib(const TaskRecord& task) {
  std::int64_t memory = 0;
  return parse_int(task.memory, memory) ? memory : 0;
}

}  // namespace

const ContainerDefinition& container_of(const TaskDefinition& definition, const std::string& name) {
  for (const ContainerDefinition& container : definition.container_definitions.get())
    if (container.name.get() == name) return container;
  BRUME_CHECK(false && "a task's container is in its definition");
  std::abort();
}

TaskKey TaskKey::parse(const std::string& text) {
  const std::size_t account = text.find('/');
  const std::size_t region = text.find('/', account + 1);
  return {{text.substr(0, account), text.substr(account + 1, region - account - 1)}, text.substr(region + 1)};
}

TaskRunner::TaskRunner(Ecs& ecs) : ecs_(ecs), writes_(ecs.needs.control, ecs.needs.clock, "ecs") {
  EcsNeeds& needs = ecs_.needs;
  loop_ = std::make_unique<ReconcileLoop>(needs.control, needs.clock, "ecs task",
                                          [this](const std::string& key, const ReconcileLoop::Done& done) {
                                            step(TaskKey::parse(key));
                                            done(ReconcileLoop::Outcome::done());
                                          });
  health_ = std::make_unique<HealthMonitor>(needs.control, needs.clock, needs.containers,
                                            [this](const std::string& container, const std::string& health) {
                                              const std::size_t slash = container.find('/');
                                              if (const TaskKey* key = find(container.substr(0, slash)))
                                                set_health(TaskKey(*key), container.substr(slash + 1), health);
                                            });
  // Known before the keeper's first lines come: what tasks said while the daemon was away goes to their streams.
  ecs_.tasks.for_all([this](const Scope& scope, std::string_view key, const TaskRecord& task) {
    by_id_[task.id] = {scope, std::string(key)};
  });
  needs.containers.on_exit([this](const containers::ContainerState& state) { exited(state); });
}

TaskRunner::~TaskRunner() = default;

void TaskRunner::start() {
  ecs_.needs.interfaces.on_ready([this](const Scope& scope, const std::string& interface_id) {
    ecs_.tasks.for_each(scope, [&](const TaskRecord& task) {
      if (task.interface_id == interface_id) wake({scope, task.key()});
    });
  });
  ecs_.needs.targets.on_change([this](const Scope& scope, const std::string& target_group) {
    ecs_.tasks.for_each(scope, [&](const TaskRecord& task) {
      if (task.last_status == "STOPPED") return;
      if (std::ranges::find(task.targets, target_group, &TaskTarget::target_group) == task.targets.end()) return;
      wake({scope, task.key()});
      if (!task.service.empty()) ecs_.scheduler->wake(scope, task.cluster + "/" + task.service);
    });
  });
  ecs_.needs.containers.recover(
      [this](std::vector<containers::ContainerState> states) { recovered(std::move(states)); });
}

// Takes over what an earlier daemon left: containers that run are adopted, exits that it missed are learned, tasks
// whose containers are gone (the machine restarted) are ended with a reason; their services replace them.
void TaskRunner::recovered(std::vector<containers::ContainerState> states) {
  recovered_ = true;
  for (const containers::ContainerState& state : states) {
    const std::size_t slash = state.id.find('/');
    const TaskKey* key = find(state.id.substr(0, slash));
    if (key == nullptr || record(*key)->last_status == "STOPPED") {
      ecs_.needs.containers.remove_sandbox(state.id.substr(0, slash), [](const std::string&) {});
      continue;
    }
    TaskObservation& observed = observations_[*key];
    observed.sandbox = Sandbox::ready;
    ContainerObservation& container = observed.containers[state.id.substr(slash + 1)];
    container.image = Image::ready;
    container.process = state.running ? Process::running : Process::exited;
    container.exit_code = state.exit.signal != 0 ? 128 + state.exit.signal : state.exit.code;
    container.out_of_memory = state.out_of_memory;
    container.out_of_disk = state.out_of_disk;
  }
  std::vector<TaskKey> keys;
  ecs_.tasks.for_all(
      [&](const Scope& scope, std::string_view key, const TaskRecord&) { keys.push_back({scope, std::string(key)}); });
  for (const TaskKey& key : keys) {
    const TaskRecord& task = *record(key);
    if (task.last_status == "STOPPED") {
      prune(key);
      continue;
    }
    bool lost = false;
    for (const ContainerRecord& container : task.containers) {
      if (container.last_status != "RUNNING") continue;
      ContainerObservation& observed = seen(key, container.name);
      if (observed.process == Process::absent) {
        observed.process = Process::exited;
        observed.exit_code = 137;
        lost = true;
      } else if (observed.process == Process::running) {
        const ContainerDefinition& definition = container_of(this->definition(key, task), container.name);
        if (definition.health_check)
          health_->watch(task.id + "/" + container.name, *definition.health_check, container.started_at,
                         container.health);
      }
    }
    if (lost) {
      writes_.write("lost/" + key.text(), [this, key] {
        fail(key, "TerminationNotice", "Host terminated: the machine that ran the task was restarted.");
      });
    }
    wake(key);
  }
}

void TaskRunner::create(Tx& tx, const Scope& scope, TaskRecord task) {
  const TaskKey key{scope, task.key()};
  by_id_[task.id] = key;
  ecs_.tasks.insert(tx, scope, key.key, std::move(task));
  tx.on_commit([this, key] { wake(key); });
}

void TaskRunner::stop(Tx& tx, const Scope& scope, const std::string& key, const std::string& code,
                      const std::string& reason) {
  const TaskRecord* task = ecs_.tasks.find(scope, key);
  if (task == nullptr || task->desired_status == "STOPPED") return;
  ecs_.tasks.modify(tx, scope, key, [&](TaskRecord& changed) {
    changed.desired_status = "STOPPED";
    changed.stop_code = code;
    changed.stopped_reason = reason;
    changed.stopping_at = ecs_.needs.clock.now();
    ++changed.version;
  });
  tx.on_commit([this, task_key = TaskKey{scope, key}] { wake(task_key); });
}

void TaskRunner::wake(const TaskKey& key) {
  if (recovered_) loop_->add(key.text());
}

const TaskKey* TaskRunner::find(const std::string& task_id) const {
  auto found = by_id_.find(task_id);
  return found == by_id_.end() ? nullptr : &found->second;
}

const TaskDefinition& TaskRunner::definition(const TaskKey& key, const TaskRecord& task) const {
  const TaskDefinitionRecord* found = find_definition(ecs_, key.scope, task.definition);
  BRUME_CHECK(found != nullptr);
  return found->definition;
}

template <class Change>
void TaskRunner::change(const TaskKey& key, Change&& change) {
  if (record(key) == nullptr) return;
  in_transaction(ecs_.needs.store, [&](Tx& tx) {
    const TaskRecord& changed = ecs_.tasks.modify(tx, key.scope, key.key, [&](TaskRecord& task) {
      change(task);
      ++task.version;
    });
    if (!changed.service.empty()) {
      tx.on_commit([this, scope = key.scope, service = changed.cluster + "/" + changed.service] {
        ecs_.scheduler->wake(scope, service);
      });
    }
  });
  wake(key);
}

void TaskRunner::observe(const TaskKey& key, const TaskRecord& task, TaskObservation& observed) const {
  observed.interface_ready = !task.interface_id.empty() && ecs_.needs.interfaces.ready(key.scope, task.interface_id);
  observed.targets.clear();
  for (const TaskTarget& target : task.targets)
    observed.targets[target.target_group] =
        ecs_.needs.targets.health(key.scope, target.target_group, task.private_address, static_cast<int>(target.port));
}

void TaskRunner::step(const TaskKey& key) {
  const TaskRecord* task = record(key);
  if (task == nullptr || task->last_status == "STOPPED") return;  // nothing is seen of it any more
  TaskObservation& observed = observations_[key];
  observe(key, *task, observed);
  for (const TaskAction& action : plan_task(*task, definition(key, *task), observed)) act(key, action);
}

void TaskRunner::act(const TaskKey& key, const TaskAction& action) {
  switch (action.kind) {
    case Kind::create_interface:
      return create_interface(key);
    case Kind::pull_image:
      return pull(key, action.container);
    case Kind::create_sandbox:
      return create_sandbox(key);
    case Kind::start_container:
      return start_container(key, action.container);
    case Kind::remove_sandbox:
      return remove_sandbox(key);
    case Kind::stop_container: {
      seen(key, action.container).process = Process::stopping;
      const TaskRecord& task = *record(key);
      const ContainerDefinition& container = container_of(definition(key, task), action.container);
      return ecs_.needs.containers.stop(task.id + "/" + action.container,
                                        static_cast<int>(container.stop_timeout.value_or(kDefaultStopTimeout)));
    }
    default:
      return act_on_record(key, action);
  }
}

void TaskRunner::act_on_record(const TaskKey& key, const TaskAction& action) {
  switch (action.kind) {
    case Kind::register_targets:
      return change_targets(key, true);
    case Kind::deregister_targets:
      return change_targets(key, false);
    case Kind::delete_interface:
      return in_transaction(ecs_.needs.store, [&](Tx& tx) {
        ecs_.needs.interfaces.remove(tx, key.scope, record(key)->interface_id);
        ecs_.tasks.modify(tx, key.scope, key.key, [](TaskRecord& task) { task.interface_id.clear(); });
      });
    case Kind::record_start:
      return change(key, [&](TaskRecord& task) {
        ContainerRecord& container = container_record(task, action.container);
        container.last_status = "RUNNING";
        container.started_at = ecs_.needs.clock.now();
      });
    case Kind::record_exit:
      return record_exit(key, action);
    case Kind::enter:
      return enter(key, action.text);
    case Kind::fail:
      return fail(key, action.code, action.text, action.container);
    default:
      BRUME_CHECK(false && "an action of the world");
  }
}

// Less memory than it asks for would end in the kernel's choice of whom to kill, in the middle of a rehearsal.
void TaskRunner::create_interface(const TaskKey& key) {
  const TaskRecord& task = *record(key);
  if (const std::int64_t machine_mib = machine_memory_mib(), asked_mib = memory_mib(task); asked_mib > machine_mib)
    return fail(key, "TaskFailedToStart",
                "RESOURCE:MEMORY: the task asks for " + std::to_string(asked_mib) + " MiB, this machine has " +
                    std::to_string(machine_mib) + " MiB");
  try {
    in_transaction(ecs_.needs.store, [&](Tx& tx) {
      const std::string description = make_arn(key.scope, "ecs", "attachment/" + task.attachment_id);
      const TaskInterfaces::Attached attached = ecs_.needs.interfaces.create(
          tx, key.scope,
          {.subnet = task.subnet,
           .description = description,
           .sandbox = task.id,
           .groups = task.network.security_groups.get(),
           .assign_public_address = task.network.assign_public_ip.value_or("DISABLED") == "ENABLED"});
      ecs_.tasks.modify(tx, key.scope, key.key, [&](TaskRecord& changed) {
        changed.interface_id = attached.id;
        changed.private_address = attached.private_address;
        changed.public_address = attached.public_address;
        changed.mac = attached.mac;
        changed.zone = attached.zone;
        changed.vpc = attached.vpc;
        changed.subnet_cidr = attached.subnet_cidr;
        changed.private_dns_name = attached.private_dns_name;
      });
      tx.on_commit([this, key] { wake(key); });
    });
    fault_point("ecs.interface.made");
  } catch (const AwsError& error) {
    fail(key, "TaskFailedToStart",
         "Unexpected EC2 error while attempting to Create Network Interface in subnet '" + task.subnet +
             "': " + error.code);
  }
}

std::optional<Principal> TaskRunner::execution_principal(const TaskRecord& task, std::string& why_not) const {
  if (task.execution_role.empty()) return std::nullopt;
  return ecs_.needs.roles.assume(task.execution_role, "ecs-tasks.amazonaws.com", task.id, why_not);
}

void TaskRunner::pull(const TaskKey& key, const std::string& container) {
  ContainerObservation& observed = seen(key, container);
  const TaskRecord& task = *record(key);
  std::string why_not;
  const std::optional<Principal> execution = execution_principal(task, why_not);
  if (!task.execution_role.empty() && !execution) {
    fail(key, "TaskFailedToStart",
         "ECS was unable to assume the role '" + task.execution_role + "' that was provided for this task. " + why_not);
    return;
  }
  // A copy: the record changes below.
  const std::string image = std::ranges::find(task.containers, container, &ContainerRecord::name)->image;
  if (!ecs_.needs.interfaces.reaches_internet(key.scope, task.interface_id)) {
    observed.image = Image::failed;
    observed.error = "ref pull has been retried 1 time(s): failed to resolve reference " + image +
                     ": the task's subnet has no route to the registry (no NAT gateway, or no public address)";
    wake(key);
    return;
  }
  if (task.pull_started_at == Time{}) {
    in_transaction(ecs_.needs.store, [&](Tx& tx) {
      ecs_.tasks.modify(tx, key.scope, key.key,
                        [&](TaskRecord& changed) { changed.pull_started_at = ecs_.needs.clock.now(); });
    });
  }
  observed.image = Image::pulling;  // not before what is written above, which may be refused
  ecs_.needs.images.pull(
      key.scope, image, execution,
      [this, key, container](const std::optional<ImageSource::Resolved>& resolved, const std::string& error) {
        if (this->record(key) == nullptr) return;
        writes_.write("pull/" + key.text() + "/" + container, [this, key, container, resolved, error] {
          change(key, [&](TaskRecord& changed) {
            if (resolved) container_record(changed, container).image_digest = resolved->digest;
            changed.pull_stopped_at = ecs_.needs.clock.now();
          });
          ContainerObservation& pulled = seen(key, container);
          pulled.image = resolved ? Image::ready : Image::failed;
          pulled.error = error;
        });
      });
}

void TaskRunner::create_sandbox(const TaskKey& key) {
  observations_[key].sandbox = Sandbox::creating;
  const TaskRecord& task = *record(key);
  ecs_.needs.containers.create_sandbox(render_sandbox(task, definition(key, task)),
                                       [this, key](const std::string& error) {
                                         TaskObservation& observed = observations_[key];
                                         observed.sandbox = error.empty() ? Sandbox::ready : Sandbox::absent;
                                         observed.sandbox_error = error;
                                         wake(key);
                                       });
}

std::string TaskRunner::open_log(Tx& tx, const TaskKey& key, ContainerRecord& record,
                                 const ContainerDefinition& definition) {
  if (!definition.log_configuration || !record.log_stream.empty()) return {};
  const TaskRecord& task = *this->record(key);
  const auto& options = definition.log_configuration->options.get();
  const std::string stream = log_stream_name(*definition.log_configuration, record.name, task.id);
  std::string why_not;
  const auto create = options.find("awslogs-create-group");
  Scope scope = key.scope;
  if (auto region = options.find("awslogs-region"); region != options.end()) scope.region = region->second;
  std::string problem =
      ecs_.needs.logs.open(tx, scope, options.at("awslogs-group"), stream,
                           create != options.end() && create->second == "true", execution_principal(task, why_not));
  if (!problem.empty()) return problem;
  record.log_group = options.at("awslogs-group");
  record.log_stream = stream;
  record.log_region = scope.region;
  return {};
}

void TaskRunner::start_container(const TaskKey& key, const std::string& name) {
  const TaskRecord& task = *record(key);
  const TaskDefinition& task_definition = definition(key, task);
  const ContainerDefinition& container = container_of(task_definition, name);
  std::string problem;
  in_transaction(ecs_.needs.store, [&](Tx& tx) {
    ecs_.tasks.modify(tx, key.scope, key.key, [&](TaskRecord& changed) {
      problem = open_log(tx, key, container_record(changed, name), container);
    });
    // Its lines count from one, also where an earlier start that no record tells of was lost with its keeper.
    const std::string child = child_of(task, name);
    if (ecs_.kept_lines.get(child)) ecs_.kept_lines.erase(tx, child);
  });
  if (!problem.empty()) {
    fail(key, "TaskFailedToStart",
         "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed "
         "to "
         "create Cloudwatch log stream: " +
             problem);
    return;
  }
  seen(key, name).process = Process::starting;
  const TaskRecord& present = *record(key);
  const TaskDefinitionRecord* definition_record = find_definition(ecs_, key.scope, present.definition);
  const ContainerFacts facts{
      .scope = key.scope,
      .network_namespace = ecs_.needs.interfaces.network_namespace(present.id),
      .resolver = ecs_.needs.interfaces.resolver_address(key.scope, present.interface_id),
      .image_digest = std::ranges::find(present.containers, name, &ContainerRecord::name)->image_digest,
      .definition_tags = definition_record == nullptr ? Tags{} : definition_record->tags};
  const auto volume_path = [&](const std::string& volume) {
    return ecs_.needs.containers.volume_path(present.id, volume);
  };
  ecs_.needs.containers.start(
      render_container(present, container, facts, volume_path),
      [this, key, name, check = container.health_check](const containers::Containers::Started& started) {
        const TaskRecord* running = record(key);
        if (running == nullptr) return;
        ContainerObservation& observed = seen(key, name);
        observed.error = started.error;
        // An exit may have come before this: it stays.
        if (observed.process == Process::starting)
          observed.process = started.pid > 0 ? Process::running : Process::failed;
        if (started.pid > 0 && check)
          health_->watch(running->id + "/" + name, *check, ecs_.needs.clock.now(), "UNKNOWN");
        wake(key);
      });
}

void TaskRunner::remove_sandbox(const TaskKey& key) {
  observations_[key].sandbox = Sandbox::removing;
  ecs_.needs.containers.remove_sandbox(record(key)->id, [this, key](const std::string& error) {
    if (!error.empty()) log::warning("ecs", "task " + key.key + ": " + error);
    // A sandbox that cannot be removed is tried again.
    observations_[key].sandbox = error.empty() ? Sandbox::removed : Sandbox::ready;
    loop_->add_after(key.text(), seconds(error.empty() ? 0 : 1));
  });
}

void TaskRunner::change_targets(const TaskKey& key, bool add) {
  const TaskRecord task = *record(key);
  in_transaction(ecs_.needs.store, [&](Tx& tx) {
    for (const TaskTarget& target : task.targets) {
      if (add)
        ecs_.needs.targets.add(tx, key.scope, target.target_group, task.private_address, static_cast<int>(target.port));
      else
        ecs_.needs.targets.remove(tx, key.scope, target.target_group, task.private_address,
                                  static_cast<int>(target.port));
    }
    ecs_.tasks.modify(tx, key.scope, key.key, [&](TaskRecord& changed) {
      for (TaskTarget& target : changed.targets) target.registered = add;
    });
    if (!task.service.empty()) {
      const std::string verb = add ? "registered" : "deregistered";
      for (const TaskTarget& target : task.targets)
        add_service_event(ecs_, tx, key.scope, task.cluster + "/" + task.service,
                          verb + " 1 targets in (target-group " + target.target_group + ")");
    }
    tx.on_commit([this, key] { wake(key); });
  });
  fault_point("ecs.targets.changed");
}

void TaskRunner::set_health(const TaskKey& key, const std::string& container, const std::string& health) {
  writes_.write("health/" + key.text() + "/" + container, [this, key, container, health] {
    change(key, [&](TaskRecord& task) { container_record(task, container).health = health; });
  });
}

void TaskRunner::exited(const containers::ContainerState& state) {
  const std::size_t slash = state.id.find('/');
  health_->forget(state.id);
  const TaskKey* key = find(state.id.substr(0, slash));
  if (key == nullptr) return;
  ContainerObservation& observed = seen(*key, state.id.substr(slash + 1));
  observed.process = Process::exited;
  observed.exit_code = state.exit.signal != 0 ? 128 + state.exit.signal : state.exit.code;
  observed.out_of_memory = state.out_of_memory;
  observed.out_of_disk = state.out_of_disk;
  wake(*key);
}

void TaskRunner::record_exit(const TaskKey& key, const TaskAction& action) {
  const int code = seen(key, action.container).exit_code;
  change(key, [&](TaskRecord& task) {
    ContainerRecord& container = container_record(task, action.container);
    container.last_status = "STOPPED";
    container.exit_code = code;
    container.reason = action.text;
    container.finished_at = ecs_.needs.clock.now();
  });
}

void TaskRunner::enter(const TaskKey& key, const std::string& status) {
  change(key, [&](TaskRecord& task) {
    const Time now = ecs_.needs.clock.now();
    task.last_status = status;
    if (status == "PENDING") task.connectivity_at = now;
    if (status == "RUNNING") task.started_at = now;
    if (status == "DEPROVISIONING") task.execution_stopped_at = now;
    if (status != "STOPPED") return;
    task.stopped_at = now;
    for (ContainerRecord& container : task.containers) container.last_status = "STOPPED";
  });
  publish(key, *record(key));
  if (status == "STOPPED") {
    observations_.erase(key);
    prune(key);
  }
}

void TaskRunner::fail(const TaskKey& key, const std::string& code, const std::string& reason,
                      const std::string& container) {
  log::info("ecs", "task " + key.key + ": " + reason);
  in_transaction(ecs_.needs.store, [&](Tx& tx) {
    stop(tx, key.scope, key.key, code, reason);
    if (container.empty() || code != "TaskFailedToStart") return;
    ecs_.tasks.modify(tx, key.scope, key.key,
                      [&](TaskRecord& task) { container_record(task, container).reason = reason; });
  });
}

void TaskRunner::prune(const TaskKey& key) {
  const Time due = record(key)->stopped_at + kStoppedTasksStay;
  ecs_.needs.control.at(due, [this, key] {
    const TaskRecord* task = record(key);
    if (task == nullptr) return;
    by_id_.erase(task->id);
    writes_.write("prune/" + key.text(), [this, key] {
      in_transaction(ecs_.needs.store, [&](Tx& tx) {
        if (const TaskRecord* gone = record(key))
          for (const ContainerRecord& container : gone->containers)
            ecs_.kept_lines.erase(tx, child_of(*gone, container.name));
        ecs_.tasks.erase(tx, key.scope, key.key);
      });
    });
  });
}

void TaskRunner::publish(const TaskKey& key, const TaskRecord& task) const {
  ecs_.needs.events.put(task_state_change(key.scope, task, ecs_.needs.clock.now()));
}

}  // namespace brume::ecs
