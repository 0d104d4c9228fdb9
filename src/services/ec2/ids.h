// EC2's ids: their prefixes and the codes that AWS answers for a malformed and for an unknown one ("Error codes for
// the Amazon EC2 API"; the spelling differs per type and clients match it exactly). Values and pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace brume::ec2 {

struct IdKind {
  std::string_view prefix;     // "vpc-"
  std::string_view malformed;  // "InvalidVpcID.Malformed"; empty: AWS answers `not_found` for those as well
  std::string_view not_found;  // "InvalidVpcID.NotFound"
  std::string_view message;    // the words before and after the id, around a '%'
};

// kNatGateway is what the NAT gateway operations answer; others that name one answer kNatGatewayId's code.
extern const IdKind kVpcId, kSubnetId, kRouteTableId, kInternetGatewayId, kAllocationId, kNatGateway, kNatGatewayId,
    kGroupId, kGroupRuleId, kInterfaceId, kAclId, kDhcpOptionsId, kAssociationId, kCidrAssociationId, kAttachmentId,
    kPrefixListId, kEndpointId, kFlowLogId;

// The prefix and 8 or 17 lower-case hexadecimal digits.
bool is_well_formed(const IdKind& kind, std::string_view id);
AwsError not_found(const IdKind& kind, std::string_view id);
// Throws the malformed code, for an id that cannot be one of the kind.
void check_form(const IdKind& kind, std::string_view id);

// "vpc", "security-group-rule": AWS's resource type by an id's prefix; empty for no type of Brume's.
std::string_view resource_type_of(std::string_view id);

}  // namespace brume::ec2
