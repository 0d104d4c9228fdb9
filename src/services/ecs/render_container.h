// From a task definition to what the containers plane runs. Pure functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "planes/containers/containers.h"
#include "services/ecs/records.h"

namespace brume::ecs {

// What the rendering needs beside the records.
struct ContainerFacts {
  Scope scope;
  std::string network_namespace, resolver;
  std::string image_digest;
  Tags definition_tags;
};

containers::SandboxSpec render_sandbox(const TaskRecord& task, const TaskDefinition& definition);
// `volume_path` gives the directory of a named volume of the task.
containers::ContainerSpec render_container(const TaskRecord& task, const ContainerDefinition& container,
                                           const ContainerFacts& facts,
                                           const std::function<std::string(const std::string&)>& volume_path);

// The command of a health check as runc runs it: CMD as given, CMD-SHELL through the image's shell.
std::vector<std::string> health_command(const HealthCheck& check);

// The log stream of the awslogs driver: prefix/container/task.
std::string log_stream_name(const LogConfiguration& configuration, const std::string& container,
                            const std::string& task);

}  // namespace brume::ecs
