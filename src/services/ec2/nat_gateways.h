// What the reconciler observes of NAT gateways. Control thread, inside a transaction of the reconciler's own.
#pragma once

#include <string>

#include "services/ec2/ec2.h"

namespace brume::ec2 {

// "NatGateway": a deleted or failed gateway is shown for about an hour.
inline constexpr Duration kNatGatewayAfterlife = hours(1);

// The plane forwards its packets: pending becomes available.
void nat_gateway_applied(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id);
// The plane has it no more: its interface goes, its elastic IP is free, and it is shown as deleted for a while.
void nat_gateway_removed(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id);

}  // namespace brume::ec2
