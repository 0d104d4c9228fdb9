#include "services/elbv2/target_state.h"

#include <algorithm>

namespace brume::elbv2 {

TargetState target_state(const LoadBalancerRecord* user, const TargetRecord& target) {
  if (target.draining) return {"draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"};
  if (user == nullptr || user->deleting)
    return {"unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"};
  const bool zone_enabled = target.zone.empty() || std::ranges::any_of(user->zones, [&](const auto& zone) {
                              return zone.zone == target.zone;
                            });
  if (!zone_enabled)
    return {"unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"};
  if (target.state.empty()) return {"initial", "Elb.RegistrationInProgress", "Target registration is in progress"};
  return {target.state, target.reason, target.description};
}

TargetState not_registered() {
  return {"unused", "Target.NotRegistered", "Target is not registered to the target group"};
}

}  // namespace brume::elbv2
