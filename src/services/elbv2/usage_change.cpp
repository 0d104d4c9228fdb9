#include "services/elbv2/usage_change.h"

#include <algorithm>
#include <iterator>

#include "services/elbv2/reconciler.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {

UsageChange::UsageChange(Elbv2& elbv2, Tx& tx, const Scope& scope, std::string balancer_key)
    : elbv2_(elbv2),
      tx_(tx),
      scope_(scope),
      balancer_(std::move(balancer_key)),
      before_(groups_of(elbv2, scope, balancer_)) {}

void UsageChange::finish() {
  const std::set<std::string> after = groups_of(elbv2_, scope_, balancer_);
  std::vector<std::string> changed, stale;
  std::ranges::set_symmetric_difference(before_, after, std::back_inserter(changed));
  for (const std::string& group : changed)
    for (const TargetRecord* target : targets_of(elbv2_, scope_, group))
      if (!target->state.empty()) stale.push_back(target->key);
  for (const std::string& target : stale)
    elbv2_.targets.modify(tx_, scope_, target,
                          [](TargetRecord& record) { record.state = record.reason = record.description = ""; });
  elbv2_.touch(tx_, scope_, balancer_);
  tx_.on_commit([&elbv2 = elbv2_, scope = scope_, changed] {
    for (const std::string& group : changed) elbv2.reconciler->tell_targets_changed(scope, group);
  });
}

}  // namespace brume::elbv2
