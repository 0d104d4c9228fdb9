// Route tables and their associations.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/endpoints.h"
#include "services/ec2/render.h"
#include "services/ec2/tag_specifications.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostTablesPerVpc = 200;
const RouteTableAssociationState kAssociated{.state = "associated"};

Route route_shape(const Ec2& ec2, const Scope& scope, const RouteTableRecord& table, const RouteRecord& route) {
  const bool active = fate_of(ec2, scope, table.vpc, route) != RouteFate::blackhole;
  Route shape{.origin = "CreateRoute", .state = active ? "active" : "blackhole"};
  if (!route.cidr.empty()) shape.destination_cidr_block = route.cidr;
  if (!route.prefix_list.empty()) shape.destination_prefix_list_id = route.prefix_list;
  if (route.target.starts_with("vpce-")) shape.gateway_id = route.target;
  if (route.target.starts_with("igw-")) shape.gateway_id = route.target;
  if (route.target.starts_with("nat-")) shape.nat_gateway_id = route.target;
  if (route.target.starts_with("eni-")) shape.network_interface_id = route.target;
  return shape;
}

RouteTable table_shape(const Ec2& ec2, const Scope& scope, const RouteTableRecord& table) {
  RouteTable shape{
      .route_table_id = table.id, .tags = tags_to<Tag>(table.tags), .vpc_id = table.vpc, .owner_id = scope.account};
  const VpcRecord& vpc = *ec2.vpcs.find(scope, table.vpc);
  auto& associations = shape.associations.ensure();
  if (vpc.main_route_table == table.id) {
    associations.push_back({.main = true,
                            .route_table_association_id = vpc.main_association,
                            .route_table_id = table.id,
                            .association_state = kAssociated});
  }
  for (const SubnetRecord* subnet : subnets_of(ec2, scope, table.vpc)) {
    if (subnet->route_table != table.id) continue;
    associations.push_back({.main = false,
                            .route_table_association_id = subnet->route_table_association,
                            .route_table_id = table.id,
                            .subnet_id = subnet->id,
                            .association_state = kAssociated});
  }
  shape.propagating_vgws.ensure();
  auto& routes = shape.routes.ensure();
  for (const CidrAssociation& block : vpc.cidrs) {
    routes.push_back(
        {.destination_cidr_block = block.cidr, .gateway_id = "local", .origin = "CreateRouteTable", .state = "active"});
  }
  for (const RouteRecord& route : table.routes) routes.push_back(route_shape(ec2, scope, table, route));
  for (const RouteRecord& route : endpoint_routes(ec2, scope, table.id)) {
    routes.push_back(route_shape(ec2, scope, table, route));
  }
  return shape;
}

template <class Member>
Values of_routes(const RouteTable& table, Member Route::* member) {
  return each(table.routes, [&](const Route& route) { return one(route.*member); });
}

const FilterField<RouteTable> kFilters[] = {
    {"association.gateway-id", none<RouteTable>},
    {"association.main",
     [](const RouteTable& table) {
       return each(table.associations, [](const auto& item) { return flag(item.main); });
     }},
    {"association.route-table-association-id",
     [](const RouteTable& table) {
       return each(table.associations, [](const auto& item) { return one(item.route_table_association_id); });
     }},
    {"association.route-table-id",
     [](const RouteTable& table) {
       return each(table.associations, [](const auto& item) { return one(item.route_table_id); });
     }},
    {"association.subnet-id",
     [](const RouteTable& table) {
       return each(table.associations, [](const auto& item) { return one(item.subnet_id); });
     }},
    {"owner-id", [](const RouteTable& table) { return one(table.owner_id); }},
    {"route-table-id", [](const RouteTable& table) { return one(table.route_table_id); }},
    {"route.destination-cidr-block",
     [](const RouteTable& table) { return of_routes(table, &Route::destination_cidr_block); }},
    {"route.destination-ipv6-cidr-block", none<RouteTable>},
    {"route.destination-prefix-list-id",
     [](const RouteTable& table) { return of_routes(table, &Route::destination_prefix_list_id); }},
    {"route.egress-only-internet-gateway-id", none<RouteTable>},
    {"route.gateway-id", [](const RouteTable& table) { return of_routes(table, &Route::gateway_id); }},
    {"route.instance-id", none<RouteTable>},
    {"route.nat-gateway-id", [](const RouteTable& table) { return of_routes(table, &Route::nat_gateway_id); }},
    {"route.network-interface-id",
     [](const RouteTable& table) { return of_routes(table, &Route::network_interface_id); }},
    {"route.origin", [](const RouteTable& table) { return of_routes(table, &Route::origin); }},
    {"route.state", [](const RouteTable& table) { return of_routes(table, &Route::state); }},
    {"route.transit-gateway-id", none<RouteTable>},
    {"route.vpc-peering-connection-id", none<RouteTable>},
    {"vpc-id", [](const RouteTable& table) { return one(table.vpc_id); }},
};

