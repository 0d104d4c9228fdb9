// What Brume does not make, so that there is none of it: lists are truthfully empty, and every id is unknown.
#include "gen/ec2.h"
#include "services/ec2/describe.h"

namespace brume::ec2 {

namespace {

const IdKind kInstanceId{"i-", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound",
                         "The instance ID '%' does not exist"};
const IdKind kPeeringId{"pcx-", "InvalidVpcPeeringConnectionId.Malformed", "InvalidVpcPeeringConnectionID.NotFound",
                        "The vpcPeeringConnection ID '%' does not exist"};
const IdKind kVpnGatewayId{"vgw-", "", "InvalidVpnGatewayID.NotFound", "The vpnGateway ID '%' does not exist"};
const IdKind kEgressGatewayId{"eigw-", "InvalidEgressOnlyInternetGatewayId.Malformed",
                              "InvalidEgressOnlyInternetGatewayId.NotFound",
                              "The egressOnlyInternetGateway ID '%' does not exist"};

void refuse_ids(const IdKind& kind, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    check_form(kind, id);
    throw not_found(kind, id);
  }
}

}  // namespace

DescribeInstancesOutput describe_instances(Ec2& ec2, Tx& tx, const Request<DescribeInstancesInput>& request) {
  begin(ec2, tx, request);
  refuse_ids(kInstanceId, request.input.instance_ids.get());
  DescribeInstancesOutput output;
  output.reservations.ensure();
  return output;
}

DescribeVpcPeeringConnectionsOutput describe_vpc_peering_connections(
    Ec2& ec2, Tx& tx, const Request<DescribeVpcPeeringConnectionsInput>& request) {
  begin(ec2, tx, request);
  refuse_ids(kPeeringId, request.input.vpc_peering_connection_ids.get());
  DescribeVpcPeeringConnectionsOutput output;
  output.vpc_peering_connections.ensure();
  return output;
}

DescribeVpnGatewaysOutput describe_vpn_gateways(Ec2& ec2, Tx& tx, const Request<DescribeVpnGatewaysInput>& request) {
  begin(ec2, tx, request);
  refuse_ids(kVpnGatewayId, request.input.vpn_gateway_ids.get());
  DescribeVpnGatewaysOutput output;
  output.vpn_gateways.ensure();
  return output;
}

DescribeEgressOnlyInternetGatewaysOutput describe_egress_only_internet_gateways(
    Ec2& ec2, Tx& tx, const Request<DescribeEgressOnlyInternetGatewaysInput>& request) {
  begin(ec2, tx, request);
  refuse_ids(kEgressGatewayId, request.input.egress_only_internet_gateway_ids.get());
  DescribeEgressOnlyInternetGatewaysOutput output;
  output.egress_only_internet_gateways.ensure();
  return output;
}

}  // namespace brume::ec2
