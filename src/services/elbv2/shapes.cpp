#include "services/elbv2/shapes.h"

#include "services/elbv2/actions.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/hosted_zones.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {

LoadBalancer load_balancer_shape(const Scope& scope, const LoadBalancerRecord& record) {
  LoadBalancer shape;
  shape.load_balancer_arn = arn_of(scope, Resource::load_balancer, record.key);
  shape.dns_name = record.dns_name;
  shape.canonical_hosted_zone_id = std::string(canonical_hosted_zone(scope.region));
  shape.created_time = record.created;
  shape.load_balancer_name = record.name;
  shape.scheme = record.scheme;
  shape.vpc_id = record.vpc;
  shape.state.emplace().code = record.state;
  if (!record.state_reason.empty()) shape.state->reason = record.state_reason;
  shape.type = "application";
  for (const ZoneRecord& zone : record.zones) {
    AvailabilityZone item;
    item.zone_name = zone.zone;
    item.subnet_id = zone.subnet;
    item.load_balancer_addresses.emplace();  // filled for network load balancers only
    shape.availability_zones.ensure().push_back(std::move(item));
  }
  shape.security_groups = record.security_groups;
  shape.ip_address_type = record.ip_address_type;
  return shape;
}

TargetGroup target_group_shape(const Elbv2& elbv2, const Scope& scope, const TargetGroupRecord& record) {
  TargetGroup shape;
  shape.target_group_arn = arn_of(scope, Resource::target_group, record.key);
  shape.target_group_name = record.name;
  shape.protocol = record.protocol;
  shape.port = record.port;
  shape.vpc_id = record.vpc;
  shape.health_check_protocol = record.health_protocol;
  shape.health_check_port = record.health_port == 0 ? "traffic-port" : std::to_string(record.health_port);
  shape.health_check_enabled = true;
  shape.health_check_interval_seconds = record.interval_seconds;
  shape.health_check_timeout_seconds = record.timeout_seconds;
  shape.healthy_threshold_count = record.healthy_threshold;
  shape.unhealthy_threshold_count = record.unhealthy_threshold;
  shape.health_check_path = record.health_path;
  shape.matcher.emplace().http_code = record.matcher;
  shape.load_balancer_arns.emplace();
  const std::string user = balancer_using(elbv2, scope, record.key);
  if (!user.empty()) shape.load_balancer_arns->push_back(arn_of(scope, Resource::load_balancer, user));
  shape.target_type = record.target_type;
  shape.protocol_version = record.protocol_version;
  shape.ip_address_type = record.ip_address_type;
  return shape;
}

Listener listener_shape(const Scope& scope, const ListenerRecord& record) {
  Listener shape;
  shape.listener_arn = arn_of(scope, Resource::listener, record.key);
  shape.load_balancer_arn = arn_of(scope, Resource::load_balancer, record.load_balancer);
  shape.port = record.port;
  shape.protocol = record.protocol;
  if (record.protocol == "HTTPS") {
    // Only the default certificate is shown here.
    if (!record.certificates.empty())
      shape.certificates.ensure().push_back({.certificate_arn = record.certificates.front()});
    shape.ssl_policy = record.ssl_policy;
    shape.mutual_authentication.emplace().mode = "off";
  }
  shape.default_actions = write_actions(scope, record.default_actions);
  return shape;
}

Rule rule_shape(const Scope& scope, const RuleRecord& record) {
  Rule shape;
  shape.rule_arn = arn_of(scope, Resource::rule, record.key);
  shape.priority = std::to_string(record.priority);
  shape.conditions = write_conditions(record.conditions);
  shape.actions = write_actions(scope, record.actions);
  shape.is_default = false;
  return shape;
}

Rule default_rule_shape(const Scope& scope, const ListenerRecord& record) {
  Rule shape;
  shape.rule_arn = arn_of(scope, Resource::rule, record.key + "/" + record.default_rule);
  shape.priority = "default";
  shape.conditions.emplace();
  shape.actions = write_actions(scope, record.default_actions);
  shape.is_default = true;
  return shape;
}

}  // namespace brume::elbv2
