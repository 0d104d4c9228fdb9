// How a target is, as AWS tells it: from what is desired and what the proxy observed. Control thread.
#pragma once

#include <string>

#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

struct TargetState {
  std::string state, reason, description;  // "healthy" has no reason
  bool operator==(const TargetState&) const = default;
};

// "Target health status" in "Health checks for Application Load Balancer target groups". `user` is the load balancer
// that uses the group, or null.
TargetState target_state(const LoadBalancerRecord* user, const TargetRecord& target);
TargetState not_registered();

}  // namespace brume::elbv2
