#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

TEST(CreateSubnet, ShowsWhatTerraformReads) {
  World world;
  const std::string vpc = world.vpc();
  const Subnet subnet = *world
                             .call(create_subnet, {.tag_specifications = tagged("subnet", "Name", "a"),
                                                   .availability_zone = "eu-west-1b",
                                                   .cidr_block = "10.0.1.77/24",
                                                   .vpc_id = vpc})
                             .subnet;
  EXPECT_EQ(*subnet.cidr_block, "10.0.1.0/24");
  EXPECT_EQ(*subnet.availability_zone, "eu-west-1b");
  EXPECT_TRUE(subnet.availability_zone_id->starts_with("euw1-az"));
  EXPECT_EQ(*subnet.available_ip_address_count, 251);
  EXPECT_EQ(*subnet.subnet_arn, "arn:aws:ec2:eu-west-1:123456789012:subnet/" + *subnet.subnet_id);
  EXPECT_FALSE(*subnet.map_public_ip_on_launch);
  EXPECT_FALSE(*subnet.assign_ipv6_address_on_creation);
  EXPECT_EQ(*subnet.private_dns_name_options_on_launch->hostname_type, "ip-name");
  EXPECT_EQ(*subnet.owner_id, kScope.account);
  EXPECT_EQ(*subnet.tags->at(0).value, "a");
}

TEST(CreateSubnet, TakesAZoneByIdOrSpreads) {
  World world;
  const std::string vpc = world.vpc();
  const std::string id = zones_of(kScope.region)[2].id;
  const auto by_id =
      world.call(create_subnet, {.availability_zone_id = id, .cidr_block = "10.0.0.0/24", .vpc_id = vpc});
  EXPECT_EQ(*by_id.subnet->availability_zone, "eu-west-1c");
  std::set<std::string> zones{"eu-west-1c"};
  for (const char* block : {"10.0.1.0/24", "10.0.2.0/24"}) {
    zones.insert(*world.call(create_subnet, {.cidr_block = block, .vpc_id = vpc}).subnet->availability_zone);
  }
  EXPECT_EQ(zones.size(), 3u);
}

TEST(CreateSubnet, RefusesWhatAwsRefuses) {
  World world;
  const std::string vpc = world.vpc();
  world.subnet(vpc, "10.0.1.0/24");
  const auto code = [&](const std::string& cidr) {
    return world.code(create_subnet, {.cidr_block = cidr, .vpc_id = vpc});
  };
  EXPECT_EQ(code("10.0.1.0/24"), "InvalidSubnet.Conflict");
  EXPECT_EQ(world.last_message, "The CIDR '10.0.1.0/24' conflicts with another subnet");
  EXPECT_EQ(code("10.0.0.0/16"), "InvalidSubnet.Conflict");
  EXPECT_EQ(code("10.0.1.128/25"), "InvalidSubnet.Conflict");
  EXPECT_EQ(code("10.1.0.0/24"), "InvalidSubnet.Range");
  EXPECT_EQ(code("10.0.0.0/15"), "InvalidSubnet.Range");
  EXPECT_EQ(code("10.0.2.0/29"), "InvalidSubnet.Range");
  EXPECT_EQ(code("garbage"), "InvalidParameterValue");
  EXPECT_EQ(world.code(create_subnet, {.vpc_id = vpc}), "MissingParameter");
  EXPECT_EQ(world.code(create_subnet, {.cidr_block = "10.0.2.0/24", .vpc_id = "vpc-0123456789abcdef0"}),
            "InvalidVpcID.NotFound");
  EXPECT_EQ(world.code(create_subnet, {.availability_zone = "eu-west-1z", .cidr_block = "10.0.2.0/24", .vpc_id = vpc}),
            "InvalidParameterValue");
  EXPECT_NE(world.last_message.find("eu-west-1a, eu-west-1b, eu-west-1c"), std::string::npos);
  EXPECT_EQ(world.code(create_subnet, {.cidr_block = "10.0.2.0/24", .ipv6_cidr_block = "2001:db8::/64", .vpc_id = vpc}),
            "UnsupportedOperation");
}

TEST(DeleteSubnet, IsRefusedWhileAnInterfaceIsInside) {
  World world;
  const std::string subnet = world.subnet(world.vpc());
  const std::string interface = world.interface(subnet);
  EXPECT_EQ(*world.call(describe_subnets, {.subnet_ids = {{subnet}}}).subnets->at(0).available_ip_address_count, 250);
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "DependencyViolation");
  world.call(delete_network_interface, {.network_interface_id = interface});
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "");
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "InvalidSubnetID.NotFound");
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = "subnet-1"}), "InvalidSubnetID.Malformed");
}

TEST(ModifySubnetAttribute, KeepsFlagsAndRefusesIpv6) {
  World world;
  const std::string subnet = world.subnet(world.vpc());
  world.call(modify_subnet_attribute,
             {.map_public_ip_on_launch = AttributeBooleanValue{.value = true}, .subnet_id = subnet});
  world.call(modify_subnet_attribute, {.subnet_id = subnet, .private_dns_hostname_type_on_launch = "resource-name"});
  world.call(
      modify_subnet_attribute,
      {.subnet_id = subnet, .enable_resource_name_dns_a_record_on_launch = AttributeBooleanValue{.value = true}});
  const Subnet shape = world.call(describe_subnets, {.subnet_ids = {{subnet}}}).subnets->at(0);
  EXPECT_TRUE(*shape.map_public_ip_on_launch);
  EXPECT_EQ(*shape.private_dns_name_options_on_launch->hostname_type, "resource-name");
  EXPECT_TRUE(*shape.private_dns_name_options_on_launch->enable_resource_name_dns_a_record);
  EXPECT_EQ(world.code(modify_subnet_attribute,
                       {.assign_ipv6_address_on_creation = AttributeBooleanValue{.value = true}, .subnet_id = subnet}),
            "UnsupportedOperation");
  // Terraform resets flags that it never set.
  EXPECT_EQ(
      world.code(modify_subnet_attribute, {.subnet_id = subnet, .enable_dns64 = AttributeBooleanValue{.value = false}}),
      "");
}

TEST(DescribeSubnets, Filters) {
  World world;
  const std::string vpc = world.vpc();
  const std::string a = world.subnet(vpc, "10.0.1.0/24", "eu-west-1a");
  const std::string b = world.subnet(vpc, "10.0.2.0/24", "eu-west-1b");
  const auto count = [&](std::vector<Filter> filters) {
    filters.push_back({.name = "vpc-id", .values = {{vpc}}});
    return world.call(describe_subnets, {.filters = filters}).subnets->size();
  };
  EXPECT_EQ(count({}), 2u);
  EXPECT_EQ(count(filter("availability-zone", {"eu-west-1a"})), 1u);
  EXPECT_EQ(count(filter("availabilityZone", {"eu-west-1a", "eu-west-1b"})), 2u);
  EXPECT_EQ(count(filter("cidrBlock", {"10.0.2.0/24"})), 1u);
  EXPECT_EQ(count(filter("subnet-id", {a})), 1u);
  EXPECT_EQ(count(filter("default-for-az", {"true"})), 0u);
  EXPECT_EQ(count(filter("available-ip-address-count", {"251"})), 2u);
  EXPECT_EQ(count(filter("subnet-arn", {"*" + b})), 1u);
  EXPECT_EQ(count(filter("private-dns-name-options-on-launch.hostname-type", {"ip-name"})), 2u);
  EXPECT_EQ(world.code(describe_subnets, {.filters = filter("x", {"y"})}), "InvalidParameterValue");
}

}  // namespace
}  // namespace brume::ec2
