#include "app/adapters/service_targets.h"

#include "services/elbv2/arns.h"
#include "services/elbv2/reconciler.h"
#include "services/elbv2/registration.h"
#include "services/elbv2/target_state.h"
#include "services/elbv2/usage.h"

namespace brume::app {

const elbv2::TargetGroupRecord* ServiceTargets::find(const Scope& scope, const std::string& target_group) const {
  const auto key = elbv2::key_of(scope, elbv2::Resource::target_group, target_group);
  return key ? elbv2_.target_groups.find(scope, *key) : nullptr;
}

std::string ServiceTargets::problem(const Scope& scope, const std::string& target_group) const {
  const elbv2::TargetGroupRecord* group = find(scope, target_group);
  if (group == nullptr) return "The specified target group does not exist.";
  if (group->target_type != "ip")
    return "The provided target group " + target_group +
           " has target type instance, which is incompatible with the awsvpc network mode specified in the task "
           "definition.";
  if (elbv2::balancer_using(elbv2_, scope, group->key).empty())
    return "The target group with targetGroupArn " + target_group + " does not have an associated load balancer.";
  return {};
}

void ServiceTargets::add(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
                         int port) {
  if (const elbv2::TargetGroupRecord* group = find(scope, target_group))
    elbv2::register_address(elbv2_, tx, scope, *group, address, port);
}

void ServiceTargets::remove(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
                            int port) {
  if (const elbv2::TargetGroupRecord* group = find(scope, target_group))
    elbv2::deregister_address(elbv2_, tx, scope, *group, address, port);
}

ServiceTargets::Health ServiceTargets::health(const Scope& scope, const std::string& target_group,
                                              const std::string& address, int port) const {
  const elbv2::TargetGroupRecord* group = find(scope, target_group);
  if (group == nullptr) return Health::absent;
  const elbv2::TargetRecord* target = elbv2_.targets.find(scope, elbv2::target_key(group->key, address, port));
  if (target == nullptr) return Health::absent;
  const elbv2::LoadBalancerRecord* user =
      elbv2_.balancers.find(scope, elbv2::balancer_using(elbv2_, scope, group->key));
  const std::string state = elbv2::target_state(user, *target).state;
  if (state == "healthy") return Health::healthy;
  if (state == "unhealthy") return Health::unhealthy;
  if (state == "draining") return Health::draining;
  return state == "unused" ? Health::unused : Health::initial;
}

void ServiceTargets::on_change(std::function<void(const Scope&, const std::string&)> callback) {
  elbv2_.reconciler->on_targets_changed([callback = std::move(callback)](const Scope& scope, const std::string& key) {
    callback(scope, elbv2::arn_of(scope, elbv2::Resource::target_group, key));
  });
}

}  // namespace brume::app
