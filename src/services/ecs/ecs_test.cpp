// Services and tasks played through the handlers, the scheduler and the runner together.
#include "services/ecs/testing.h"

namespace brume::ecs {
namespace {

class ServiceTest : public EcsTest {
 protected:
  void SetUp() override {
    ecs.start();
    make_cluster();
  }
};

TEST_F(ServiceTest, RunsItsTasksSpreadOverZonesAndBecomesSteady) {
  call(create_service, service(registered(), 2, true));
  ASSERT_EQ(tasks("RUNNING").size(), 2U);
  EXPECT_NE(tasks("RUNNING")[0].zone, tasks("RUNNING")[1].zone);
  const Service now = described();
  EXPECT_EQ(now.running_count, opt<std::int64_t>(2));
  EXPECT_EQ(now.deployments->at(0).rollout_state, opt<std::string>("COMPLETED"));
  EXPECT_EQ(now.events->at(0).message.get(), "(service s) has reached a steady state.");
  EXPECT_EQ(targets.health_of.size(), 2U);
}

TEST_F(ServiceTest, ReplacesATaskWhoseContainerEnds) {
  call(create_service, service(registered(), 1, true));
  const TaskRecord first = tasks("RUNNING").at(0);
  containers.end(first.id + "/app", {.code = 3});
  runtime.advance(seconds(5));
  ASSERT_EQ(tasks("STOPPED").size(), 1U);
  EXPECT_EQ(tasks("STOPPED")[0].stopped_reason, "Essential container in task exited");
  EXPECT_EQ(tasks("STOPPED")[0].containers[0].exit_code, opt<std::int64_t>(3));
  ASSERT_EQ(tasks("RUNNING").size(), 1U);
  EXPECT_NE(tasks("RUNNING")[0].id, first.id);
  EXPECT_EQ(interfaces.present.size(), 1U) << "the dead task's interface is gone";
  EXPECT_EQ(containers.sandboxes.size(), 1U);
}

TEST_F(ServiceTest, RollsToANewRevision) {
  call(create_service, service(registered(), 2, true));
  UpdateServiceInput update;
  update.cluster = "c";
  update.service = "s";
  update.task_definition = registered("v2");
  call(update_service, update);
  runtime.advance(seconds(60));
  for (const TaskRecord& task : tasks("RUNNING")) EXPECT_EQ(task.definition, *update.task_definition);
  EXPECT_EQ(tasks("RUNNING").size(), 2U);
  EXPECT_EQ(described().deployments->size(), 1U);
}

TEST_F(ServiceTest, TheCircuitBreakerRollsBackAMissingImage) {
  const std::string good = registered();
  call(create_service, service(good, 2, true));
  UpdateServiceInput update;
  update.cluster = "c";
  update.service = "s";
  update.task_definition = registered("missing");
  call(update_service, update);
  runtime.advance(seconds(120));
  const Service now = described();
  ASSERT_EQ(now.deployments->size(), 1U);
  EXPECT_EQ(now.task_definition.get(), good);
  EXPECT_EQ(now.deployments->at(0).rollout_state, opt<std::string>("COMPLETED"));
  EXPECT_EQ(tasks("RUNNING").size(), 2U);
  ASSERT_GE(tasks("STOPPED").size(), 3U);
  EXPECT_TRUE(tasks("STOPPED")[0].stopped_reason.starts_with("CannotPullContainerError: "))
      << tasks("STOPPED")[0].stopped_reason;
}

TEST_F(ServiceTest, AnUnhealthyContainerIsReplacedAndCountsAgainstTheDeployment) {
  call(create_service, service(registered("v1", true), 1));
  runtime.advance(seconds(6));
  ASSERT_EQ(tasks("RUNNING").size(), 1U);
  EXPECT_EQ(tasks("RUNNING")[0].containers[0].health, "HEALTHY");
  const std::string sick = tasks("RUNNING")[0].id;
  containers.on_exec = [&](const std::string& id, const auto&) {
    return containers::Containers::ExecResult{id.starts_with(sick) ? 1 : 0, ""};
  };
  runtime.advance(seconds(30));
  ASSERT_EQ(tasks("RUNNING").size(), 1U);
  EXPECT_NE(tasks("RUNNING")[0].id, sick);
  EXPECT_EQ(tasks("STOPPED")[0].stopped_reason, "Task failed container health checks");
}

TEST_F(ServiceTest, TheGracePeriodSparesATaskThatIsNotYetHealthy) {
  targets.first = ServiceTargets::Health::unhealthy;
  CreateServiceInput input = service(registered(), 1, true);
  input.health_check_grace_period_seconds = 60;
  call(create_service, input);
  runtime.advance(seconds(50));
  EXPECT_EQ(tasks("STOPPED").size(), 0U);
  runtime.advance(seconds(20));
  EXPECT_GE(tasks("STOPPED").size(), 1U);
}

TEST_F(ServiceTest, ScalesAndIsDeletedWithNothingLeft) {
  call(create_service, service(registered(), 3, true));
  DeleteServiceInput gone;
  gone.cluster = "c";
  gone.service = "s";
  EXPECT_THROW(call(delete_service, gone), AwsError) << "still scaled above 0";
  UpdateServiceInput update;
  update.cluster = "c";
  update.service = "s";
  update.desired_count = 0;
  call(update_service, update);
  runtime.advance(seconds(5));
  EXPECT_EQ(tasks("RUNNING").size(), 0U);
  call(delete_service, gone);
  runtime.advance(seconds(5));
  EXPECT_EQ(described().status.get(), "INACTIVE");
  EXPECT_TRUE(interfaces.present.empty());
  EXPECT_TRUE(containers.sandboxes.empty());
  EXPECT_TRUE(targets.health_of.empty());
}

TEST_F(ServiceTest, ANewDaemonAdoptsRunningTasksAndLearnsMissedExits) {
  call(create_service, service(registered(), 2, true));
  const std::string lost = tasks("RUNNING")[0].id, kept = tasks("RUNNING")[1].id;
  containers.reconnect();
  containers.states[lost + "/app"].running = false;
  containers.states[lost + "/app"].exit.code = 1;
  Ecs second{{*store, runtime.clock, *random, runtime.control, interfaces, targets, images, logs, containers, roles,
              authorizer, events}};
  second.start();
  runtime.advance(seconds(10));
  EXPECT_EQ(second.tasks.find(scope, "c/" + kept)->last_status, "RUNNING");
  EXPECT_EQ(second.tasks.find(scope, "c/" + lost)->last_status, "STOPPED");
}

class TaskTest : public ServiceTest {
 protected:
  std::string run(RunTaskInput input = {}) {
    input.cluster = "c";
    if (!input.task_definition) input.task_definition = registered();
    input.network_configuration = network();
    return short_name(call(run_task, input).tasks->at(0).task_arn.get());
  }
};

TEST_F(TaskTest, RunsAndStops) {
  const std::string id = run();
  ASSERT_EQ(tasks("RUNNING").size(), 1U);
  EXPECT_EQ(containers.specs.at(id + "/app").environment.at("AWS_EXECUTION_ENV"), "AWS_ECS_FARGATE");
  StopTaskInput stop;
  stop.cluster = "c";
  stop.task = id;
  stop.reason = "enough";
  call(stop_task, stop);
  DescribeTasksInput describe;
  describe.cluster = "c";
  describe.tasks = std::vector<std::string>{id, "unknown"};
  const DescribeTasksOutput output = call(describe_tasks, describe);
  EXPECT_EQ(output.tasks->at(0).last_status.get(), "STOPPED");
  EXPECT_EQ(output.tasks->at(0).stopped_reason.get(), "enough");
  EXPECT_EQ(output.tasks->at(0).stop_code.get(), "UserInitiated");
  EXPECT_EQ(output.failures->at(0).reason.get(), "MISSING");
  ListTasksInput list;
  list.cluster = "c";
  list.desired_status = "STOPPED";
  EXPECT_EQ(call(list_tasks, list).task_arns->size(), 1U);
  runtime.advance(hours(2));
  EXPECT_EQ(ecs.tasks.size(), 0U) << "stopped tasks are forgotten after an hour";
}

TEST_F(TaskTest, OverridesReplaceTheCommandAndAddToTheEnvironment) {
  RunTaskInput input;
  ContainerOverride& override = input.overrides.emplace().container_overrides.ensure().emplace_back();
  override.name = "app";
  override.command = std::vector<std::string>{"--probe"};
  override.environment.ensure().emplace_back().name = "X";
  const std::string id = run(input);
  EXPECT_EQ(containers.specs.at(id + "/app").command, std::vector<std::string>{"--probe"});
  EXPECT_TRUE(containers.specs.at(id + "/app").environment.contains("X"));
  override.name = "other";
  EXPECT_THROW(run(input), AwsError);
}

TEST_F(TaskTest, MayWriteWhatItsDefinitionOrItsOwnOverrideSays) {
  RegisterTaskDefinitionInput large = definition();
  large.ephemeral_storage.emplace().size_in_gi_b = 50;
  RunTaskInput input;
  EXPECT_EQ(containers.sandboxes.at(run(input)).disk_bytes, std::uint64_t{20} << 30U);
  input.task_definition = call(register_task_definition, large).task_definition->task_definition_arn;
  EXPECT_EQ(containers.sandboxes.at(run(input)).disk_bytes, std::uint64_t{50} << 30U);
  input.overrides.emplace().ephemeral_storage.emplace().size_in_gi_b = 60;
  const std::string id = run(input);
  EXPECT_EQ(containers.sandboxes.at(id).disk_bytes, std::uint64_t{60} << 30U);
  DescribeTasksInput describe;
  describe.cluster = "c";
  describe.tasks = std::vector<std::string>{id};
  EXPECT_EQ(call(describe_tasks, describe).tasks->at(0).ephemeral_storage->size_in_gi_b, opt<std::int64_t>(60));
  for (const int refused : {0, 20, 201}) {
    large.ephemeral_storage->size_in_gi_b = refused;
    EXPECT_THROW(call(register_task_definition, large), AwsError) << refused;
    input.overrides->ephemeral_storage->size_in_gi_b = refused;
    EXPECT_THROW(run(input), AwsError) << refused;
  }
}

TEST_F(TaskTest, AFullSubnetFailsTheTaskWithAReason) {
  RunTaskInput input;
  input.cluster = "c";
  input.task_definition = registered();
  input.network_configuration.emplace().awsvpc_configuration.emplace().subnets =
      std::vector<std::string>{"subnet-full"};
  call(run_task, input);
  ASSERT_EQ(tasks("STOPPED").size(), 1U);
  EXPECT_EQ(tasks("STOPPED")[0].stop_code, "TaskFailedToStart");
}

TEST_F(TaskTest, AnEndedEssentialContainerStopsTheOthersAndAStartErrorIsTheReason) {
  containers.on_start = [](const auto&) { return std::string("exec: \"/app\": no such file or directory"); };
  run();
  ASSERT_EQ(tasks("STOPPED").size(), 1U);
  EXPECT_EQ(tasks("STOPPED")[0].stopped_reason, "CannotStartContainerError: exec: \"/app\": no such file or directory");
}

class LinesTest : public TaskTest {
 protected:
  std::string run_logged(const std::string& region) {
    RegisterTaskDefinitionInput input = definition();
    input.execution_role_arn = "arn:aws:iam::000000000000:role/execution";
    LogConfiguration& log = (*input.container_definitions)[0].log_configuration.emplace();
    log.log_driver = "awslogs";
    log.options = std::map<std::string, std::string>{
        {"awslogs-group", "g"}, {"awslogs-region", region}, {"awslogs-stream-prefix", "p"}};
    RunTaskInput task;
    task.task_definition = call(register_task_definition, input).task_definition->task_definition_arn;
    return run(task);
  }
};

TEST_F(LinesTest, GoToTheTasksOwnStream) {
  const std::string id = run_logged("eu-west-1");
  const std::string child = "task/" + id + "/app";
  ecs.take_lines(
      {{.id = child, .sequence = 1, .text = "hello"}, {.id = "task/unknown/app", .sequence = 1, .text = "lost"}});
  EXPECT_EQ(logs.texts, std::vector<std::string>{"p/app/" + id + ": hello"});
  // The keeper tells again what was not acknowledged.
  ecs.take_lines({{.id = child, .sequence = 1, .text = "hello"}, {.id = child, .sequence = 2, .text = "again"}});
  EXPECT_EQ(logs.texts, (std::vector<std::string>{"p/app/" + id + ": hello", "p/app/" + id + ": again"}));
}

TEST_F(LinesTest, GoToTheRegionThatTheDriverIsToldOf) {
  const std::string id = run_logged("us-east-1");
  EXPECT_EQ(logs.streams, std::set<std::string>{"us-east-1/p/app/" + id});
  ecs.take_lines({{.id = "task/" + id + "/app", .sequence = 1, .text = "hello"}});
  EXPECT_EQ(logs.texts, std::vector<std::string>{"p/app/" + id + ": hello"});
}

// The daemon and the keeper were killed after the container's first line and before its record said that it runs.
TEST_F(LinesTest, OfAContainerThatIsStartedOnceMoreAreNotTakenForThoseOfItsFirstStart) {
  const std::string id = run_logged("eu-west-1");
  const std::string child = "task/" + id + "/app";
  ecs.take_lines({{.id = child, .sequence = 1, .text = "first"}, {.id = child, .sequence = 2, .text = "second"}});
  in_transaction(*store, [&](Tx& tx) {
    ecs.tasks.modify(tx, scope, "c/" + id,
                     [](TaskRecord& task) { task.last_status = task.containers[0].last_status = "PENDING"; });
  });
  containers.reconnect();
  containers.states.clear();
  containers.sandboxes.clear();
  Ecs second{{*store, runtime.clock, *random, runtime.control, interfaces, targets, images, logs, containers, roles,
              authorizer, events}};
  second.start();
  runtime.advance(seconds(10));
  ASSERT_EQ(second.tasks.find(scope, "c/" + id)->last_status, "RUNNING");
  second.take_lines({{.id = child, .sequence = 1, .text = "anew"}});
  const std::string stream = "p/app/" + id + ": ";
  EXPECT_EQ(logs.texts, (std::vector<std::string>{stream + "first", stream + "second", stream + "anew"}));
}

TEST_F(TaskTest, MetadataAndCredentialsAnswerTheTaskItselfOnly) {
  RegisterTaskDefinitionInput input = definition();
  input.task_role_arn = "arn:aws:iam::000000000000:role/task";
  RunTaskInput task;
  task.task_definition = call(register_task_definition, input).task_definition->task_definition_arn;
  const TaskRecord record = *ecs.tasks.find(scope, "c/" + run(task));
  const auto get = [&](const std::string& path, const std::string& address) {
    HttpReply reply;
    HttpRequest request{.method = "GET", .path = path, .listener = "credentials/vpc-1", .peer_address = address};
    ecs.metadata().handle(request, [&](HttpReply given) { reply = std::move(given); });
    runtime.run();
    return reply;
  };
  const std::string uri = "/v4/" + record.containers[0].runtime_id;
  EXPECT_NE(get(uri + "/task", record.private_address).body.bytes.find(record.id), std::string::npos);
  containers.disk_usages[record.id] = 261 << 20;
  EXPECT_NE(get(uri + "/task", record.private_address)
                .body.bytes.find(R"("EphemeralStorageMetrics":{"Utilized":261,"Reserved":20480})"),
            std::string::npos);
  EXPECT_EQ(get(uri, record.private_address).status, 200);
  EXPECT_EQ(get(uri + "/stats", record.private_address).status, 200);
  EXPECT_EQ(get(uri + "/task", "10.9.9.9").status, 404);
  const std::string credentials = "/v2/credentials/" + record.credentials_id;
  EXPECT_NE(get(credentials, record.private_address).body.bytes.find("ASIA1"), std::string::npos);
  EXPECT_NE(get(credentials, record.private_address).body.bytes.find("ASIA1"), std::string::npos) << "the same session";
  runtime.advance(hours(6));
  EXPECT_NE(get(credentials, record.private_address).body.bytes.find("ASIA2"), std::string::npos) << "rotated";
  EXPECT_EQ(get("/v2/credentials/other", record.private_address).status, 404);
}

}  // namespace
}  // namespace brume::ecs
