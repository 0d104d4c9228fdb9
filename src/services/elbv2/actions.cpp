#include "services/elbv2/actions.h"

#include <algorithm>
#include <set>

#include "core/text.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

constexpr std::size_t kMostGroupsPerAction = 5;

std::string or_default(const opt<std::string>& value, const char* fallback) {
  return value && !value->empty() ? *value : fallback;
}

void check_group(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& balancer,
                 const TargetGroupRecord& group) {
  const std::string arn = arn_of(scope, Resource::target_group, group.key);
  if (group.vpc != balancer.vpc)
    throw invalid_configuration_request_exception(
        "The following target groups are not in the same VPC as load balancer '" +
        arn_of(scope, Resource::load_balancer, balancer.key) + "': " + arn);
  const std::string user = balancer_using(elbv2, scope, group.key);
  if (!user.empty() && user != balancer.key)
    throw target_group_association_limit_exception(
        "The following target groups cannot be associated with more than one load balancer: " + arn);
}

void read_forward(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& balancer, const Action& action,
                  ActionRecord& record) {
  std::vector<TargetGroupTuple> tuples = action.forward_config.get().target_groups.get();
  if (action.target_group_arn) {
    if (tuples.size() > 1 || (tuples.size() == 1 && tuples[0].target_group_arn.get() != *action.target_group_arn))
      throw validation_error(
          "You cannot specify both a target group ARN and a forward configuration with other target groups");
    if (tuples.empty()) tuples.push_back({.target_group_arn = action.target_group_arn});
  }
  if (tuples.empty()) throw validation_error("A target group ARN must be specified");
  if (tuples.size() > kMostGroupsPerAction)
    throw too_many_unique_target_groups_per_load_balancer_exception(
        "You've reached the limit on the number of unique target groups per load balancer across all listeners");
  std::set<std::string> seen;
  for (const TargetGroupTuple& tuple : tuples) {
    const TargetGroupRecord& group = get_target_group(elbv2, scope, tuple.target_group_arn.get());
    check_group(elbv2, scope, balancer, group);
    if (!seen.insert(group.key).second)
      throw validation_error("A target group can only be specified once in a forward action");
    record.groups.push_back({group.key, tuple.weight.value_or(1)});
  }
  const TargetGroupStickinessConfig& sticky = action.forward_config.get().target_group_stickiness_config.get();
  record.sticky = sticky.enabled.get();
  record.sticky_seconds = sticky.duration_seconds.get();
  if (record.sticky && (record.sticky_seconds < 1 || record.sticky_seconds > 604800))
    throw validation_error("Target group stickiness duration must be between 1 and 604800 seconds");
}

void read_redirect(const RedirectActionConfig& config, ActionRecord& record) {
  record.status_code = config.status_code.get();
  record.protocol = or_default(config.protocol, "#{protocol}");
  record.host = or_default(config.host, "#{host}");
  record.port = or_default(config.port, "#{port}");
  record.path = or_default(config.path, "/#{path}");
  record.query = config.query.value_or("#{query}");
  std::int64_t port = 0;
  if (record.port != "#{port}" && (!parse_int(record.port, port) || port < 1 || port > 65535))
    throw validation_error("The redirect port '" + record.port + "' must be between 1 and 65535 or '#{port}'");
  if (!record.path.starts_with('/')) throw validation_error("The redirect path must start with '/'");
  if (record.protocol == "#{protocol}" && record.host == "#{host}" && record.port == "#{port}" &&
      record.path == "/#{path}")
    throw invalid_load_balancer_action_exception("The redirect configuration is not valid because it creates a loop.");
}

void read_fixed_response(const FixedResponseActionConfig& config, ActionRecord& record) {
  record.status_code = config.status_code.get();
  record.content_type = config.content_type.get();
  record.body = config.message_body.get();
}

ActionRecord read_action(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& balancer,
                         const Action& action) {
  ActionRecord record;
  record.type = action.type.get();
  record.order = action.order.get();
  if (record.type == "forward") {
    read_forward(elbv2, scope, balancer, action, record);
  } else if (record.type == "redirect") {
    if (!action.redirect_config) throw validation_error("A redirect action must have a redirect configuration");
    read_redirect(*action.redirect_config, record);
  } else if (record.type == "fixed-response") {
    if (!action.fixed_response_config)
      throw validation_error("A fixed-response action must have a fixed response configuration");
    read_fixed_response(*action.fixed_response_config, record);
  } else {
    throw unsupported("actions of type " + record.type);
  }
  return record;
}

}  // namespace

std::vector<ActionRecord> read_actions(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& balancer,
                                       const std::vector<Action>& actions) {
  if (actions.empty()) throw validation_error("At least one action must be specified");
  std::vector<ActionRecord> records;
  for (const Action& action : actions) records.push_back(read_action(elbv2, scope, balancer, action));
  // Each of the served types ends the request.
  if (records.size() > 1)
    throw invalid_load_balancer_action_exception(
        "You can specify only one of the following actions: forward, redirect, fixed-response");
  return records;
}

std::vector<Action> write_actions(const Scope& scope, const std::vector<ActionRecord>& actions) {
  std::vector<Action> shapes;
  for (const ActionRecord& record : actions) {
    Action shape;
    shape.type = record.type;
    if (record.order != 0) shape.order = record.order;
    if (record.type == "forward") {
      // One target group stands in both places, several in the forward configuration only.
      if (record.groups.size() == 1)
        shape.target_group_arn = arn_of(scope, Resource::target_group, record.groups[0].group);
      ForwardActionConfig& config = shape.forward_config.emplace();
      for (const WeightedGroup& group : record.groups)
        config.target_groups.ensure().push_back(
            {.target_group_arn = arn_of(scope, Resource::target_group, group.group), .weight = group.weight});
      config.target_group_stickiness_config.emplace().enabled = record.sticky;
      if (record.sticky_seconds != 0) config.target_group_stickiness_config->duration_seconds = record.sticky_seconds;
    } else if (record.type == "redirect") {
      shape.redirect_config = RedirectActionConfig{.protocol = record.protocol,
                                                   .port = record.port,
                                                   .host = record.host,
                                                   .path = record.path,
                                                   .query = record.query,
                                                   .status_code = record.status_code};
    } else {
      FixedResponseActionConfig& config = shape.fixed_response_config.emplace();
      config.status_code = record.status_code;
      if (!record.content_type.empty()) config.content_type = record.content_type;
      if (!record.body.empty()) config.message_body = record.body;
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

}  // namespace brume::elbv2
