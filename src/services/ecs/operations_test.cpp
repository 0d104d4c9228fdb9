// Clusters, task definitions and tags through their handlers: answers, defaults, refusals.
#include "services/ecs/testing.h"

namespace brume::ecs {
namespace {

TEST_F(EcsTest, ClustersAreMadeOnceDescribedAndDeleted) {
  make_cluster("a");
  make_cluster("a");
  EXPECT_EQ(ecs.clusters.size(), 1U);
  DescribeClustersInput describe;
  describe.clusters = std::vector<std::string>{"a", "b"};
  DescribeClustersOutput output = call(describe_clusters, describe);
  EXPECT_EQ(output.clusters->at(0).status.get(), "ACTIVE");
  EXPECT_EQ(output.failures->at(0).reason.get(), "MISSING");
  EXPECT_EQ(call(list_clusters, ListClustersInput{}).cluster_arns->size(), 1U);
  DeleteClusterInput gone;
  gone.cluster = "a";
  call(delete_cluster, gone);
  EXPECT_EQ(call(describe_clusters, describe).clusters->at(0).status.get(), "INACTIVE");
  EXPECT_THROW(call(delete_cluster, gone), AwsError);
}

TEST_F(EcsTest, CapacityProvidersAndSettings) {
  make_cluster("a");
  PutClusterCapacityProvidersInput put;
  put.cluster = "a";
  put.capacity_providers = std::vector<std::string>{"FARGATE"};
  CapacityProviderStrategyItem& item = put.default_capacity_provider_strategy.ensure().emplace_back();
  item.capacity_provider = "FARGATE";
  item.weight = 1;
  EXPECT_EQ(call(put_cluster_capacity_providers, put).cluster->default_capacity_provider_strategy->size(), 1U);
  put.capacity_providers = std::vector<std::string>{"my-asg"};
  EXPECT_THROW(call(put_cluster_capacity_providers, put), AwsError);
  EXPECT_EQ(call(describe_capacity_providers, DescribeCapacityProvidersInput{}).capacity_providers->size(), 2U);
  UpdateClusterSettingsInput settings;
  settings.cluster = "a";
  ClusterSetting& setting = settings.settings.ensure().emplace_back();
  setting.name = "containerInsights";
  setting.value = "enabled";
  EXPECT_EQ(call(update_cluster_settings, settings).cluster->settings->at(0).value.get(), "enabled");
  UpdateClusterInput update;
  update.cluster = "a";
  EXPECT_EQ(call(update_cluster, update).cluster->settings->at(0).value.get(), "enabled");
}

TEST_F(EcsTest, ClustersKeepHowExecWouldBeLogged) {
  CreateClusterInput create;
  create.cluster_name = "logged";
  create.configuration.ensure().execute_command_configuration.ensure().logging = "OVERRIDE";
  EXPECT_TRUE(call(create_cluster, create).cluster->configuration.has_value());
  DescribeClustersInput describe;
  describe.clusters.ensure().push_back("logged");
  EXPECT_FALSE(call(describe_clusters, describe).clusters->at(0).configuration.has_value());
  describe.include.ensure().push_back("CONFIGURATIONS");
  EXPECT_EQ(
      call(describe_clusters, describe).clusters->at(0).configuration->execute_command_configuration->logging.get(),
      "OVERRIDE");
  create.cluster_name = "encrypted";
  create.configuration->execute_command_configuration->kms_key_id = "key";
  EXPECT_THROW(call(create_cluster, create), AwsError);
}

TEST_F(EcsTest, DefinitionsHaveRevisionsAndDefaults) {
  EXPECT_TRUE(registered().ends_with("web:1"));
  EXPECT_TRUE(registered().ends_with("web:2"));
  DescribeTaskDefinitionInput describe;
  describe.task_definition = "web";
  const TaskDefinition latest = *call(describe_task_definition, describe).task_definition;
  EXPECT_EQ(latest.revision, opt<std::int64_t>(2));
  EXPECT_EQ(latest.container_definitions->at(0).port_mappings->at(0).host_port, opt<std::int64_t>(8000));
  DeregisterTaskDefinitionInput gone;
  gone.task_definition = "web:2";
  EXPECT_EQ(call(deregister_task_definition, gone).task_definition->status.get(), "INACTIVE");
  EXPECT_EQ(call(describe_task_definition, describe).task_definition->revision, opt<std::int64_t>(1));
  EXPECT_EQ(call(list_task_definitions, ListTaskDefinitionsInput{}).task_definition_arns->size(), 1U);
  EXPECT_EQ(call(list_task_definition_families, ListTaskDefinitionFamiliesInput{}).families->size(), 1U);
  DeleteTaskDefinitionsInput erase;
  erase.task_definitions = std::vector<std::string>{"web:1", "web:2"};
  const DeleteTaskDefinitionsOutput output = call(delete_task_definitions, erase);
  EXPECT_EQ(output.task_definitions->size(), 1U);
  EXPECT_EQ(output.failures->size(), 1U) << "web:1 is still active";
  EXPECT_EQ(ecs.definitions.size(), 1U);
}

TEST_F(EcsTest, WhatIsNotServedIsRefusedByName) {
  const auto refused = [&](auto change) {
    RegisterTaskDefinitionInput input = definition();
    change(input, (*input.container_definitions)[0]);
    try {
      call(register_task_definition, input);
    } catch (const AwsError& error) {
      return error.message;
    }
    return std::string("it was taken");
  };
  EXPECT_NE(refused([](auto&, auto& c) { c.secrets.ensure().emplace_back().name = "S"; }).find("secrets"),
            std::string::npos);
  EXPECT_NE(refused([](auto& i, auto&) { i.network_mode = "bridge"; }).find("networkMode"), std::string::npos);
  EXPECT_NE(refused([](auto& i, auto&) { i.cpu = "300"; }).find("No Fargate configuration"), std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) { c.essential = false; }).find("essential"), std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) { c.cpu = 1 << 20; }).find("exceeds the task cpu"), std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) { c.memory = 5; }).find("'memory'"), std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) { c.memory = std::int64_t{1} << 62; }).find("exceeds"), std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) {
              c.port_mappings.ensure().emplace_back().container_port = 65'536;
            }).find("'containerPort'"),
            std::string::npos);
  EXPECT_EQ(refused([](auto&, auto& c) {
              c.environment.ensure().emplace_back().value = std::string(70'000, 'x');
            }).find("Actual length: '70"),
            0U);
  EXPECT_NE(refused([](auto&, auto& c) { c.privileged = true; }).find("privileged"), std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) {
              c.linux_parameters.emplace().capabilities.emplace().add.ensure().push_back("SYS_ADMIN");
            }).find("SYS_PTRACE"),
            std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) {
              c.system_controls.ensure().emplace_back().namespace_ = "kernel.core_pattern";
            }).find("kernel.core_pattern"),
            std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) { c.name = "../../x"; }).find("Container.name"), std::string::npos);
  EXPECT_NE(refused([](auto& i, auto&) { i.volumes.ensure().emplace_back().name = "../x"; }).find("Volume.name"),
            std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) {
              ContainerDependency& dependency = c.depends_on.ensure().emplace_back();
              dependency.container_name = "app";
              dependency.condition = "START";
            }).find("cycle"),
            std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) {
              c.mount_points.ensure().emplace_back().source_volume = "v";
            }).find("Unknown volume"),
            std::string::npos);
  EXPECT_NE(refused([](auto&, auto& c) { c.log_configuration.emplace().log_driver = "splunk"; }).find("splunk"),
            std::string::npos);
}

