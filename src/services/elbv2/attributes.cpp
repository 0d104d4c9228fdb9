#include "services/elbv2/attributes.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {
namespace {

using Spec = AttributeSpec;
using Kind = AttributeSpec::Kind;

constexpr Spec boolean(std::string_view key, std::string_view fallback, bool served) {
  return {.key = key, .fallback = fallback, .kind = Kind::boolean, .served = served};
}
constexpr Spec integer(std::string_view key, std::string_view fallback, std::int64_t least, std::int64_t most,
                       bool served) {
  return {.key = key, .fallback = fallback, .kind = Kind::integer, .least = least, .most = most, .served = served};
}
constexpr Spec choice(std::string_view key, std::string_view fallback, std::string_view choices, bool served) {
  return {.key = key, .fallback = fallback, .kind = Kind::choice, .choices = choices, .served = served};
}
constexpr Spec text(std::string_view key, std::string_view fallback, bool served) {
  return {.key = key, .fallback = fallback, .kind = Kind::text, .served = served};
}

// "Edit attributes for your Application Load Balancer". Where a log's bucket goes matters only once it is enabled, and
// the knobs of WAF, IPv6 and zonal shift only together with those; none can be.
constexpr std::array kLoadBalancer = {
    boolean("access_logs.s3.enabled", "false", false),
    text("access_logs.s3.bucket", "", true),
    text("access_logs.s3.prefix", "", true),
    boolean("connection_logs.s3.enabled", "false", false),
    text("connection_logs.s3.bucket", "", true),
    text("connection_logs.s3.prefix", "", true),
    boolean("health_check_logs.s3.enabled", "false", false),
    text("health_check_logs.s3.bucket", "", true),
    text("health_check_logs.s3.prefix", "", true),
    boolean("deletion_protection.enabled", "false", true),
    integer("idle_timeout.timeout_seconds", "60", 1, 4000, true),
    integer("client_keep_alive.seconds", "3600", 60, 604800, false),
    boolean("ipv6.deny_all_igw_traffic", "false", true),
    boolean("load_balancing.cross_zone.enabled", "true", false),
    choice("routing.http.desync_mitigation_mode", "defensive", "monitor|defensive|strictest", false),
    boolean("routing.http.drop_invalid_header_fields.enabled", "false", true),
    boolean("routing.http.preserve_host_header.enabled", "false", true),
    boolean("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", false),
    boolean("routing.http.xff_client_port.enabled", "false", false),
    choice("routing.http.xff_header_processing.mode", "append", "append|preserve|remove", true),
    boolean("routing.http2.enabled", "true", false),
    boolean("waf.fail_open.enabled", "false", true),
    boolean("zonal_shift.config.enabled", "false", true),
};

// "Edit target group attributes for your Application Load Balancer".
constexpr std::array kTargetGroup = {
    integer("deregistration_delay.timeout_seconds", "300", 0, 3600, true),
    boolean("stickiness.enabled", "false", true),
    choice("stickiness.type", "lb_cookie", "lb_cookie|app_cookie", false),
    integer("stickiness.lb_cookie.duration_seconds", "86400", 1, 604800, true),
    text("stickiness.app_cookie.cookie_name", "", true),
    integer("stickiness.app_cookie.duration_seconds", "86400", 1, 604800, true),
    choice("load_balancing.algorithm.type", "round_robin", "round_robin|least_outstanding_requests", true),
    choice("load_balancing.algorithm.anomaly_mitigation", "off", "on|off", false),
    choice("load_balancing.cross_zone.enabled", "use_load_balancer_configuration",
           "true|use_load_balancer_configuration", true),
    integer("slow_start.duration_seconds", "0", 0, 900, false),
    text("target_group_health.dns_failover.minimum_healthy_targets.count", "1", false),
    text("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", false),
    text("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", false),
    text("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", false),
};

// "Listener attributes": the first six name headers of mutual TLS and belong to HTTPS listeners.
constexpr std::size_t kHttpsOnly = 7;
constexpr std::array kListener = {
    text("routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
         "X-Amzn-Mtls-Clientcert-Serial-Number", false),
    text("routing.http.request.x_amzn_mtls_clientcert_issuer.header_name", "X-Amzn-Mtls-Clientcert-Issuer", false),
    text("routing.http.request.x_amzn_mtls_clientcert_subject.header_name", "X-Amzn-Mtls-Clientcert-Subject", false),
    text("routing.http.request.x_amzn_mtls_clientcert_validity.header_name", "X-Amzn-Mtls-Clientcert-Validity", false),
    text("routing.http.request.x_amzn_mtls_clientcert_leaf.header_name", "X-Amzn-Mtls-Clientcert-Leaf", false),
    text("routing.http.request.x_amzn_mtls_clientcert.header_name", "X-Amzn-Mtls-Clientcert", false),
    text("routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", false),
    boolean("routing.http.response.server.enabled", "true", false),
    text("routing.http.response.strict_transport_security.header_value", "", false),
    text("routing.http.response.access_control_allow_origin.header_value", "", false),
    text("routing.http.response.access_control_allow_methods.header_value", "", false),
    text("routing.http.response.access_control_allow_headers.header_value", "", false),
    text("routing.http.response.access_control_allow_credentials.header_value", "", false),
    text("routing.http.response.access_control_expose_headers.header_value", "", false),
    text("routing.http.response.access_control_max_age.header_value", "", false),
    text("routing.http.response.content_security_policy.header_value", "", false),
    text("routing.http.response.x_content_type_options.header_value", "", false),
    text("routing.http.response.x_frame_options.header_value", "", false),
};

const Spec* find(std::span<const Spec> specs, std::string_view key) {
  const auto found = std::ranges::find(specs, key, &Spec::key);
  return found == specs.end() ? nullptr : &*found;
}

void check_value(const Spec& spec, const std::string& value) {
  const auto refuse = [&](const std::string& rule) {
    throw validation_error("The value '" + value + "' of '" + std::string(spec.key) + "' " + rule);
  };
  std::int64_t number = 0;
  switch (spec.kind) {
    case Kind::boolean:
      if (value != "true" && value != "false") refuse("must be 'true' or 'false'");
      break;
    case Kind::integer:
      if (!parse_int(value, number) || number < spec.least || number > spec.most)
        refuse("must be an integer between '" + std::to_string(spec.least) + "' and '" + std::to_string(spec.most) +
               "'");
      break;
    case Kind::choice:
      if (std::ranges::count(split(spec.choices, '|'), std::string_view(value)) == 0)
        refuse("must be one of '" + std::string(spec.choices) + "'");
      break;
    case Kind::text:
      if (value.size() > 1024) refuse("must not be longer than '1024' characters");
      break;
  }
}

}  // namespace

