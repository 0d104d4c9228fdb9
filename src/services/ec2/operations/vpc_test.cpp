#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

TEST(DefaultVpc, IsMadeAtFirstSightOfAnAccountInARegion) {
  World world;
  const auto vpcs = world.call(describe_vpcs, {}).vpcs.get();
  ASSERT_EQ(vpcs.size(), 1u);
  EXPECT_EQ(*vpcs[0].cidr_block, "172.31.0.0/16");
  EXPECT_TRUE(*vpcs[0].is_default);
  const auto subnets = world.call(describe_subnets, {}).subnets.get();
  ASSERT_EQ(subnets.size(), 3u);
  std::set<std::string> zones;
  std::set<std::string> blocks;
  for (const Subnet& subnet : subnets) {
    zones.insert(*subnet.availability_zone);
    blocks.insert(*subnet.cidr_block);
    EXPECT_TRUE(*subnet.default_for_az);
    EXPECT_TRUE(*subnet.map_public_ip_on_launch);
    EXPECT_EQ(*subnet.available_ip_address_count, 4091);
  }
  EXPECT_EQ(zones.size(), 3u);
  EXPECT_EQ(blocks, (std::set<std::string>{"172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"}));
  const auto gateways = world.call(describe_internet_gateways, {}).internet_gateways.get();
  ASSERT_EQ(gateways.size(), 1u);
  EXPECT_EQ(*gateways[0].attachments->at(0).state, "available");
  const auto tables = world.call(describe_route_tables, {}).route_tables.get();
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(*tables[0].routes->at(1).gateway_id, *gateways[0].internet_gateway_id);
}

TEST(DefaultVpc, EachAccountAndRegionHasItsOwn) {
  World world;
  const std::string first = *world.call(describe_vpcs, {}).vpcs->at(0).vpc_id;
  EXPECT_EQ(*world.call(describe_vpcs, {}).vpcs->at(0).vpc_id, first);
  const std::string other = *world.call(describe_vpcs, {}, {"210987654321", "eu-west-1"}).vpcs->at(0).vpc_id;
  EXPECT_NE(other, first);
  EXPECT_EQ(world.code(describe_vpcs, {.vpc_ids = {{other}}}), "InvalidVpcID.NotFound");
}

TEST(DefaultVpc, CanBeDeletedAndMadeAgain) {
  World world;
  EXPECT_EQ(world.code(create_default_vpc, {}), "DefaultVpcAlreadyExists");
  const std::string vpc = *world.call(describe_vpcs, {}).vpcs->at(0).vpc_id;
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = vpc}), "DependencyViolation");
  const std::string gateway = *world.call(describe_internet_gateways, {}).internet_gateways->at(0).internet_gateway_id;
  world.call(detach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = vpc});
  for (const Subnet& subnet : world.call(describe_subnets, {}).subnets.get()) {
    world.call(delete_subnet, {.subnet_id = subnet.subnet_id});
  }
  world.call(delete_vpc, {.vpc_id = vpc});
  EXPECT_TRUE(world.call(describe_vpcs, {}).vpcs->empty());
  EXPECT_EQ(world.code(create_security_group, {.description = "d", .group_name = "g"}), "VPCIdNotSpecified");
  EXPECT_EQ(world.code(create_default_subnet, {.availability_zone = "eu-west-1a"}), "DefaultVpcDoesNotExist");
  EXPECT_TRUE(*world.call(create_default_vpc, {}).vpc->is_default);
  EXPECT_EQ(world.call(describe_subnets, {}).subnets->size(), 3u);
  EXPECT_EQ(world.code(create_default_subnet, {.availability_zone = "eu-west-1a"}),
            "DefaultSubnetAlreadyExistsInAvailabilityZone");
}

