// Registering and deregistering targets: for the operations and for other services. Control thread.
#pragma once

#include <string>

#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

std::string target_key(const std::string& group_key, const std::string& address, std::int64_t port);

// Registers an address; one that drains comes back. Throws InvalidTarget, TooManyTargets.
void register_address(Elbv2& elbv2, Tx& tx, const Scope& scope, const TargetGroupRecord& group,
                      const std::string& address, std::int64_t port);
// The target drains for the group's deregistration delay, if a load balancer uses the group; else it is gone at once.
// An unknown target is no error.
void deregister_address(Elbv2& elbv2, Tx& tx, const Scope& scope, const TargetGroupRecord& group,
                        const std::string& address, std::int64_t port);

}  // namespace brume::elbv2
