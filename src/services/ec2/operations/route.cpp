// The routes of a route table.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/cidr.h"
#include "services/ec2/endpoints.h"
#include "services/ec2/prefix_lists.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostRoutes = 500;

// A route's destination, in canonical form: a block or a prefix list.
struct Destination {
  std::string cidr, prefix_list;
  std::vector<std::string> blocks;  // that it stands for now
  const std::string& text() const { return cidr.empty() ? prefix_list : cidr; }
  bool is_of(const RouteRecord& route) const { return route.cidr == cidr && route.prefix_list == prefix_list; }
};

template <class Input>
Destination destination_of(const Ec2& ec2, const Scope& scope, const Input& input) {
  if (input.destination_ipv6_cidr_block) throw unsupported("DestinationIpv6CidrBlock");
  if (input.destination_prefix_list_id) {
    if (input.destination_cidr_block) {
      throw AwsError("InvalidParameterCombination",
                     "The parameter destinationCidrBlock may not be used with destinationPrefixListId");
    }
    const PrefixListFacts list = get_prefix_list(ec2, scope, *input.destination_prefix_list_id);
    return {.cidr = {}, .prefix_list = list.id, .blocks = list.cidrs};
  }
  if (!input.destination_cidr_block) throw missing_parameter("destinationCidrBlock");
  const std::optional<Cidr> cidr = parse_cidr(*input.destination_cidr_block);
  if (!cidr) {
    throw invalid_parameter("Value (" + *input.destination_cidr_block +
                            ") for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.");
  }
  return {.cidr = to_string(*cidr), .prefix_list = {}, .blocks = {to_string(*cidr)}};
}

template <class Input>
void refuse_unserved_targets(const Input& input) {
  const std::pair<std::string_view, const opt<std::string>*> targets[] = {
      {"VpcEndpointId", &input.vpc_endpoint_id},
      {"TransitGatewayId", &input.transit_gateway_id},
      {"LocalGatewayId", &input.local_gateway_id},
      {"CarrierGatewayId", &input.carrier_gateway_id},
      {"CoreNetworkArn", &input.core_network_arn},
      {"OdbNetworkArn", &input.odb_network_arn},
      {"EgressOnlyInternetGatewayId", &input.egress_only_internet_gateway_id},
      {"VpcPeeringConnectionId", &input.vpc_peering_connection_id},
  };
  for (const auto& [name, member] : targets) {
    if (member->has_value()) throw unsupported(name);
  }
  if constexpr (requires { input.local_target; }) {
    if (input.local_target.get()) throw unsupported("LocalTarget");
  }
  // Brume has no instances, so every instance id is unknown.
  if (input.instance_id) {
    throw AwsError("InvalidInstanceID.NotFound", "The instance ID '" + *input.instance_id + "' does not exist");
  }
  if (input.gateway_id && *input.gateway_id == "local") throw unsupported("GatewayId local");
}

AwsError different_networks(const RouteTableRecord& table, std::string_view what, const std::string& id) {
  return invalid_parameter("route table " + table.id + " and " + std::string(what) + " " + id +
                           " belong to different networks");
}

// The one target of the request, existing and in the table's VPC.
template <class Input>
std::string target_of(const Ec2& ec2, const Scope& scope, const RouteTableRecord& table, const Input& input) {
  refuse_unserved_targets(input);
  const int given = int{input.gateway_id.has_value()} + int{input.nat_gateway_id.has_value()} +
                    int{input.network_interface_id.has_value()};
  if (given != 1) {
    throw AwsError("InvalidParameterCombination",
                   "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId");
  }
  if (input.gateway_id) {
    if (!input.gateway_id->starts_with(kInternetGatewayId.prefix)) {
      throw AwsError("InvalidGatewayID.NotFound", "The gateway ID '" + *input.gateway_id + "' does not exist");
    }
    const InternetGatewayRecord& gateway = get(ec2.internet_gateways, scope, kInternetGatewayId, *input.gateway_id);
    if (gateway.vpc != table.vpc) throw different_networks(table, "network gateway", gateway.id);
    return gateway.id;
  }
  if (input.nat_gateway_id) {
    const NatGatewayRecord& gateway = get(ec2.nat_gateways, scope, kNatGatewayId, *input.nat_gateway_id);
    if (gateway.state != "pending" && gateway.state != "available") throw not_found(kNatGatewayId, gateway.id);
    if (gateway.vpc != table.vpc) throw different_networks(table, "NAT gateway", gateway.id);
    return gateway.id;
  }
  const InterfaceRecord& interface = get(ec2.interfaces, scope, kInterfaceId, *input.network_interface_id);
  if (interface.vpc != table.vpc) throw different_networks(table, "interface", interface.id);
  return interface.id;
}

bool is_local(const VpcRecord& vpc, const Destination& destination) {
  return std::ranges::any_of(vpc.cidrs, [&](const CidrAssociation& block) { return block.cidr == destination.cidr; });
}

// "CreateRoute": within the VPC's blocks, only a middlebox's interface may be a target.
void check_destination(const VpcRecord& vpc, const std::string& destination, const std::string& target) {
  const Cidr cidr = parse_cidr(destination).value();
  for (const CidrAssociation& block : vpc.cidrs) {
    if (!parse_cidr(block.cidr)->contains(cidr)) continue;
    if (target.starts_with(kInterfaceId.prefix) && block.cidr != destination) continue;
    throw invalid_parameter("The destination CIDR block " + destination +
                            " is equal to or more specific than one of this VPC's CIDR blocks. This route can target "
                            "only an interface or an instance.");
  }
}

