#include <algorithm>

#include "services/elbv2/actions.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/attributes.h"
#include "services/elbv2/request_checks.h"
#include "services/elbv2/shapes.h"
#include "services/elbv2/ssl_policies.h"
#include "services/elbv2/usage.h"
#include "services/elbv2/usage_change.h"

namespace brume::elbv2 {
namespace {

constexpr std::size_t kMostListeners = 50;  // "Quotas for your Application Load Balancers"

// What CreateListener and ModifyListener share.
struct ListenerInput {
  opt<std::string> protocol, ssl_policy;
  opt<std::int64_t> port;
  opt<std::vector<Certificate>> certificates;
  opt<std::vector<Action>> default_actions;
  opt<std::vector<std::string>> alpn_policy;
  opt<MutualAuthenticationAttributes> mutual_authentication;
};

template <class Input>
ListenerInput listener_input(const Input& input) {
  return {input.protocol,    input.ssl_policy,           input.port, input.certificates, input.default_actions,
          input.alpn_policy, input.mutual_authentication};
}

void apply_tls(const Elbv2& elbv2, const Scope& scope, const ListenerInput& input, ListenerRecord& record) {
  if (record.protocol == "HTTP") {
    if (!input.certificates.get().empty())
      throw validation_error("Certificates cannot be specified for HTTP listeners");
    if (input.ssl_policy) throw validation_error("An SSL policy cannot be specified for HTTP listeners");
    record.certificates.clear();
    record.ssl_policy.clear();
    return;
  }
  // CertificateNotFound would make Terraform's provider ask again for five minutes.
  if (elbv2.needs.certificates == nullptr)
    throw unsupported_protocol_exception("Brume does not serve HTTPS listeners yet: there are no certificates");
  if (input.certificates) {
    if (input.certificates->size() > 1)
      throw too_many_certificates_exception("You can only specify one certificate as the default certificate");
    record.certificates.clear();
    for (const Certificate& certificate : *input.certificates) {
      const std::string& arn = certificate.certificate_arn.get();
      if (!elbv2.needs.certificates->bundle(scope, arn))
        throw certificate_not_found_exception("Certificate '" + arn + "' not found");
      record.certificates.push_back(arn);
    }
  }
  if (record.certificates.empty()) throw validation_error("A certificate must be specified for HTTPS listeners");
  if (input.ssl_policy) record.ssl_policy = *input.ssl_policy;
  if (record.ssl_policy.empty()) record.ssl_policy = kDefaultSslPolicy;
  if (find_ssl_policy(record.ssl_policy) == nullptr)
    throw ssl_policy_not_found_exception("SSL policy '" + record.ssl_policy + "' not found");
}

void check_port_free(const Elbv2& elbv2, const Scope& scope, const ListenerRecord& record) {
  if (record.port < 1 || record.port > 65535)
    throw validation_error("Listener port '" + std::to_string(record.port) + "' must be within '1-65535'");
  for (const ListenerRecord* other : listeners_of(elbv2, scope, record.load_balancer))
    if (other->port == record.port && other->key != record.key)
      throw duplicate_listener_exception("A listener already exists on this port for this load balancer '" +
                                         arn_of(scope, Resource::load_balancer, record.load_balancer) + "'");
}

void apply_input(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& balancer, const ListenerInput& input,
                 ListenerRecord& record) {
  if (input.protocol) record.protocol = *input.protocol;
  if (record.protocol.empty()) throw validation_error("A listener protocol must be specified");
  if (record.protocol != "HTTP" && record.protocol != "HTTPS")
    throw validation_error("Listener protocol '" + record.protocol + "' must be one of '[HTTP, HTTPS]'");
  if (input.port) record.port = *input.port;
  if (record.port == 0) throw validation_error("A listener port must be specified");
  check_port_free(elbv2, scope, record);
  if (!input.alpn_policy.get().empty())
    throw validation_error("An ALPN policy cannot be specified for listeners of application load balancers");
  if (input.mutual_authentication.get().mode.value_or("off") != "off")
    throw unsupported("mutual authentication with mode " + *input.mutual_authentication->mode);
  apply_tls(elbv2, scope, input, record);
  if (input.default_actions) record.default_actions = read_actions(elbv2, scope, balancer, *input.default_actions);
}

std::vector<ListenerAttribute> attribute_shapes(const ListenerRecord& record) {
  std::vector<ListenerAttribute> shapes;
  for (const auto& [key, value] : all_attributes(listener_attributes(record.protocol == "HTTPS"), {}))
    shapes.push_back({.key = key, .value = value});
  return shapes;
}

}  // namespace

CreateListenerOutput create_listener(Elbv2& elbv2, Tx& tx, const Request<CreateListenerInput>& request) {
  const LoadBalancerRecord& balancer = get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  UsageChange usage(elbv2, tx, request.scope, balancer.key);
  ListenerRecord record;
  record.load_balancer = balancer.key;
  apply_input(elbv2, request.scope, balancer, listener_input(request.input), record);
  if (listeners_of(elbv2, request.scope, balancer.key).size() >= kMostListeners)
    throw too_many_listeners_exception("The maximum number of listeners has been reached for load balancer '" +
                                       request.input.load_balancer_arn.get() + "'");
  record.id = elbv2.needs.random.hex(16);
  record.key = balancer.key + "/" + record.id;
  record.default_rule = elbv2.needs.random.hex(16);
  record.tags = read_tags(request.input.tags);
  const std::string key = record.key;
  const ListenerRecord& made = elbv2.listeners.insert(tx, request.scope, key, std::move(record));
  usage.finish();
  CreateListenerOutput output;
  output.listeners.ensure().push_back(listener_shape(request.scope, made));
  return output;
}

ModifyListenerOutput modify_listener(Elbv2& elbv2, Tx& tx, const Request<ModifyListenerInput>& request) {
  ListenerRecord record = get_listener(elbv2, request.scope, request.input.listener_arn.get());
  const LoadBalancerRecord* balancer = elbv2.balancers.find(request.scope, record.load_balancer);
  BRUME_CHECK(balancer != nullptr);  // listeners go with their load balancer
  UsageChange usage(elbv2, tx, request.scope, record.load_balancer);
  apply_input(elbv2, request.scope, *balancer, listener_input(request.input), record);
  const std::string key = record.key;
  const ListenerRecord& changed = elbv2.listeners.put(tx, request.scope, key, std::move(record));
  usage.finish();
  ModifyListenerOutput output;
  output.listeners.ensure().push_back(listener_shape(request.scope, changed));
  return output;
}

DeleteListenerOutput delete_listener(Elbv2& elbv2, Tx& tx, const Request<DeleteListenerInput>& request) {
  const ListenerRecord record = get_listener(elbv2, request.scope, request.input.listener_arn.get());
  UsageChange usage(elbv2, tx, request.scope, record.load_balancer);
  std::vector<std::string> rules;
  for (const RuleRecord* rule : rules_of(elbv2, request.scope, record.key)) rules.push_back(rule->key);
  for (const std::string& rule : rules) elbv2.rules.erase(tx, request.scope, rule);
  elbv2.listeners.erase(tx, request.scope, record.key);
  usage.finish();
  return {};
}

DescribeListenersOutput describe_listeners(Elbv2& elbv2, Tx&, const Request<DescribeListenersInput>& request) {
  const auto& arns = request.input.listener_arns.get();
  const auto& balancer = request.input.load_balancer_arn;
  if (arns.empty() == !balancer) throw validation_error("You must specify either listener ARNs or a load balancer ARN");
  DescribeListenersOutput output;
  output.listeners.emplace();
  if (!arns.empty()) {
    for (const std::string& arn : arns)
      output.listeners->push_back(listener_shape(request.scope, get_listener(elbv2, request.scope, arn)));
    return output;
  }
  const std::string key = get_load_balancer(elbv2, request.scope, *balancer).key;
  auto found = elbv2.listeners_by_balancer.find(request.scope, key);
  output.next_marker = page(elbv2, paging_purpose("elbv2:DescribeListeners", request.scope, key), request.input.marker,
                            request.input.page_size, found, [](const auto* record) { return record->key; });
  for (const ListenerRecord* record : found) output.listeners->push_back(listener_shape(request.scope, *record));
  return output;
}

DescribeListenerAttributesOutput describe_listener_attributes(Elbv2& elbv2, Tx&,
                                                              const Request<DescribeListenerAttributesInput>& request) {
  return {.attributes = attribute_shapes(get_listener(elbv2, request.scope, request.input.listener_arn.get()))};
}

// Only defaults can be set, so there is nothing to keep.
ModifyListenerAttributesOutput modify_listener_attributes(Elbv2& elbv2, Tx&,
                                                          const Request<ModifyListenerAttributesInput>& request) {
  const ListenerRecord& record = get_listener(elbv2, request.scope, request.input.listener_arn.get());
  Attributes attributes;
  for (const ListenerAttribute& item : request.input.attributes.get())
    set_attribute(listener_attributes(record.protocol == "HTTPS"), "Listener", attributes, item.key.get(),
                  item.value.get());
  return {.attributes = attribute_shapes(record)};
}

}  // namespace brume::elbv2
