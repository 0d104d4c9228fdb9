// ARNs of ELBv2 and the keys of its tables, which are their ends; finding what an ARN names. Control thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/scope.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

enum class Resource { load_balancer, target_group, listener, rule };

std::string arn_of(const Scope& scope, Resource resource, std::string_view key);
// The key in an ARN of this account and region; nullopt for anything else.
std::optional<std::string> key_of(const Scope& scope, Resource resource, std::string_view arn);
// Throws ValidationError ("'x' is not a valid load balancer ARN").
std::string get_key(const Scope& scope, Resource resource, std::string_view arn);
AwsError invalid_arn(Resource resource, std::string_view arn);

// Throw AWS's codes for malformed and for unknown ARNs. A load balancer that is being deleted is unknown.
const LoadBalancerRecord& get_load_balancer(const Elbv2& elbv2, const Scope& scope, const std::string& arn);
const TargetGroupRecord& get_target_group(const Elbv2& elbv2, const Scope& scope, const std::string& arn);
const ListenerRecord& get_listener(const Elbv2& elbv2, const Scope& scope, const std::string& arn);
// A rule, or the default rule of a listener: then `rule` is null.
struct FoundRule {
  const ListenerRecord* listener = nullptr;
  const RuleRecord* rule = nullptr;
};
FoundRule get_rule(const Elbv2& elbv2, const Scope& scope, const std::string& arn);
AwsError rule_not_found();

const LoadBalancerRecord* find_load_balancer_by_name(const Elbv2& elbv2, const Scope& scope, std::string_view name);
const TargetGroupRecord* find_target_group_by_name(const Elbv2& elbv2, const Scope& scope, std::string_view name);

// "app/NAME/ID/LISTENER" → "app/NAME/ID".
std::string parent_key(std::string_view key);

}  // namespace brume::elbv2