TEST(CreateVpc, ShowsWhatTerraformReads) {
  World world;
  const Vpc vpc =
      *world.call(create_vpc, {.cidr_block = "10.0.5.7/16", .tag_specifications = tagged("vpc", "Name", "x")}).vpc;
  EXPECT_EQ(*vpc.cidr_block, "10.0.0.0/16");
  EXPECT_EQ(vpc.vpc_id->size(), 21u);
  EXPECT_EQ(*vpc.owner_id, kScope.account);
  EXPECT_EQ(*vpc.instance_tenancy, "default");
  EXPECT_TRUE(vpc.dhcp_options_id->starts_with("dopt-"));
  ASSERT_EQ(vpc.cidr_block_association_set->size(), 1u);
  EXPECT_TRUE(vpc.cidr_block_association_set->at(0).association_id->starts_with("vpc-cidr-assoc-"));
  EXPECT_EQ(*vpc.tags->at(0).key, "Name");
  const auto ids = filter("vpc-id", {*vpc.vpc_id});
  const auto acls = world.call(describe_network_acls, {.filters = ids}).network_acls.get();
  ASSERT_EQ(acls.size(), 1u);
  EXPECT_TRUE(*acls[0].is_default);
  const auto groups = world.call(describe_security_groups, {.filters = ids}).security_groups.get();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(*groups[0].group_name, "default");
  EXPECT_EQ(*groups[0].ip_permissions->at(0).user_id_group_pairs->at(0).group_id, *groups[0].group_id);
  EXPECT_EQ(*groups[0].ip_permissions_egress->at(0).ip_ranges->at(0).cidr_ip, "0.0.0.0/0");
  const auto tables = world.call(describe_route_tables, {.filters = filter("association.main", {"true"})}).route_tables;
  EXPECT_EQ(tables->size(), 2u);  // the default VPC's as well
}

TEST(CreateVpc, RefusesBlocks) {
  World world;
  EXPECT_EQ(world.code(create_vpc, {}), "MissingParameter");
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0"}), "InvalidParameterValue");
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/15"}), "InvalidVpc.Range");
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/29"}), "InvalidVpc.Range");
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "198.19.0.0/24"}), "InvalidVpc.Range");
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/16", .amazon_provided_ipv6_cidr_block = true}),
            "UnsupportedOperation");
  EXPECT_NE(world.last_message.find("AmazonProvidedIpv6CidrBlock"), std::string::npos);
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/16", .instance_tenancy = "dedicated"}),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/16", .tag_specifications = tagged("subnet", "a", "b")}),
            "InvalidParameterValue");
}

TEST(CreateVpc, DryRunChangesNothing) {
  World world;
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/16", .dry_run = true}), "DryRunOperation");
  EXPECT_EQ(world.call(describe_vpcs, {}).vpcs->size(), 1u);
}

TEST(CreateVpc, StopsAtTheLimit) {
  World world;
  for (int i = 0; i < 99; ++i) world.vpc();
  EXPECT_EQ(world.code(create_vpc, {.cidr_block = "10.0.0.0/16"}), "VpcLimitExceeded");
}

TEST(DeleteVpc, IsRefusedWhileAnythingIsInside) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = vpc}), "DependencyViolation");
  world.call(delete_subnet, {.subnet_id = subnet});
  const std::string group = world.group(vpc);
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = vpc}), "DependencyViolation");
  world.call(delete_security_group, {.group_id = group});
  const std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = vpc}), "DependencyViolation");
  world.call(delete_route_table, {.route_table_id = table});
  const std::string acl = *world.call(create_network_acl, {.vpc_id = vpc}).network_acl->network_acl_id;
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = vpc}), "DependencyViolation");
  world.call(delete_network_acl, {.network_acl_id = acl});
  world.call(delete_vpc, {.vpc_id = vpc});
  EXPECT_EQ(world.code(describe_vpcs, {.vpc_ids = {{vpc}}}), "InvalidVpcID.NotFound");
  EXPECT_TRUE(world.call(describe_security_groups, {.filters = filter("vpc-id", {vpc})}).security_groups->empty());
  EXPECT_TRUE(world.call(describe_network_acls, {.filters = filter("vpc-id", {vpc})}).network_acls->empty());
  EXPECT_TRUE(world.call(describe_route_tables, {.filters = filter("vpc-id", {vpc})}).route_tables->empty());
  EXPECT_EQ(world.call(describe_security_group_rules, {}).security_group_rules->size(), 2u);  // the default VPC's
}

