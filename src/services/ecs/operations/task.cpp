// Tasks: run, stopped, described.
#include <algorithm>

#include "services/ecs/new_task.h"
#include "services/ecs/request_checks.h"
#include "services/ecs/task_runner.h"
#include "services/ecs/validate_definition.h"

namespace brume::ecs {
namespace {

opt<Time> moment(Time time) { return time == Time{} ? opt<Time>() : opt<Time>(time); }

KeyValuePair detail(std::string name, std::string value) {
  KeyValuePair pair;
  pair.name = std::move(name);
  pair.value = std::move(value);
  return pair;
}

Attachment describe_attachment(const TaskRecord& task) {
  Attachment attachment;
  attachment.id = task.attachment_id;
  attachment.type = "ElasticNetworkInterface";
  attachment.status = task.last_status == "STOPPED"  ? "DELETED"
                      : task.private_address.empty() ? "PRECREATED"
                                                     : "ATTACHED";
  std::vector<KeyValuePair>& details = attachment.details.ensure();
  details.push_back(detail("subnetId", task.subnet));
  if (task.private_address.empty()) return attachment;
  details.push_back(detail("networkInterfaceId", task.interface_id));
  details.push_back(detail("macAddress", task.mac));
  details.push_back(detail("privateDnsName", task.private_dns_name));
  details.push_back(detail("privateIPv4Address", task.private_address));
  return attachment;
}

Container describe(const Scope& scope, const TaskRecord& task, const ContainerRecord& record,
                   const ContainerDefinition& definition) {
  Container container;
  container.container_arn =
      make_arn(scope, "ecs", "container/" + task.cluster + "/" + task.id + "/" + record.runtime_id);
  container.task_arn = task_arn(scope, task.cluster, task.id);
  container.name = record.name;
  container.image = record.image;
  if (!record.image_digest.empty()) container.image_digest = record.image_digest;
  container.runtime_id = record.runtime_id;
  container.last_status = record.last_status;
  container.exit_code = record.exit_code;
  if (!record.reason.empty()) container.reason = record.reason;
  container.network_bindings.ensure();
  container.network_interfaces.ensure();
  if (!task.private_address.empty()) {
    NetworkInterface& interface = container.network_interfaces->emplace_back();
    interface.attachment_id = task.attachment_id;
    interface.private_ipv4_address = task.private_address;
  }
  container.health_status = record.health;
  container.cpu = std::to_string(definition.cpu.value_or(0));
  if (definition.memory) container.memory = std::to_string(*definition.memory);
  if (definition.memory_reservation) container.memory_reservation = std::to_string(*definition.memory_reservation);
  return container;
}

TaskOverride described_overrides(const TaskRecord& task, const TaskDefinition& definition) {
  TaskOverride overrides = task.overrides;
  overrides.inference_accelerator_overrides.ensure();
  std::vector<ContainerOverride>& list = overrides.container_overrides.ensure();
  for (const ContainerDefinition& container : definition.container_definitions.get()) {
    if (std::ranges::any_of(list, [&](const ContainerOverride& o) { return o.name == container.name; })) continue;
    list.emplace_back().name = container.name;
  }
  return overrides;
}

Task describe(const Ecs& ecs, const Scope& scope, const TaskRecord& record, bool with_tags) {
  const TaskDefinition& definition = find_definition(ecs, scope, record.definition)->definition;
  Task task;
  task.attachments.ensure().push_back(describe_attachment(record));
  task.attributes.ensure();
  if (!record.zone.empty()) task.availability_zone = record.zone;
  if (!record.capacity_provider.empty()) task.capacity_provider_name = record.capacity_provider;
  task.cluster_arn = cluster_arn(scope, record.cluster);
  if (record.connectivity_at != Time{}) task.connectivity = "CONNECTED";
  task.connectivity_at = moment(record.connectivity_at);
  task.containers.ensure();
  for (const ContainerRecord& container : record.containers)
    task.containers->push_back(describe(scope, record, container, container_of(definition, container.name)));
  task.cpu = record.cpu;
  task.memory = record.memory;
  task.created_at = record.created_at;
  task.desired_status = record.desired_status;
  task.enable_execute_command = false;
  task.execution_stopped_at = moment(record.execution_stopped_at);
  task.group = record.group;
  task.health_status = health_of(record, definition);
  task.last_status = record.last_status;
  task.launch_type = record.launch_type;
  task.overrides = described_overrides(record, definition);
  task.platform_version = record.platform_version;
  task.platform_family = "Linux";
  task.pull_started_at = moment(record.pull_started_at);
  task.pull_stopped_at = moment(record.pull_stopped_at);
  task.started_at = moment(record.started_at);
  if (!record.started_by.empty()) task.started_by = record.started_by;
  if (!record.stop_code.empty()) {
    task.stop_code = record.stop_code;
    task.stopped_reason = record.stopped_reason;
  }
  task.stopping_at = moment(record.stopping_at);
  task.stopped_at = moment(record.stopped_at);
  task.task_arn = task_arn(scope, record.cluster, record.id);
  task.task_definition_arn = record.definition;
  task.version = record.version;
  task.ephemeral_storage.emplace().size_in_gi_b = ephemeral_storage_gib(record, definition);
  task.tags = with_tags ? tags_to<Tag>(record.tags) : std::vector<Tag>{};
  return task;
}

void refuse_unserved(const RunTaskRequest& input) {
  refuse_if(input.launch_type.value_or("FARGATE") != "FARGATE", "RunTask", "launchType " + input.launch_type.get());
  refuse_if(input.enable_execute_command.value_or(false), "RunTask", "enableExecuteCommand");
  refuse_if(!input.placement_constraints.get().empty(), "RunTask", "placementConstraints");
  refuse_if(!input.placement_strategy.get().empty(), "RunTask", "placementStrategy");
  refuse_if(!input.volume_configurations.get().empty(), "RunTask", "volumeConfigurations");
  for (const ContainerOverride& override : input.overrides.get().container_overrides.get()) {
    refuse_if(!override.environment_files.get().empty(), "RunTask", "overrides.containerOverrides[].environmentFiles");
    refuse_if(!override.resource_requirements.get().empty(), "RunTask",
              "overrides.containerOverrides[].resourceRequirements");
  }
}

void check_overrides(const TaskOverride& overrides, const TaskDefinition& definition) {
  check_ephemeral_storage(overrides.ephemeral_storage);
  for (const ContainerOverride& override : overrides.container_overrides.get()) {
    const auto& containers = definition.container_definitions.get();
    if (std::ranges::none_of(containers, [&](const auto& c) { return c.name == override.name; }))
      throw invalid_parameter_exception("Override for container named " + override.name.get() +
                                        " is not a container in the TaskDefinition.");
  }
}

}  // namespace

RunTaskOutput run_task(Ecs& ecs, Tx& tx, const Request<RunTaskInput>& request) {
  const RunTaskInput& input = request.input;
  const Scope& scope = request.scope;
  refuse_unserved(input);
  const ClusterRecord& cluster = get_cluster(ecs, scope, input.cluster);
  const TaskDefinitionRecord* found = find_definition(ecs, scope, input.task_definition.get());
  if (found == nullptr) throw client_exception("TaskDefinition not found.");
  if (found->definition.status.get() != "ACTIVE") throw client_exception("TaskDefinition is inactive");
  const std::int64_t count = input.count.value_or(1);
  if (count < 1 || count > 10) throw invalid_parameter_exception("Count must be between 1 and 10.");
  if (!input.network_configuration || !input.network_configuration->awsvpc_configuration)
    throw invalid_parameter_exception("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  AwsVpcConfiguration network = *input.network_configuration->awsvpc_configuration;
  if (network.subnets.get().empty()) throw invalid_parameter_exception("subnets can not be empty.");
  ecs.needs.interfaces.check(scope, network.subnets.get(), network.security_groups.get());
  check_overrides(input.overrides.get(), found->definition);
  check_passed_roles(ecs, request, found->definition, input.overrides.get());
  Tags tags = tags_from(input.tags.get());
  check_tags(tags);
  if (input.propagate_tags.get() == "TASK_DEFINITION") tags.insert(found->tags.begin(), found->tags.end());
  RunTaskOutput output;
  output.tasks.ensure();
  output.failures.ensure();
  std::vector<std::string> zones;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string subnet = pick_subnet(ecs, scope, network, zones);
    zones.push_back(ecs.needs.interfaces.zone_of(scope, subnet));
    TaskRecord task = make_task(ecs, {.definition = found->definition,
                                      .cluster = cluster.name,
                                      .group = input.group.value_or("family:" + found->definition.family.get()),
                                      .started_by = input.started_by.get(),
                                      .launch_type = "FARGATE",
                                      .capacity_provider = {},
                                      .platform_version = input.platform_version.get(),
                                      .network = network,
                                      .subnet = subnet,
                                      .overrides = input.overrides.get()});
    task.tags = tags;
    task.managed_tags = input.enable_ecs_managed_tags.value_or(false);
    if (task.managed_tags) task.tags["aws:ecs:clusterName"] = cluster.name;
    const std::string key = task.key();
    ecs.runner->create(tx, scope, std::move(task));
    output.tasks->push_back(describe(ecs, scope, *ecs.tasks.find(scope, key), true));
  }
  return output;
}

StopTaskOutput stop_task(Ecs& ecs, Tx& tx, const Request<StopTaskInput>& request) {
  const std::string cluster = get_cluster(ecs, request.scope, request.input.cluster).name;
  const std::string key = cluster + "/" + short_name(request.input.task.get());
  if (ecs.tasks.find(request.scope, key) == nullptr)
    throw invalid_parameter_exception("The referenced task was not found.");
  ecs.runner->stop(tx, request.scope, key, "UserInitiated", request.input.reason.value_or("Task stopped by user"));
  StopTaskOutput output;
  output.task = describe(ecs, request.scope, *ecs.tasks.find(request.scope, key), true);
  return output;
}

DescribeTasksOutput describe_tasks(Ecs& ecs, Tx&, const Request<DescribeTasksInput>& request) {
  const std::string cluster = get_cluster(ecs, request.scope, request.input.cluster).name;
  const std::vector<std::string>& include = request.input.include.get();
  const bool with_tags = std::ranges::find(include, "TAGS") != include.end();
  if (request.input.tasks.get().size() > 100)
    throw invalid_parameter_exception("Tasks cannot have more than 100 elements.");
  DescribeTasksOutput output;
  output.tasks.ensure();
  output.failures.ensure();
  for (const std::string& name : request.input.tasks.get()) {
    const TaskRecord* record = ecs.tasks.find(request.scope, cluster + "/" + short_name(name));
    if (record != nullptr) {
      output.tasks->push_back(describe(ecs, request.scope, *record, with_tags));
      continue;
    }
    Failure failure;
    failure.arn = task_arn(request.scope, cluster, short_name(name));
    failure.reason = "MISSING";
    output.failures->push_back(std::move(failure));
  }
  return output;
}

ListTasksOutput list_tasks(Ecs& ecs, Tx&, const Request<ListTasksInput>& request) {
  const ListTasksInput& input = request.input;
  refuse_if(input.container_instance.has_value(), "ListTasks", "containerInstance");
  const std::string cluster = get_cluster(ecs, request.scope, input.cluster).name;
  if (input.service_name &&
      ecs.services.find(request.scope, cluster + "/" + short_name(*input.service_name)) == nullptr)
    throw service_not_found_exception("Service not found.");
  const std::string desired = input.desired_status.value_or("RUNNING");
  std::vector<std::string> items;
  ecs.tasks.for_each(request.scope, [&](const TaskRecord& task) {
    if (task.cluster != cluster || task.desired_status != desired) return;
    if (input.service_name && task.service != short_name(*input.service_name)) return;
    if (input.started_by && task.started_by != *input.started_by) return;
    if (input.launch_type && task.launch_type != *input.launch_type) return;
    const std::string definition = short_name(task.definition);
    if (input.family && definition.substr(0, definition.find(':')) != *input.family) return;
    items.emplace_back(task_arn(request.scope, cluster, task.id));
  });
  ListTasksOutput output;
  output.task_arns = page_of(ecs, request, "ListTasks", std::move(items), output.next_token);
  return output;
}

}  // namespace brume::ecs
