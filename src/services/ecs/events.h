// What ECS tells of itself: service events, and the "ECS Task State Change" and "ECS Deployment State Change" events.
#pragma once

#include <string>

#include "services/ecs/ecs.h"

namespace brume::ecs {

// Adds "(service NAME) TEXT." to the service's events, newest first, at most 100.
void add_service_event(Ecs& ecs, Tx& tx, const Scope& scope, const std::string& service_key, const std::string& text);

Event task_state_change(const Scope& scope, const TaskRecord& task, Time now);
// `name` is SERVICE_DEPLOYMENT_IN_PROGRESS, _COMPLETED or _FAILED.
Event deployment_state_change(const Scope& scope, const ServiceRecord& service, const DeploymentRecord& deployment,
                              const std::string& name, Time now);

}  // namespace brume::ecs
