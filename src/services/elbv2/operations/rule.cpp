#include <algorithm>
#include <map>

#include "services/elbv2/actions.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/request_checks.h"
#include "services/elbv2/shapes.h"
#include "services/elbv2/usage.h"
#include "services/elbv2/usage_change.h"

namespace brume::elbv2 {
namespace {

constexpr std::size_t kMostRules = 100;  // per load balancer, not counting defaults

void check_priority_free(const Elbv2& elbv2, const Scope& scope, const std::string& listener, std::int64_t priority) {
  for (const RuleRecord* rule : rules_of(elbv2, scope, listener))
    if (rule->priority == priority)
      throw priority_in_use_exception("Priority '" + std::to_string(priority) + "' is currently in use");
}

const LoadBalancerRecord& balancer_of(const Elbv2& elbv2, const Scope& scope, const std::string& listener_key) {
  const LoadBalancerRecord* record = elbv2.balancers.find(scope, parent_key(listener_key));
  BRUME_CHECK(record != nullptr);  // listeners go with their load balancer
  return *record;
}

std::size_t rules_in(const Elbv2& elbv2, const Scope& scope, const std::string& balancer) {
  std::size_t count = 0;
  for (const ListenerRecord* listener : listeners_of(elbv2, scope, balancer))
    count += elbv2.rules_by_listener.find(scope, listener->key).size();
  return count;
}

// Paging wants keys that ascend strictly.
std::string order_key(const Rule& rule) {
  if (rule.is_default.get()) return "default";
  return std::string(6 - std::min<std::size_t>(6, rule.priority->size()), '0') + *rule.priority;
}

}  // namespace

CreateRuleOutput create_rule(Elbv2& elbv2, Tx& tx, const Request<CreateRuleInput>& request) {
  const auto& input = request.input;
  const ListenerRecord& listener = get_listener(elbv2, request.scope, input.listener_arn.get());
  const LoadBalancerRecord& balancer = balancer_of(elbv2, request.scope, listener.key);
  if (!input.transforms.get().empty()) throw unsupported("transforms of rules");
  UsageChange usage(elbv2, tx, request.scope, balancer.key);
  RuleRecord record;
  record.listener = listener.key;
  record.priority = input.priority.get();
  record.conditions = read_conditions(input.conditions.get());
  record.actions = read_actions(elbv2, request.scope, balancer, input.actions.get());
  check_priority_free(elbv2, request.scope, listener.key, record.priority);
  if (rules_in(elbv2, request.scope, balancer.key) >= kMostRules)
    throw too_many_rules_exception("The maximum number of rules has been reached");
  record.id = elbv2.needs.random.hex(16);
  record.key = listener.key + "/" + record.id;
  record.tags = read_tags(input.tags);
  const std::string key = record.key;
  const RuleRecord& made = elbv2.rules.insert(tx, request.scope, key, std::move(record));
  usage.finish();
  CreateRuleOutput output;
  output.rules.ensure().push_back(rule_shape(request.scope, made));
  return output;
}

ModifyRuleOutput modify_rule(Elbv2& elbv2, Tx& tx, const Request<ModifyRuleInput>& request) {
  const auto& input = request.input;
  const FoundRule found = get_rule(elbv2, request.scope, input.rule_arn.get());
  if (found.rule == nullptr)
    throw operation_not_permitted_exception("Default rule '" + input.rule_arn.get() + "' cannot be modified");
  if (!input.transforms.get().empty()) throw unsupported("transforms of rules");
  const LoadBalancerRecord& balancer = balancer_of(elbv2, request.scope, found.listener->key);
  UsageChange usage(elbv2, tx, request.scope, balancer.key);
  RuleRecord record = *found.rule;
  if (input.conditions) record.conditions = read_conditions(*input.conditions);
  if (input.actions) record.actions = read_actions(elbv2, request.scope, balancer, *input.actions);
  const std::string key = record.key;
  const RuleRecord& changed = elbv2.rules.put(tx, request.scope, key, std::move(record));
  usage.finish();
  ModifyRuleOutput output;
  output.rules.ensure().push_back(rule_shape(request.scope, changed));
  return output;
}

DeleteRuleOutput delete_rule(Elbv2& elbv2, Tx& tx, const Request<DeleteRuleInput>& request) {
  const FoundRule found = get_rule(elbv2, request.scope, request.input.rule_arn.get());
  if (found.rule == nullptr)
    throw operation_not_permitted_exception("Default rule '" + request.input.rule_arn.get() + "' cannot be deleted");
  const std::string key = found.rule->key;
  UsageChange usage(elbv2, tx, request.scope, found.listener->load_balancer);
  elbv2.rules.erase(tx, request.scope, key);
  usage.finish();
  return {};
}

DescribeRulesOutput describe_rules(Elbv2& elbv2, Tx&, const Request<DescribeRulesInput>& request) {
  const auto& arns = request.input.rule_arns.get();
  const auto& listener_arn = request.input.listener_arn;
  if (arns.empty() == !listener_arn)
    throw validation_error("You must specify either listener rule ARNs or a listener ARN");
  std::vector<Rule> rules;
  for (const std::string& arn : arns) {
    const FoundRule found = get_rule(elbv2, request.scope, arn);
    rules.push_back(found.rule != nullptr ? rule_shape(request.scope, *found.rule)
                                          : default_rule_shape(request.scope, *found.listener));
  }
  DescribeRulesOutput output;
  if (listener_arn) {
    const ListenerRecord& listener = get_listener(elbv2, request.scope, *listener_arn);
    for (const RuleRecord* rule : rules_of(elbv2, request.scope, listener.key))
      rules.push_back(rule_shape(request.scope, *rule));
    rules.push_back(default_rule_shape(request.scope, listener));
    output.next_marker = page(elbv2, paging_purpose("elbv2:DescribeRules", request.scope, listener.key),
                              request.input.marker, request.input.page_size, rules, order_key);
  }
  output.rules = std::move(rules);
  return output;
}

SetRulePrioritiesOutput set_rule_priorities(Elbv2& elbv2, Tx& tx, const Request<SetRulePrioritiesInput>& request) {
  std::map<std::string, std::int64_t> wanted;  // by the rule's key
  for (const RulePriorityPair& pair : request.input.rule_priorities.get()) {
    const FoundRule found = get_rule(elbv2, request.scope, pair.rule_arn.get());
    if (found.rule == nullptr)
      throw operation_not_permitted_exception("The priority of the default rule '" + pair.rule_arn.get() +
                                              "' cannot be set");
    wanted[found.rule->key] = pair.priority.get();
  }
  if (wanted.empty()) throw validation_error("At least one rule priority must be specified");
  const std::string listener = parent_key(wanted.begin()->first);
  // All at once: rules may change places.
  std::map<std::int64_t, std::string> taken;
  for (const RuleRecord* rule : rules_of(elbv2, request.scope, listener)) {
    const auto moved = wanted.find(rule->key);
    const std::int64_t priority = moved == wanted.end() ? rule->priority : moved->second;
    if (!taken.emplace(priority, rule->key).second)
      throw priority_in_use_exception("Priority '" + std::to_string(priority) + "' is currently in use");
  }
  SetRulePrioritiesOutput output;
  for (const auto& [key, priority] : wanted) {
    if (parent_key(key) != listener) throw validation_error("All rules must belong to the same listener");
    const RuleRecord& changed =
        elbv2.rules.modify(tx, request.scope, key, [&](RuleRecord& rule) { rule.priority = priority; });
    output.rules.ensure().push_back(rule_shape(request.scope, changed));
  }
  elbv2.touch(tx, request.scope, parent_key(listener));
  return output;
}

}  // namespace brume::elbv2
