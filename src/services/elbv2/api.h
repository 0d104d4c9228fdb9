// What other services and the relay need of load balancers, as plain functions over Elbv2: used by app's adapters,
// never included by a service. Control thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/scope.h"
#include "store/tx.h"

namespace brume::elbv2 {

struct Elbv2;

struct TargetGroupFacts {
  std::string arn, name, protocol, target_type, vpc;
  std::int64_t port = 0;
  std::string load_balancer_arn;  // empty: no load balancer uses it
};
std::optional<TargetGroupFacts> find_target_group(const Elbv2& elbv2, const Scope& scope, const std::string& arn);
// Why an ECS service in awsvpc mode cannot use the target group, in ECS's words; empty when it can.
std::string target_group_problem(const Elbv2& elbv2, const Scope& scope, const std::string& arn);

// Throw AWS's codes. Deregistering an unknown target is no error.
void register_target(Elbv2& elbv2, Tx& tx, const Scope& scope, const std::string& target_group_arn,
                     const std::string& address, std::int64_t port);
void deregister_target(Elbv2& elbv2, Tx& tx, const Scope& scope, const std::string& target_group_arn,
                       const std::string& address, std::int64_t port);

struct TargetHealthFacts {
  std::string state;  // "initial", "healthy", "unhealthy", "draining", "unused"
  std::string reason, description;
};
// nullopt: it is not registered, or its deregistration delay is over.
std::optional<TargetHealthFacts> target_health(const Elbv2& elbv2, const Scope& scope,
                                               const std::string& target_group_arn, const std::string& address,
                                               std::int64_t port);
// Called after a target of the group was registered, deregistered, forgotten, or its health has changed.
void on_target_change(Elbv2& elbv2,
                      std::function<void(const Scope& scope, const std::string& target_group_arn)> callback);

struct LoadBalancerFacts {
  Scope scope;
  std::string arn, name, dns_name, scheme, vpc, state;
  std::vector<std::string> private_addresses, public_addresses;  // one per zone; no public ones when internal
  std::vector<int> http_ports, https_ports;                      // of its listeners
};
// By its DNS name, or by its own name when only one load balancer, over all accounts and regions, is called so.
std::optional<LoadBalancerFacts> find_load_balancer(const Elbv2& elbv2, const std::string& name);
std::vector<LoadBalancerFacts> all_load_balancers(const Elbv2& elbv2);

}  // namespace brume::elbv2
