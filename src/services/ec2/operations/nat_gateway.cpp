// NAT gateways. They become available, and go, when the network plane has made it so: see the reconciler.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/interfaces.h"
#include "services/ec2/nat_gateways.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostGateways = 100;

NatGateway gateway_shape(const NatGatewayRecord& gateway) {
  NatGateway shape{.create_time = gateway.created,
                   .nat_gateway_id = gateway.id,
                   .state = gateway.state,
                   .subnet_id = gateway.subnet,
                   .vpc_id = gateway.vpc,
                   .tags = tags_to<Tag>(gateway.tags),
                   .connectivity_type = "public"};
  if (gateway.deleted.ms != 0) shape.delete_time = gateway.deleted;
  if (!gateway.failure_code.empty()) {
    shape.failure_code = gateway.failure_code;
    shape.failure_message = gateway.failure_message;
  }
  NatGatewayAddress& address = shape.nat_gateway_addresses.ensure().emplace_back();
  address.allocation_id = gateway.allocation;
  address.is_primary = true;
  if (!gateway.interface.empty()) {
    address.association_id = gateway.association;
    address.network_interface_id = gateway.interface;
    address.private_ip = gateway.private_ip;
    address.public_ip = gateway.public_ip;
  }
  if (gateway.state == "pending") address.status = "associating";
  if (gateway.state == "available") address.status = "succeeded";
  if (gateway.state == "failed") address.status = "failed";
  if (gateway.state == "deleting") address.status = "disassociating";
  return shape;
}

const FilterField<NatGateway> kFilters[] = {
    {"nat-gateway-id", [](const NatGateway& gateway) { return one(gateway.nat_gateway_id); }},
    {"state", [](const NatGateway& gateway) { return one(gateway.state); }},
    {"subnet-id", [](const NatGateway& gateway) { return one(gateway.subnet_id); }},
    {"vpc-id", [](const NatGateway& gateway) { return one(gateway.vpc_id); }},
};

void refuse_unserved(const CreateNatGatewayInput& input) {
  if (input.connectivity_type.value_or("public") != "public") throw unsupported("private NAT gateways");
  if (input.availability_mode.value_or("zonal") != "zonal") throw unsupported("regional NAT gateways");
  if (input.vpc_id) throw unsupported("VpcId (regional NAT gateways)");
  if (!input.availability_zone_addresses.get().empty()) throw unsupported("AvailabilityZoneAddresses");
  if (!input.secondary_allocation_ids.get().empty()) throw unsupported("SecondaryAllocationIds");
  if (!input.secondary_private_ip_addresses.get().empty()) throw unsupported("SecondaryPrivateIpAddresses");
  if (input.secondary_private_ip_address_count.get() != 0) throw unsupported("SecondaryPrivateIpAddressCount");
  if (!input.subnet_id) throw missing_parameter("subnetId");
  if (!input.allocation_id) throw missing_parameter("allocationId");
}

// What AWS finds out only after it has answered ("Troubleshoot NAT gateways: NAT gateway creation fails").
void fail(NatGatewayRecord& gateway, Time now, std::string code, std::string message) {
  gateway.state = "failed";
  gateway.deleted = now;
  gateway.failure_code = std::move(code);
  gateway.failure_message = std::move(message);
}

void place(Ec2& ec2, Tx& tx, const Scope& scope, NatGatewayRecord& gateway, const AddressRecord& address,
           const opt<std::string>& private_ip) {
  const auto attached = [&](const InternetGatewayRecord& other) { return other.vpc == gateway.vpc; };
  if (ec2.internet_gateways.select(scope, attached).empty()) {
    return fail(gateway, ec2.clock.now(), "Gateway.NotAttached",
                "Network " + gateway.vpc + " has no Internet gateway attached");
  }
  if (!address.association.empty()) {
    return fail(gateway, ec2.clock.now(), "Resource.AlreadyAssociated",
                "Elastic IP address [" + address.id + "] is already associated");
  }
  NewInterface wanted{.subnet = gateway.subnet,
                      .description = "Interface for NAT Gateway " + gateway.id,
                      .type = "nat_gateway",
                      .requester = "amazon-nat-gateway",
                      .instance_owner = "amazon-aws",
                      .source_dest_check = false};
  if (private_ip) wanted.addresses.push_back(*private_ip);
  const InterfaceRecord& interface = create_interface(ec2, tx, scope, std::move(wanted));
  gateway.interface = interface.id;
  gateway.private_ip = interface.addresses.front();
  gateway.public_ip = address.public_ip;
  gateway.association = ec2.random.ec2_id("eipassoc-");
  ec2.addresses.modify(tx, scope, std::string(address.id), [&](AddressRecord& record) {
    record.association = gateway.association;
    record.interface = gateway.interface;
    record.private_ip = gateway.private_ip;
  });
}

