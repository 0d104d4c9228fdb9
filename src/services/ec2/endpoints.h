// Gateway endpoints: the routes they make, and which of them a request came by. Control thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/ec2/ec2.h"

namespace brume::ec2 {

// What a gateway endpoint without a policy of its own has.
inline constexpr std::string_view kFullAccess =
    R"({"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]})";

// The AWS-managed prefix list that is the endpoint's destination.
std::string prefix_list_of(const EndpointRecord& endpoint, std::string_view region);

// The routes that endpoints put into the table.
std::vector<RouteRecord> endpoint_routes(const Ec2& ec2, const Scope& scope, const std::string& route_table);
// The table goes: endpoints name it no longer.
void forget_route_table(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& route_table);

// The endpoint of the service by which packets of the subnet leave, or null.
const EndpointRecord* endpoint_of_subnet(const Ec2& ec2, const Scope& scope, const std::string& subnet_id,
                                         std::string_view service);

}  // namespace brume::ec2
