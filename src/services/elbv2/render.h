// A load balancer's records as the balancer plane's value. Control thread; reads records only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "planes/balancer/balancer.h"
#include "planes/names/names.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

// The namespace that the load balancer's interfaces are plugged into.
std::string sandbox_of(const LoadBalancerRecord& record);
// "ELB app/NAME/ID", the description of its interfaces.
std::string interface_description(const LoadBalancerRecord& record);

// What the plane is told. Its ids are the sixteen hex digits of ours; targets are "address:port".
balancer::LoadBalancer render(const Elbv2& elbv2, const Scope& scope, const LoadBalancerRecord& record);
// Its DNS name's records: the public addresses, or the private ones of an internal load balancer.
std::vector<names::Record> render_names(const LoadBalancerRecord& record);

}  // namespace brume::elbv2
