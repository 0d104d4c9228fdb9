// Actions and conditions of listeners and rules: from a request, checked, and to an answer. Control thread.
#pragma once

#include <string>
#include <vector>

#include "gen/elbv2.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

// Checks the actions for a listener of this load balancer: types that are served, one that ends the request, target
// groups that exist, fit and are used by no other load balancer. Throws AWS's codes.
std::vector<ActionRecord> read_actions(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& balancer,
                                       const std::vector<Action>& actions);
std::vector<Action> write_actions(const Scope& scope, const std::vector<ActionRecord>& actions);

std::vector<ConditionRecord> read_conditions(const std::vector<RuleCondition>& conditions);
std::vector<RuleCondition> write_conditions(const std::vector<ConditionRecord>& conditions);

}  // namespace brume::elbv2