TEST_F(EcsTest, ServicesAreCheckedBeforeTheyAreMade) {
  make_cluster();
  const std::string arn = registered();
  CreateServiceInput input = service(arn, 1, true);
  input.load_balancers->at(0).target_group_arn = "tg-none";
  EXPECT_THROW(call(create_service, input), AwsError);
  input = service(arn, 1, true);
  input.load_balancers->at(0).container_port = 9;
  EXPECT_THROW(call(create_service, input), AwsError);
  input = service(arn, 1);
  input.network_configuration->awsvpc_configuration->subnets = std::vector<std::string>{"subnet-none"};
  EXPECT_THROW(call(create_service, input), AwsError);
  input = service("unknown:1", 1);
  EXPECT_THROW(call(create_service, input), AwsError);
  call(create_service, service(arn, 1));
  EXPECT_THROW(call(create_service, service(arn, 1)), AwsError) << "not idempotent";
  ListServicesInput list;
  list.cluster = "c";
  EXPECT_EQ(call(list_services, list).service_arns->size(), 1U);
}

TEST_F(EcsTest, DefinitionsAreListedFromEitherEndOverPages) {
  std::vector<std::string> made;
  for (int i = 0; i < 12; ++i) made.push_back(registered());  // revision 10 follows 9
  const auto list = [&](const std::string& sort) {
    ListTaskDefinitionsInput input;
    input.max_results = 5;
    input.sort = sort;
    std::vector<std::string> arns;
    std::size_t pages = 0;
    do {
      const ListTaskDefinitionsOutput output = call(list_task_definitions, input);
      for (const std::string& arn : output.task_definition_arns.get()) arns.push_back(arn);
      input.next_token = output.next_token;
      ++pages;
    } while (input.next_token);
    EXPECT_EQ(pages, 3U);
    return arns;
  };
  EXPECT_EQ(list("ASC"), made);
  std::ranges::reverse(made);
  EXPECT_EQ(list("DESC"), made);
}

