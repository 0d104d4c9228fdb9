#include "services/elbv2/render.h"

#include "core/text.h"
#include "services/elbv2/attributes.h"
#include "services/elbv2/target_state.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

// "#{host}" … of ours are the plane's; a status code is "HTTP_301" there and 301 here.
int status_of(const std::string& code) {
  std::int64_t number = 0;
  parse_int(code.starts_with("HTTP_") ? code.substr(5) : code, number);
  return static_cast<int>(number);
}

std::string id_of_group(const Elbv2& elbv2, const Scope& scope, const std::string& key) {
  const TargetGroupRecord* group = elbv2.target_groups.find(scope, key);
  return group == nullptr ? std::string() : group->id;
}

balancer::Action render_action(const Elbv2& elbv2, const Scope& scope, const std::vector<ActionRecord>& actions) {
  balancer::Action result;
  const ActionRecord& record = actions.back();  // the one that ends the request
  if (record.type == "redirect") {
    result.kind = balancer::Action::Kind::redirect;
    result.status = status_of(record.status_code);
    result.protocol = record.protocol;
    result.host = record.host;
    result.port = record.port;
    result.path = record.path;
    result.query = record.query;
  } else if (record.type == "fixed-response") {
    result.kind = balancer::Action::Kind::fixed_response;
    result.status = status_of(record.status_code);
    result.content_type = record.content_type;
    result.body = record.body;
  } else {
    for (const WeightedGroup& group : record.groups)
      result.groups.emplace_back(id_of_group(elbv2, scope, group.group), static_cast<int>(group.weight));
    if (record.sticky) result.stickiness_seconds = static_cast<int>(record.sticky_seconds);
  }
  return result;
}

balancer::Condition render_condition(const ConditionRecord& record) {
  using Field = balancer::Condition::Field;
  balancer::Condition result;
  result.values = record.values;
  result.header_name = record.header_name;
  for (const QueryPair& pair : record.query) result.query.emplace_back(pair.key, pair.value);
  if (record.field == "host-header") result.field = Field::host_header;
  if (record.field == "path-pattern") result.field = Field::path_pattern;
  if (record.field == "http-header") result.field = Field::http_header;
  if (record.field == "http-request-method") result.field = Field::http_request_method;
  if (record.field == "query-string") result.field = Field::query_string;
  if (record.field == "source-ip") result.field = Field::source_ip;
  return result;
}

balancer::Listener render_listener(const Elbv2& elbv2, const Scope& scope, const ListenerRecord& record) {
  balancer::Listener result;
  result.id = record.id;
  result.port = static_cast<int>(record.port);
  result.tls = record.protocol == "HTTPS";
  for (const std::string& arn : record.certificates)
    if (auto bundle = elbv2.needs.certificates == nullptr ? std::nullopt : elbv2.needs.certificates->bundle(scope, arn))
      result.certificates.push_back(*bundle);
  for (const RuleRecord* rule : rules_of(elbv2, scope, record.key)) {
    balancer::Rule item;
    item.id = rule->id;
    item.priority = static_cast<int>(rule->priority);
    for (const ConditionRecord& condition : rule->conditions) item.conditions.push_back(render_condition(condition));
    item.action = render_action(elbv2, scope, rule->actions);
    result.rules.push_back(std::move(item));
  }
  result.default_action = render_action(elbv2, scope, record.default_actions);
  return result;
}

// Checks follow the cloud's clock: their real times are the machine's, shorter by its speed. While it stands still they
// go on, since nothing that they find can be undone by waiting.
double check_speed(const Elbv2& elbv2) {
  const auto second = elbv2.needs.clock.real_ns(seconds(1));
  return second && *second > 0 ? 1e9 / static_cast<double>(*second) : 1;
}

balancer::TargetGroup render_group(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& user,
                                   const TargetGroupRecord& record) {
  const auto specs = target_group_attributes();
  balancer::TargetGroup result;
  result.id = record.id;
  result.tls = record.protocol == "HTTPS";
  result.least_outstanding =
      attribute(specs, record.attributes, "load_balancing.algorithm.type") == "least_outstanding_requests";
  if (attribute(specs, record.attributes, "stickiness.enabled") == "true")
    result.stickiness_seconds =
        static_cast<int>(integer_attribute(specs, record.attributes, "stickiness.lb_cookie.duration_seconds"));
  result.health_check = {.tls = record.health_protocol == "HTTPS",
                         .path = record.health_path,
                         .matcher = record.matcher,
                         .port = static_cast<int>(record.health_port),
                         .interval_seconds = static_cast<int>(record.interval_seconds),
                         .timeout_seconds = static_cast<int>(record.timeout_seconds),
                         .healthy_threshold = static_cast<int>(record.healthy_threshold),
                         .unhealthy_threshold = static_cast<int>(record.unhealthy_threshold),
                         .speed = check_speed(elbv2)};
  for (const TargetRecord* target : targets_of(elbv2, scope, record.key)) {
    if (target_state(&user, *target).state == "unused") continue;
    result.targets.push_back({.id = target->id(),
                              .address = target->address,
                              .port = static_cast<int>(target->port),
                              .draining = target->draining,
                              .registration = target->registration});
  }
  return result;
}

}  // namespace

std::string sandbox_of(const LoadBalancerRecord& record) { return "elb-" + record.id; }

std::string interface_description(const LoadBalancerRecord& record) { return "ELB " + record.key; }

balancer::LoadBalancer render(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& record) {
  const auto specs = load_balancer_attributes();
  balancer::LoadBalancer result;
  result.id = record.id;
  result.network_namespace = elbv2.needs.network.network_namespace(sandbox_of(record));
  for (const ZoneRecord& zone : record.zones) result.addresses.push_back(zone.private_address);
  result.idle_timeout_seconds =
      static_cast<int>(integer_attribute(specs, record.attributes, "idle_timeout.timeout_seconds"));
  result.drop_invalid_headers =
      attribute(specs, record.attributes, "routing.http.drop_invalid_header_fields.enabled") == "true";
  result.forwarded_for = attribute(specs, record.attributes, "routing.http.xff_header_processing.mode");
  for (const ListenerRecord* listener : listeners_of(elbv2, scope, record.key))
    result.listeners.push_back(render_listener(elbv2, scope, *listener));
  for (const std::string& key : groups_of(elbv2, scope, record.key))
    if (const TargetGroupRecord* group = elbv2.target_groups.find(scope, key))
      result.groups.push_back(render_group(elbv2, scope, record, *group));
  return result;
}

std::vector<names::Record> render_names(const LoadBalancerRecord& record) {
  std::vector<names::Record> records;
  for (const ZoneRecord& zone : record.zones)
    records.push_back({.type = names::RecordType::a,
                       .ttl = 60,
                       .value = record.scheme == "internal" ? zone.private_address : zone.public_address});
  return records;
}

}  // namespace brume::elbv2
