#include "services/elbv2/placement.h"

#include <algorithm>
#include <set>

#include "services/elbv2/render.h"

namespace brume::elbv2 {

std::vector<std::string> requested_subnets(const opt<std::vector<std::string>>& subnets,
                                           const opt<std::vector<SubnetMapping>>& mappings) {
  if (!subnets.get().empty() && !mappings.get().empty())
    throw validation_error("You can specify either subnets or subnet mappings, not both");
  std::vector<std::string> ids = subnets.get();
  for (const SubnetMapping& mapping : mappings.get()) {
    // "Application Load Balancers: you cannot specify Elastic IP addresses for your subnets."
    if (mapping.allocation_id || mapping.private_ipv4_address || mapping.ipv6_address || mapping.source_nat_ipv6_prefix)
      throw invalid_configuration_request_exception(
          "You cannot specify addresses for the subnets of a load balancer of type 'application'");
    ids.push_back(mapping.subnet_id.get());
  }
  return ids;
}

std::vector<BalancerNetwork::Subnet> check_subnets(const Elbv2& elbv2, const Scope& scope,
                                                   const std::vector<std::string>& subnets) {
  std::vector<BalancerNetwork::Subnet> found;
  std::set<std::string> zones, ids(subnets.begin(), subnets.end());
  for (const std::string& id : ids) {
    const auto subnet = elbv2.needs.network.find_subnet(scope, id);
    if (!subnet) throw subnet_not_found_exception("The subnet ID '" + id + "' does not exist");
    if (!found.empty() && subnet->vpc != found.front().vpc)
      throw invalid_subnet_exception("The subnets '" + found.front().id + "' and '" + id + "' are not in the same VPC");
    if (!zones.insert(subnet->zone).second)
      throw invalid_configuration_request_exception(
          "A load balancer cannot be attached to multiple subnets in the same Availability Zone");
    found.push_back(*subnet);
  }
  if (zones.size() < 2)
    throw validation_error("At least two subnets in two different Availability Zones must be specified");
  std::ranges::sort(found, {}, &BalancerNetwork::Subnet::zone);
  return found;
}

std::vector<std::string> check_groups(const Elbv2& elbv2, const Scope& scope, const std::string& vpc,
                                      const std::vector<std::string>& groups) {
  if (groups.empty()) return {elbv2.needs.network.default_group(scope, vpc)};
  std::vector<std::string> unique;
  for (const std::string& group : groups) {
    if (elbv2.needs.network.vpc_of_group(scope, group) != vpc)
      throw invalid_security_group_exception("One or more security groups are invalid: '" + group + "'");
    if (std::ranges::find(unique, group) == unique.end()) unique.push_back(group);
  }
  if (unique.size() > 5)
    throw invalid_configuration_request_exception("You cannot specify more than 5 security groups");
  return unique;
}

ZoneRecord place_in(Elbv2& elbv2, Tx& tx, const Scope& scope, const LoadBalancerRecord& record,
                    const BalancerNetwork::Subnet& subnet) {
  const auto attached = elbv2.needs.network.create(tx, scope,
                                                   {.subnet = subnet.id,
                                                    .description = interface_description(record),
                                                    .sandbox = sandbox_of(record),
                                                    .groups = record.security_groups,
                                                    .public_address = record.scheme == "internet-facing"});
  return {.zone = subnet.zone,
          .subnet = subnet.id,
          .interface = attached.id,
          .private_address = attached.private_address,
          .public_address = attached.public_address};
}

}  // namespace brume::elbv2