// Forgets what AWS would have stopped to show by now.
void forget_old(Ec2& ec2, Tx& tx, const Scope& scope) {
  const auto old = [&](const NatGatewayRecord& gateway) {
    return (gateway.state == "deleted" || gateway.state == "failed") &&
           gateway.deleted + kNatGatewayAfterlife <= ec2.clock.now();
  };
  for (const NatGatewayRecord* gateway : ec2.nat_gateways.select(scope, old)) {
    ec2.nat_gateways.erase(tx, scope, std::string(gateway->id));
  }
}

}  // namespace

CreateNatGatewayOutput create_nat_gateway(Ec2& ec2, Tx& tx, const Request<CreateNatGatewayInput>& request) {
  begin(ec2, tx, request);
  const CreateNatGatewayInput& input = request.input;
  refuse_unserved(input);
  const SubnetRecord& subnet = get(ec2.subnets, request.scope, kSubnetId, *input.subnet_id);
  const AddressRecord& address = get(ec2.addresses, request.scope, kAllocationId, *input.allocation_id);
  Tags tags = tags_for(input.tag_specifications.get(), "natgateway");
  const auto same = [&](const NatGatewayRecord& other) {
    return other.subnet == subnet.id && other.allocation == address.id;
  };
  if (const NatGatewayRecord* made = find_by_token(ec2.nat_gateways, request.scope, input.client_token, same)) {
    return {.client_token = input.client_token, .nat_gateway = gateway_shape(*made)};
  }
  const auto runs = [&](const NatGatewayRecord& other) { return other.state != "deleted" && other.state != "failed"; };
  if (ec2.nat_gateways.select(request.scope, runs).size() >= kMostGateways) {
    throw AwsError("NatGatewayLimitExceeded", "The maximum number of NAT gateways has been reached.");
  }
  NatGatewayRecord gateway{.id = ec2.new_id(kNatGatewayId),
                           .subnet = subnet.id,
                           .vpc = subnet.vpc,
                           .allocation = address.id,
                           .created = ec2.clock.now(),
                           .client_token = input.client_token.get(),
                           .tags = std::move(tags)};
  place(ec2, tx, request.scope, gateway, address, input.private_ip_address);
  const std::string id = gateway.id;
  const NatGatewayRecord& made = ec2.nat_gateways.insert(tx, request.scope, id, std::move(gateway));
  ec2.touch(tx, request.scope, made.vpc);
  return {.client_token = input.client_token, .nat_gateway = gateway_shape(made)};
}

DeleteNatGatewayOutput delete_nat_gateway(Ec2& ec2, Tx& tx, const Request<DeleteNatGatewayInput>& request) {
  begin(ec2, tx, request);
  forget_old(ec2, tx, request.scope);
  const NatGatewayRecord& gateway =
      get(ec2.nat_gateways, request.scope, kNatGateway, request.input.nat_gateway_id.get());
  const std::string id = gateway.id;
  if (gateway.state == "failed") {
    // Nothing of it exists.
    ec2.nat_gateways.modify(tx, request.scope, id, [&](NatGatewayRecord& record) {
      record.state = "deleted";
      record.deleted = ec2.clock.now();
    });
  } else if (gateway.state != "deleted") {
    ec2.touch(tx, request.scope, gateway.vpc);
    ec2.nat_gateways.modify(tx, request.scope, id, [](NatGatewayRecord& record) { record.state = "deleting"; });
  }
  return {.nat_gateway_id = id};
}

DescribeNatGatewaysOutput describe_nat_gateways(Ec2& ec2, Tx& tx, const Request<DescribeNatGatewaysInput>& request) {
  begin(ec2, tx, request);
  forget_old(ec2, tx, request.scope);
  DescribeNatGatewaysOutput output;
  const auto records = candidates(ec2.nat_gateways, request.scope, kNatGateway, request.input.nat_gateway_ids.get(),
                                  filters_of(request.input));
  output.next_token =
      show_page(ec2, request, "DescribeNatGateways", kFilters, records, output.nat_gateways.ensure(), gateway_shape);
  return output;
}

}  // namespace brume::ec2