auto find_route(const std::vector<RouteRecord>& routes, const Destination& destination) {
  return std::ranges::find_if(routes, [&](const RouteRecord& route) { return destination.is_of(route); });
}

// "Gateway endpoints": their routes come and go with the endpoint and the tables it names.
void refuse_endpoint_route(const Ec2& ec2, const Scope& scope, const RouteTableRecord& table,
                           const Destination& destination) {
  for (const RouteRecord& route : endpoint_routes(ec2, scope, table.id)) {
    if (!destination.is_of(route)) continue;
    throw invalid_parameter("Cannot create or replace a prefix list route targeting a VPC Endpoint.");
  }
}

// "Route table quotas": a prefix list counts as many routes as it may have entries.
std::size_t weight_of(const Ec2& ec2, const Scope& scope, const std::vector<RouteRecord>& routes) {
  std::size_t weight = 0;
  for (const RouteRecord& route : routes) {
    const std::optional<PrefixListFacts> list =
        route.prefix_list.empty() ? std::nullopt : find_prefix_list(ec2, scope, route.prefix_list);
    weight += list ? list->max_entries : 1;
  }
  return weight;
}

}  // namespace

CreateRouteOutput create_route(Ec2& ec2, Tx& tx, const Request<CreateRouteInput>& request) {
  begin(ec2, tx, request);
  const RouteTableRecord table =
      get(ec2.route_tables, request.scope, kRouteTableId, request.input.route_table_id.get());
  const Destination destination = destination_of(ec2, request.scope, request.input);
  const std::string target = target_of(ec2, request.scope, table, request.input);
  const VpcRecord& vpc = *ec2.vpcs.find(request.scope, table.vpc);
  const auto same = find_route(table.routes, destination);
  if (same != table.routes.end() && same->target == target) return {.return_ = true};
  if (same != table.routes.end() || is_local(vpc, destination)) {
    throw AwsError("RouteAlreadyExists", "The route identified by " + destination.text() + " already exists.");
  }
  refuse_endpoint_route(ec2, request.scope, table, destination);
  for (const std::string& block : destination.blocks) check_destination(vpc, block, target);
  std::vector<RouteRecord> routes = table.routes;
  routes.push_back({.cidr = destination.cidr, .target = target, .prefix_list = destination.prefix_list});
  if (weight_of(ec2, request.scope, routes) > kMostRoutes) {
    throw AwsError("RouteLimitExceeded", "The maximum number of routes has been reached.");
  }
  ec2.route_tables.modify(tx, request.scope, table.id,
                          [&](RouteTableRecord& record) { record.routes = std::move(routes); });
  ec2.touch(tx, request.scope, table.vpc);
  return {.return_ = true};
}

ReplaceRouteOutput replace_route(Ec2& ec2, Tx& tx, const Request<ReplaceRouteInput>& request) {
  begin(ec2, tx, request);
  const RouteTableRecord table =
      get(ec2.route_tables, request.scope, kRouteTableId, request.input.route_table_id.get());
  const Destination destination = destination_of(ec2, request.scope, request.input);
  const std::string target = target_of(ec2, request.scope, table, request.input);
  if (is_local(*ec2.vpcs.find(request.scope, table.vpc), destination)) {
    throw unsupported("the replacement of a local route");
  }
  refuse_endpoint_route(ec2, request.scope, table, destination);
  const auto found = find_route(table.routes, destination);
  if (found == table.routes.end()) {
    throw invalid_parameter("There is no route defined for '" + destination.text() +
                            "' in the route table. Use CreateRoute instead.");
  }
  const auto index = static_cast<std::size_t>(found - table.routes.begin());
  ec2.route_tables.modify(tx, request.scope, table.id,
                          [&](RouteTableRecord& record) { record.routes[index].target = target; });
  ec2.touch(tx, request.scope, table.vpc);
  return {};
}

DeleteRouteOutput delete_route(Ec2& ec2, Tx& tx, const Request<DeleteRouteInput>& request) {
  begin(ec2, tx, request);
  const RouteTableRecord table =
      get(ec2.route_tables, request.scope, kRouteTableId, request.input.route_table_id.get());
  const Destination destination = destination_of(ec2, request.scope, request.input);
  if (is_local(*ec2.vpcs.find(request.scope, table.vpc), destination)) {
    throw invalid_parameter("cannot remove local route " + destination.text() + " in route table " + table.id);
  }
  refuse_endpoint_route(ec2, request.scope, table, destination);
  if (find_route(table.routes, destination) == table.routes.end()) {
    throw AwsError("InvalidRoute.NotFound",
                   "no route with destination-cidr-block " + destination.text() + " in route table " + table.id);
  }
  ec2.route_tables.modify(tx, request.scope, table.id, [&](RouteTableRecord& record) {
    std::erase_if(record.routes, [&](const RouteRecord& route) { return destination.is_of(route); });
  });
  ec2.touch(tx, request.scope, table.vpc);
  return {};
}

}  // namespace brume::ec2
