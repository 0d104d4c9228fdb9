#include "services/ecs/render_container.h"

#include <algorithm>
#include <functional>

#include "core/text.h"

namespace brume::ecs {
namespace {

const ContainerOverride* override_of(const TaskRecord& task, const std::string& name) {
  for (const ContainerOverride& override : task.overrides.container_overrides.get())
    if (override.name.get() == name) return &override;
  return nullptr;
}

void set_environment(containers::ContainerSpec& spec, const std::vector<KeyValuePair>& pairs) {
  for (const KeyValuePair& pair : pairs) spec.environment[pair.name.get()] = pair.value.get();
}

// "Amazon ECS container metadata version 4" and "Task IAM role": how a program finds out who it is.
void set_ecs_environment(containers::ContainerSpec& spec, const TaskRecord& task, const ContainerRecord& record,
                         const Scope& scope) {
  spec.environment["ECS_CONTAINER_METADATA_URI_V4"] = "http://169.254.170.2/v4/" + record.runtime_id;
  spec.environment["ECS_CONTAINER_METADATA_URI"] = "http://169.254.170.2/v3/" + record.runtime_id;
  spec.environment["AWS_EXECUTION_ENV"] = "AWS_ECS_FARGATE";
  spec.environment["AWS_REGION"] = scope.region;
  spec.environment["AWS_DEFAULT_REGION"] = scope.region;
  if (!task.task_role.empty())
    spec.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/" + task.credentials_id;
}

void set_linux_parameters(containers::ContainerSpec& spec, const LinuxParameters& parameters) {
  if (parameters.capabilities) {
    spec.add_capabilities = parameters.capabilities->add.get();
    spec.drop_capabilities = parameters.capabilities->drop.get();
  }
  for (const Tmpfs& tmpfs : parameters.tmpfs.get())
    spec.mounts.push_back({.kind = containers::Mount::Kind::tmpfs,
                           .destination = tmpfs.container_path.get(),
                           .size_bytes = tmpfs.size.value_or(64) * 1024 * 1024,
                           .options = tmpfs.mount_options.get()});
}

// Programs in containers have the machine's clock, unless the task asks: by its own tag, which may be its service's
// (propagateTags), else by its definition's.
bool follows_clock(const TaskRecord& task, const Tags& definition_tags) {
  for (const Tags* tags : {&task.tags, &definition_tags})
    if (const auto found = tags->find(kClockTag); found != tags->end()) return found->second == "cloud";
  return false;
}

}  // namespace

containers::SandboxSpec render_sandbox(const TaskRecord& task, const TaskDefinition& definition) {
  containers::SandboxSpec spec{.id = task.id, .hostname = task.private_dns_name};
  std::int64_t number = 0;
  if (parse_int(task.memory, number)) spec.memory_bytes = number * 1024 * 1024;
  if (parse_int(task.cpu, number)) spec.cpu_units = static_cast<int>(number);
  spec.disk_bytes = static_cast<std::uint64_t>(ephemeral_storage_gib(task, definition)) << 30U;
  return spec;
}

containers::ContainerSpec render_container(const TaskRecord& task, const ContainerDefinition& container,
                                           const ContainerFacts& facts,
                                           const std::function<std::string(const std::string&)>& volume_path) {
  const std::string& name = container.name.get();
  const auto record = std::ranges::find(task.containers, name, &ContainerRecord::name);
  const ContainerOverride* override = override_of(task, name);
  containers::ContainerSpec spec;
  spec.id = task.id + "/" + name;
  spec.sandbox = task.id;
  spec.network_namespace = facts.network_namespace;
  spec.image = facts.image_digest;
  spec.entry_point = container.entry_point.get();
  spec.command = override != nullptr && override->command ? override->command.get() : container.command.get();
  set_environment(spec, container.environment.get());
  if (override != nullptr) set_environment(spec, override->environment.get());
  set_ecs_environment(spec, task, *record, facts.scope);
  spec.directory = container.working_directory.get();
  spec.user = container.user.get();
  std::int64_t memory = container.memory.value_or(0);
  if (override != nullptr && override->memory) memory = *override->memory;
  spec.memory_bytes = memory * 1024 * 1024;
  spec.cpu_shares = static_cast<int>(container.cpu.value_or(0));
  spec.read_only_root = container.readonly_root_filesystem.value_or(false);
  if (container.linux_parameters) set_linux_parameters(spec, *container.linux_parameters);
  for (const MountPoint& mount : container.mount_points.get())
    spec.mounts.push_back({.kind = containers::Mount::Kind::bind,
                           .source = volume_path(mount.source_volume.get()),
                           .destination = mount.container_path.get(),
                           .read_only = mount.read_only.value_or(false)});
  for (const Ulimit& limit : container.ulimits.get())
    spec.ulimits.push_back({limit.name.get(), limit.soft_limit.get(), limit.hard_limit.get()});
  for (const SystemControl& control : container.system_controls.get())
    spec.sysctls[control.namespace_.get()] = control.value.get();
  spec.follows_clock = follows_clock(task, facts.definition_tags);
  spec.hosts = {{task.private_dns_name, task.private_address}};
  spec.dns_servers = {facts.resolver};
  spec.dns_search = {facts.scope.region + ".compute.internal"};
  return spec;
}

std::vector<std::string> health_command(const HealthCheck& check) {
  const std::vector<std::string>& command = check.command.get();
  if (command.empty()) return {};
  if (command.front() == "CMD-SHELL" && command.size() > 1) return {"/bin/sh", "-c", command[1]};
  if (command.front() == "CMD") return {command.begin() + 1, command.end()};
  return {"/bin/sh", "-c", command.front()};
}

std::string log_stream_name(const LogConfiguration& configuration, const std::string& container,
                            const std::string& task) {
  const auto prefix = configuration.options.get().find("awslogs-stream-prefix");
  return (prefix == configuration.options.get().end() ? std::string("ecs") : prefix->second) + "/" + container + "/" +
         task;
}

}  // namespace brume::ecs
