#include "services/ec2/endpoints.h"

#include <algorithm>

#include "services/ec2/prefix_lists.h"

namespace brume::ec2 {

namespace {

bool names_table(const EndpointRecord& endpoint, const std::string& route_table) {
  return std::ranges::find(endpoint.route_tables, route_table) != endpoint.route_tables.end();
}

}  // namespace

std::string prefix_list_of(const EndpointRecord& endpoint, std::string_view region) {
  for (const AwsPrefixList& list : aws_prefix_lists(region)) {
    if (list.service == endpoint.service) return list.id;
  }
  return {};
}

std::vector<RouteRecord> endpoint_routes(const Ec2& ec2, const Scope& scope, const std::string& route_table) {
  std::vector<RouteRecord> routes;
  ec2.endpoints.for_each(scope, [&](const EndpointRecord& endpoint) {
    if (!names_table(endpoint, route_table)) return;
    routes.push_back({.cidr = {}, .target = endpoint.id, .prefix_list = prefix_list_of(endpoint, scope.region)});
  });
  return routes;
}

void forget_route_table(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& route_table) {
  for (const EndpointRecord* endpoint : ec2.endpoints.select(
           scope, [&](const EndpointRecord& endpoint) { return names_table(endpoint, route_table); })) {
    ec2.endpoints.modify(tx, scope, std::string(endpoint->id),
                         [&](EndpointRecord& record) { std::erase(record.route_tables, route_table); });
  }
}

const EndpointRecord* endpoint_of_subnet(const Ec2& ec2, const Scope& scope, const std::string& subnet_id,
                                         std::string_view service) {
  const SubnetRecord* subnet = ec2.subnets.find(scope, subnet_id);
  if (subnet == nullptr) return nullptr;
  const VpcRecord& vpc = *ec2.vpcs.find(scope, subnet->vpc);
  const std::string& table = subnet->route_table.empty() ? vpc.main_route_table : subnet->route_table;
  const auto found = ec2.endpoints.select(scope, [&](const EndpointRecord& endpoint) {
    return endpoint.service == service && names_table(endpoint, table);
  });
  return found.empty() ? nullptr : found.front();
}

}  // namespace brume::ec2
