// A task's way from PROVISIONING to STOPPED: single decisions, and whole lives with failures at every point.
#include "services/ecs/plan_task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace brume::ecs {
namespace {

using Kind = TaskAction::Kind;
using Process = ContainerObservation::Process;
using Image = ContainerObservation::Image;
using Sandbox = TaskObservation::Sandbox;
using Health = ServiceTargets::Health;

TaskDefinition make_definition(const std::vector<std::string>& names) {
  TaskDefinition definition;
  for (const std::string& name : names) definition.container_definitions.ensure().emplace_back().name = name;
  return definition;
}

TaskRecord make_task(const TaskDefinition& definition, const std::string& status) {
  TaskRecord task;
  task.id = "0123";
  task.cluster = "c";
  task.last_status = status;
  for (const ContainerDefinition& container : *definition.container_definitions)
    task.containers.emplace_back().name = container.name.get();
  return task;
}

std::vector<Kind> kinds(const std::vector<TaskAction>& actions) {
  std::vector<Kind> list;
  for (const TaskAction& action : actions) list.push_back(action.kind);
  return list;
}

TEST(PlanTask, PullsBeforeTheSandboxIsMade) {
  const TaskDefinition definition = make_definition({"web"});
  const TaskRecord task = make_task(definition, "PENDING");
  TaskObservation observed;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), std::vector{Kind::pull_image});
  observed.containers["web"].image = Image::pulling;
  EXPECT_TRUE(plan_task(task, definition, observed).empty());
  observed.containers["web"].image = Image::ready;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), std::vector{Kind::create_sandbox});
  observed.sandbox = Sandbox::ready;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), std::vector{Kind::start_container});
}

TEST(PlanTask, AContainerThatIsKilledForWhatItWroteSaysSo) {
  const TaskDefinition definition = make_definition({"web"});
  TaskRecord task = make_task(definition, "RUNNING");
  task.containers[0].last_status = "RUNNING";
  TaskObservation observed;
  observed.containers["web"] = {.process = Process::exited, .exit_code = 137, .out_of_disk = true};
  const auto actions = plan_task(task, definition, observed);
  ASSERT_EQ(kinds(actions), (std::vector{Kind::record_exit, Kind::fail}));
  EXPECT_EQ(actions[0].text, "no space left on device: Container killed due to ephemeral storage usage");
  EXPECT_EQ(actions[1].code, "EssentialContainerExited");
}

TEST(PlanTask, StorageIsTheTasksOwnItsDefinitionsOrTwentyGibibytes) {
  TaskDefinition definition = make_definition({"web"});
  TaskRecord task = make_task(definition, "RUNNING");
  EXPECT_EQ(ephemeral_storage_gib(task, definition), 20);
  definition.ephemeral_storage.emplace().size_in_gi_b = 30;
  EXPECT_EQ(ephemeral_storage_gib(task, definition), 30);
  task.overrides.ephemeral_storage.emplace().size_in_gi_b = 40;
  EXPECT_EQ(ephemeral_storage_gib(task, definition), 40);
}

TEST(PlanTask, AFailedPullFailsTheTaskWithThePullsOwnError) {
  const TaskDefinition definition = make_definition({"web"});
  TaskObservation observed;
  observed.containers["web"] = {.image = Image::failed, .error = "manifest unknown"};
  const auto actions = plan_task(make_task(definition, "PENDING"), definition, observed);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0],
            (TaskAction{Kind::fail, "web", "CannotPullContainerError: manifest unknown", "TaskFailedToStart"}));
}

TEST(PlanTask, ADependencyWaitsForItsCondition) {
  TaskDefinition definition = make_definition({"init", "web"});
  ContainerDependency& dependency = (*definition.container_definitions)[1].depends_on.ensure().emplace_back();
  dependency.container_name = "init";
  dependency.condition = "SUCCESS";
  TaskRecord task = make_task(definition, "PENDING");
  task.containers[0].essential = false;
  TaskObservation observed;
  observed.sandbox = Sandbox::ready;
  observed.containers["init"].image = observed.containers["web"].image = Image::ready;
  auto actions = plan_task(task, definition, observed);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].container, "init");
  observed.containers["init"].process = Process::exited;
  task.containers[0].last_status = "STOPPED";
  task.containers[0].exit_code = 0;
  actions = plan_task(task, definition, observed);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].container, "web");
  task.containers[0].exit_code = 1;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), std::vector{Kind::fail});
}

TEST(PlanTask, AnEssentialExitStopsTheTaskAndANonEssentialOneDoesNot) {
  const TaskDefinition definition = make_definition({"web", "side"});
  TaskRecord task = make_task(definition, "RUNNING");
  task.containers[0].last_status = task.containers[1].last_status = "RUNNING";
  task.containers[1].essential = false;
  TaskObservation observed;
  observed.containers["web"].process = Process::running;
  observed.containers["side"].process = Process::exited;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), std::vector{Kind::record_exit});
  observed.containers["web"].process = Process::exited;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), (std::vector{Kind::record_exit, Kind::fail}));
}