const SubnetRecord* find_associated_subnet(const Ec2& ec2, const Scope& scope, const std::string& association) {
  const auto found = ec2.subnets.select(
      scope, [&](const SubnetRecord& subnet) { return subnet.route_table_association == association; });
  return found.empty() || association.empty() ? nullptr : found.front();
}

const VpcRecord* find_main_association(const Ec2& ec2, const Scope& scope, const std::string& association) {
  const auto found = ec2.vpcs.select(scope, [&](const VpcRecord& vpc) { return vpc.main_association == association; });
  return found.empty() ? nullptr : found.front();
}

AwsError different_networks(const std::string& table, const std::string& subnet) {
  return invalid_parameter("Route table " + table + " and subnet " + subnet + " belong to different networks");
}

}  // namespace

CreateRouteTableOutput create_route_table(Ec2& ec2, Tx& tx, const Request<CreateRouteTableInput>& request) {
  begin(ec2, tx, request);
  const CreateRouteTableInput& input = request.input;
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, input.vpc_id.get());
  Tags tags = tags_for(input.tag_specifications.get(), "route-table");
  const auto same = [&](const RouteTableRecord& other) { return other.vpc == vpc.id; };
  if (const RouteTableRecord* made = find_by_token(ec2.route_tables, request.scope, input.client_token, same)) {
    return {.route_table = table_shape(ec2, request.scope, *made), .client_token = input.client_token};
  }
  const auto in_vpc = [&](const RouteTableRecord& other) { return other.vpc == vpc.id; };
  if (ec2.route_tables.select(request.scope, in_vpc).size() >= kMostTablesPerVpc) {
    throw AwsError("RouteTableLimitExceeded", "The maximum number of route tables has been reached.");
  }
  const std::string id = ec2.new_id(kRouteTableId);
  const RouteTableRecord& table = ec2.route_tables.insert(
      tx, request.scope, id,
      {.id = id, .vpc = vpc.id, .client_token = input.client_token.get(), .tags = std::move(tags)});
  return {.route_table = table_shape(ec2, request.scope, table), .client_token = input.client_token};
}

DeleteRouteTableOutput delete_route_table(Ec2& ec2, Tx& tx, const Request<DeleteRouteTableInput>& request) {
  begin(ec2, tx, request);
  const RouteTableRecord table =
      get(ec2.route_tables, request.scope, kRouteTableId, request.input.route_table_id.get());
  const auto uses = [&](const SubnetRecord& subnet) { return subnet.route_table == table.id; };
  const bool is_main = ec2.vpcs.find(request.scope, table.vpc)->main_route_table == table.id;
  if (is_main || !ec2.subnets.select(request.scope, uses).empty()) {
    throw dependency_violation("The routeTable '" + table.id + "' has dependencies and cannot be deleted.");
  }
  forget_route_table(ec2, tx, request.scope, table.id);
  ec2.route_tables.erase(tx, request.scope, table.id);
  ec2.touch(tx, request.scope, table.vpc);
  return {};
}

