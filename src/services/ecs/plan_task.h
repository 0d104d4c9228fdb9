// What a task needs next. A pure function of the record, its definition and what was observed of the world; the runner
// carries the actions out and asks again. Follows "Amazon ECS task lifecycle".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/ecs/needs.h"
#include "services/ecs/records.h"

namespace brume::ecs {

struct ContainerObservation {
  enum class Image { absent, pulling, ready, failed } image = Image::absent;
  enum class Process { absent, starting, running, stopping, exited, failed } process = Process::absent;
  std::string error;  // of the pull or the start
  int exit_code = 0;
  bool out_of_memory = false;
  bool out_of_disk = false;
};

struct TaskObservation {
  bool interface_ready = false;
  enum class Sandbox { absent, creating, ready, removing, removed } sandbox = Sandbox::absent;
  std::string sandbox_error;
  std::map<std::string, ContainerObservation> containers;  // by name
  std::map<std::string, ServiceTargets::Health> targets;   // by target group
};

struct TaskAction {
  enum class Kind {
    create_interface,
    pull_image,  // container
    create_sandbox,
    start_container,  // container
    register_targets,
    deregister_targets,
    stop_container,  // container
    remove_sandbox,
    delete_interface,
    record_start,  // container: it runs
    record_exit,   // container: it ended; text: the reason, if there is one to give
    enter,         // text: the next last status
    fail           // the task stops: text is the reason, code the stop code
  } kind;
  std::string container;
  std::string text;
  std::string code;
  bool operator==(const TaskAction&) const = default;
};

std::vector<TaskAction> plan_task(const TaskRecord& task, const TaskDefinition& definition,
                                  const TaskObservation& observed);

}  // namespace brume::ecs
