#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

std::string make_table(World& world, const std::string& vpc) {
  return *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
}
RouteTable show(World& world, const std::string& table) {
  return world.call(describe_route_tables, {.route_table_ids = {{table}}}).route_tables->at(0);
}

TEST(CreateRouteTable, StartsWithTheLocalRoute) {
  World world;
  const RouteTable table = show(world, make_table(world, world.vpc()));
  ASSERT_EQ(table.routes->size(), 1u);
  EXPECT_EQ(*table.routes->at(0).gateway_id, "local");
  EXPECT_EQ(*table.routes->at(0).destination_cidr_block, "10.0.0.0/16");
  EXPECT_EQ(*table.routes->at(0).origin, "CreateRouteTable");
  EXPECT_EQ(*table.routes->at(0).state, "active");
  EXPECT_TRUE(table.associations->empty());
}

TEST(CreateRouteTable, ClientTokenMakesItOnce) {
  World world;
  const std::string vpc = world.vpc();
  const auto make = [&](const std::string& in) {
    return *world.call(create_route_table, {.client_token = "t", .vpc_id = in}).route_table->route_table_id;
  };
  EXPECT_EQ(make(vpc), make(vpc));
  EXPECT_EQ(world.code(create_route_table, {.client_token = "t", .vpc_id = world.vpc()}),
            "IdempotentParameterMismatch");
}

TEST(AssociateRouteTable, MovesASubnetFromTheMainTable) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  const std::string table = make_table(world, vpc);
  const auto made = world.call(associate_route_table, {.subnet_id = subnet, .route_table_id = table});
  EXPECT_TRUE(made.association_id->starts_with("rtbassoc-"));
  EXPECT_EQ(*made.association_state->state, "associated");
  const auto again = world.call(associate_route_table, {.subnet_id = subnet, .route_table_id = table});
  EXPECT_EQ(*again.association_id, *made.association_id);
  EXPECT_EQ(world.code(associate_route_table, {.subnet_id = subnet, .route_table_id = make_table(world, vpc)}),
            "Resource.AlreadyAssociated");
  EXPECT_EQ(world.code(delete_route_table, {.route_table_id = table}), "DependencyViolation");
  const auto found = world.call(describe_route_tables,
                                {.filters = filter("association.route-table-association-id", {*made.association_id})});
  ASSERT_EQ(found.route_tables->size(), 1u);
  EXPECT_EQ(*found.route_tables->at(0).associations->at(0).subnet_id, subnet);
  EXPECT_FALSE(*found.route_tables->at(0).associations->at(0).main);
  world.call(disassociate_route_table, {.association_id = made.association_id});
  EXPECT_EQ(world.code(disassociate_route_table, {.association_id = made.association_id}),
            "InvalidAssociationID.NotFound");
  EXPECT_EQ(world.code(delete_route_table, {.route_table_id = table}), "");
}

TEST(AssociateRouteTable, RefusesOtherNetworksAndEdges) {
  World world;
  const std::string table = make_table(world, world.vpc());
  const std::string subnet = world.subnet(world.vpc());
  EXPECT_EQ(world.code(associate_route_table, {.subnet_id = subnet, .route_table_id = table}), "InvalidParameterValue");
  EXPECT_EQ(world.code(associate_route_table, {.gateway_id = "igw-1", .route_table_id = table}),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(associate_route_table, {.route_table_id = table}), "MissingParameter");
  EXPECT_EQ(world.code(associate_route_table, {.subnet_id = subnet, .route_table_id = "rtb-0123456789abcdef0"}),
            "InvalidRouteTableID.NotFound");
  EXPECT_EQ(world.code(associate_route_table, {.subnet_id = subnet, .route_table_id = "rtb"}),
            "InvalidRouteTableId.Malformed");
}

TEST(MainRouteTable, IsReplacedNotDisassociated) {
  World world;
  const std::string vpc = world.vpc();
  const auto main_of = [&] {
    return world
        .call(
            describe_route_tables,
            {.filters = {{{.name = "vpc-id", .values = {{vpc}}}, {.name = "association.main", .values = {{"true"}}}}}})
        .route_tables->at(0);
  };
  const RouteTable old = main_of();
  const std::string association = *old.associations->at(0).route_table_association_id;
  EXPECT_EQ(world.code(disassociate_route_table, {.association_id = association}), "InvalidParameterValue");
  const std::string table = make_table(world, vpc);
  const std::string made =
      *world.call(replace_route_table_association, {.association_id = association, .route_table_id = table})
           .new_association_id;
  EXPECT_NE(made, association);
  EXPECT_EQ(*main_of().route_table_id, table);
  EXPECT_EQ(world.code(delete_route_table, {.route_table_id = table}), "DependencyViolation");
  EXPECT_EQ(world.code(delete_route_table, {.route_table_id = old.route_table_id}), "");
  EXPECT_EQ(world.code(replace_route_table_association, {.association_id = association, .route_table_id = table}),
            "InvalidAssociationID.NotFound");
}

TEST(ReplaceRouteTableAssociation, OfASubnetGivesANewId) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  const std::string first = make_table(world, vpc);
  const std::string second = make_table(world, vpc);
  const auto made = world.call(associate_route_table, {.subnet_id = subnet, .route_table_id = first});
  const auto replaced =
      world.call(replace_route_table_association, {.association_id = made.association_id, .route_table_id = second});
  EXPECT_NE(*replaced.new_association_id, *made.association_id);
  EXPECT_TRUE(show(world, first).associations->empty());
  EXPECT_EQ(*show(world, second).associations->at(0).route_table_association_id, *replaced.new_association_id);
  EXPECT_EQ(world.code(replace_route_table_association, {.association_id = replaced.new_association_id,
                                                         .route_table_id = make_table(world, world.vpc())}),
            "InvalidParameterValue");
}

