#include <algorithm>

#include "core/text.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/attributes.h"
#include "services/elbv2/request_checks.h"
#include "services/elbv2/shapes.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

constexpr std::size_t kMostTargetGroups = 3000;  // "Quotas for your Application Load Balancers"

// The members that CreateTargetGroup and ModifyTargetGroup share.
struct HealthInput {
  opt<std::string> protocol, port, path;
  opt<bool> enabled;
  opt<std::int64_t> interval, timeout, healthy, unhealthy;
  opt<Matcher> matcher;
};

template <class Input>
HealthInput health_input(const Input& input) {
  return {input.health_check_protocol,
          input.health_check_port,
          input.health_check_path,
          input.health_check_enabled,
          input.health_check_interval_seconds,
          input.health_check_timeout_seconds,
          input.healthy_threshold_count,
          input.unhealthy_threshold_count,
          input.matcher};
}

// "200", "200,202", "200-299": codes between 200 and 499.
void check_matcher(const std::string& matcher) {
  for (std::string_view part : split(matcher, ',')) {
    const std::size_t dash = part.find('-');
    std::int64_t low = 0, high = 0;
    const bool good = parse_int(part.substr(0, dash), low) &&
                      parse_int(dash == std::string_view::npos ? part : part.substr(dash + 1), high) && low <= high;
    if (!good || low < 200 || high > 499)
      throw validation_error("Health check matcher HTTP code '" + matcher + "' must be within '200-499'");
  }
}

std::int64_t read_health_port(const std::string& port) {
  if (port == "traffic-port") return 0;
  std::int64_t number = 0;
  if (!parse_int(port, number) || number < 1 || number > 65535)
    throw validation_error("Health check port '" + port + "' must be 'traffic-port' or within '1-65535'");
  return number;
}

void apply_health(const HealthInput& input, TargetGroupRecord& record) {
  if (input.enabled && !*input.enabled)
    throw validation_error("Health check enabled must be true for target groups with target type '" +
                           record.target_type + "'");
  if (input.protocol) {
    if (*input.protocol != "HTTP" && *input.protocol != "HTTPS")
      throw validation_error("Health check protocol '" + *input.protocol + "' must be one of '[HTTP, HTTPS]'");
    record.health_protocol = *input.protocol;
  }
  if (input.port) record.health_port = read_health_port(*input.port);
  if (input.path) {
    if (!input.path->starts_with('/'))
      throw validation_error("Health check path '" + *input.path + "' must start with '/'");
    record.health_path = *input.path;
  }
  if (input.matcher.get().grpc_code) throw unsupported("the matcher's GrpcCode");
  if (input.matcher.get().http_code) record.matcher = *input.matcher->http_code;
  check_matcher(record.matcher);
  record.interval_seconds = input.interval.value_or(record.interval_seconds);
  record.timeout_seconds = input.timeout.value_or(record.timeout_seconds);
  record.healthy_threshold = input.healthy.value_or(record.healthy_threshold);
  record.unhealthy_threshold = input.unhealthy.value_or(record.unhealthy_threshold);
  if (record.timeout_seconds > record.interval_seconds)
    throw validation_error("Health check timeout '" + std::to_string(record.timeout_seconds) +
                           "' must be smaller than or equal to the interval '" +
                           std::to_string(record.interval_seconds) + "'");
}

TargetGroupRecord read_group(const Elbv2& elbv2, const Request<CreateTargetGroupInput>& request) {
  const auto& input = request.input;
  TargetGroupRecord record;
  check_name("Target group", input.name.get());
  record.name = *input.name;
  record.target_type = input.target_type.value_or("instance");
  if (record.target_type != "ip" && record.target_type != "instance")
    throw unsupported("target groups of type " + record.target_type);
  if (!input.protocol) throw validation_error("A protocol must be specified");
  if (*input.protocol != "HTTP" && *input.protocol != "HTTPS")
    throw unsupported("target groups of protocol " + *input.protocol);
  record.protocol = *input.protocol;
  // Terraform's provider sends an empty value for a version that is not given.
  record.protocol_version = input.protocol_version.get().empty() ? "HTTP1" : *input.protocol_version;
  if (record.protocol_version != "HTTP1")
    throw unsupported("target groups of protocol version " + record.protocol_version);
  if (input.ip_address_type.value_or("ipv4") != "ipv4")
    throw unsupported("target groups of IP address type " + *input.ip_address_type);
  if (input.target_control_port) throw unsupported("TargetControlPort");
  if (!input.port) throw validation_error("A port must be specified");
  record.port = *input.port;
  if (!input.vpc_id) throw validation_error("A VPC ID must be specified");
  if (!elbv2.needs.network.vpc_exists(request.scope, *input.vpc_id))
    throw validation_error("The VPC ID '" + *input.vpc_id + "' is not found");
  record.vpc = *input.vpc_id;
  record.health_protocol = "HTTP";
  record.health_path = "/";
  record.matcher = "200";
  apply_health(health_input(input), record);
  record.tags = read_tags(input.tags);
  return record;
}

bool is_same(const TargetGroupRecord& a, const TargetGroupRecord& b) {
  const auto settings = [](const TargetGroupRecord& r) {
    return std::tie(r.protocol, r.protocol_version, r.target_type, r.vpc, r.port, r.health_protocol, r.health_path,
                    r.matcher, r.health_port, r.interval_seconds, r.timeout_seconds, r.healthy_threshold,
                    r.unhealthy_threshold);
  };
  return settings(a) == settings(b);
}

std::vector<TargetGroupAttribute> attribute_shapes(const TargetGroupRecord& record) {
  std::vector<TargetGroupAttribute> shapes;
  for (const auto& [key, value] : all_attributes(target_group_attributes(), record.attributes))
    shapes.push_back({.key = key, .value = value});
  return shapes;
}

}  // namespace

