#include "services/elbv2/usage.h"

#include <algorithm>

#include "services/elbv2/arns.h"

namespace brume::elbv2 {

void add_groups(const std::vector<ActionRecord>& actions, std::set<std::string>& groups) {
  for (const ActionRecord& action : actions)
    for (const WeightedGroup& group : action.groups) groups.insert(group.group);
}

std::vector<const ListenerRecord*> listeners_of(const Elbv2& elbv2, const Scope& scope,
                                                const std::string& balancer_key) {
  auto found = elbv2.listeners_by_balancer.find(scope, balancer_key);
  std::ranges::sort(found, {}, &ListenerRecord::port);
  return found;
}

std::vector<const RuleRecord*> rules_of(const Elbv2& elbv2, const Scope& scope, const std::string& listener_key) {
  auto found = elbv2.rules_by_listener.find(scope, listener_key);
  std::ranges::sort(found, {}, &RuleRecord::priority);
  return found;
}

std::set<std::string> groups_of(const Elbv2& elbv2, const Scope& scope, const std::string& balancer_key) {
  std::set<std::string> groups;
  for (const ListenerRecord* listener : listeners_of(elbv2, scope, balancer_key)) {
    add_groups(listener->default_actions, groups);
    for (const RuleRecord* rule : rules_of(elbv2, scope, listener->key)) add_groups(rule->actions, groups);
  }
  return groups;
}

std::string balancer_using(const Elbv2& elbv2, const Scope& scope, const std::string& group_key) {
  if (const ListenerRecord* listener = elbv2.listeners_by_group.find_first(scope, group_key))
    return listener->load_balancer;
  const RuleRecord* rule = elbv2.rules_by_group.find_first(scope, group_key);
  return rule == nullptr ? "" : parent_key(rule->listener);
}

std::vector<const TargetRecord*> targets_of(const Elbv2& elbv2, const Scope& scope, const std::string& group_key) {
  return elbv2.targets_by_group.find(scope, group_key);
}

}  // namespace brume::elbv2
