// "Amazon VPC quotas": where each kind of thing stops, and that there is room again when one has gone.
#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

std::string block(int number) { return "10.0." + std::to_string(number) + ".0/24"; }

TEST(Quotas, SubnetsOfAVpc) {
  World world;
  const std::string vpc = world.vpc();
  std::string last;
  for (int i = 0; i < 200; ++i)
    last = *world.call(create_subnet, {.cidr_block = block(i), .vpc_id = vpc}).subnet->subnet_id;
  EXPECT_EQ(world.code(create_subnet, {.cidr_block = block(200), .vpc_id = vpc}), "SubnetLimitExceeded");
  world.call(create_subnet, {.cidr_block = block(200), .vpc_id = world.vpc()});  // the control: of another
  world.call(delete_subnet, {.subnet_id = last});
  world.call(create_subnet, {.cidr_block = block(200), .vpc_id = vpc});
}

TEST(Quotas, RouteTablesOfAVpc) {
  World world;
  const std::string vpc = world.vpc();  // its main one counts
  for (int i = 1; i < 200; ++i) world.call(create_route_table, {.vpc_id = vpc});
  EXPECT_EQ(world.code(create_route_table, {.vpc_id = vpc}), "RouteTableLimitExceeded");
  world.call(create_route_table, {.vpc_id = world.vpc()});
}

TEST(Quotas, RoutesOfATable) {
  World world;
  const std::string vpc = world.vpc();
  const std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  const std::string gateway = *world.call(create_internet_gateway, {}).internet_gateway->internet_gateway_id;
  world.call(attach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = vpc});
  const auto route = [&](int i) {
    CreateRouteInput input;
    input.destination_cidr_block = "44." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24";
    input.gateway_id = gateway;
    input.route_table_id = table;
    return input;
  };
  for (int i = 0; i < 500; ++i) world.call(create_route, route(i));
  EXPECT_EQ(world.code(create_route, route(500)), "RouteLimitExceeded");
  world.call(delete_route, {.route_table_id = table, .destination_cidr_block = "44.0.0.0/24"});
  world.call(create_route, route(500));
}

TEST(Quotas, NetworkAclsOfAVpc) {
  World world;
  const std::string vpc = world.vpc();  // its default one counts
  for (int i = 1; i < 200; ++i) world.call(create_network_acl, {.vpc_id = vpc});
  EXPECT_EQ(world.code(create_network_acl, {.vpc_id = vpc}), "NetworkAclLimitExceeded");
}

TEST(Quotas, InternetGatewaysAndSecurityGroupsOfARegion) {
  World world;
  for (int i = 0; i < 101; ++i) {
    const std::string code = world.code(create_internet_gateway, {});
    // The default VPC has one.
    EXPECT_TRUE(code.empty() || (i >= 99 && code == "InternetGatewayLimitExceeded")) << i << " " << code;
    if (i == 100) EXPECT_EQ(code, "InternetGatewayLimitExceeded");
  }
  const std::string vpc = world.vpc();
  std::string code;
  int made = 0;
  for (; made < 2600 && code.empty(); ++made)
    code = world.code(create_security_group,
                      {.description = "x", .group_name = "g" + std::to_string(made), .vpc_id = vpc});
  EXPECT_EQ(code, "SecurityGroupLimitExceeded");
  EXPECT_GT(made, 2490);
  EXPECT_LE(made, 2501);
}

}  // namespace
}  // namespace brume::ec2
