// Makes services so: looks at a service and its tasks, and writes what plan_service decided in one transaction.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/reconcile.h"
#include "services/ecs/ecs.h"
#include "services/ecs/plan_service.h"

namespace brume::ecs {

class ServiceScheduler {
 public:
  explicit ServiceScheduler(Ecs& ecs);
  void start();
  // `key` is "cluster/service".
  void wake(const Scope& scope, const std::string& key);

 private:
  void step(const Scope& scope, const std::string& key);
  std::vector<TaskView> views(const Scope& scope, const ServiceRecord& service) const;
  TaskView view_of(const Scope& scope, const ServiceRecord& service, const TaskRecord& task) const;
  void judge_running(const Scope& scope, const ServiceRecord& service, const TaskRecord& task, TaskView& view) const;
  void apply(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action);
  void start_tasks(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action);
  void count_failure(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action);
  void complete(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action);
  void fail(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action);
  void roll_back(Tx& tx, const Scope& scope, const std::string& key, const ServiceAction& action);
  void become_inactive(Tx& tx, const Scope& scope, const std::string& key);
  void prune(const Scope& scope, const std::string& key);

  Ecs& ecs_;
  std::unique_ptr<ReconcileLoop> loop_;
  bool started_ = false;  // what is woken before is woken by start()
};

// A new deployment in front of the others, which become ACTIVE.
void begin_deployment(Ecs& ecs, ServiceRecord& service, const std::string& task_definition,
                      const AwsVpcConfiguration& network, const std::string& reason);

}  // namespace brume::ecs
