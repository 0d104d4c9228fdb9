#include "services/ec2/ids.h"

#include <algorithm>
#include <array>
#include <utility>

namespace brume::ec2 {

const IdKind kVpcId{"vpc-", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "The vpc ID '%' does not exist"};
const IdKind kSubnetId{"subnet-", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound",
                       "The subnet ID '%' does not exist"};
const IdKind kRouteTableId{"rtb-", "InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound",
                           "The routeTable ID '%' does not exist"};
const IdKind kInternetGatewayId{"igw-", "InvalidInternetGatewayId.Malformed", "InvalidInternetGatewayID.NotFound",
                                "The internetGateway ID '%' does not exist"};
const IdKind kAllocationId{"eipalloc-", "", "InvalidAllocationID.NotFound", "The allocation ID '%' does not exist"};
const IdKind kNatGateway{"nat-", "NatGatewayMalformed", "NatGatewayNotFound", "The Nat Gateway % was not found"};
const IdKind kNatGatewayId{"nat-", "", "InvalidNatGatewayID.NotFound", "The natGateway ID '%' does not exist"};
const IdKind kGroupId{"sg-", "InvalidGroupId.Malformed", "InvalidGroup.NotFound",
                      "The security group '%' does not exist"};
const IdKind kGroupRuleId{"sgr-", "InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound",
                          "The security group rule ID '%' does not exist"};
const IdKind kInterfaceId{"eni-", "InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound",
                          "The networkInterface ID '%' does not exist"};
const IdKind kAclId{"acl-", "InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.NotFound",
                    "The networkAcl ID '%' does not exist"};
const IdKind kDhcpOptionsId{"dopt-", "InvalidDhcpOptionsId.Malformed", "InvalidDhcpOptionID.NotFound",
                            "The dhcpOption ID '%' does not exist"};
const IdKind kAssociationId{"", "", "InvalidAssociationID.NotFound", "The association ID '%' does not exist"};
const IdKind kCidrAssociationId{"vpc-cidr-assoc-", "", "InvalidCidrBlockAssociationID.NotFound",
                                "The vpc CIDR block association ID '%' does not exist"};
const IdKind kAttachmentId{"eni-attach-", "", "InvalidAttachmentID.NotFound",
                           "The network interface attachment '%' does not exist"};
const IdKind kPrefixListId{"pl-", "InvalidPrefixListId.Malformed", "InvalidPrefixListID.NotFound",
                           "The prefix list ID '%' does not exist"};
const IdKind kEndpointId{"vpce-", "InvalidVpcEndpointId.Malformed", "InvalidVpcEndpointId.NotFound",
                         "The Vpc Endpoint Id '%' does not exist"};
const IdKind kFlowLogId{"fl-", "InvalidFlowLogId.Malformed", "InvalidFlowLogId.NotFound",
                        "The flow log ID '%' does not exist"};

bool is_well_formed(const IdKind& kind, std::string_view id) {
  if (!id.starts_with(kind.prefix)) return false;
  const std::string_view digits = id.substr(kind.prefix.size());
  return (digits.size() == 8 || digits.size() == 17) &&
         std::ranges::all_of(digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

AwsError not_found(const IdKind& kind, std::string_view id) {
  const std::size_t mark = kind.message.find('%');
  std::string message(kind.message.substr(0, mark));
  message.append(id).append(kind.message.substr(mark + 1));
  return {std::string(kind.not_found), std::move(message)};
}

void check_form(const IdKind& kind, std::string_view id) {
  if (kind.malformed.empty() || is_well_formed(kind, id)) return;
  std::string message = "Invalid id: \"";
  message.append(id).append("\" (expecting \"").append(kind.prefix).append("...\")");
  throw AwsError(std::string(kind.malformed), std::move(message));
}

std::string_view resource_type_of(std::string_view id) {
  static constexpr std::array<std::pair<const IdKind*, std::string_view>, 14> kTypes{{
      {&kVpcId, "vpc"},
      {&kSubnetId, "subnet"},
      {&kRouteTableId, "route-table"},
      {&kInternetGatewayId, "internet-gateway"},
      {&kAllocationId, "elastic-ip"},
      {&kNatGatewayId, "natgateway"},
      {&kGroupId, "security-group"},
      {&kGroupRuleId, "security-group-rule"},
      {&kInterfaceId, "network-interface"},
      {&kAclId, "network-acl"},
      {&kDhcpOptionsId, "dhcp-options"},
      {&kPrefixListId, "prefix-list"},
      {&kEndpointId, "vpc-endpoint"},
      {&kFlowLogId, "vpc-flow-log"},
  }};
  for (const auto& [kind, type] : kTypes) {
    if (is_well_formed(*kind, id)) return type;
  }
  return {};
}

}  // namespace brume::ec2