TEST(DescribeVpcs, IdsAreChecked) {
  World world;
  EXPECT_EQ(world.code(describe_vpcs, {.vpc_ids = {{"vpc-0123456789abcdef0"}}}), "InvalidVpcID.NotFound");
  EXPECT_EQ(world.last_message, "The vpc ID 'vpc-0123456789abcdef0' does not exist");
  EXPECT_EQ(world.code(describe_vpcs, {.vpc_ids = {{"vpc-xyz"}}}), "InvalidVpcID.Malformed");
  EXPECT_EQ(world.code(describe_vpcs, {.vpc_ids = {{"subnet-0123456789abcdef0"}}}), "InvalidVpcID.Malformed");
}

TEST(DescribeVpcs, Filters) {
  World world;
  const std::string vpc =
      *world.call(create_vpc, {.cidr_block = "10.9.0.0/16", .tag_specifications = tagged("vpc", "Name", "blue-1")})
           .vpc->vpc_id;
  const auto found = [&](const std::string& name, const std::string& value) {
    std::vector<std::string> ids;
    for (const Vpc& item : world.call(describe_vpcs, {.filters = filter(name, {value})}).vpcs.get()) {
      ids.push_back(*item.vpc_id);
    }
    return ids;
  };
  const std::vector<std::string> only{vpc};
  EXPECT_EQ(found("cidr", "10.9.*"), only);
  EXPECT_EQ(found("cidr-block-association.cidr-block", "10.9.0.0/16"), only);
  EXPECT_EQ(found("tag:Name", "blue-?"), only);
  EXPECT_EQ(found("tag-key", "Name"), only);
  EXPECT_EQ(found("is-default", "false"), only);
  EXPECT_EQ(found("isDefault", "false"), only);
  EXPECT_EQ(found("vpc-id", vpc), only);
  EXPECT_EQ(found("state", "available").size(), 2u);
  EXPECT_TRUE(found("ipv6-cidr-block-association.state", "*").empty());
  EXPECT_EQ(world.code(describe_vpcs, {.filters = filter("colour", {"blue"})}), "InvalidParameterValue");
  EXPECT_EQ(world.last_message, "The filter 'colour' is invalid");
}

TEST(DescribeVpcs, Pages) {
  World world;
  for (int i = 0; i < 11; ++i) world.vpc();
  std::set<std::string> seen;
  opt<std::string> token;
  int pages = 0;
  do {
    const auto output = world.call(describe_vpcs, {.next_token = token, .max_results = 5});
    for (const Vpc& vpc : output.vpcs.get()) EXPECT_TRUE(seen.insert(*vpc.vpc_id).second);
    token = output.next_token;
    ++pages;
  } while (token);
  EXPECT_EQ(seen.size(), 12u);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(world.code(describe_vpcs, {.next_token = "forged"}), "InvalidNextToken");
  const std::string foreign = *world.call(describe_vpcs, {.max_results = 5}).next_token;
  EXPECT_EQ(world.code(describe_subnets, {.next_token = foreign}), "InvalidNextToken");
  EXPECT_EQ(world.code(describe_vpcs, {.next_token = foreign}, {"210987654321", "eu-west-1"}), "InvalidNextToken");
  EXPECT_EQ(world.code(describe_vpcs, {.max_results = 4}), "InvalidParameterValue");
  EXPECT_EQ(world.code(describe_vpcs, {.max_results = 1001}), "InvalidParameterValue");
}