class Routes : public testing::Test {
 protected:
  World world;
  std::string vpc = world.vpc();
  std::string table = make_table(world, vpc);
  std::string gateway = world.attached_gateway(vpc);

  std::string add(const std::string& cidr, const std::string& target) {
    return world.code(create_route, {.route_table_id = table, .destination_cidr_block = cidr, .gateway_id = target});
  }
};

TEST_F(Routes, AreCreatedReplacedAndDeleted) {
  EXPECT_EQ(add("0.0.0.0/0", gateway), "");
  const Route route = show(world, table).routes->at(1);
  EXPECT_EQ(*route.gateway_id, gateway);
  EXPECT_EQ(*route.origin, "CreateRoute");
  EXPECT_EQ(*route.state, "active");
  EXPECT_FALSE(route.nat_gateway_id);
  EXPECT_EQ(add("0.0.0.0/0", gateway), "");  // the same again
  const std::string interface = world.interface(world.subnet(vpc));
  EXPECT_EQ(
      world.code(create_route,
                 {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0", .network_interface_id = interface}),
      "RouteAlreadyExists");
  world.call(replace_route,
             {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0", .network_interface_id = interface});
  EXPECT_EQ(*show(world, table).routes->at(1).network_interface_id, interface);
  EXPECT_FALSE(show(world, table).routes->at(1).gateway_id);
  world.call(delete_route, {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0"});
  EXPECT_EQ(show(world, table).routes->size(), 1u);
  EXPECT_EQ(world.code(delete_route, {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0"}),
            "InvalidRoute.NotFound");
  EXPECT_EQ(world.code(replace_route,
                       {.route_table_id = table, .destination_cidr_block = "1.0.0.0/8", .gateway_id = gateway}),
            "InvalidParameterValue");
}

TEST_F(Routes, CanonicalDestination) {
  EXPECT_EQ(add("192.168.7.9/16", gateway), "");
  EXPECT_EQ(*show(world, table).routes->at(1).destination_cidr_block, "192.168.0.0/16");
}

TEST_F(Routes, LocalOnesAreKept) {
  EXPECT_EQ(add("10.0.0.0/16", gateway), "RouteAlreadyExists");
  EXPECT_EQ(add("10.0.1.0/24", gateway), "InvalidParameterValue");
  EXPECT_EQ(world.code(delete_route, {.route_table_id = table, .destination_cidr_block = "10.0.0.0/16"}),
            "InvalidParameterValue");
  EXPECT_EQ(world.code(create_route, {.route_table_id = table,
                                      .destination_cidr_block = "10.0.1.0/24",
                                      .network_interface_id = world.interface(world.subnet(vpc))}),
            "");
}

TEST_F(Routes, TargetsAreChecked) {
  EXPECT_EQ(add("1.0.0.0/8", "igw-0123456789abcdef0"), "InvalidInternetGatewayID.NotFound");
  EXPECT_EQ(add("1.0.0.0/8", "vgw-0123456789abcdef0"), "InvalidGatewayID.NotFound");
  EXPECT_EQ(add("1.0.0.0/8", world.attached_gateway(world.vpc())), "InvalidParameterValue");
  EXPECT_EQ(add("nonsense", gateway), "InvalidParameterValue");
  const auto code = [&](CreateRouteInput input) {
    input.route_table_id = table;
    if (!input.destination_ipv6_cidr_block) input.destination_cidr_block = "1.0.0.0/8";
    return world.code(create_route, input);
  };
  EXPECT_EQ(code({}), "InvalidParameterCombination");
  EXPECT_EQ(code({.gateway_id = gateway, .nat_gateway_id = "nat-1"}), "InvalidParameterCombination");
  EXPECT_EQ(code({.nat_gateway_id = "nat-0123456789abcdef0"}), "InvalidNatGatewayID.NotFound");
  EXPECT_EQ(code({.network_interface_id = "eni-0123456789abcdef0"}), "InvalidNetworkInterfaceID.NotFound");
  EXPECT_EQ(code({.instance_id = "i-0123456789abcdef0"}), "InvalidInstanceID.NotFound");
  EXPECT_EQ(code({.transit_gateway_id = "tgw-1"}), "UnsupportedOperation");
  EXPECT_EQ(world.last_message, "Brume does not serve TransitGatewayId.");
  EXPECT_EQ(code({.destination_ipv6_cidr_block = "::/0"}), "UnsupportedOperation");
}

TEST_F(Routes, AreBlackHolesWhenTheTargetIsGone) {
  ASSERT_EQ(add("0.0.0.0/0", gateway), "");
  const std::string interface = world.interface(world.subnet(vpc));
  world.call(create_route,
             {.route_table_id = table, .destination_cidr_block = "1.0.0.0/8", .network_interface_id = interface});
  world.call(detach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = vpc});
  world.call(delete_network_interface, {.network_interface_id = interface});
  EXPECT_EQ(*show(world, table).routes->at(1).state, "blackhole");
  EXPECT_EQ(*show(world, table).routes->at(2).state, "blackhole");
  const auto found = world.call(describe_route_tables, {.filters = filter("route.state", {"blackhole"})});
  EXPECT_EQ(found.route_tables->size(), 1u);
}

}  // namespace
}  // namespace brume::ec2
