// Where a load balancer is: its subnets, security groups and interfaces. Control thread.
#pragma once

#include <string>
#include <vector>

#include "gen/elbv2.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

// The subnets' ids out of a request that names them in either way. Throws ValidationError.
std::vector<std::string> requested_subnets(const opt<std::vector<std::string>>& subnets,
                                           const opt<std::vector<SubnetMapping>>& mappings);

// Checks that they exist, are of one VPC and of two zones at least, each of another. Throws AWS's codes.
std::vector<BalancerNetwork::Subnet> check_subnets(const Elbv2& elbv2, const Scope& scope,
                                                   const std::vector<std::string>& subnets);
// Checks that they exist in the VPC; the VPC's default group when there are none.
std::vector<std::string> check_groups(const Elbv2& elbv2, const Scope& scope, const std::string& vpc,
                                      const std::vector<std::string>& groups);

// Makes the interface of a load balancer in a subnet.
ZoneRecord place_in(Elbv2& elbv2, Tx& tx, const Scope& scope, const LoadBalancerRecord& record,
                    const BalancerNetwork::Subnet& subnet);

}  // namespace brume::elbv2
