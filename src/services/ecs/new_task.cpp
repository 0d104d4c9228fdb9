#include "services/ecs/new_task.h"

#include <algorithm>

namespace brume::ecs {

TaskRecord make_task(Ecs& ecs, const NewTask& wanted) {
  Random& random = ecs.needs.random;
  const TaskDefinition& definition = wanted.definition;
  TaskRecord task;
  task.id = random.hex(32);
  task.cluster = wanted.cluster;
  task.definition = definition.task_definition_arn.get();
  task.group = wanted.group;
  task.started_by = wanted.started_by;
  task.launch_type = wanted.launch_type;
  task.capacity_provider = wanted.capacity_provider;
  task.platform_version =
      wanted.platform_version.empty() || wanted.platform_version == "LATEST" ? "1.4.0" : wanted.platform_version;
  task.cpu = wanted.overrides.cpu.value_or(definition.cpu.get());
  task.memory = wanted.overrides.memory.value_or(definition.memory.get());
  task.overrides = wanted.overrides;
  task.network = wanted.network;
  task.subnet = wanted.subnet;
  task.zone = {};
  task.attachment_id = random.uuid();
  task.execution_role = wanted.overrides.execution_role_arn.value_or(definition.execution_role_arn.get());
  task.task_role = wanted.overrides.task_role_arn.value_or(definition.task_role_arn.get());
  task.credentials_id = random.uuid();
  task.created_at = ecs.needs.clock.now();
  for (const ContainerDefinition& container : definition.container_definitions.get()) {
    ContainerRecord record;
    record.name = container.name.get();
    record.image = container.image.get();
    record.essential = container.essential.value_or(true);
    record.runtime_id = task.id + "-" + random.digits(10);
    task.containers.push_back(std::move(record));
  }
  return task;
}

std::string pick_subnet(const Ecs& ecs, const Scope& scope, const AwsVpcConfiguration& network,
                        const std::vector<std::string>& zones_in_use) {
  const std::vector<std::string>& subnets = network.subnets.get();
  if (subnets.empty()) return {};
  return *std::ranges::min_element(subnets, {}, [&](const std::string& subnet) {
    return std::ranges::count(zones_in_use, ecs.needs.interfaces.zone_of(scope, subnet));
  });
}

}  // namespace brume::ecs
