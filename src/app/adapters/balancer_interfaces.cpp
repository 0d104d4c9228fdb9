#include "app/adapters/balancer_interfaces.h"

#include "services/ec2/api.h"
#include "services/ec2/cidr.h"

namespace brume::app {

std::optional<elbv2::BalancerNetwork::Subnet> BalancerInterfaces::find_subnet(const Scope& scope,
                                                                              const std::string& id) const {
  const auto found = ec2::find_subnet(ec2_, scope, id);
  if (!found) return std::nullopt;
  return Subnet{.id = found->id, .vpc = found->vpc, .zone = found->zone, .cidr = found->cidr};
}

bool BalancerInterfaces::vpc_exists(const Scope& scope, const std::string& vpc) const {
  return ec2::vpc_exists(ec2_, scope, vpc);
}

std::vector<std::string> BalancerInterfaces::vpc_cidrs(const Scope& scope, const std::string& vpc) const {
  return ec2::vpc_cidrs(ec2_, scope, vpc);
}

bool BalancerInterfaces::has_internet_gateway(const Scope& scope, const std::string& vpc) const {
  bool found = false;
  ec2_.internet_gateways.for_each(scope, [&](const auto& gateway) { found = found || gateway.vpc == vpc; });
  return found;
}

std::optional<std::string> BalancerInterfaces::vpc_of_group(const Scope& scope, const std::string& group) const {
  return ec2::vpc_of_group(ec2_, scope, group);
}

std::string BalancerInterfaces::default_group(const Scope& scope, const std::string& vpc) const {
  return ec2::default_group_of(ec2_, scope, vpc).value_or("");
}

std::string BalancerInterfaces::zone_of_address(const Scope& scope, const std::string& vpc,
                                                const std::string& address) const {
  std::string zone;
  const auto wanted = ec2::parse_address(address);
  if (!wanted) return zone;
  ec2_.subnets.for_each(scope, [&](const auto& subnet) {
    if (subnet.vpc == vpc && ec2::parse_cidr(subnet.cidr)->contains(*wanted)) zone = subnet.zone;
  });
  return zone;
}

elbv2::BalancerNetwork::Attached BalancerInterfaces::create(Tx& tx, const Scope& scope, const Wanted& wanted) {
  const ec2::InterfaceFacts made = ec2::create_service_interface(ec2_, tx, scope,
                                                                 {.subnet = wanted.subnet,
                                                                  .groups = wanted.groups,
                                                                  .description = wanted.description,
                                                                  .requester = "amazon-elb",
                                                                  .sandbox = wanted.sandbox,
                                                                  .assign_public_ip = wanted.public_address});
  return {.id = made.id, .private_address = made.private_ip, .public_address = made.public_ip};
}

void BalancerInterfaces::remove(Tx& tx, const Scope& scope, const std::string& interface) {
  ec2::delete_service_interface(ec2_, tx, scope, interface);
}

void BalancerInterfaces::set_groups(Tx& tx, const Scope& scope, const std::string& interface,
                                    const std::vector<std::string>& groups) {
  ec2::set_service_interface_groups(ec2_, tx, scope, interface, groups);
}

bool BalancerInterfaces::ready(const Scope&, const std::string& interface) const {
  return ec2::is_ready(ec2_, interface);
}

void BalancerInterfaces::on_ready(std::function<void(const Scope&, const std::string&)> callback) {
  ec2::on_ready(ec2_, std::move(callback));
}

std::string BalancerInterfaces::network_namespace(const std::string& sandbox) const {
  return network_.namespace_path(sandbox);
}

}  // namespace brume::app
