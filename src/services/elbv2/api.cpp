#include "services/elbv2/api.h"

#include "core/text.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/reconciler.h"
#include "services/elbv2/registration.h"
#include "services/elbv2/target_state.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

const TargetGroupRecord* group_of(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  const auto key = key_of(scope, Resource::target_group, arn);
  return key ? elbv2.target_groups.find(scope, *key) : nullptr;
}

LoadBalancerFacts facts_of(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& record) {
  LoadBalancerFacts facts;
  facts.scope = scope;
  facts.arn = arn_of(scope, Resource::load_balancer, record.key);
  facts.name = record.name;
  facts.dns_name = record.dns_name;
  facts.scheme = record.scheme;
  facts.vpc = record.vpc;
  facts.state = record.state;
  for (const ZoneRecord& zone : record.zones) {
    facts.private_addresses.push_back(zone.private_address);
    if (!zone.public_address.empty()) facts.public_addresses.push_back(zone.public_address);
  }
  for (const ListenerRecord* listener : listeners_of(elbv2, scope, record.key))
    (listener->protocol == "HTTPS" ? facts.https_ports : facts.http_ports).push_back(static_cast<int>(listener->port));
  return facts;
}

}  // namespace

std::optional<TargetGroupFacts> find_target_group(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  const TargetGroupRecord* record = group_of(elbv2, scope, arn);
  if (record == nullptr) return std::nullopt;
  TargetGroupFacts facts{.arn = arn,
                         .name = record->name,
                         .protocol = record->protocol,
                         .target_type = record->target_type,
                         .vpc = record->vpc,
                         .port = record->port};
  const std::string user = balancer_using(elbv2, scope, record->key);
  if (!user.empty()) facts.load_balancer_arn = arn_of(scope, Resource::load_balancer, user);
  return facts;
}

std::string target_group_problem(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  const auto group = find_target_group(elbv2, scope, arn);
  if (!group) return "The specified target group does not exist.";
  if (group->target_type != "ip")
    return "The provided target group " + arn + " has target type " + group->target_type +
           ", which is incompatible with the awsvpc network mode specified in the task definition.";
  if (group->load_balancer_arn.empty())
    return "The target group with targetGroupArn " + arn + " does not have an associated load balancer.";
  return {};
}

void register_target(Elbv2& elbv2, Tx& tx, const Scope& scope, const std::string& target_group_arn,
                     const std::string& address, std::int64_t port) {
  register_address(elbv2, tx, scope, get_target_group(elbv2, scope, target_group_arn), address, port);
}

void deregister_target(Elbv2& elbv2, Tx& tx, const Scope& scope, const std::string& target_group_arn,
                       const std::string& address, std::int64_t port) {
  // The group may be gone, and its targets with it.
  if (const TargetGroupRecord* group = group_of(elbv2, scope, target_group_arn))
    deregister_address(elbv2, tx, scope, *group, address, port);
}

std::optional<TargetHealthFacts> target_health(const Elbv2& elbv2, const Scope& scope,
                                               const std::string& target_group_arn, const std::string& address,
                                               std::int64_t port) {
  const TargetGroupRecord* group = group_of(elbv2, scope, target_group_arn);
  const TargetRecord* target =
      group == nullptr ? nullptr : elbv2.targets.find(scope, target_key(group->key, address, port));
  if (target == nullptr) return std::nullopt;
  const TargetState state =
      target_state(elbv2.balancers.find(scope, balancer_using(elbv2, scope, group->key)), *target);
  return TargetHealthFacts{state.state, state.reason, state.description};
}

void on_target_change(Elbv2& elbv2,
                      std::function<void(const Scope& scope, const std::string& target_group_arn)> callback) {
  elbv2.reconciler->on_targets_changed(
      [callback = std::move(callback)](const Scope& scope, const std::string& group_key) {
        callback(scope, arn_of(scope, Resource::target_group, group_key));
      });
}

std::vector<LoadBalancerFacts> all_load_balancers(const Elbv2& elbv2) {
  std::vector<LoadBalancerFacts> all;
  elbv2.balancers.for_all([&](const Scope& scope, std::string_view, const LoadBalancerRecord& record) {
    if (!record.deleting) all.push_back(facts_of(elbv2, scope, record));
  });
  return all;
}

std::optional<LoadBalancerFacts> find_load_balancer(const Elbv2& elbv2, const std::string& name) {
  std::optional<LoadBalancerFacts> found;
  for (LoadBalancerFacts& facts : all_load_balancers(elbv2)) {
    if (facts.dns_name == to_lower(name)) return std::move(facts);
    if (to_lower(facts.name) != to_lower(name)) continue;
    if (found) return std::nullopt;
    found = std::move(facts);
  }
  return found;
}

}  // namespace brume::elbv2
