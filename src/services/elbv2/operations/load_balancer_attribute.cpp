#include <algorithm>

#include "services/elbv2/arns.h"
#include "services/elbv2/attributes.h"
#include "services/elbv2/placement.h"
#include "services/elbv2/request_checks.h"

namespace brume::elbv2 {
namespace {

std::vector<LoadBalancerAttribute> attribute_shapes(const LoadBalancerRecord& record) {
  std::vector<LoadBalancerAttribute> shapes;
  for (const auto& [key, value] : all_attributes(load_balancer_attributes(), record.attributes))
    shapes.push_back({.key = key, .value = value});
  return shapes;
}

}  // namespace

DescribeLoadBalancerAttributesOutput describe_load_balancer_attributes(
    Elbv2& elbv2, Tx&, const Request<DescribeLoadBalancerAttributesInput>& request) {
  return {.attributes =
              attribute_shapes(get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get()))};
}

ModifyLoadBalancerAttributesOutput modify_load_balancer_attributes(
    Elbv2& elbv2, Tx& tx, const Request<ModifyLoadBalancerAttributesInput>& request) {
  const LoadBalancerRecord& record = get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  Attributes attributes = record.attributes;
  for (const LoadBalancerAttribute& item : request.input.attributes.get())
    set_attribute(load_balancer_attributes(), "Load balancer", attributes, item.key.get(), item.value.get());
  const std::string key = record.key;
  const LoadBalancerRecord& changed = elbv2.balancers.modify(
      tx, request.scope, key, [&](LoadBalancerRecord& now) { now.attributes = std::move(attributes); });
  elbv2.touch(tx, request.scope, key);
  return {.attributes = attribute_shapes(changed)};
}

SetSecurityGroupsOutput set_security_groups(Elbv2& elbv2, Tx& tx, const Request<SetSecurityGroupsInput>& request) {
  const LoadBalancerRecord& record = get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  if (request.input.enforce_security_group_inbound_rules_on_private_link_traffic)
    throw unsupported("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic");
  if (request.input.security_groups.get().empty())
    throw invalid_security_group_exception("At least one security group must be specified");
  const auto groups = check_groups(elbv2, request.scope, record.vpc, request.input.security_groups.get());
  for (const ZoneRecord& zone : record.zones) elbv2.needs.network.set_groups(tx, request.scope, zone.interface, groups);
  elbv2.balancers.modify(tx, request.scope, std::string(record.key),
                         [&](LoadBalancerRecord& now) { now.security_groups = groups; });
  return {.security_group_ids = groups};
}

SetSubnetsOutput set_subnets(Elbv2& elbv2, Tx& tx, const Request<SetSubnetsInput>& request) {
  const LoadBalancerRecord record = get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  if (request.input.ip_address_type.value_or("ipv4") != "ipv4")
    throw unsupported("load balancers of IP address type " + *request.input.ip_address_type);
  if (request.input.enable_prefix_for_ipv6_source_nat.value_or("off") != "off")
    throw unsupported("EnablePrefixForIpv6SourceNat");
  const auto subnets =
      check_subnets(elbv2, request.scope, requested_subnets(request.input.subnets, request.input.subnet_mappings));
  if (subnets.front().vpc != record.vpc)
    throw invalid_subnet_exception("The subnets are not in the load balancer's VPC '" + record.vpc + "'");
  LoadBalancerRecord changed = record;
  changed.zones.clear();
  for (const auto& subnet : subnets) {
    const auto kept = std::ranges::find(record.zones, subnet.id, &ZoneRecord::subnet);
    changed.zones.push_back(kept != record.zones.end() ? *kept : place_in(elbv2, tx, request.scope, record, subnet));
  }
  for (const ZoneRecord& zone : record.zones)
    if (std::ranges::find(changed.zones, zone.interface, &ZoneRecord::interface) == changed.zones.end())
      changed.leaving_interfaces.push_back(zone.interface);
  SetSubnetsOutput output;
  for (const ZoneRecord& zone : changed.zones)
    output.availability_zones.ensure().push_back({.zone_name = zone.zone, .subnet_id = zone.subnet});
  output.ip_address_type = changed.ip_address_type;
  elbv2.balancers.put(tx, request.scope, record.key, std::move(changed));
  elbv2.touch(tx, request.scope, record.key);
  return output;
}

SetIpAddressTypeOutput set_ip_address_type(Elbv2& elbv2, Tx&, const Request<SetIpAddressTypeInput>& request) {
  const LoadBalancerRecord& record = get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  if (request.input.ip_address_type.get() != record.ip_address_type)
    throw unsupported("load balancers of IP address type " + request.input.ip_address_type.get());
  return {.ip_address_type = record.ip_address_type};
}

ModifyIpPoolsOutput modify_ip_pools(Elbv2& elbv2, Tx&, const Request<ModifyIpPoolsInput>& request) {
  get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  if (request.input.ipam_pools.get().ipv4_ipam_pool_id) throw unsupported("IpamPools");
  return {};  // there is nothing to remove
}

DescribeCapacityReservationOutput describe_capacity_reservation(
    Elbv2& elbv2, Tx&, const Request<DescribeCapacityReservationInput>& request) {
  get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  return {};  // none is reserved
}

ModifyCapacityReservationOutput modify_capacity_reservation(Elbv2& elbv2, Tx&,
                                                            const Request<ModifyCapacityReservationInput>& request) {
  get_load_balancer(elbv2, request.scope, request.input.load_balancer_arn.get());
  if (request.input.minimum_load_balancer_capacity.get().capacity_units.get() != 0)
    throw unsupported("capacity reservations (MinimumLoadBalancerCapacity)");
  return {};
}

}  // namespace brume::elbv2
