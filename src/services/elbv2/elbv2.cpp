#include "services/elbv2/elbv2.h"

#include "gen/elbv2.h"
#include "services/elbv2/meter.h"
#include "services/elbv2/reconciler.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {

Elbv2::Elbv2(const Elbv2Needs& given)
    : needs(given),
      paging(PagingTokens::load(given.store, given.random)),
      balancers(given.store, {"elbv2.load_balancer"}),
      target_groups(given.store, {"elbv2.target_group"}),
      targets(given.store, {"elbv2.target"}),
      listeners(given.store, {"elbv2.listener"}),
      rules(given.store, {"elbv2.rule"}),
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
