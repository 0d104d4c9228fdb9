// Whether a task definition can be registered: AWS's rules for Fargate and awsvpc, and what Brume does not serve, by
// name.
#pragma once

#include "services/ecs/shapes.h"

namespace brume::ecs {

// Throws ClientException with AWS's text, or UnsupportedFeatureException naming the member that is not served.
void validate_definition(const RegisterTaskDefinitionRequest& input);
// Of a definition or of a task's own: 21 to 200 GiB, "EphemeralStorage" of the ECS API reference.
void check_ephemeral_storage(const opt<EphemeralStorage>& storage);

}  // namespace brume::ecs
