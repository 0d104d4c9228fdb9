#include "services/ecs/validate_definition.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/text.h"
#include "services/ecs/request_checks.h"

namespace brume::ecs {
namespace {

constexpr std::string_view kOperation = "RegisterTaskDefinition";

[[noreturn]] void refuse(const std::string& text) { throw client_exception(text); }

void refuse_unserved_members(const ContainerDefinition& container) {
  const auto no = [](bool given, std::string_view member) {
    refuse_if(given, kOperation, "containerDefinitions[]." + std::string(member));
  };
  no(!container.secrets.get().empty(), "secrets");
  no(!container.environment_files.get().empty(), "environmentFiles");
  no(!container.volumes_from.get().empty(), "volumesFrom");
  no(!container.links.get().empty(), "links");
  no(container.repository_credentials.has_value(), "repositoryCredentials");
  no(container.restart_policy.has_value() && container.restart_policy->enabled.value_or(false), "restartPolicy");
  no(container.firelens_configuration.has_value(), "firelensConfiguration");
  no(!container.resource_requirements.get().empty(), "resourceRequirements");
  no(!container.credential_specs.get().empty(), "credentialSpecs");
  no(!container.docker_security_options.get().empty(), "dockerSecurityOptions");
  no(container.disable_networking.value_or(false), "disableNetworking");
  no(container.pseudo_terminal.value_or(false), "pseudoTerminal");
  if (!container.linux_parameters) return;
  const LinuxParameters& parameters = *container.linux_parameters;
  no(!parameters.devices.get().empty(), "linuxParameters.devices");
  no(parameters.init_process_enabled.value_or(false), "linuxParameters.initProcessEnabled");
  no(parameters.shared_memory_size.has_value(), "linuxParameters.sharedMemorySize");
  no(parameters.max_swap.has_value() || parameters.swappiness.has_value(), "linuxParameters.maxSwap");
}

// Members that awsvpc tasks on Fargate may not have: "Task definition parameters for Fargate".
void refuse_fargate_members(const ContainerDefinition& container) {
  if (container.privileged.value_or(false)) refuse("Fargate compatible task definitions do not support privileged");
  if (container.hostname) refuse("hostname is not supported on container when networkMode=awsvpc.");
  if (!container.dns_servers.get().empty()) refuse("dnsServers is not supported on container when networkMode=awsvpc.");
  if (!container.dns_search_domains.get().empty())
    refuse("dnsSearchDomains is not supported on container when networkMode=awsvpc.");
  if (!container.extra_hosts.get().empty()) refuse("extraHosts is not supported on container when networkMode=awsvpc.");
  if (container.linux_parameters && container.linux_parameters->capabilities)
    for (const std::string& added : container.linux_parameters->capabilities->add.get())
      if (added != "SYS_PTRACE")
        refuse("Fargate compatible task definitions only support adding the SYS_PTRACE kernel capability.");
}

// "KernelParameters" that belong to a namespace of the task's own; the others are the machine's.
void check_system_controls(const ContainerDefinition& container) {
  static constexpr std::string_view kInterprocess[] = {"kernel.msgmax", "kernel.msgmnb",         "kernel.msgmni",
                                                       "kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                                       "kernel.shmmni", "kernel.shm_rmid_forced"};
  for (const SystemControl& control : container.system_controls.get()) {
    const std::string& name = control.namespace_.get();
    if (!name.starts_with("net.") && !name.starts_with("fs.mqueue.") &&
        std::ranges::find(kInterprocess, std::string_view(name)) == std::end(kInterprocess))
      refuse("Invalid namespace '" + name + "' for system control.");
  }
}

// "Up to 255 letters (uppercase and lowercase), numbers, hyphens, and underscores": names become parts of paths.
bool is_name(const std::string& name) {
  return name.size() <= 255 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

void check_log_configuration(const ContainerDefinition& container, bool has_execution_role) {
  if (!container.log_configuration) return;
  const LogConfiguration& log = *container.log_configuration;
  const std::string& driver = log.log_driver.get();
  refuse_if(driver != "awslogs", kOperation, "containerDefinitions[].logConfiguration.logDriver " + driver);
  refuse_if(!log.secret_options.get().empty(), kOperation, "containerDefinitions[].logConfiguration.secretOptions");
  for (const char* option : {"awslogs-group", "awslogs-region", "awslogs-stream-prefix"})
    if (!log.options.get().contains(option))
      refuse("Log driver awslogs requires options: awslogs-region, awslogs-group, awslogs-stream-prefix");
  if (!has_execution_role)
    refuse("Fargate requires task definition to have execution role ARN to support log driver awslogs.");
}

void check_health(const ContainerDefinition& container) {
  if (!container.health_check) return;
  const HealthCheck& check = *container.health_check;
  const std::vector<std::string>& command = check.command.get();
  if (command.empty() || (command[0] != "CMD" && command[0] != "CMD-SHELL" && command[0] != "NONE"))
    refuse("Health check command must begin with CMD or CMD-SHELL");
  const auto within = [](const opt<std::int64_t>& value, std::int64_t from, std::int64_t until, const char* name) {
    if (value && (*value < from || *value > until))
      refuse(std::string("Health check ") + name + " must be between " + std::to_string(from) + " and " +
             std::to_string(until));
  };
  within(check.interval, 5, 300, "interval");
  within(check.timeout, 2, 60, "timeout");
  within(check.retries, 1, 10, "retries");
  within(check.start_period, 0, 300, "startPeriod");
}

void check_ports(const ContainerDefinition& container) {
  std::set<std::pair<std::int64_t, std::string>> ports;
  for (const PortMapping& mapping : container.port_mappings.get()) {
    refuse_if(mapping.container_port_range.has_value(), kOperation,
              "containerDefinitions[].portMappings[].containerPortRange");
    if (!mapping.container_port) refuse("Container port must be specified.");
    if (*mapping.container_port < 1 || *mapping.container_port > 65'535)
      refuse("Invalid 'containerPort' setting for container '" + container.name.get() + "'.");
    const std::string protocol = mapping.protocol.value_or("tcp");
    if (protocol != "tcp" && protocol != "udp")
      refuse("Invalid 'protocol' setting for container '" + container.name.get() + "'.");
    if (!ports.emplace(*mapping.container_port, protocol).second)
      refuse("Container port " + std::to_string(*mapping.container_port) + "/" + protocol + " of container '" +
             container.name.get() + "' is mapped twice.");
    if (mapping.host_port && *mapping.host_port != 0 && *mapping.host_port != *mapping.container_port)
      refuse("When networkMode=awsvpc, the host ports and container ports in port mappings must match.");
  }
}

// ContainerDefinition of the API reference: "You can't specify fewer than 6 MiB", and a hard limit above the soft one.
void check_limits(const ContainerDefinition& container) {
  const std::string of = " setting for container '" + container.name.get() + "'.";
  if (container.cpu.value_or(0) < 0) refuse("Invalid 'cpu'" + of);
  if (container.memory && *container.memory < 6) refuse("Invalid 'memory'" + of);
  if (container.memory_reservation && *container.memory_reservation < 6) refuse("Invalid 'memoryReservation'" + of);
  if (container.memory && container.memory_reservation.value_or(0) > *container.memory)
    refuse("Invalid 'memory'" + of + " It must be at least its 'memoryReservation'.");
  for (const Ulimit& limit : container.ulimits.get())
    if (limit.soft_limit.value_or(0) > limit.hard_limit.value_or(0))
      refuse("Invalid 'ulimits'" + of + " The soft limit of " + limit.name.get() + " is above the hard one.");
}

// "Task definition size limit: 64 KB" of "Amazon ECS service quotas", in the words that ECS has for it. What can be
// long is counted; the document that ECS counts has its punctuation too.
void check_length(const RegisterTaskDefinitionRequest& input) {
  constexpr std::size_t kLongest = 65'536;
  std::size_t length = 0;
  for (const ContainerDefinition& container : input.container_definitions.get()) {
    length += container.name.get().size() + container.image.get().size();
    for (const KeyValuePair& variable : container.environment.get())
      length += variable.name.get().size() + variable.value.get().size();
    for (const std::string& word : container.command.get()) length += word.size();
    for (const std::string& word : container.entry_point.get()) length += word.size();
    for (const auto& [name, value] : container.docker_labels.get()) length += name.size() + value.size();
  }
  if (length > kLongest)
    refuse("Actual length: '" + std::to_string(length) + "'. Max allowed length is '" + std::to_string(kLongest) +
           "' bytes.");
}

// The sizes that Fargate has: vCPU units to memory in MiB from, to, step.
struct FargateSize {
  std::int64_t cpu, from, until, step;
};
constexpr FargateSize kSizes[] = {
    {256, 512, 512, 512},       {256, 1024, 2048, 1024},      {512, 1024, 4096, 1024},
    {1024, 2048, 8192, 1024},   {2048, 4096, 16384, 1024},    {4096, 8192, 30720, 1024},
    {8192, 16384, 61440, 4096}, {16384, 32768, 122880, 8192}, {32768, 61440, 249856, 4096}};

void check_size(const RegisterTaskDefinitionRequest& input) {
  std::int64_t cpu = 0, memory = 0;
  if (!input.cpu || !input.memory) refuse("Fargate requires that 'cpu' and 'memory' be defined at the task level.");
  if (!parse_int(*input.cpu, cpu) || !parse_int(*input.memory, memory))
    refuse("Invalid 'cpu' or 'memory' setting for task.");
  const bool valid = std::ranges::any_of(kSizes, [&](const FargateSize& size) {
    return size.cpu == cpu && memory >= size.from && memory <= size.until && (memory - size.from) % size.step == 0;
  });
  if (!valid)
    refuse("No Fargate configuration exists for given values: " + *input.cpu + " CPU, " + *input.memory +
           " memory. See the Amazon ECS documentation for the valid values.");
  std::int64_t reserved = 0, reserved_cpu = 0;
  for (const ContainerDefinition& container : input.container_definitions.get()) {
    reserved_cpu += std::clamp<std::int64_t>(container.cpu.value_or(0), 0, cpu + 1);
    const std::int64_t own = container.memory.value_or(container.memory_reservation.value_or(0));
    reserved += std::clamp<std::int64_t>(own, 0, memory + 1);
  }
  if (reserved_cpu > cpu)
    refuse("Total cpu of all containers (" + std::to_string(reserved_cpu) + ") exceeds the task cpu (" +
           std::to_string(cpu) + ").");
  if (reserved > memory)
    refuse("Total memory reservation for all containers (" + std::to_string(reserved) + ") exceeds the task memory (" +
           std::to_string(memory) + ").");
}

void check_dependencies(const RegisterTaskDefinitionRequest& input) {
  const std::vector<ContainerDefinition>& containers = input.container_definitions.get();
  std::set<std::string> settled;
  // A container is settled once all it depends on are: what remains is a cycle, or depends on a stranger.
  for (bool progress = true; progress;) {
    progress = false;
    for (const ContainerDefinition& container : containers) {
      if (settled.contains(container.name.get())) continue;
      const auto& on = container.depends_on.get();
      if (!std::ranges::all_of(on, [&](const auto& d) { return settled.contains(d.container_name.get()); })) continue;
      settled.insert(container.name.get());
      progress = true;
    }
  }
  for (const ContainerDefinition& container : containers)
    for (const ContainerDependency& dependency : container.depends_on.get()) {
      const auto other =
          std::ranges::find_if(containers, [&](const auto& c) { return c.name == dependency.container_name; });
      if (other == containers.end())
        refuse("Container dependency '" + dependency.container_name.get() + "' does not exist.");
      if (dependency.condition.get() == "HEALTHY" && !other->health_check)
        refuse("Container " + dependency.container_name.get() +
               " needs a health check for the dependency condition HEALTHY.");
      if (!settled.contains(container.name.get())) refuse("Container dependencies must not contain a cycle.");
    }
}

void check_volumes(const RegisterTaskDefinitionRequest& input) {
  std::set<std::string> names;
  for (const Volume& volume : input.volumes.get()) {
    refuse_if(volume.docker_volume_configuration.has_value(), kOperation, "volumes[].dockerVolumeConfiguration");
    refuse_if(volume.efs_volume_configuration.has_value(), kOperation, "volumes[].efsVolumeConfiguration");
    refuse_if(volume.fsx_windows_file_server_volume_configuration.has_value(), kOperation,
              "volumes[].fsxWindowsFileServerVolumeConfiguration");
    refuse_if(volume.configured_at_launch.value_or(false), kOperation, "volumes[].configuredAtLaunch");
    if (volume.host && volume.host->source_path) refuse("host.sourcePath should not be set for volumes in Fargate.");
    if (volume.name.get().empty() || !is_name(volume.name.get())) refuse("Volume.name contains invalid characters.");
    names.insert(volume.name.get());
  }
  for (const ContainerDefinition& container : input.container_definitions.get())
    for (const MountPoint& mount : container.mount_points.get())
      if (!names.contains(mount.source_volume.get())) refuse("Unknown volume '" + mount.source_volume.get() + "'.");
}

}  // namespace

void check_ephemeral_storage(const opt<EphemeralStorage>& storage) {
  constexpr std::int64_t kLeast = 21, kMost = 200;
  if (!storage) return;
  const std::int64_t size_gib = storage->size_in_gi_b.value_or(0);
  if (size_gib < kLeast || size_gib > kMost)
    refuse("Invalid 'ephemeralStorage' setting for task. sizeInGiB must be between " + std::to_string(kLeast) +
           " and " + std::to_string(kMost) + ".");
}

void validate_definition(const RegisterTaskDefinitionRequest& input) {
  refuse_if(!input.placement_constraints.get().empty(), kOperation, "placementConstraints");
  refuse_if(input.proxy_configuration.has_value(), kOperation, "proxyConfiguration");
  refuse_if(!input.inference_accelerators.get().empty(), kOperation, "inferenceAccelerators");
  refuse_if(input.pid_mode.has_value(), kOperation, "pidMode");
  refuse_if(input.ipc_mode.has_value(), kOperation, "ipcMode");
  refuse_if(input.enable_fault_injection.value_or(false), kOperation, "enableFaultInjection");
  const std::vector<std::string>& compatibilities = input.requires_compatibilities.get();
  refuse_if(std::ranges::any_of(compatibilities, [](const auto& c) { return c != "FARGATE"; }), kOperation,
            "requiresCompatibilities other than FARGATE");
  refuse_if(input.network_mode.value_or("bridge") != "awsvpc", kOperation, "networkMode other than awsvpc");
  if (input.runtime_platform && input.runtime_platform->cpu_architecture.value_or("X86_64") != "X86_64")
    refuse_if(true, kOperation, "runtimePlatform.cpuArchitecture other than X86_64");
  if (input.runtime_platform && input.runtime_platform->operating_system_family.value_or("LINUX") != "LINUX")
    refuse_if(true, kOperation, "runtimePlatform.operatingSystemFamily other than LINUX");
  const std::vector<ContainerDefinition>& containers = input.container_definitions.get();
  if (containers.empty()) refuse("Container list cannot be empty.");
  check_length(input);
  check_size(input);
  check_ephemeral_storage(input.ephemeral_storage);
  std::set<std::string> names;
  bool any_essential = false;
  for (const ContainerDefinition& container : containers) {
    if (container.name.get().empty()) refuse("Container.name should not be null or empty.");
    if (!is_name(container.name.get())) refuse("Container.name contains invalid characters.");
    if (container.image.get().empty()) refuse("Container.image should not be null or empty.");
    if (!names.insert(*container.name).second) refuse("Container.name contains duplicate values.");
    any_essential = any_essential || container.essential.value_or(true);
    refuse_unserved_members(container);
    refuse_fargate_members(container);
    check_system_controls(container);
    check_log_configuration(container, input.execution_role_arn.has_value());
    check_health(container);
    check_ports(container);
    check_limits(container);
  }
  if (!any_essential) refuse("At least one container must be essential.");
  check_dependencies(input);
  check_volumes(input);
}

}  // namespace brume::ecs