TEST(PlanTask, ContainersGetTheirSignalOnlyAfterTheTargetsHaveDrained) {
  const TaskDefinition definition = make_definition({"web"});
  TaskRecord task = make_task(definition, "RUNNING");
  task.containers[0].last_status = "RUNNING";
  task.desired_status = "STOPPED";
  task.targets = {{"tg", "web", 8000, true}};
  TaskObservation observed;
  observed.sandbox = Sandbox::ready;
  observed.containers["web"].process = Process::running;
  observed.targets["tg"] = Health::healthy;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), (std::vector{Kind::deregister_targets, Kind::enter}));
  task.targets[0].registered = false;
  task.last_status = "DEACTIVATING";
  observed.targets["tg"] = Health::draining;
  EXPECT_TRUE(plan_task(task, definition, observed).empty());
  observed.targets["tg"] = Health::absent;
  EXPECT_EQ(kinds(plan_task(task, definition, observed)), (std::vector{Kind::enter, Kind::stop_container}));
}

// Plays a life in which every asynchronous step ends at a random moment, sometimes badly, and the task is sometimes
// told to stop. Whatever happens, it ends STOPPED with nothing left of it.
void play(unsigned seed) {
  std::mt19937 random(seed);
  const TaskDefinition definition = make_definition({"web", "side"});
  TaskRecord task = make_task(definition, "PROVISIONING");
  task.containers[1].essential = seed % 2 == 0;
  task.targets = {{"tg", "web", 8000, false}};
  TaskObservation observed;
  observed.targets["tg"] = Health::absent;
  for (int round = 0; round < 500 && task.last_status != "STOPPED"; ++round) {
    if (round == 300 || random() % 60 == 0) task.desired_status = "STOPPED";
    if (!task.interface_id.empty() && random() % 2) observed.interface_ready = true;
    if (observed.sandbox == Sandbox::creating && random() % 2) observed.sandbox = Sandbox::ready;
    if (observed.sandbox == Sandbox::removing && random() % 2) observed.sandbox = Sandbox::removed;
    if (observed.targets["tg"] == Health::draining && random() % 3 == 0) observed.targets["tg"] = Health::absent;
    for (auto& [name, container] : observed.containers) {
      if (container.image == Image::pulling && random() % 2)
        container.image = random() % 20 ? Image::ready : Image::failed;
      if (container.process == Process::starting && random() % 2)
        container.process = random() % 20 ? Process::running : Process::failed;
      if (container.process == Process::stopping && random() % 2) container.process = Process::exited;
      if (container.process == Process::running && random() % 80 == 0) container.process = Process::exited;
    }
    for (const TaskAction& action : plan_task(task, definition, observed)) {
      ContainerObservation& container = observed.containers[action.container];
      const auto record = std::ranges::find(task.containers, action.container, &ContainerRecord::name);
      switch (action.kind) {
        case Kind::create_interface:
          task.interface_id = "eni";
          break;
        case Kind::delete_interface:
          task.interface_id.clear();
          break;
        case Kind::pull_image:
          container.image = Image::pulling;
          break;
        case Kind::create_sandbox:
          observed.sandbox = Sandbox::creating;
          break;
        case Kind::start_container:
          container.process = Process::starting;
          break;
        case Kind::stop_container:
          container.process = Process::stopping;
          break;
        case Kind::register_targets:
          task.targets[0].registered = true;
          observed.targets["tg"] = Health::healthy;
          break;
        case Kind::deregister_targets:
          task.targets[0].registered = false;
          observed.targets["tg"] = Health::draining;
          break;
        case Kind::remove_sandbox:
          observed.sandbox = Sandbox::removing;
          break;
        case Kind::record_start:
          record->last_status = "RUNNING";
          break;
        case Kind::record_exit:
          record->last_status = "STOPPED";
          break;
        case Kind::enter:
          task.last_status = action.text;
          break;
        case Kind::fail:
          task.desired_status = "STOPPED";
          break;
      }
    }
    observed.containers.erase("");
  }
  EXPECT_EQ(task.last_status, "STOPPED") << "seed " << seed;
  EXPECT_TRUE(task.interface_id.empty()) << "seed " << seed;
  EXPECT_FALSE(task.targets[0].registered) << "seed " << seed;
  EXPECT_TRUE(observed.sandbox == Sandbox::absent || observed.sandbox == Sandbox::removed) << "seed " << seed;
}

TEST(PlanTask, EveryLifeEndsWithNothingLeft) {
  for (unsigned seed = 1; seed <= 500; ++seed) play(seed);
}

}  // namespace
}  // namespace brume::ecs