std::span<const Spec> load_balancer_attributes() { return kLoadBalancer; }
std::span<const Spec> target_group_attributes() { return kTargetGroup; }
std::span<const Spec> listener_attributes(bool https) {
  return https ? std::span(kListener) : std::span(kListener).subspan(kHttpsOnly);
}

void set_attribute(std::span<const Spec> specs, std::string_view noun, Attributes& attributes, const std::string& key,
                   const std::string& value) {
  const Spec* spec = find(specs, key);
  if (spec == nullptr) throw validation_error(std::string(noun) + " attribute key '" + key + "' is not recognized");
  if (key == "load_balancing.algorithm.type" && value == "weighted_random")
    throw unsupported("the target group attribute " + key + " = weighted_random");
  check_value(*spec, value);
  if (!spec->served && value != spec->fallback)
    throw unsupported("the " + to_lower(noun) + " attribute " + key + " = " + value);
  attributes[key] = value;
}

std::vector<std::pair<std::string, std::string>> all_attributes(std::span<const Spec> specs,
                                                                const Attributes& attributes) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const Spec& spec : specs) result.emplace_back(spec.key, attribute(specs, attributes, spec.key));
  return result;
}

std::string attribute(std::span<const Spec> specs, const Attributes& attributes, std::string_view key) {
  const auto set = attributes.find(std::string(key));
  if (set != attributes.end()) return set->second;
  const Spec* spec = find(specs, key);
  BRUME_CHECK(spec != nullptr);
  return std::string(spec->fallback);
}

std::int64_t integer_attribute(std::span<const Spec> specs, const Attributes& attributes, std::string_view key) {
  std::int64_t number = 0;
  BRUME_CHECK(parse_int(attribute(specs, attributes, key), number));
  return number;
}

}  // namespace brume::elbv2
