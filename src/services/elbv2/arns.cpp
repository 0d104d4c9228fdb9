#include "services/elbv2/arns.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "gen/elbv2.h"

namespace brume::elbv2 {
namespace {

struct Form {
  std::string_view prefix, noun;
  std::size_t parts;
};

const Form& form_of(Resource resource) {
  static constexpr std::array<Form, 4> kForms = {Form{"loadbalancer/", "load balancer", 3},
                                                 Form{"targetgroup/", "target group", 2},
                                                 Form{"listener/", "listener", 4}, Form{"listener-rule/", "rule", 5}};
  return kForms[static_cast<std::size_t>(resource)];
}

}  // namespace

std::string arn_of(const Scope& scope, Resource resource, std::string_view key) {
  return make_arn(scope, "elasticloadbalancing", std::string(form_of(resource).prefix) + std::string(key));
}

std::optional<std::string> key_of(const Scope& scope, Resource resource, std::string_view arn) {
  const Form& form = form_of(resource);
  const auto parsed = parse_arn(arn);
  if (!parsed || parsed->service != "elasticloadbalancing" || parsed->region != scope.region ||
      parsed->account != scope.account || !parsed->resource.starts_with(form.prefix))
    return std::nullopt;
  std::string key = parsed->resource.substr(form.prefix.size());
  const auto parts = split(key, '/');
  if (parts.size() != form.parts || std::ranges::any_of(parts, &std::string_view::empty)) return std::nullopt;
  return key;
}

AwsError invalid_arn(Resource resource, std::string_view arn) {
  return validation_error("'" + std::string(arn) + "' is not a valid " + std::string(form_of(resource).noun) + " ARN");
}

std::string get_key(const Scope& scope, Resource resource, std::string_view arn) {
  if (auto key = key_of(scope, resource, arn)) return *key;
  throw invalid_arn(resource, arn);
}

const LoadBalancerRecord& get_load_balancer(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  const auto* record = elbv2.balancers.find(scope, get_key(scope, Resource::load_balancer, arn));
  if (record == nullptr || record->deleting)
    throw load_balancer_not_found_exception("Load balancer '" + arn + "' not found");
  return *record;
}

const TargetGroupRecord& get_target_group(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  if (const auto* record = elbv2.target_groups.find(scope, get_key(scope, Resource::target_group, arn))) return *record;
  throw target_group_not_found_exception("Target groups '" + arn + "' not found");
}

const ListenerRecord& get_listener(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  if (const auto* record = elbv2.listeners.find(scope, get_key(scope, Resource::listener, arn))) return *record;
  throw listener_not_found_exception("One or more listeners not found");
}

AwsError rule_not_found() { return rule_not_found_exception("One or more rules not found"); }

FoundRule get_rule(const Elbv2& elbv2, const Scope& scope, const std::string& arn) {
  const std::string key = get_key(scope, Resource::rule, arn);
  FoundRule found;
  found.rule = elbv2.rules.find(scope, key);
  found.listener = elbv2.listeners.find(scope, parent_key(key));
  if (found.listener == nullptr ||
      (found.rule == nullptr && key != found.listener->key + "/" + found.listener->default_rule))
    throw rule_not_found();
  return found;
}

const LoadBalancerRecord* find_load_balancer_by_name(const Elbv2& elbv2, const Scope& scope, std::string_view name) {
  for (const LoadBalancerRecord* record : elbv2.balancers_by_name.find(scope, name))
    if (!record->deleting) return record;
  return nullptr;
}

const TargetGroupRecord* find_target_group_by_name(const Elbv2& elbv2, const Scope& scope, std::string_view name) {
  return elbv2.target_groups_by_name.find_first(scope, name);
}

std::string parent_key(std::string_view key) { return std::string(key.substr(0, key.rfind('/'))); }

}  // namespace brume::elbv2
