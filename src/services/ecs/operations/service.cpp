// Services: created, updated, drained, described with their deployments and events.
#include <algorithm>

#include "services/ecs/events.h"
#include "services/ecs/request_checks.h"
#include "services/ecs/service_scheduler.h"

namespace brume::ecs {
namespace {

template <class Input>
void refuse_unserved(const Input& input, std::string_view operation) {
  refuse_if(!input.service_registries.get().empty(), operation, "serviceRegistries");
  refuse_if(
      input.service_connect_configuration.has_value() && input.service_connect_configuration->enabled.value_or(false),
      operation, "serviceConnectConfiguration");
  refuse_if(!input.volume_configurations.get().empty(), operation, "volumeConfigurations");
  refuse_if(!input.vpc_lattice_configurations.get().empty(), operation, "vpcLatticeConfigurations");
  refuse_if(!input.gateway_connectors.get().empty(), operation, "gatewayConnectors");
  refuse_if(!input.placement_constraints.get().empty(), operation, "placementConstraints");
  refuse_if(!input.placement_strategy.get().empty(), operation, "placementStrategy");
  refuse_if(input.enable_execute_command.value_or(false), operation, "enableExecuteCommand");
  refuse_if(input.deployment_controller.has_value() && input.deployment_controller->type.get() != "ECS", operation,
            "deploymentController " + (input.deployment_controller ? input.deployment_controller->type.get() : ""));
  if (!input.deployment_configuration) return;
  const DeploymentConfiguration& configuration = *input.deployment_configuration;
  refuse_if(configuration.strategy.value_or("ROLLING") != "ROLLING", operation,
            "deploymentConfiguration.strategy " + configuration.strategy.get());
  refuse_if(configuration.alarms.has_value() && configuration.alarms->enable.value_or(false), operation,
            "deploymentConfiguration.alarms");
  refuse_if(!configuration.lifecycle_hooks.get().empty(), operation, "deploymentConfiguration.lifecycleHooks");
}

DeploymentConfiguration with_defaults(DeploymentConfiguration configuration) {
  configuration.maximum_percent = configuration.maximum_percent.value_or(200);
  configuration.minimum_healthy_percent = configuration.minimum_healthy_percent.value_or(100);
  configuration.strategy = configuration.strategy.value_or("ROLLING");
  configuration.bake_time_in_minutes = configuration.bake_time_in_minutes.value_or(0);
  if (!configuration.deployment_circuit_breaker) {
    configuration.deployment_circuit_breaker.emplace().enable = false;
    configuration.deployment_circuit_breaker->rollback = false;
  }
  if (*configuration.maximum_percent < *configuration.minimum_healthy_percent)
    throw invalid_parameter_exception("minimumHealthyPercent must be less than or equal to maximumPercent.");
  return configuration;
}

AwsVpcConfiguration checked_network(const Ecs& ecs, const Scope& scope, const opt<NetworkConfiguration>& given) {
  if (!given || !given->awsvpc_configuration)
    throw invalid_parameter_exception("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  AwsVpcConfiguration network = *given->awsvpc_configuration;
  if (network.subnets.get().empty()) throw invalid_parameter_exception("subnets can not be empty.");
  ecs.needs.interfaces.check(scope, network.subnets.get(), network.security_groups.get());
  network.assign_public_ip = network.assign_public_ip.value_or("DISABLED");
  network.security_groups.ensure();
  return network;
}

const TaskDefinitionRecord& active_definition(const Ecs& ecs, const Scope& scope, const opt<std::string>& name) {
  if (!name) throw client_exception("TaskDefinition cannot be blank for service.");
  const TaskDefinitionRecord* found = find_definition(ecs, scope, *name);
  if (found == nullptr) throw client_exception("TaskDefinition not found.");
  if (found->definition.status.get() != "ACTIVE") throw client_exception("TaskDefinition is inactive");
  return *found;
}

void check_balancers(const Ecs& ecs, const Scope& scope, const std::vector<LoadBalancer>& balancers,
                     const TaskDefinition& definition) {
  for (const LoadBalancer& balancer : balancers) {
    refuse_if(balancer.load_balancer_name.has_value(), "CreateService", "loadBalancers[].loadBalancerName (Classic)");
    refuse_if(balancer.advanced_configuration.has_value(), "CreateService", "loadBalancers[].advancedConfiguration");
    if (std::string problem = ecs.needs.targets.problem(scope, balancer.target_group_arn.get()); !problem.empty())
      throw invalid_parameter_exception(problem);
    const auto& containers = definition.container_definitions.get();
    const auto container =
        std::ranges::find_if(containers, [&](const auto& c) { return c.name == balancer.container_name; });
    if (container == containers.end())
      throw invalid_parameter_exception("The container " + balancer.container_name.get() +
                                        " does not exist in the task definition.");
    const bool mapped = std::ranges::any_of(container->port_mappings.get(), [&](const PortMapping& mapping) {
      return mapping.container_port == balancer.container_port;
    });
    if (!mapped)
      throw invalid_parameter_exception("The container " + balancer.container_name.get() +
                                        " did not have a container port " +
                                        std::to_string(balancer.container_port.value_or(0)) + " defined.");
  }
}

// The launch type and the capacity provider strategy exclude each other; neither means the cluster's default strategy.
void choose_launch(ServiceRecord& service, const CreateServiceRequest& input, const ClusterRecord& cluster) {
  if (input.launch_type && !input.capacity_provider_strategy.get().empty())
    throw invalid_parameter_exception(
        "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.");
  refuse_if(input.launch_type.value_or("FARGATE") != "FARGATE", "CreateService",
            "launchType " + input.launch_type.get());
  service.capacity_provider_strategy = input.capacity_provider_strategy.get();
  if (!input.launch_type && service.capacity_provider_strategy.empty())
    service.capacity_provider_strategy = cluster.default_strategy;
  if (service.capacity_provider_strategy.empty()) service.launch_type = "FARGATE";
}

Deployment describe(const DeploymentRecord& record, const ServiceRecord& service,
                    const std::vector<TaskRecord>& tasks) {
  std::int64_t running = 0, pending = 0;
  for (const TaskRecord& task : tasks) {
    if (task.deployment != record.id || task.desired_status != "RUNNING") continue;
    if (task.last_status == "RUNNING")
      ++running;
    else
      ++pending;
  }
  Deployment deployment;
  deployment.id = record.id;
  deployment.status = record.status;
  deployment.task_definition = record.task_definition;
  deployment.desired_count = record.status == "PRIMARY" && record.rollout_state != "FAILED" ? service.desired_count : 0;
  deployment.running_count = running;
  deployment.pending_count = pending;
  deployment.failed_tasks = record.failed_tasks;
  deployment.created_at = record.created_at;
  deployment.updated_at = record.updated_at;
  if (!service.launch_type.empty()) deployment.launch_type = service.launch_type;
  if (!service.capacity_provider_strategy.empty())
    deployment.capacity_provider_strategy = service.capacity_provider_strategy;
  deployment.platform_version = "1.4.0";
  deployment.platform_family = "Linux";
  deployment.network_configuration.emplace().awsvpc_configuration = record.network;
  deployment.rollout_state = record.rollout_state;
  deployment.rollout_state_reason = record.rollout_state_reason;
  return deployment;
}

Service describe(const Ecs& ecs, const Scope& scope, const ServiceRecord& record, bool with_tags) {
  std::vector<TaskRecord> tasks;
  std::int64_t running = 0, pending = 0;
  ecs.tasks.for_each(scope, [&](const TaskRecord& task) {
    if (task.cluster != record.cluster || task.service != record.name || task.last_status == "STOPPED") return;
    tasks.push_back(task);
    if (task.last_status == "RUNNING") ++running;
    if (task.desired_status == "RUNNING" && task.last_status != "RUNNING") ++pending;
  });
  Service service;
  service.service_arn = service_arn(scope, record.cluster, record.name);
  service.service_name = record.name;
  service.cluster_arn = cluster_arn(scope, record.cluster);
  service.load_balancers = record.load_balancers;
  service.service_registries.ensure();
  service.status = record.status;
  service.desired_count = record.desired_count;
  service.running_count = running;
  service.pending_count = pending;
  if (!record.launch_type.empty()) service.launch_type = record.launch_type;
  if (!record.capacity_provider_strategy.empty())
    service.capacity_provider_strategy = record.capacity_provider_strategy;
  service.platform_version = record.platform_version;
  service.platform_family = "Linux";
  service.deployment_configuration = record.deployment_configuration;
  service.deployments.ensure();
  for (const DeploymentRecord& deployment : record.deployments)
    service.deployments->push_back(describe(deployment, record, tasks));
  if (!record.deployments.empty()) {
    service.task_definition = record.deployments.front().task_definition;
    service.network_configuration.emplace().awsvpc_configuration = record.deployments.front().network;
  }
  service.role_arn = make_global_arn(scope, "iam", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS");
  service.events = record.events;
  service.created_at = record.created_at;
  service.placement_constraints.ensure();
  service.placement_strategy.ensure();
  if (record.grace_period_seconds >= 0) service.health_check_grace_period_seconds = record.grace_period_seconds;
  service.scheduling_strategy = "REPLICA";
  service.deployment_controller.emplace().type = "ECS";
  service.created_by = record.created_by;
  service.enable_ecs_managed_tags = record.managed_tags;
  service.propagate_tags = record.propagate_tags;
  service.enable_execute_command = false;
  service.availability_zone_rebalancing = record.zone_rebalancing;
  if (with_tags) service.tags = tags_to<Tag>(record.tags);
  return service;
}

const ServiceRecord& get_active_service(const Ecs& ecs, const Scope& scope, const std::string& cluster,
                                        const std::string& name) {
  const ServiceRecord* service = ecs.services.find(scope, cluster + "/" + short_name(name));
  if (service == nullptr) throw service_not_found_exception("Service not found.");
  if (service->status != "ACTIVE") throw service_not_active_exception("Service was not ACTIVE.");
  return *service;
}

}  // namespace

CreateServiceOutput create_service(Ecs& ecs, Tx& tx, const Request<CreateServiceInput>& request) {
  const CreateServiceInput& input = request.input;
  const Scope& scope = request.scope;
  refuse_unserved(input, "CreateService");
  refuse_if(input.scheduling_strategy.value_or("REPLICA") != "REPLICA", "CreateService", "schedulingStrategy DAEMON");
  const ClusterRecord& cluster = get_cluster(ecs, scope, input.cluster);
  const std::string key = cluster.name + "/" + input.service_name.get();
  const ServiceRecord* present = ecs.services.find(scope, key);
  CreateServiceOutput output;
  if (present != nullptr && present->status == "ACTIVE") {
    if (!input.client_token || present->client_token != *input.client_token)
      throw invalid_parameter_exception("Creation of service was not idempotent.");
    output.service = describe(ecs, scope, *present, true);
    return output;
  }
  if (present != nullptr && present->status == "DRAINING")
    throw invalid_parameter_exception("Unable to Start a service that is still Draining.");
  if (!input.desired_count) throw invalid_parameter_exception("The desiredCount parameter is required.");
  const TaskDefinition& definition = active_definition(ecs, scope, input.task_definition).definition;
  check_passed_roles(ecs, request, definition, {});
  check_balancers(ecs, scope, input.load_balancers.get(), definition);
  const Tags tags = tags_from(input.tags.get());
  check_tags(tags);
  if (input.health_check_grace_period_seconds && input.load_balancers.get().empty())
    throw invalid_parameter_exception(
        "Health check grace period is only valid for services configured to use load balancers");
  ServiceRecord service;
  service.cluster = cluster.name;
  service.name = input.service_name.get();
  service.created_by = request.principal.arn;
  service.created_at = request.now;
  service.desired_count = *input.desired_count;
  service.platform_version = input.platform_version.value_or("LATEST");
  service.propagate_tags = input.propagate_tags.value_or("NONE");
  service.zone_rebalancing = input.availability_zone_rebalancing.value_or("DISABLED");
  service.load_balancers = input.load_balancers.get();
  service.grace_period_seconds =
      input.health_check_grace_period_seconds.value_or(service.load_balancers.empty() ? -1 : 0);
  service.deployment_configuration = with_defaults(input.deployment_configuration.get());
  service.managed_tags = input.enable_ecs_managed_tags.value_or(false);
  service.client_token = input.client_token.get();
  service.tags = tags;
  choose_launch(service, input, cluster);
  begin_deployment(ecs, service, definition.task_definition_arn.get(),
                   checked_network(ecs, scope, input.network_configuration), {});
  const ServiceRecord& stored = ecs.services.put(tx, scope, key, std::move(service));
  tx.on_commit([&ecs, scope, key] { ecs.scheduler->wake(scope, key); });
  output.service = describe(ecs, scope, stored, true);
  return output;
}

UpdateServiceOutput update_service(Ecs& ecs, Tx& tx, const Request<UpdateServiceInput>& request) {
  const UpdateServiceInput& input = request.input;
  const Scope& scope = request.scope;
  refuse_unserved(input, "UpdateService");
  const std::string cluster = get_cluster(ecs, scope, input.cluster).name;
  const ServiceRecord& present = get_active_service(ecs, scope, cluster, input.service.get());
  const std::string key = present.key();
  const DeploymentRecord& primary = present.deployments.front();
  const std::string definition =
      input.task_definition ? active_definition(ecs, scope, input.task_definition).definition.task_definition_arn.get()
                            : primary.task_definition;
  // Who only scales a service passes nothing.
  if (input.task_definition) check_passed_roles(ecs, request, find_definition(ecs, scope, definition)->definition, {});
  const std::vector<LoadBalancer> balancers = input.load_balancers ? *input.load_balancers : present.load_balancers;
  check_balancers(ecs, scope, balancers, find_definition(ecs, scope, definition)->definition);
  const AwsVpcConfiguration network =
      input.network_configuration ? checked_network(ecs, scope, input.network_configuration) : primary.network;
  const bool new_deployment = input.force_new_deployment.value_or(false) || definition != primary.task_definition ||
                              !(network == primary.network) || balancers != present.load_balancers ||
                              input.platform_version.value_or(present.platform_version) != present.platform_version;
  const ServiceRecord& stored = ecs.services.modify(tx, scope, key, [&](ServiceRecord& service) {
    service.desired_count = input.desired_count.value_or(service.desired_count);
    service.platform_version = input.platform_version.value_or(service.platform_version);
    service.propagate_tags = input.propagate_tags.value_or(service.propagate_tags);
    service.managed_tags = input.enable_ecs_managed_tags.value_or(service.managed_tags);
    service.zone_rebalancing = input.availability_zone_rebalancing.value_or(service.zone_rebalancing);
    service.grace_period_seconds = input.health_check_grace_period_seconds.value_or(service.grace_period_seconds);
    service.load_balancers = balancers;
    if (input.capacity_provider_strategy) {
      service.capacity_provider_strategy = *input.capacity_provider_strategy;
      service.launch_type.clear();
    }
    if (input.deployment_configuration)
      service.deployment_configuration = with_defaults(*input.deployment_configuration);
    if (new_deployment) begin_deployment(ecs, service, definition, network, {});
    service.deployments.front().updated_at = request.now;
  });
  tx.on_commit([&ecs, scope, key] { ecs.scheduler->wake(scope, key); });
  UpdateServiceOutput output;
  output.service = describe(ecs, scope, stored, true);
  return output;
}

DeleteServiceOutput delete_service(Ecs& ecs, Tx& tx, const Request<DeleteServiceInput>& request) {
  const Scope& scope = request.scope;
  const std::string cluster = get_cluster(ecs, scope, request.input.cluster).name;
  const ServiceRecord& present = get_active_service(ecs, scope, cluster, request.input.service.get());
  if (present.desired_count > 0 && !request.input.force.value_or(false))
    throw invalid_parameter_exception("The service cannot be stopped while it is scaled above 0.");
  const std::string key = present.key();
  const ServiceRecord& stored = ecs.services.modify(tx, scope, key, [](ServiceRecord& service) {
    service.status = "DRAINING";
    service.desired_count = 0;
  });
  tx.on_commit([&ecs, scope, key] { ecs.scheduler->wake(scope, key); });
  DeleteServiceOutput output;
  output.service = describe(ecs, scope, stored, true);
  return output;
}

DescribeServicesOutput describe_services(Ecs& ecs, Tx&, const Request<DescribeServicesInput>& request) {
  const std::string cluster = get_cluster(ecs, request.scope, request.input.cluster).name;
  const std::vector<std::string>& include = request.input.include.get();
  const bool with_tags = std::ranges::find(include, "TAGS") != include.end();
  if (request.input.services.get().size() > 10)
    throw invalid_parameter_exception("Services cannot have more than 10 elements.");
  DescribeServicesOutput output;
  output.services.ensure();
  output.failures.ensure();
  for (const std::string& name : request.input.services.get()) {
    const ServiceRecord* record = ecs.services.find(request.scope, cluster + "/" + short_name(name));
    if (record != nullptr) {
      output.services->push_back(describe(ecs, request.scope, *record, with_tags));
      continue;
    }
    Failure failure;
    failure.arn = service_arn(request.scope, cluster, short_name(name));
    failure.reason = "MISSING";
    output.failures->push_back(std::move(failure));
  }
  return output;
}

ListServicesOutput list_services(Ecs& ecs, Tx&, const Request<ListServicesInput>& request) {
  const std::string cluster = get_cluster(ecs, request.scope, request.input.cluster).name;
  std::vector<std::string> items;
  ecs.services.for_each(request.scope, [&](const ServiceRecord& service) {
    if (service.cluster != cluster || service.status == "INACTIVE") return;
    if (request.input.launch_type && service.launch_type != *request.input.launch_type) return;
    if (request.input.scheduling_strategy.value_or("REPLICA") != "REPLICA") return;
    items.emplace_back(service_arn(request.scope, cluster, service.name));
  });
  ListServicesOutput output;
  output.service_arns = page_of(ecs, request, "ListServices", std::move(items), output.next_token, 10);
  return output;
}

}  // namespace brume::ecs