DescribeRouteTablesOutput describe_route_tables(Ec2& ec2, Tx& tx, const Request<DescribeRouteTablesInput>& request) {
  begin(ec2, tx, request);
  DescribeRouteTablesOutput output;
  const auto records = candidates(ec2.route_tables, request.scope, kRouteTableId, request.input.route_table_ids.get(),
                                  filters_of(request.input));
  output.next_token = show_page(ec2, request, "DescribeRouteTables", kFilters, records, output.route_tables.ensure(),
                                [&](const RouteTableRecord& table) { return table_shape(ec2, request.scope, table); });
  return output;
}

AssociateRouteTableOutput associate_route_table(Ec2& ec2, Tx& tx, const Request<AssociateRouteTableInput>& request) {
  begin(ec2, tx, request);
  const AssociateRouteTableInput& input = request.input;
  if (input.gateway_id) throw unsupported("edge associations (GatewayId)");
  if (input.public_ipv4_pool) throw unsupported("PublicIpv4Pool");
  if (!input.subnet_id) throw missing_parameter("subnetId");
  const RouteTableRecord& table = get(ec2.route_tables, request.scope, kRouteTableId, input.route_table_id.get());
  const SubnetRecord& subnet = get(ec2.subnets, request.scope, kSubnetId, *input.subnet_id);
  if (subnet.vpc != table.vpc) throw different_networks(table.id, subnet.id);
  // The same association again is answered with its id.
  if (subnet.route_table == table.id) {
    return {.association_id = subnet.route_table_association, .association_state = kAssociated};
  }
  if (!subnet.route_table.empty()) {
    throw AwsError("Resource.AlreadyAssociated",
                   "the specified association for route table " + table.id + " conflicts with an existing association");
  }
  const std::string association = ec2.random.ec2_id("rtbassoc-");
  ec2.subnets.modify(tx, request.scope, std::string(subnet.id), [&](SubnetRecord& record) {
    record.route_table = table.id;
    record.route_table_association = association;
  });
  ec2.touch(tx, request.scope, table.vpc);
  return {.association_id = association, .association_state = kAssociated};
}

DisassociateRouteTableOutput disassociate_route_table(Ec2& ec2, Tx& tx,
                                                      const Request<DisassociateRouteTableInput>& request) {
  begin(ec2, tx, request);
  const std::string& id = request.input.association_id.get();
  if (find_main_association(ec2, request.scope, id) != nullptr) {
    throw invalid_parameter("cannot disassociate the main route table association " + id);
  }
  const SubnetRecord* subnet = find_associated_subnet(ec2, request.scope, id);
  if (subnet == nullptr) throw not_found(kAssociationId, id);
  ec2.touch(tx, request.scope, subnet->vpc);
  ec2.subnets.modify(tx, request.scope, std::string(subnet->id), [](SubnetRecord& record) {
    record.route_table.clear();
    record.route_table_association.clear();
  });
  return {};
}

ReplaceRouteTableAssociationOutput replace_route_table_association(
    Ec2& ec2, Tx& tx, const Request<ReplaceRouteTableAssociationInput>& request) {
  begin(ec2, tx, request);
  const std::string& id = request.input.association_id.get();
  const VpcRecord* vpc = find_main_association(ec2, request.scope, id);
  const SubnetRecord* subnet = find_associated_subnet(ec2, request.scope, id);
  if (vpc == nullptr && subnet == nullptr) throw not_found(kAssociationId, id);
  const RouteTableRecord& table =
      get(ec2.route_tables, request.scope, kRouteTableId, request.input.route_table_id.get());
  if (table.vpc != (vpc != nullptr ? vpc->id : subnet->vpc)) {
    throw different_networks(table.id, vpc != nullptr ? vpc->id : subnet->id);
  }
  const std::string association = ec2.random.ec2_id("rtbassoc-");
  if (vpc != nullptr) {
    ec2.vpcs.modify(tx, request.scope, std::string(vpc->id), [&](VpcRecord& record) {
      record.main_route_table = table.id;
      record.main_association = association;
    });
  } else {
    ec2.subnets.modify(tx, request.scope, std::string(subnet->id), [&](SubnetRecord& record) {
      record.route_table = table.id;
      record.route_table_association = association;
    });
  }
  ec2.touch(tx, request.scope, table.vpc);
  return {.new_association_id = association, .association_state = kAssociated};
}

}  // namespace brume::ec2
