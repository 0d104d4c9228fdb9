#include <algorithm>
#include <set>

#include "services/elbv2/arns.h"
#include "services/elbv2/attributes.h"
#include "services/elbv2/placement.h"
#include "services/elbv2/reconciler.h"
#include "services/elbv2/request_checks.h"
#include "services/elbv2/shapes.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

constexpr std::size_t kMostLoadBalancers = 50;  // "Quotas for your Application Load Balancers"

void refuse_unserved(const CreateLoadBalancerInput& input) {
  if (input.type.value_or("application") != "application") throw unsupported("load balancers of type " + *input.type);
  if (input.ip_address_type.value_or("ipv4") != "ipv4")
    throw unsupported("load balancers of IP address type " + *input.ip_address_type);
  if (input.customer_owned_ipv4_pool) throw unsupported("CustomerOwnedIpv4Pool");
  if (input.ipam_pools) throw unsupported("IpamPools");
  if (input.enable_prefix_for_ipv6_source_nat.value_or("off") != "off")
    throw unsupported("EnablePrefixForIpv6SourceNat");
}

// The same request again is answered with what the first one made.
bool is_same(const LoadBalancerRecord& existing, const std::string& scheme,
             const std::vector<BalancerNetwork::Subnet>& subnets, const std::vector<std::string>& groups) {
  std::set<std::string> had, wanted;
  for (const ZoneRecord& zone : existing.zones) had.insert(zone.subnet);
  for (const auto& subnet : subnets) wanted.insert(subnet.id);
  return existing.scheme == scheme && had == wanted &&
         std::set(existing.security_groups.begin(), existing.security_groups.end()) ==
             std::set(groups.begin(), groups.end());
}

LoadBalancerRecord new_record(Elbv2& elbv2, const Scope& scope, const std::string& name, const std::string& scheme) {
  LoadBalancerRecord record;
  record.name = name;
  record.id = elbv2.needs.random.hex(16);
  record.key = "app/" + name + "/" + record.id;
  record.scheme = scheme;
  record.dns_name = (scheme == "internal" ? "internal-" : "") + name + "-" + elbv2.needs.random.digits(10) + "." +
                    scope.region + ".elb." + std::string(dns_suffix_of(scope.region));
  std::ranges::transform(record.dns_name, record.dns_name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  record.created = elbv2.needs.clock.now();
  return record;
}

}  // namespace

CreateLoadBalancerOutput create_load_balancer(Elbv2& elbv2, Tx& tx, const Request<CreateLoadBalancerInput>& request) {
  const auto& input = request.input;
  refuse_unserved(input);
  check_name("Load balancer", input.name.get());
  const std::string scheme = input.scheme.value_or("internet-facing");
  const auto subnets = check_subnets(elbv2, request.scope, requested_subnets(input.subnets, input.subnet_mappings));
  const std::string& vpc = subnets.front().vpc;
  const auto groups = check_groups(elbv2, request.scope, vpc, input.security_groups.get());
  CreateLoadBalancerOutput output;
  if (const auto* existing = find_load_balancer_by_name(elbv2, request.scope, *input.name)) {
    if (!is_same(*existing, scheme, subnets, groups))
      throw duplicate_load_balancer_name_exception("A load balancer with the same name '" + *input.name +
                                                   "' exists, but with different settings");
    output.load_balancers.ensure().push_back(load_balancer_shape(request.scope, *existing));
    return output;
  }
  if (elbv2.balancers.select(request.scope, [](const auto& record) { return !record.deleting; }).size() >=
      kMostLoadBalancers)
    throw too_many_load_balancers_exception("The maximum number of load balancers has been reached");
  if (scheme == "internet-facing" && !elbv2.needs.network.has_internet_gateway(request.scope, vpc))
    throw invalid_subnet_exception("VPC " + vpc + " has no internet gateway");
  LoadBalancerRecord record = new_record(elbv2, request.scope, *input.name, scheme);
  record.vpc = vpc;
  record.security_groups = groups;
  record.tags = read_tags(input.tags);
  for (const auto& subnet : subnets) record.zones.push_back(place_in(elbv2, tx, request.scope, record, subnet));
  const std::string key = record.key;
  const LoadBalancerRecord& made = elbv2.balancers.insert(tx, request.scope, key, std::move(record));
  elbv2.touch(tx, request.scope, key);
  output.load_balancers.ensure().push_back(load_balancer_shape(request.scope, made));
  return output;
}

