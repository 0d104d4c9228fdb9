// Clusters and their capacity providers.
#include <algorithm>

#include "core/text.h"
#include "services/ecs/ecs.h"
#include "services/ecs/request_checks.h"

namespace brume::ecs {
namespace {

std::vector<ClusterSetting> settings_with_defaults(std::vector<ClusterSetting> given) {
  if (!given.empty()) return given;
  ClusterSetting setting;
  setting.name = "containerInsights";
  setting.value = "disabled";
  return {setting};
}

void check_capacity_providers(const std::vector<std::string>& names,
                              const std::vector<CapacityProviderStrategyItem>& strategy) {
  for (const std::string& name : names)
    if (name != "FARGATE" && name != "FARGATE_SPOT")
      throw invalid_parameter_exception("The specified capacity provider '" + name + "' was not found.");
  for (const CapacityProviderStrategyItem& item : strategy)
    if (std::ranges::find(names, item.capacity_provider.get()) == names.end())
      throw invalid_parameter_exception("The specified capacity provider '" + item.capacity_provider.get() +
                                        "' is not associated with the cluster.");
}

// How sessions of ECS Exec would be logged is kept, since a module that wants none of them says it too; the sessions
// themselves (enableExecuteCommand, ExecuteCommand) are refused.
void refuse_configuration(const ClusterConfiguration& wanted, std::string_view operation) {
  refuse_if(wanted.managed_storage_configuration.has_value(), operation, "configuration.managedStorageConfiguration");
  const ExecuteCommandConfiguration& command = wanted.execute_command_configuration.get();
  refuse_if(command.kms_key_id.has_value(), operation, "configuration.executeCommandConfiguration.kmsKeyId");
}

Cluster describe(const Ecs& ecs, const Scope& scope, const ClusterRecord& record,
                 const std::vector<std::string>& include) {
  const auto included = [&](std::string_view what) { return std::ranges::find(include, what) != include.end(); };
  std::int64_t running = 0, pending = 0, active = 0;
  ecs.tasks.for_each(scope, [&](const TaskRecord& task) {
    if (task.cluster != record.name || task.last_status == "STOPPED") return;
    if (task.last_status == "RUNNING") ++running;
    if (task.last_status == "PENDING" || task.last_status == "PROVISIONING" || task.last_status == "ACTIVATING")
      ++pending;
  });
  ecs.services.for_each(scope, [&](const ServiceRecord& service) {
    if (service.cluster == record.name && service.status != "INACTIVE") ++active;
  });
  Cluster cluster;
  cluster.cluster_arn = cluster_arn(scope, record.name);
  cluster.cluster_name = record.name;
  cluster.status = record.status;
  cluster.registered_container_instances_count = 0;
  cluster.running_tasks_count = running;
  cluster.pending_tasks_count = pending;
  cluster.active_services_count = active;
  cluster.statistics.emplace();
  cluster.capacity_providers = record.capacity_providers;
  cluster.default_capacity_provider_strategy = record.default_strategy;
  cluster.settings = included("SETTINGS") ? record.settings : std::vector<ClusterSetting>{};
  if (included("CONFIGURATIONS") && record.configuration != ClusterConfiguration{})
    cluster.configuration = record.configuration;
  cluster.tags = included("TAGS") ? tags_to<Tag>(record.tags) : std::vector<Tag>{};
  return cluster;
}

const std::vector<std::string> kEverything = {"SETTINGS", "CONFIGURATIONS", "TAGS"};

}  // namespace

const ClusterRecord& get_cluster(const Ecs& ecs, const Scope& scope, const opt<std::string>& name_or_arn) {
  const std::string name = short_name(name_or_arn.value_or("default"));
  const ClusterRecord* cluster = ecs.clusters.find(scope, name);
  if (cluster == nullptr || cluster->status != "ACTIVE") throw cluster_not_found_exception("Cluster not found.");
  return *cluster;
}

CreateClusterOutput create_cluster(Ecs& ecs, Tx& tx, const Request<CreateClusterInput>& request) {
  const CreateClusterInput& input = request.input;
  refuse_configuration(input.configuration.get(), "CreateCluster");
  refuse_if(input.service_connect_defaults.has_value(), "CreateCluster", "serviceConnectDefaults");
  const std::string name = input.cluster_name.value_or("default");
  check_capacity_providers(input.capacity_providers.get(), input.default_capacity_provider_strategy.get());
  const Tags tags = tags_from(input.tags.get());
  check_tags(tags);
  // Creating a cluster that is there already answers it, unchanged.
  const ClusterRecord* present = ecs.clusters.find(request.scope, name);
  CreateClusterOutput output;
  if (present == nullptr || present->status != "ACTIVE") {
    present = &ecs.clusters.put(tx, request.scope, name,
                                {.name = name,
                                 .settings = settings_with_defaults(input.settings.get()),
                                 .capacity_providers = input.capacity_providers.get(),
                                 .default_strategy = input.default_capacity_provider_strategy.get(),
                                 .configuration = input.configuration.get(),
                                 .tags = tags});
  }
  output.cluster = describe(ecs, request.scope, *present, kEverything);
  return output;
}

DeleteClusterOutput delete_cluster(Ecs& ecs, Tx& tx, const Request<DeleteClusterInput>& request) {
  const ClusterRecord& cluster = get_cluster(ecs, request.scope, request.input.cluster);
  const Cluster counts = describe(ecs, request.scope, cluster, {});
  if (counts.active_services_count.get() > 0)
    throw cluster_contains_services_exception("The Cluster cannot be deleted while Services are active.");
  bool tasks = false;
  ecs.tasks.for_each(request.scope, [&](const TaskRecord& task) {
    tasks = tasks || (task.cluster == cluster.name && task.last_status != "STOPPED");
  });
  if (tasks) throw cluster_contains_tasks_exception("The Cluster cannot be deleted while Tasks are active.");
  DeleteClusterOutput output;
  // A deleted cluster stays describable as INACTIVE.
  output.cluster = describe(ecs, request.scope,
                            ecs.clusters.modify(tx, request.scope, std::string(cluster.name),
                                                [](ClusterRecord& changed) { changed.status = "INACTIVE"; }),
                            kEverything);
  return output;
}

DescribeClustersOutput describe_clusters(Ecs& ecs, Tx&, const Request<DescribeClustersInput>& request) {
  std::vector<std::string> names = request.input.clusters.get();
  if (names.size() > 100) throw invalid_parameter_exception("Clusters cannot have more than 100 elements.");
  if (names.empty()) names = {"default"};
  DescribeClustersOutput output;
  output.clusters.ensure();
  output.failures.ensure();
  for (const std::string& name : names) {
    const ClusterRecord* record = ecs.clusters.find(request.scope, short_name(name));
    if (record != nullptr) {
      output.clusters->push_back(describe(ecs, request.scope, *record, request.input.include.get()));
      continue;
    }
    Failure failure;
    failure.arn = cluster_arn(request.scope, short_name(name));
    failure.reason = "MISSING";
    output.failures->push_back(std::move(failure));
  }
  return output;
}

ListClustersOutput list_clusters(Ecs& ecs, Tx&, const Request<ListClustersInput>& request) {
  std::vector<std::string> arns;
  ecs.clusters.for_each(request.scope, [&](const ClusterRecord& record) {
    if (record.status == "ACTIVE") arns.emplace_back(cluster_arn(request.scope, record.name));
  });
  ListClustersOutput output;
  output.cluster_arns = page_of(ecs, request, "ListClusters", std::move(arns), output.next_token);
  return output;
}

UpdateClusterOutput update_cluster(Ecs& ecs, Tx& tx, const Request<UpdateClusterInput>& request) {
  refuse_configuration(request.input.configuration.get(), "UpdateCluster");
  refuse_if(request.input.service_connect_defaults.has_value(), "UpdateCluster", "serviceConnectDefaults");
  const std::string name = get_cluster(ecs, request.scope, request.input.cluster).name;
  UpdateClusterOutput output;
  output.cluster = describe(ecs, request.scope,
                            ecs.clusters.modify(tx, request.scope, name,
                                                [&](ClusterRecord& changed) {
                                                  if (request.input.configuration)
                                                    changed.configuration = *request.input.configuration;
                                                  if (request.input.settings)
                                                    changed.settings = settings_with_defaults(*request.input.settings);
                                                }),
                            kEverything);
  return output;
}

UpdateClusterSettingsOutput update_cluster_settings(Ecs& ecs, Tx& tx,
                                                    const Request<UpdateClusterSettingsInput>& request) {
  const std::string name = get_cluster(ecs, request.scope, request.input.cluster).name;
  UpdateClusterSettingsOutput output;
  output.cluster = describe(
      ecs, request.scope,
      ecs.clusters.modify(
          tx, request.scope, name,
          [&](ClusterRecord& changed) { changed.settings = settings_with_defaults(request.input.settings.get()); }),
      kEverything);
  return output;
}

PutClusterCapacityProvidersOutput put_cluster_capacity_providers(
    Ecs& ecs, Tx& tx, const Request<PutClusterCapacityProvidersInput>& request) {
  const PutClusterCapacityProvidersInput& input = request.input;
  const std::string name = get_cluster(ecs, request.scope, input.cluster).name;
  check_capacity_providers(input.capacity_providers.get(), input.default_capacity_provider_strategy.get());
  PutClusterCapacityProvidersOutput output;
  output.cluster = describe(ecs, request.scope,
                            ecs.clusters.modify(tx, request.scope, name,
                                                [&](ClusterRecord& changed) {
                                                  changed.capacity_providers = input.capacity_providers.get();
                                                  changed.default_strategy =
                                                      input.default_capacity_provider_strategy.get();
                                                }),
                            kEverything);
  return output;
}

DescribeCapacityProvidersOutput describe_capacity_providers(Ecs&, Tx&,
                                                            const Request<DescribeCapacityProvidersInput>& request) {
  DescribeCapacityProvidersOutput output;
  output.capacity_providers.ensure();
  const std::vector<std::string>& wanted = request.input.capacity_providers.get();
  for (const char* name : {"FARGATE", "FARGATE_SPOT"}) {
    const bool asked =
        wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& w) { return short_name(w) == name; });
    if (!asked) continue;
    CapacityProvider provider;
    provider.capacity_provider_arn = make_arn(request.scope, "ecs", std::string("capacity-provider/") + name);
    provider.name = name;
    provider.status = "ACTIVE";
    provider.tags.ensure();
    output.capacity_providers->push_back(std::move(provider));
  }
  return output;
}

}  // namespace brume::ecs
