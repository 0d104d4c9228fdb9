// A task record made from a definition: what RunTask and the service scheduler share.
#pragma once

#include <string>

#include "services/ecs/ecs.h"

namespace brume::ecs {

struct NewTask {
  const TaskDefinition& definition;
  std::string cluster, group, started_by, launch_type, capacity_provider, platform_version;
  AwsVpcConfiguration network;
  std::string subnet;  // one of the network's
  TaskOverride overrides;
};
TaskRecord make_task(Ecs& ecs, const NewTask& wanted);

// The subnet whose zone has the fewest of `zones_in_use`, so that tasks spread over zones.
std::string pick_subnet(const Ecs& ecs, const Scope& scope, const AwsVpcConfiguration& network,
                        const std::vector<std::string>& zones_in_use);

}  // namespace brume::ecs
