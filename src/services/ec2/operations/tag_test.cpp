#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

std::vector<Tag> tag(std::string key, opt<std::string> value) {
  return {{.key = std::move(key), .value = std::move(value)}};
}

struct Resources {
  World world;
  std::string vpc = world.vpc();
  std::string subnet = world.subnet(vpc);
  std::string gateway = world.attached_gateway(vpc);
  std::string address = world.address();
  std::string nat =
      *world.call(create_nat_gateway, {.allocation_id = address, .subnet_id = subnet}).nat_gateway->nat_gateway_id;
  std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  std::string acl = *world.call(create_network_acl, {.vpc_id = vpc}).network_acl->network_acl_id;
  std::string group = world.group(vpc);
  std::string rule = *world.call(describe_security_group_rules, {.filters = filter("group-id", {group})})
                          .security_group_rules->at(0)
                          .security_group_rule_id;
  std::string interface = world.interface(subnet);
  std::string dhcp = *world.call(describe_dhcp_options, {}).dhcp_options->at(0).dhcp_options_id;
};

TEST(Tags, OnEveryResourceType) {
  Resources resources;
  World& world = resources.world;
  const std::map<std::string, std::string> types{{resources.vpc, "vpc"},
                                                 {resources.subnet, "subnet"},
                                                 {resources.gateway, "internet-gateway"},
                                                 {resources.address, "elastic-ip"},
                                                 {resources.nat, "natgateway"},
                                                 {resources.table, "route-table"},
                                                 {resources.acl, "network-acl"},
                                                 {resources.group, "security-group"},
                                                 {resources.rule, "security-group-rule"},
                                                 {resources.interface, "network-interface"},
                                                 {resources.dhcp, "dhcp-options"}};
  std::vector<std::string> ids;
  for (const auto& [id, type] : types) ids.push_back(id);
  world.call(create_tags, {.resources = ids, .tags = tag("Env", "prod")});
  const auto tags = world.call(describe_tags, {.filters = filter("key", {"Env"})}).tags.get();
  ASSERT_EQ(tags.size(), types.size());
  for (const TagDescription& item : tags) {
    EXPECT_EQ(types.at(*item.resource_id), *item.resource_type);
    EXPECT_EQ(*item.value, "prod");
  }
  const auto by_tag = filter("tag:Env", {"prod"});
  EXPECT_EQ(world.call(describe_vpcs, {.filters = by_tag}).vpcs->size(), 1u);
  EXPECT_EQ(world.call(describe_subnets, {.filters = by_tag}).subnets->size(), 1u);
  EXPECT_EQ(world.call(describe_internet_gateways, {.filters = by_tag}).internet_gateways->size(), 1u);
  EXPECT_EQ(world.call(describe_addresses, {.filters = by_tag}).addresses->size(), 1u);
  EXPECT_EQ(world.call(describe_nat_gateways, {.filter = by_tag}).nat_gateways->size(), 1u);
  EXPECT_EQ(world.call(describe_route_tables, {.filters = by_tag}).route_tables->size(), 1u);
  EXPECT_EQ(world.call(describe_network_acls, {.filters = by_tag}).network_acls->size(), 1u);
  EXPECT_EQ(world.call(describe_security_groups, {.filters = by_tag}).security_groups->size(), 1u);
  EXPECT_EQ(world.call(describe_security_group_rules, {.filters = by_tag}).security_group_rules->size(), 1u);
  EXPECT_EQ(world.call(describe_network_interfaces, {.filters = by_tag}).network_interfaces->size(), 1u);
  EXPECT_EQ(world.call(describe_dhcp_options, {.filters = by_tag}).dhcp_options->size(), 1u);
}

TEST(CreateTags, RefusesWhatAwsRefuses) {
  World world;
  const std::string vpc = world.vpc();
  const auto code = [&](std::vector<std::string> ids, std::vector<Tag> tags) {
    return world.code(create_tags, {.resources = std::move(ids), .tags = std::move(tags)});
  };
  EXPECT_EQ(code({"vpc-0123456789abcdef0"}, tag("a", "b")), "InvalidVpcID.NotFound");
  EXPECT_EQ(code({"nat-0123456789abcdef0"}, tag("a", "b")), "InvalidNatGatewayID.NotFound");
  EXPECT_EQ(code({"bucket"}, tag("a", "b")), "InvalidID");
  EXPECT_EQ(code({}, tag("a", "b")), "MissingParameter");
  EXPECT_EQ(code({vpc}, {}), "MissingParameter");
  EXPECT_EQ(code({vpc}, tag("aws:x", "b")), "InvalidParameterValue");
  EXPECT_EQ(code({vpc}, tag("", "b")), "InvalidParameterValue");
  EXPECT_EQ(code({vpc}, tag(std::string(129, 'k'), "b")), "InvalidParameterValue");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(code({vpc}, tag("k" + std::to_string(i), "v")), "");
  EXPECT_EQ(code({vpc}, tag("one-more", "v")), "TagLimitExceeded");
  EXPECT_EQ(code({vpc}, tag("k7", "other")), "");
  // All or nothing over several resources.
  EXPECT_EQ(code({vpc, "vpc-0123456789abcdef0"}, tag("k8", "other")), "InvalidVpcID.NotFound");
  EXPECT_TRUE(world.call(describe_tags, {.filters = filter("value", {"other"})}).tags->size() == 1);
}

TEST(DeleteTags, ByKeyByValueAndAll) {
  World world;
  const std::string vpc = world.vpc();
  world.call(create_tags,
             {.resources = {{vpc}},
              .tags = {{{.key = "a", .value = "1"}, {.key = "b", .value = "2"}, {.key = "c", .value = "3"}}}});
  const auto left = [&] { return world.call(describe_tags, {.filters = filter("resource-id", {vpc})}).tags->size(); };
  world.call(delete_tags, {.resources = {{vpc}}, .tags = tag("a", "other")});
  EXPECT_EQ(left(), 3u);
  world.call(delete_tags, {.resources = {{vpc}}, .tags = tag("a", "1")});
  EXPECT_EQ(left(), 2u);
  world.call(delete_tags, {.resources = {{vpc}}, .tags = tag("b", kNothing)});
  EXPECT_EQ(left(), 1u);
  world.call(delete_tags, {.resources = {{vpc}}});
  EXPECT_EQ(left(), 0u);
}

TEST(DescribeTags, PagesAndFilters) {
  World world;
  const std::string vpc = world.vpc();
  for (int i = 0; i < 12; ++i) {
    world.call(create_tags, {.resources = {{vpc}}, .tags = tag("k" + std::to_string(i), "v")});
  }
  std::set<std::string> keys;
  opt<std::string> token;
  do {
    const auto output = world.call(describe_tags, {.max_results = 5, .next_token = token});
    for (const TagDescription& item : output.tags.get()) EXPECT_TRUE(keys.insert(*item.key).second);
    token = output.next_token;
  } while (token);
  EXPECT_EQ(keys.size(), 12u);
  EXPECT_EQ(world.call(describe_tags, {.filters = filter("tag:k3", {"v"})}).tags->size(), 1u);
  EXPECT_EQ(world.call(describe_tags, {.filters = filter("resource-type", {"vpc"})}).tags->size(), 12u);
  EXPECT_EQ(world.code(describe_tags, {.filters = filter("nope", {"v"})}), "InvalidParameterValue");
}

}  // namespace
}  // namespace brume::ec2
