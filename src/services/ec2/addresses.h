// Public addresses: the pool 198.19.0.0/16, of which no two accounts get the same. Control thread.
#pragma once

#include <string>

#include "services/ec2/ec2.h"

namespace brume::ec2 {

// A free address, held by `holder` (eipalloc-… or eni-…). Throws InsufficientAddressCapacity.
std::string take_public_address(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& holder);
const PublicAddressRecord* find_public_address(const Ec2& ec2, const std::string& address);
void give_back_public_address(Ec2& ec2, Tx& tx, const std::string& address);

// The elastic IP address that is associated with the interface's private address, or null.
const AddressRecord* elastic_ip_of(const Ec2& ec2, const Scope& scope, const std::string& interface_id,
                                   const std::string& private_ip);
// Makes it unassociated and touches the VPC.
void disassociate(Ec2& ec2, Tx& tx, const Scope& scope, const AddressRecord& address);

}  // namespace brume::ec2
