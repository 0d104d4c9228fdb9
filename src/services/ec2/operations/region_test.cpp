#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

TEST(DescribeAvailabilityZones, ShowsThreeZones) {
  World world;
  const auto zones =
      world.call(describe_availability_zones, {.filters = filter("state", {"available"})}).availability_zones.get();
  ASSERT_EQ(zones.size(), 3u);
  EXPECT_EQ(*zones[0].zone_name, "eu-west-1a");
  EXPECT_EQ(*zones[0].opt_in_status, "opt-in-not-required");
  EXPECT_EQ(*zones[0].region_name, "eu-west-1");
  EXPECT_EQ(*zones[0].zone_type, "availability-zone");
  EXPECT_TRUE(zones[0].group_name.has_value());
  const auto one =
      world.call(describe_availability_zones, {.zone_ids = {{*zones[1].zone_id}}}).availability_zones.get();
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(*one[0].zone_name, "eu-west-1b");
  EXPECT_EQ(world.code(describe_availability_zones, {.zone_names = {{"us-east-1a"}}}), "InvalidParameterValue");
  EXPECT_EQ(world.code(describe_availability_zones, {.filters = filter("x", {"y"})}), "InvalidParameterValue");
}

TEST(DescribeRegions, ShowsThePartition) {
  World world;
  const auto one = world.call(describe_regions, {.region_names = {{"eu-west-1"}}}).regions.get();
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(*one[0].endpoint, "ec2.eu-west-1.amazonaws.com");
  EXPECT_EQ(*one[0].opt_in_status, "opt-in-not-required");
  EXPECT_EQ(world.code(describe_regions, {.region_names = {{"cn-north-1"}}}), "InvalidParameterValue");
  EXPECT_EQ(*world.call(describe_regions, {}, {"123456789012", "cn-north-1"}).regions->at(0).endpoint,
            "ec2.cn-north-1.amazonaws.com.cn");
  EXPECT_FALSE(world.call(describe_regions, {.filters = filter("opt-in-status", {"opted-in"})}).regions->empty());
}

TEST(Regions, ThatAwsHasNotAreRefused) {
  World world;
  EXPECT_EQ(world.code(describe_vpcs, {}, {"123456789012", "eu-west-9"}), "InvalidRegion");
  EXPECT_EQ(world.code(create_subnet, {.vpc_id = "vpc-1"}, {"123456789012", ""}), "InvalidRegion");
}

TEST(DescribeAccountAttributes, NamesTheDefaultVpc) {
  World world;
  const std::string vpc = *world.call(describe_vpcs, {}).vpcs->at(0).vpc_id;
  const auto output = world.call(describe_account_attributes, {.attribute_names = {{"default-vpc"}}});
  ASSERT_EQ(output.account_attributes->size(), 1u);
  EXPECT_EQ(*output.account_attributes->at(0).attribute_values->at(0).attribute_value, vpc);
  EXPECT_EQ(
      *world.call(describe_account_attributes, {}).account_attributes->at(0).attribute_values->at(0).attribute_value,
      "VPC");
}

TEST(DescribeDhcpOptions, ShowsTheDefaultSet) {
  World world;
  const auto options = world.call(describe_dhcp_options, {}).dhcp_options.get();
  ASSERT_EQ(options.size(), 1u);
  EXPECT_EQ(*options[0].dhcp_options_id, *world.call(describe_vpcs, {}).vpcs->at(0).dhcp_options_id);
  EXPECT_EQ(*options[0].dhcp_configurations->at(0).values->at(0).value, "eu-west-1.compute.internal");
  EXPECT_EQ(world.call(describe_dhcp_options, {.filters = filter("value", {"AmazonProvidedDNS"})}).dhcp_options->size(),
            1u);
  EXPECT_EQ(world.code(describe_dhcp_options, {.dhcp_options_ids = {{"dopt-0123456789abcdef0"}}}),
            "InvalidDhcpOptionID.NotFound");
  EXPECT_EQ(world.code(describe_dhcp_options, {.dhcp_options_ids = {{"x"}}}), "InvalidDhcpOptionsId.Malformed");
}

TEST(WhatBrumeHasNoneOf, IsEmptyAndEveryIdUnknown) {
  World world;
  EXPECT_TRUE(world.call(describe_instances, {}).reservations->empty());
  EXPECT_TRUE(world.call(describe_vpc_peering_connections, {}).vpc_peering_connections->empty());
  EXPECT_TRUE(world.call(describe_vpn_gateways, {}).vpn_gateways->empty());
  EXPECT_TRUE(world.call(describe_egress_only_internet_gateways, {}).egress_only_internet_gateways->empty());
  EXPECT_EQ(world.code(describe_instances, {.instance_ids = {{"i-0123456789abcdef0"}}}), "InvalidInstanceID.NotFound");
  EXPECT_EQ(world.code(describe_instances, {.instance_ids = {{"i"}}}), "InvalidInstanceID.Malformed");
}

TEST(DryRun, IsAnsweredByEveryKindOfOperation) {
  World world;
  EXPECT_EQ(world.code(describe_vpcs, {.dry_run = true}), "DryRunOperation");
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = "vpc-1", .dry_run = true}), "DryRunOperation");
  EXPECT_EQ(world.code(allocate_address, {.dry_run = true}), "DryRunOperation");
  EXPECT_EQ(world.code(describe_instances, {.dry_run = true}), "DryRunOperation");
  EXPECT_EQ(dry_run_operation().status, 412);
}

}  // namespace
}  // namespace brume::ec2
