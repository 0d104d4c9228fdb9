#include "app/adapters/task_interfaces.h"

#include "services/ec2/api.h"

namespace brume::app {
namespace {

// What ECS answers instead of EC2's own errors.
AwsError invalid(const std::string& text) { return AwsError("InvalidParameterException", text); }

}  // namespace

ecs::TaskInterfaces::Attached TaskInterfaces::create(Tx& tx, const Scope& scope, const Wanted& wanted) {
  const ec2::InterfaceFacts made = ec2::create_service_interface(ec2_, tx, scope,
                                                                 {.subnet = wanted.subnet,
                                                                  .groups = wanted.groups,
                                                                  .description = wanted.description,
                                                                  .requester = "amazon-ecs",
                                                                  .sandbox = wanted.sandbox,
                                                                  .assign_public_ip = wanted.assign_public_address});
  return {.id = made.id,
          .private_address = made.private_ip,
          .public_address = made.public_ip,
          .mac = made.mac,
          .subnet = made.subnet,
          .zone = made.zone,
          .vpc = made.vpc,
          .subnet_cidr = made.subnet_cidr,
          .private_dns_name = made.private_dns_name};
}

void TaskInterfaces::remove(Tx& tx, const Scope& scope, const std::string& interface_id) {
  ec2::delete_service_interface(ec2_, tx, scope, interface_id);
}

bool TaskInterfaces::ready(const Scope&, const std::string& interface_id) const {
  return ec2::is_ready(ec2_, interface_id);
}

void TaskInterfaces::on_ready(std::function<void(const Scope&, const std::string&)> callback) {
  ec2::on_ready(ec2_, std::move(callback));
}

void TaskInterfaces::check(const Scope& scope, const std::vector<std::string>& subnets,
                           const std::vector<std::string>& groups) const {
  std::string vpc;
  for (const std::string& id : subnets) {
    const auto subnet = ec2::find_subnet(ec2_, scope, id);
    if (!subnet) throw invalid("The subnet ID '" + id + "' does not exist");
    if (!vpc.empty() && subnet->vpc != vpc) throw invalid("The subnets are not in the same VPC.");
    vpc = subnet->vpc;
  }
  for (const std::string& id : groups) {
    const auto of = ec2::vpc_of_group(ec2_, scope, id);
    if (!of) throw invalid("The security group '" + id + "' does not exist");
    if (*of != vpc)
      throw invalid("Security group " + id + " does not appear to belong to the same VPC as the input subnets.");
  }
}

std::string TaskInterfaces::zone_of(const Scope& scope, const std::string& subnet) const {
  const auto found = ec2::find_subnet(ec2_, scope, subnet);
  return found ? found->zone : std::string();
}

std::string TaskInterfaces::network_namespace(const std::string& sandbox) const {
  return network_.namespace_path(sandbox);
}

bool TaskInterfaces::reaches_internet(const Scope& scope, const std::string& interface_id) const {
  return ec2::reaches_internet(ec2_, scope, interface_id);
}

// The Amazon-provided DNS of every VPC, whatever its addresses: 169.254.169.253.
std::string TaskInterfaces::resolver_address(const Scope&, const std::string&) const { return "169.254.169.253"; }

}  // namespace brume::app
