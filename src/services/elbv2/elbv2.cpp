#include "services/elbv2/elbv2.h"

#include "gen/elbv2.h"
#include "services/elbv2/meter.h"
#include "services/elbv2/reconciler.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

std::vector<std::string> groups_in(const std::vector<ActionRecord>& actions) {
  std::set<std::string> groups;
  add_groups(actions, groups);
  return {groups.begin(), groups.end()};
}

}  // namespace

Elbv2::Elbv2(const Elbv2Needs& given)
    : needs(given),
      paging(PagingTokens::load(given.store, given.random)),
      balancers(given.store, {"elbv2.load_balancer"}),
      target_groups(given.store, {"elbv2.target_group"}),
      targets(given.store, {"elbv2.target"}),
      listeners(given.store, {"elbv2.listener"}),
      rules(given.store, {"elbv2.rule"}),
      balancers_by_name(balancers, [](const LoadBalancerRecord& record) { return std::vector{record.name}; }),
      target_groups_by_name(target_groups, [](const TargetGroupRecord& record) { return std::vector{record.name}; }),
      targets_by_group(targets, [](const TargetRecord& record) { return std::vector{record.group}; }),
      listeners_by_balancer(listeners, [](const ListenerRecord& record) { return std::vector{record.load_balancer}; }),
      listeners_by_group(listeners, [](const ListenerRecord& record) { return groups_in(record.default_actions); }),
      rules_by_listener(rules, [](const RuleRecord& record) { return std::vector{record.listener}; }),
      rules_by_group(rules, [](const RuleRecord& record) { return groups_in(record.actions); }),
      meter(std::make_unique<Meter>(*this)),
      reconciler(std::make_unique<Reconciler>(*this)) {}

Elbv2::~Elbv2() = default;

void Elbv2::start() {
  reconciler->start();
  meter->start();
}

void Elbv2::touch(Tx& tx, const Scope& scope, const std::string& balancer_key) {
  tx.on_commit([this, scope, balancer_key] {
    meter->wake();
    reconciler->wake(scope, balancer_key);
  });
}

void Elbv2::touch_group(Tx& tx, const Scope& scope, const std::string& group_key) {
  const std::string user = balancer_using(*this, scope, group_key);
  if (!user.empty()) touch(tx, scope, user);
}

AwsError unsupported(std::string_view what) {
  return {"UnsupportedOperation", "Brume does not serve " + std::string(what) + "."};
}

AwsError validation_error(std::string message) { return {"ValidationError", std::move(message)}; }

}  // namespace brume::elbv2