TEST(VpcAttributes, AreChangedOneAtATime) {
  World world;
  const std::string vpc = world.vpc();
  const auto read = [&](const std::string& attribute) {
    const auto output = world.call(describe_vpc_attribute, {.attribute = attribute, .vpc_id = vpc});
    for (const auto* value :
         {&output.enable_dns_support, &output.enable_dns_hostnames, &output.enable_network_address_usage_metrics}) {
      if (*value) return *(*value)->value;
    }
    ADD_FAILURE();
    return false;
  };
  EXPECT_TRUE(read("enableDnsSupport"));
  EXPECT_FALSE(read("enableDnsHostnames"));
  EXPECT_FALSE(read("enableNetworkAddressUsageMetrics"));
  world.call(modify_vpc_attribute, {.enable_dns_hostnames = AttributeBooleanValue{.value = true}, .vpc_id = vpc});
  world.call(modify_vpc_attribute, {.enable_dns_support = AttributeBooleanValue{.value = false}, .vpc_id = vpc});
  EXPECT_TRUE(read("enableDnsHostnames"));
  EXPECT_FALSE(read("enableDnsSupport"));
  EXPECT_EQ(world.code(modify_vpc_attribute, {.enable_dns_hostnames = AttributeBooleanValue{.value = true},
                                              .enable_dns_support = AttributeBooleanValue{.value = true},
                                              .vpc_id = vpc}),
            "InvalidParameterCombination");
  EXPECT_EQ(world.code(modify_vpc_attribute, {.vpc_id = vpc}), "InvalidParameterCombination");
  EXPECT_EQ(world.code(describe_vpc_attribute, {.attribute = "x", .vpc_id = vpc}), "InvalidParameterValue");
}

TEST(ModifyVpcTenancy, TakesDefaultOnly) {
  World world;
  const std::string vpc = world.vpc();
  EXPECT_TRUE(*world.call(modify_vpc_tenancy, {.vpc_id = vpc, .instance_tenancy = "default"}).return_value);
  EXPECT_EQ(world.code(modify_vpc_tenancy, {.vpc_id = vpc, .instance_tenancy = "host"}), "UnsupportedTenancy");
}

TEST(SecondaryBlocks, AreAddedAndRemoved) {
  World world;
  const std::string vpc = world.vpc("10.0.0.0/16");
  const auto add = [&](const std::string& cidr) {
    return world.code(associate_vpc_cidr_block, {.cidr_block = cidr, .vpc_id = vpc});
  };
  EXPECT_EQ(add("10.1.0.0/16"), "");
  EXPECT_EQ(add("10.1.128.0/20"), "InvalidVpc.Conflict");
  EXPECT_EQ(add("172.16.0.0/16"), "InvalidVpc.Range");
  EXPECT_EQ(add("10.0.0.0/8"), "InvalidVpc.Range");
  EXPECT_EQ(add("x"), "InvalidParameterValue");
  EXPECT_EQ(add("10.2.0.0/16") + add("10.3.0.0/16") + add("10.4.0.0/16"), "");
  EXPECT_EQ(add("10.5.0.0/16"), "CidrLimitExceeded");
  const Vpc shape = world.call(describe_vpcs, {.vpc_ids = {{vpc}}}).vpcs->at(0);
  ASSERT_EQ(shape.cidr_block_association_set->size(), 5u);
  const auto association = [&](std::size_t i) { return *shape.cidr_block_association_set->at(i).association_id; };
  const std::string subnet = world.subnet(vpc, "10.1.3.0/24");
  EXPECT_EQ(world.code(disassociate_vpc_cidr_block, {.association_id = association(1)}), "InvalidCidrBlock.InUse");
  world.call(delete_subnet, {.subnet_id = subnet});
  EXPECT_EQ(world.code(disassociate_vpc_cidr_block, {.association_id = association(1)}), "");
  EXPECT_EQ(world.code(disassociate_vpc_cidr_block, {.association_id = association(1)}),
            "InvalidCidrBlockAssociationID.NotFound");
  EXPECT_EQ(world.code(disassociate_vpc_cidr_block, {.association_id = association(0)}), "OperationNotPermitted");
  // The local routes follow the blocks.
  const auto routes =
      world.call(describe_route_tables, {.filters = filter("vpc-id", {vpc})}).route_tables->at(0).routes;
  EXPECT_EQ(routes->size(), 4u);
}

}  // namespace
}  // namespace brume::ec2