// "If the load balancer does not exist or has already been deleted, the call succeeds." Its interfaces go when its
// proxy has ended.
DeleteLoadBalancerOutput delete_load_balancer(Elbv2& elbv2, Tx& tx, const Request<DeleteLoadBalancerInput>& request) {
  const std::string& arn = request.input.load_balancer_arn.get();
  const std::string key = get_key(request.scope, Resource::load_balancer, arn);
  const LoadBalancerRecord* record = elbv2.balancers.find(request.scope, key);
  if (record == nullptr || record->deleting) return {};
  if (attribute(load_balancer_attributes(), record->attributes, "deletion_protection.enabled") == "true")
    throw operation_not_permitted_exception("Load balancer '" + arn +
                                            "' cannot be deleted because deletion protection is enabled");
  const auto groups = groups_of(elbv2, request.scope, key);
  std::vector<std::string> rules, listeners;
  for (const ListenerRecord* listener : listeners_of(elbv2, request.scope, key)) {
    for (const RuleRecord* rule : rules_of(elbv2, request.scope, listener->key)) rules.push_back(rule->key);
    listeners.push_back(listener->key);
  }
  for (const std::string& rule : rules) elbv2.rules.erase(tx, request.scope, rule);
  for (const std::string& listener : listeners) elbv2.listeners.erase(tx, request.scope, listener);
  elbv2.balancers.modify(tx, request.scope, key, [](LoadBalancerRecord& now) { now.deleting = true; });
  elbv2.touch(tx, request.scope, key);
  tx.on_commit([&elbv2, scope = request.scope, groups] {
    for (const std::string& group : groups) elbv2.reconciler->tell_targets_changed(scope, group);
  });
  return {};
}

DescribeLoadBalancersOutput describe_load_balancers(Elbv2& elbv2, Tx&,
                                                    const Request<DescribeLoadBalancersInput>& request) {
  const auto& names = request.input.names.get();
  const auto& arns = request.input.load_balancer_arns.get();
  if (!names.empty() && !arns.empty())
    throw validation_error("Load balancer names and load balancer ARNs cannot be specified at the same time");
  std::vector<const LoadBalancerRecord*> found;
  for (const std::string& name : names)
    if (const auto* record = find_load_balancer_by_name(elbv2, request.scope, name)) found.push_back(record);
  for (const std::string& arn : arns) {
    const auto* record = elbv2.balancers.find(request.scope, get_key(request.scope, Resource::load_balancer, arn));
    if (record != nullptr && !record->deleting) found.push_back(record);
  }
  if (found.size() < names.size() + arns.size())
    throw load_balancer_not_found_exception("Load balancers '" + in_brackets(names.empty() ? arns : names) +
                                            "' not found");
  DescribeLoadBalancersOutput output;
  if (names.empty() && arns.empty()) {
    found = elbv2.balancers.select(request.scope, [](const auto& record) { return !record.deleting; });
    output.next_marker = page(elbv2, paging_purpose("elbv2:DescribeLoadBalancers", request.scope), request.input.marker,
                              request.input.page_size, found, [](const auto* record) { return record->key; });
  }
  output.load_balancers.emplace();
  for (const LoadBalancerRecord* record : found)
    output.load_balancers->push_back(load_balancer_shape(request.scope, *record));
  return output;
}

}  // namespace brume::elbv2
