#include "app/adapters/service_targets.h"

#include "services/elbv2/api.h"

namespace brume::app {

std::string ServiceTargets::problem(const Scope& scope, const std::string& target_group) const {
  return elbv2::target_group_problem(elbv2_, scope, target_group);
}

void ServiceTargets::add(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
                         int port) {
  // The group may be gone: then there is nothing to register with.
  if (elbv2::find_target_group(elbv2_, scope, target_group))
    elbv2::register_target(elbv2_, tx, scope, target_group, address, port);
}

void ServiceTargets::remove(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
                            int port) {
  elbv2::deregister_target(elbv2_, tx, scope, target_group, address, port);
}

ServiceTargets::Health ServiceTargets::health(const Scope& scope, const std::string& target_group,
                                              const std::string& address, int port) const {
  const auto health = elbv2::target_health(elbv2_, scope, target_group, address, port);
  if (!health) return Health::absent;
  if (health->state == "healthy") return Health::healthy;
  if (health->state == "unhealthy") return Health::unhealthy;
  if (health->state == "draining") return Health::draining;
  return health->state == "unused" ? Health::unused : Health::initial;
}

void ServiceTargets::on_change(std::function<void(const Scope&, const std::string&)> callback) {
  elbv2::on_target_change(elbv2_, std::move(callback));
}

}  // namespace brume::app