TEST_F(EcsTest, TheLatestRevisionIsFoundWhateverIsGoneBeforeIt) {
  for (int i = 0; i < 12; ++i) registered();
  const auto latest = [&] {
    DescribeTaskDefinitionInput describe;
    describe.task_definition = "web";
    return *call(describe_task_definition, describe).task_definition->revision;
  };
  EXPECT_EQ(latest(), 12);
  for (const std::int64_t gone : {1, 2, 3, 5, 6, 7, 9, 10, 11}) {
    const std::string name = "web:" + std::to_string(gone);
    DeregisterTaskDefinitionInput deregister;
    deregister.task_definition = name;
    call(deregister_task_definition, deregister);
    DeleteTaskDefinitionsInput erase;
    erase.task_definitions = std::vector<std::string>{name};
    call(delete_task_definitions, erase);
    EXPECT_EQ(latest(), 12) << "without " << name;
  }
  DeregisterTaskDefinitionInput last;
  last.task_definition = "web:12";
  call(deregister_task_definition, last);
  EXPECT_EQ(latest(), 8);
  EXPECT_TRUE(registered().ends_with("web:13"));
}

TEST_F(EcsTest, TagsOfEveryKind) {
  make_cluster();
  const std::string definition = registered();
  call(create_service, service(definition, 0));
  for (const std::string& arn : {cluster_arn(scope, "c"), definition, service_arn(scope, "c", "s")}) {
    TagResourceInput put;
    put.resource_arn = arn;
    Tag& tag = put.tags.ensure().emplace_back();
    tag.key = "k";
    tag.value = "v";
    call(tag_resource, put);
    ListTagsForResourceInput list;
    list.resource_arn = arn;
    EXPECT_EQ(call(list_tags_for_resource, list).tags->size(), 1U) << arn;
    UntagResourceInput remove;
    remove.resource_arn = arn;
    remove.tag_keys = std::vector<std::string>{"k"};
    call(untag_resource, remove);
    EXPECT_TRUE(call(list_tags_for_resource, list).tags->empty()) << arn;
  }
  TagResourceInput unknown;
  unknown.resource_arn = cluster_arn(scope, "none");
  EXPECT_THROW(call(tag_resource, unknown), AwsError);
}

TEST_F(EcsTest, AccountSettingsAreFixed) {
  PutAccountSettingInput input;
  input.name = "taskLongArnFormat";
  input.value = "enabled";
  EXPECT_EQ(call(put_account_setting, input).setting->value.get(), "enabled");
  input.value = "disabled";
  EXPECT_THROW(call(put_account_setting, input), AwsError);
  EXPECT_GE(call(list_account_settings, ListAccountSettingsInput{}).settings->size(), 3U);
}

}  // namespace
}  // namespace brume::ecs
