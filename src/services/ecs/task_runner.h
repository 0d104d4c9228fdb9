// Makes tasks so: carries out what plan_task asks for, one step at a time per task, on the control thread. What it sees
// of the world is kept here, what users can see is written to the records.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/reconcile.h"
#include "services/ecs/ecs.h"
#include "services/ecs/plan_task.h"
#include "store/pending_writes.h"

namespace brume::ecs {

class HealthMonitor;

struct TaskKey {
  Scope scope;
  std::string key;  // "cluster/task"
  auto operator<=>(const TaskKey&) const = default;
  // ACCOUNT/REGION/CLUSTER/TASK, as the loop's queue knows it.
  std::string text() const { return scope.account + "/" + scope.region + "/" + key; }
  static TaskKey parse(const std::string& text);
};

class TaskRunner {
 public:
  explicit TaskRunner(Ecs& ecs);
  ~TaskRunner();

  void start();

  // Writes a new task and wakes it after the commit.
  void create(Tx& tx, const Scope& scope, TaskRecord task);
  // The task is to stop; nothing happens when it stops already.
  void stop(Tx& tx, const Scope& scope, const std::string& key, const std::string& code, const std::string& reason);
  // Looks at the task again soon.
  void wake(const TaskKey& key);
  // The running container of a task id and a container's name; nullptr: no such task.
  const TaskKey* find(const std::string& task_id) const;
  // Writes a container's health and wakes the task and its service.
  void set_health(const TaskKey& key, const std::string& container, const std::string& health);

 private:
  void recovered(std::vector<containers::ContainerState> states);
  void step(const TaskKey& key);
  void observe(const TaskKey& key, const TaskRecord& task, TaskObservation& observed) const;
  void act(const TaskKey& key, const TaskAction& action);
  void act_on_record(const TaskKey& key, const TaskAction& action);
  void create_interface(const TaskKey& key);
  void pull(const TaskKey& key, const std::string& container);
  void create_sandbox(const TaskKey& key);
  void start_container(const TaskKey& key, const std::string& container);
  std::string open_log(Tx& tx, const TaskKey& key, ContainerRecord& record, const ContainerDefinition& definition);
  void remove_sandbox(const TaskKey& key);
  void change_targets(const TaskKey& key, bool add);
  void record_exit(const TaskKey& key, const TaskAction& action);
  void enter(const TaskKey& key, const std::string& status);
  void fail(const TaskKey& key, const std::string& code, const std::string& reason, const std::string& container = {});
  void exited(const containers::ContainerState& state);
  void prune(const TaskKey& key);
  void publish(const TaskKey& key, const TaskRecord& task) const;
  std::optional<Principal> execution_principal(const TaskRecord& task, std::string& why_not) const;

  // Changes the record in a transaction of its own; does nothing when the task is gone.
  template <class Change>
  void change(const TaskKey& key, Change&& change);
  const TaskRecord* record(const TaskKey& key) const { return ecs_.tasks.find(key.scope, key.key); }
  const TaskDefinition& definition(const TaskKey& key, const TaskRecord& task) const;
  ContainerObservation& seen(const TaskKey& key, const std::string& container) {
    return observations_[key].containers[container];
  }

  Ecs& ecs_;
  PendingWrites writes_;
  std::map<TaskKey, TaskObservation> observations_;
  std::unordered_map<std::string, TaskKey> by_id_;
  std::unique_ptr<HealthMonitor> health_;
  std::unique_ptr<ReconcileLoop> loop_;
  bool recovered_ = false;  // nothing is done before it is known what runs; then everything is looked at
};

// A task definition's container of that name; checked.
const ContainerDefinition& container_of(const TaskDefinition& definition, const std::string& name);

}  // namespace brume::ecs
