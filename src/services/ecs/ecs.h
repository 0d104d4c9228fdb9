// Amazon ECS: clusters, task definitions, services and tasks that are real containers. Control thread.
#pragma once

#include <memory>
#include <string>

#include "aws/authorization.h"
#include "aws/http.h"
#include "aws/paging.h"
#include "aws/sinks.h"
#include "core/random.h"
#include "core/runtime.h"
#include "planes/containers/containers.h"
#include "planes/keeper/keeper.h"
#include "services/ecs/needs.h"
#include "services/ecs/records.h"
#include "store/keyspace.h"
#include "store/table.h"

namespace brume::ecs {

class ServiceScheduler;
class TaskRunner;

// What app hands over. All outlive the service.
struct EcsNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  TaskInterfaces& interfaces;
  ServiceTargets& targets;
  ImageSource& images;
  TaskLogs& logs;
  containers::Containers& containers;
  Roles& roles;
  Authorizer& authorizer;
  EventSink& events;
};

struct Ecs {
  explicit Ecs(const EcsNeeds& needs);
  ~Ecs();
  Ecs(const Ecs&) = delete;
  Ecs& operator=(const Ecs&) = delete;

  // After the planes have recovered: adopts tasks that still run, ends those whose containers are gone, goes on.
  void start();
  // Output lines of containers, from the keeper: written to Logs in one transaction. Returns after the commit.
  void take_lines(const std::vector<Keeper::Line>& lines);
  // The task metadata endpoint and the credentials endpoint (169.254.170.2); the listener's label ends in the VPC's id.
  HttpHandler& metadata();

  EcsNeeds needs;
  Table<ClusterRecord> clusters;
  Table<TaskDefinitionRecord> definitions;
  Table<ServiceRecord> services;
  Table<TaskRecord> tasks;
  Keyspace kept_lines;  // a container's child id → the number of its last line that is in the log
  PagingTokens paging;
  std::unique_ptr<TaskRunner> runner;
  std::unique_ptr<ServiceScheduler> scheduler;
  std::unique_ptr<HttpHandler> metadata_handler;
};

// arn:…:cluster/NAME and the like.
std::string cluster_arn(const Scope& scope, const std::string& name);
std::string service_arn(const Scope& scope, const std::string& cluster, const std::string& name);
std::string task_arn(const Scope& scope, const std::string& cluster, const std::string& id);
std::string definition_arn(const Scope& scope, const std::string& family, std::int64_t revision);
std::string definition_key(const std::string& family, std::int64_t revision);

// The cluster of a name or ARN ("default" when absent); throws ClusterNotFoundException unless it is ACTIVE.
const ClusterRecord& get_cluster(const Ecs& ecs, const Scope& scope, const opt<std::string>& name_or_arn);
// The last part of a name or an ARN: "service/cluster/name" → "name".
std::string short_name(const std::string& name_or_arn);
// A revision by "family", "family:revision" or ARN; the latest ACTIVE one of a family. nullptr: none.
const TaskDefinitionRecord* find_definition(const Ecs& ecs, const Scope& scope, const std::string& name);

// Runs `change(Tx&)` and commits: how reconcilers write what they saw.
template <class Change>
void in_transaction(Store& store, Change&& change) {
  Tx tx(store);
  change(tx);
  tx.commit();
}

}  // namespace brume::ecs
