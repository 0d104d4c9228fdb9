// Internet gateways.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostGateways = 100;

InternetGateway gateway_shape(const Scope& scope, const InternetGatewayRecord& gateway) {
  InternetGateway shape{
      .internet_gateway_id = gateway.id, .owner_id = scope.account, .tags = tags_to<Tag>(gateway.tags)};
  auto& attachments = shape.attachments.ensure();
  // The API's word for an attached internet gateway is `available`, unlike every other attachment.
  if (!gateway.vpc.empty()) attachments.push_back({.state = "available", .vpc_id = gateway.vpc});
  return shape;
}

const FilterField<InternetGateway> kFilters[] = {
    {"attachment.state",
     [](const InternetGateway& gateway) {
       return each(gateway.attachments, [](const auto& item) { return one(item.state); });
     }},
    {"attachment.vpc-id",
     [](const InternetGateway& gateway) {
       return each(gateway.attachments, [](const auto& item) { return one(item.vpc_id); });
     }},
    {"internet-gateway-id", [](const InternetGateway& gateway) { return one(gateway.internet_gateway_id); }},
    {"owner-id", [](const InternetGateway& gateway) { return one(gateway.owner_id); }},
};

// Something in the VPC is reachable by a public address, which needs the gateway.
bool has_public_addresses(const Ec2& ec2, const Scope& scope, const std::string& vpc) {
  bool found = false;
  ec2.interfaces.for_each(scope, [&](const InterfaceRecord& interface) {
    if (interface.vpc != vpc) return;
    found = found || !interface.public_ip.empty();
    ec2.addresses.for_each(scope,
                           [&](const AddressRecord& address) { found = found || address.interface == interface.id; });
  });
  return found;
}

}  // namespace

CreateInternetGatewayOutput create_internet_gateway(Ec2& ec2, Tx& tx,
                                                    const Request<CreateInternetGatewayInput>& request) {
  begin(ec2, tx, request);
  Tags tags = tags_for(request.input.tag_specifications.get(), "internet-gateway");
  if (ec2.internet_gateways.count(request.scope) >= kMostGateways) {
    throw AwsError("InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.");
  }
  const std::string id = ec2.new_id(kInternetGatewayId);
  return {.internet_gateway = gateway_shape(
              request.scope, ec2.internet_gateways.insert(tx, request.scope, id, {.id = id, .tags = std::move(tags)}))};
}

AttachInternetGatewayOutput attach_internet_gateway(Ec2& ec2, Tx& tx,
                                                    const Request<AttachInternetGatewayInput>& request) {
  begin(ec2, tx, request);
  const InternetGatewayRecord& gateway =
      get(ec2.internet_gateways, request.scope, kInternetGatewayId, request.input.internet_gateway_id.get());
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  if (!gateway.vpc.empty()) {
    throw AwsError("Resource.AlreadyAssociated",
                   "resource " + gateway.id + " is already attached to network " + gateway.vpc);
  }
  const auto attached = [&](const InternetGatewayRecord& other) { return other.vpc == vpc.id; };
  if (!ec2.internet_gateways.select(request.scope, attached).empty()) {
    throw invalid_parameter("Network " + vpc.id + " already has an internet gateway attached");
  }
  ec2.internet_gateways.modify(tx, request.scope, std::string(gateway.id),
                               [&](InternetGatewayRecord& record) { record.vpc = vpc.id; });
  ec2.touch(tx, request.scope, vpc.id);
  return {};
}

DetachInternetGatewayOutput detach_internet_gateway(Ec2& ec2, Tx& tx,
                                                    const Request<DetachInternetGatewayInput>& request) {
  begin(ec2, tx, request);
  const InternetGatewayRecord& gateway =
      get(ec2.internet_gateways, request.scope, kInternetGatewayId, request.input.internet_gateway_id.get());
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  if (gateway.vpc != vpc.id) {
    throw AwsError("Gateway.NotAttached", "resource " + gateway.id + " is not attached to network " + vpc.id);
  }
  if (has_public_addresses(ec2, request.scope, vpc.id)) {
    throw dependency_violation("Network " + vpc.id +
                               " has some mapped public address(es). Please unmap those public address(es) before "
                               "detaching the gateway.");
  }
  ec2.internet_gateways.modify(tx, request.scope, std::string(gateway.id),
                               [](InternetGatewayRecord& record) { record.vpc.clear(); });
  ec2.touch(tx, request.scope, vpc.id);
  return {};
}

DeleteInternetGatewayOutput delete_internet_gateway(Ec2& ec2, Tx& tx,
                                                    const Request<DeleteInternetGatewayInput>& request) {
  begin(ec2, tx, request);
  const InternetGatewayRecord& gateway =
      get(ec2.internet_gateways, request.scope, kInternetGatewayId, request.input.internet_gateway_id.get());
  if (!gateway.vpc.empty()) {
    throw dependency_violation("The internetGateway '" + gateway.id + "' has dependencies and cannot be deleted.");
  }
  ec2.internet_gateways.erase(tx, request.scope, std::string(gateway.id));
  return {};
}

DescribeInternetGatewaysOutput describe_internet_gateways(Ec2& ec2, Tx& tx,
                                                          const Request<DescribeInternetGatewaysInput>& request) {
  begin(ec2, tx, request);
  DescribeInternetGatewaysOutput output;
  const auto records = candidates(ec2.internet_gateways, request.scope, kInternetGatewayId,
                                  request.input.internet_gateway_ids.get(), filters_of(request.input));
  output.next_token =
      show_page(ec2, request, "DescribeInternetGateways", kFilters, records, output.internet_gateways.ensure(),
                [&](const InternetGatewayRecord& gateway) { return gateway_shape(request.scope, gateway); });
  return output;
}

}  // namespace brume::ec2
