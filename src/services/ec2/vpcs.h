// VPCs, subnets and what is made with them, for the handlers of several nouns. Control thread, inside a transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/ec2/cidr.h"
#include "services/ec2/ec2.h"

namespace brume::ec2 {

// A VPC with its main route table, default network ACL and default security group.
const VpcRecord& make_vpc(Ec2& ec2, Tx& tx, const Scope& scope, const Cidr& block, bool is_default, Tags tags);
// 172.31.0.0/16 with an internet gateway, the route to it and a default subnet in each zone ("Default VPCs").
const VpcRecord& make_default_vpc(Ec2& ec2, Tx& tx, const Scope& scope);
const VpcRecord* find_default_vpc(const Ec2& ec2, const Scope& scope);

// In the VPC's main route table and default ACL.
const SubnetRecord& make_subnet(Ec2& ec2, Tx& tx, const Scope& scope, const VpcRecord& vpc, const Cidr& block,
                                const std::string& zone, Tags tags);
// A /20 of the default VPC that no subnet has.
std::optional<Cidr> free_default_subnet_block(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc);

std::vector<const SubnetRecord*> subnets_of(const Ec2& ec2, const Scope& scope, const std::string& vpc_id);

std::int64_t available_addresses(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet);

}  // namespace brume::ec2
