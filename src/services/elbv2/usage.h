// Who uses whom: load balancers, their listeners and rules, and the target groups that these forward to. Control
// thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

// In the order of their ports.
std::vector<const ListenerRecord*> listeners_of(const Elbv2& elbv2, const Scope& scope,
                                                const std::string& balancer_key);
// In the order of their priorities; without the default rule.
std::vector<const RuleRecord*> rules_of(const Elbv2& elbv2, const Scope& scope, const std::string& listener_key);
// Keys of the target groups that the load balancer's listeners and rules forward to, weight 0 included.
std::set<std::string> groups_of(const Elbv2& elbv2, const Scope& scope, const std::string& balancer_key);
// Key of the load balancer that uses the target group; empty: none does.
std::string balancer_using(const Elbv2& elbv2, const Scope& scope, const std::string& group_key);
std::vector<const TargetRecord*> targets_of(const Elbv2& elbv2, const Scope& scope, const std::string& group_key);

void add_groups(const std::vector<ActionRecord>& actions, std::set<std::string>& groups);

}  // namespace brume::elbv2