CreateTargetGroupOutput create_target_group(Elbv2& elbv2, Tx& tx, const Request<CreateTargetGroupInput>& request) {
  TargetGroupRecord record = read_group(elbv2, request);
  CreateTargetGroupOutput output;
  if (const auto* existing = find_target_group_by_name(elbv2, request.scope, record.name)) {
    if (!is_same(*existing, record))
      throw duplicate_target_group_name_exception("A target group with the same name '" + record.name +
                                                  "' exists, but with different settings");
    output.target_groups.ensure().push_back(target_group_shape(elbv2, request.scope, *existing));
    return output;
  }
  if (elbv2.target_groups.count(request.scope) >= kMostTargetGroups)
    throw too_many_target_groups_exception("The maximum number of target groups has been reached");
  record.id = elbv2.needs.random.hex(16);
  record.key = record.name + "/" + record.id;
  const std::string key = record.key;
  const auto& made = elbv2.target_groups.insert(tx, request.scope, key, std::move(record));
  output.target_groups.ensure().push_back(target_group_shape(elbv2, request.scope, made));
  return output;
}

DeleteTargetGroupOutput delete_target_group(Elbv2& elbv2, Tx& tx, const Request<DeleteTargetGroupInput>& request) {
  const std::string& arn = request.input.target_group_arn.get();
  const std::string key = get_key(request.scope, Resource::target_group, arn);
  if (elbv2.target_groups.find(request.scope, key) == nullptr) return {};  // deleted already: the call succeeds
  if (!balancer_using(elbv2, request.scope, key).empty())
    throw resource_in_use_exception("Target group '" + arn + "' is currently in use by a listener or a rule");
  std::vector<std::string> targets;
  for (const TargetRecord* target : targets_of(elbv2, request.scope, key)) targets.push_back(target->key);
  for (const std::string& target : targets) elbv2.targets.erase(tx, request.scope, target);
  elbv2.target_groups.erase(tx, request.scope, key);
  return {};
}

DescribeTargetGroupsOutput describe_target_groups(Elbv2& elbv2, Tx&,
                                                  const Request<DescribeTargetGroupsInput>& request) {
  const auto& names = request.input.names.get();
  const auto& arns = request.input.target_group_arns.get();
  const auto& balancer = request.input.load_balancer_arn;
  if ((names.empty() ? 0 : 1) + (arns.empty() ? 0 : 1) + (balancer ? 1 : 0) > 1)
    throw validation_error(
        "You can specify only one of the following: a load balancer ARN, target group ARNs, target group names");
  std::vector<const TargetGroupRecord*> found;
  for (const std::string& name : names)
    if (const auto* record = find_target_group_by_name(elbv2, request.scope, name)) found.push_back(record);
  for (const std::string& arn : arns)
    if (const auto* record =
            elbv2.target_groups.find(request.scope, get_key(request.scope, Resource::target_group, arn)))
      found.push_back(record);
  if (found.size() < names.size() + arns.size())
    throw target_group_not_found_exception("One or more target groups not found");
  DescribeTargetGroupsOutput output;
  if (balancer) {
    const auto groups = groups_of(elbv2, request.scope, get_load_balancer(elbv2, request.scope, *balancer).key);
    found = elbv2.target_groups.select(request.scope, [&](const auto& record) { return groups.contains(record.key); });
  } else if (names.empty() && arns.empty()) {
    found = elbv2.target_groups.select(request.scope, [](const auto&) { return true; });
  }
  if (names.empty() && arns.empty())
    output.next_marker =
        page(elbv2, paging_purpose("elbv2:DescribeTargetGroups", request.scope, balancer.get()), request.input.marker,
             request.input.page_size, found, [](const auto* record) { return record->key; });
  output.target_groups.emplace();
  for (const TargetGroupRecord* record : found)
    output.target_groups->push_back(target_group_shape(elbv2, request.scope, *record));
  return output;
}

ModifyTargetGroupOutput modify_target_group(Elbv2& elbv2, Tx& tx, const Request<ModifyTargetGroupInput>& request) {
  TargetGroupRecord record = get_target_group(elbv2, request.scope, request.input.target_group_arn.get());
  apply_health(health_input(request.input), record);
  const std::string key = record.key;
  const auto& changed = elbv2.target_groups.put(tx, request.scope, key, std::move(record));
  elbv2.touch_group(tx, request.scope, key);
  ModifyTargetGroupOutput output;
  output.target_groups.ensure().push_back(target_group_shape(elbv2, request.scope, changed));
  return output;
}

DescribeTargetGroupAttributesOutput describe_target_group_attributes(
    Elbv2& elbv2, Tx&, const Request<DescribeTargetGroupAttributesInput>& request) {
  return {.attributes = attribute_shapes(get_target_group(elbv2, request.scope, request.input.target_group_arn.get()))};
}

ModifyTargetGroupAttributesOutput modify_target_group_attributes(
    Elbv2& elbv2, Tx& tx, const Request<ModifyTargetGroupAttributesInput>& request) {
  TargetGroupRecord record = get_target_group(elbv2, request.scope, request.input.target_group_arn.get());
  for (const TargetGroupAttribute& item : request.input.attributes.get())
    set_attribute(target_group_attributes(), "Target group", record.attributes, item.key.get(), item.value.get());
  const std::string key = record.key;
  const auto& changed = elbv2.target_groups.put(tx, request.scope, key, std::move(record));
  elbv2.touch_group(tx, request.scope, key);
  return {.attributes = attribute_shapes(changed)};
}

}  // namespace brume::elbv2
