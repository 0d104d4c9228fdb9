// The Route 53 hosted zones of load balancers' DNS names, by region. Pure.
#pragma once

#include <string_view>

namespace brume::elbv2 {

// Of application load balancers ("Elastic Load Balancing endpoints and quotas" in the AWS General Reference).
std::string_view canonical_hosted_zone(std::string_view region);

}  // namespace brume::elbv2
