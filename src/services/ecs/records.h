// What ECS remembers: clusters, task definitions, services with their deployments, and tasks with their containers.
// Keys: a cluster's name; "family:000000000012" of a revision; "cluster/service"; "cluster/task".
#pragma once

#include <string>
#include <vector>

#include "aws/tags.h"
#include "services/ecs/shapes.h"

namespace brume::ecs {

struct ClusterRecord {
  std::string name;
  std::string status = "ACTIVE";
  std::vector<ClusterSetting> settings;
  std::vector<std::string> capacity_providers;
  std::vector<CapacityProviderStrategyItem> default_strategy;
  ClusterConfiguration configuration;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(ClusterRecord, (),
                      (name, status, settings, capacity_providers, default_strategy, configuration, tags))

struct TaskDefinitionRecord {
  TaskDefinition definition;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(TaskDefinitionRecord, (), (definition, tags))

struct DeploymentRecord {
  std::string id;      // "ecs-svc/" and 19 digits
  std::string status;  // PRIMARY, ACTIVE
  std::string task_definition;
  std::int64_t desired_count = 0;
  std::int64_t failed_tasks = 0;
  Time created_at, updated_at;
  std::string rollout_state = "IN_PROGRESS";  // COMPLETED, FAILED
  std::string rollout_state_reason;
  AwsVpcConfiguration network;
  Time last_failure;
  bool rolled_back_to = false;  // it became primary again because a later one failed
};
BOOST_DESCRIBE_STRUCT(DeploymentRecord, (),
                      (id, status, task_definition, desired_count, failed_tasks, created_at, updated_at, rollout_state,
                       rollout_state_reason, network, last_failure, rolled_back_to))

struct ServiceRecord {
  std::string cluster, name;
  std::string status = "ACTIVE";  // DRAINING, INACTIVE
  std::string created_by;
  Time created_at;
  std::int64_t desired_count = 0;
  std::string launch_type, platform_version, propagate_tags, zone_rebalancing;
  std::vector<CapacityProviderStrategyItem> capacity_provider_strategy;
  std::vector<LoadBalancer> load_balancers;
  std::int64_t grace_period_seconds = -1;  // -1: not given
  DeploymentConfiguration deployment_configuration;
  std::vector<DeploymentRecord> deployments;  // the primary first
  std::string last_completed_definition;      // what the circuit breaker rolls back to
  AwsVpcConfiguration last_completed_network;
  std::vector<ServiceEvent> events;  // newest first, at most 100
  bool steady = false;               // the steady state was announced
  bool managed_tags = false;
  std::string client_token;
  Time deleted_at;
  Tags tags;

  std::string key() const { return cluster + "/" + name; }
};
BOOST_DESCRIBE_STRUCT(ServiceRecord, (),
                      (cluster, name, status, created_by, created_at, desired_count, launch_type, platform_version,
                       propagate_tags, zone_rebalancing, capacity_provider_strategy, load_balancers,
                       grace_period_seconds, deployment_configuration, deployments, last_completed_definition,
                       last_completed_network, events, steady, managed_tags, client_token, deleted_at, tags))

struct ContainerRecord {
  std::string name, image, image_digest, runtime_id, reason, log_group, log_stream;
  std::string log_region;               // of the group; empty: the task's
  std::string last_status = "PENDING";  // RUNNING, STOPPED
  std::string health = "UNKNOWN";       // HEALTHY, UNHEALTHY
  bool essential = true;
  opt<std::int64_t> exit_code;
  Time started_at, finished_at;
};
BOOST_DESCRIBE_STRUCT(ContainerRecord, (),
                      (name, image, image_digest, runtime_id, reason, log_group, log_stream, log_region, last_status,
                       health, essential, exit_code, started_at, finished_at))

struct TaskTarget {
  std::string target_group, container;
  std::int64_t port = 0;
  bool registered = false;
};
BOOST_DESCRIBE_STRUCT(TaskTarget, (), (target_group, container, port, registered))

// Brume's own tag of tasks and their definitions: which clock their programs have, `cloud` or `machine`.
inline constexpr const char* kClockTag = "brume.clock";

struct TaskRecord {
  std::string id, cluster, definition, group, started_by, service, deployment;
  std::string launch_type, capacity_provider, platform_version, cpu, memory;
  TaskOverride overrides;
  AwsVpcConfiguration network;
  std::string subnet, zone, vpc, subnet_cidr;
  std::string interface_id, private_address, public_address, mac, private_dns_name, attachment_id;
  std::string desired_status = "RUNNING";
  std::string last_status = "PROVISIONING";
  std::string stop_code, stopped_reason;
  std::string execution_role, task_role, credentials_id;
  std::vector<ContainerRecord> containers;
  std::vector<TaskTarget> targets;
  Time created_at, pull_started_at, pull_stopped_at, started_at, stopping_at, stopped_at, connectivity_at,
      execution_stopped_at;
  bool failure_counted = false;  // by its service's deployment
  bool managed_tags = false;
  std::int64_t version = 1;
  std::string client_token;
  Tags tags;

  std::string key() const { return cluster + "/" + id; }
};
BOOST_DESCRIBE_STRUCT(TaskRecord, (),
                      (id, cluster, definition, group, started_by, service, deployment, launch_type, capacity_provider,
                       platform_version, cpu, memory, overrides, network, subnet, zone, vpc, subnet_cidr, interface_id,
                       private_address, public_address, mac, private_dns_name, attachment_id, desired_status,
                       last_status, stop_code, stopped_reason, execution_role, task_role, credentials_id, containers,
                       targets, created_at, pull_started_at, pull_stopped_at, started_at, stopping_at, stopped_at,
                       connectivity_at, execution_stopped_at, failure_counted, managed_tags, version, client_token,
                       tags))

// What the task may write: its own, its definition's, or Fargate's default ("Fargate task ephemeral storage for Amazon
// ECS").
std::int64_t ephemeral_storage_gib(const TaskRecord& task, const TaskDefinition& definition);

// The task's health as ECS reports it: UNHEALTHY if an essential container is, HEALTHY if all that have a check are.
std::string health_of(const TaskRecord& task, const TaskDefinition& definition);

}  // namespace brume::ecs
