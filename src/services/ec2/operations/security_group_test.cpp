#include <gtest/gtest.h>

#include <set>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

IpPermission tcp(std::int64_t port) { return {.ip_protocol = "tcp", .from_port = port, .to_port = port}; }
IpPermission from_block(IpPermission permission, std::string cidr, opt<std::string> description = kNothing) {
  permission.ip_ranges.ensure().push_back({.description = std::move(description), .cidr_ip = std::move(cidr)});
  return permission;
}
IpPermission from_group(IpPermission permission, std::string group, opt<std::string> description = kNothing) {
  permission.user_id_group_pairs.ensure().push_back(
      {.description = std::move(description), .group_id = std::move(group)});
  return permission;
}

class SecurityGroups : public testing::Test {
 protected:
  World world;
  std::string vpc = world.vpc();
  std::string id = world.group(vpc);

  SecurityGroup show(const std::string& group) {
    return world.call(describe_security_groups, {.group_ids = {{group}}}).security_groups->at(0);
  }
  std::vector<SecurityGroupRule> rules(const std::string& group) {
    return world.call(describe_security_group_rules, {.filters = filter("group-id", {group})})
        .security_group_rules.get();
  }
  std::string allow(std::vector<IpPermission> permissions) {
    return world.code(authorize_security_group_ingress, {.group_id = id, .ip_permissions = std::move(permissions)});
  }
  std::string revoke(std::vector<IpPermission> permissions) {
    return world.code(revoke_security_group_ingress, {.group_id = id, .ip_permissions = std::move(permissions)});
  }
};

TEST_F(SecurityGroups, StartWithTheDefaultEgressRuleThatTerraformRevokes) {
  const SecurityGroup group = show(id);
  EXPECT_TRUE(group.ip_permissions->empty());
  ASSERT_EQ(group.ip_permissions_egress->size(), 1u);
  EXPECT_EQ(*group.ip_permissions_egress->at(0).ip_protocol, "-1");
  EXPECT_FALSE(group.ip_permissions_egress->at(0).from_port);
  EXPECT_EQ(*group.security_group_arn, "arn:aws:ec2:eu-west-1:123456789012:security-group/" + id);
  world.call(revoke_security_group_egress,
             {.group_id = id, .ip_permissions = {{from_block({.ip_protocol = "-1"}, "0.0.0.0/0")}}});
  IpPermission everything6{.ip_protocol = "-1"};
  everything6.ipv6_ranges.ensure().push_back({.cidr_ipv6 = "::/0"});
  EXPECT_EQ(world.code(revoke_security_group_egress, {.group_id = id, .ip_permissions = {{everything6}}}),
            "InvalidPermission.NotFound");
  EXPECT_TRUE(show(id).ip_permissions_egress->empty());
}

TEST_F(SecurityGroups, NamesAreUniqueInTheVpcAndChecked) {
  const auto code = [&](const std::string& name, const std::string& description = "d") {
    return world.code(create_security_group, {.description = description, .group_name = name, .vpc_id = vpc});
  };
  EXPECT_EQ(code("web"), "InvalidGroup.Duplicate");
  EXPECT_EQ(code("default"), "InvalidParameterValue");
  EXPECT_EQ(code("sg-mine"), "InvalidParameterValue");
  EXPECT_EQ(code("gr\xc3\xbcn"), "InvalidParameterValue");
  EXPECT_EQ(code("ok", std::string(256, 'x')), "InvalidParameterValue");
  EXPECT_EQ(code("ok", ""), "InvalidParameterValue");
  EXPECT_EQ(world.code(create_security_group, {.description = "d", .group_name = "web", .vpc_id = world.vpc()}), "");
}

TEST_F(SecurityGroups, AreDeletedWhenNobodyUsesThem) {
  const std::string other = world.group(vpc, "other");
  world.call(authorize_security_group_ingress, {.group_id = other, .ip_permissions = {{from_group(tcp(80), id)}}});
  EXPECT_EQ(world.code(delete_security_group, {.group_id = id}), "DependencyViolation");
  EXPECT_EQ(world.last_message, "resource " + id + " has a dependent object");
  world.call(delete_security_group, {.group_id = other});
  const std::string interface =
      *world.call(create_network_interface, {.subnet_id = world.subnet(vpc), .groups = {{id}}})
           .network_interface->network_interface_id;
  EXPECT_EQ(world.code(delete_security_group, {.group_id = id}), "DependencyViolation");
  world.call(delete_network_interface, {.network_interface_id = interface});
  allow({from_group(tcp(80), id)});  // a reference to itself holds nothing
  EXPECT_EQ(world.code(delete_security_group, {.group_id = id}), "");
  EXPECT_EQ(world.code(describe_security_groups, {.group_ids = {{id}}}), "InvalidGroup.NotFound");
  EXPECT_TRUE(rules(id).empty());
  EXPECT_EQ(world.code(delete_security_group, {.group_id = "sg-1"}), "InvalidGroupId.Malformed");
  EXPECT_EQ(world.code(delete_security_group, {}), "MissingParameter");
  const std::string own =
      *world.call(describe_security_groups, {.filters = filter("vpc-id", {vpc})}).security_groups->at(0).group_id;
  EXPECT_EQ(world.code(delete_security_group, {.group_id = own}), "CannotDelete");
}

TEST_F(SecurityGroups, RulesKeepDescriptionsInBothStyles) {
  const std::string peer = world.group(vpc, "lb");
  const auto made =
      world.call(authorize_security_group_ingress,
                 {.group_id = id,
                  .ip_permissions = {{from_group(from_block(tcp(8000), "10.1.2.3/8", "net"), peer, "lb")}},
                  .tag_specifications = tagged("security-group-rule", "Name", "in")});
  ASSERT_EQ(made.security_group_rules->size(), 2u);
  const SecurityGroupRule& rule = made.security_group_rules->at(0);
  EXPECT_TRUE(rule.security_group_rule_id->starts_with("sgr-"));
  EXPECT_EQ(*rule.cidr_ipv4, "10.0.0.0/8");
  EXPECT_EQ(*rule.description, "net");
  EXPECT_FALSE(*rule.is_egress);
  EXPECT_EQ(*rule.tags->at(0).value, "in");
  EXPECT_EQ(*made.security_group_rules->at(1).referenced_group_info->group_id, peer);
  EXPECT_EQ(*made.security_group_rules->at(1).description, "lb");
  ASSERT_EQ(show(id).ip_permissions->size(), 1u);
  const IpPermission item = show(id).ip_permissions->at(0);
  EXPECT_EQ(*item.ip_ranges->at(0).description, "net");
  EXPECT_EQ(*item.user_id_group_pairs->at(0).description, "lb");
  EXPECT_EQ(*item.user_id_group_pairs->at(0).user_id, kScope.account);
}

TEST_F(SecurityGroups, AllProtocolsHavePortsMinusOne) {
  const auto made =
      world.call(authorize_security_group_egress,
                 {.group_id = id,
                  .ip_permissions = {{from_block({.ip_protocol = "-1", .from_port = 0, .to_port = 0}, "10.0.0.0/8")}}});
  EXPECT_EQ(*made.security_group_rules->at(0).from_port, -1);
  EXPECT_EQ(*made.security_group_rules->at(0).to_port, -1);
  EXPECT_TRUE(*made.security_group_rules->at(0).is_egress);
}

TEST_F(SecurityGroups, SimpleMembersMakeARule) {
  world.call(authorize_security_group_ingress,
             {.cidr_ip = "1.2.3.4/32", .from_port = 22, .group_id = id, .ip_protocol = "6", .to_port = 22});
  ASSERT_EQ(show(id).ip_permissions->size(), 1u);
  EXPECT_EQ(*show(id).ip_permissions->at(0).ip_protocol, "tcp");
  world.call(revoke_security_group_ingress,
             {.cidr_ip = "1.2.3.4/32", .from_port = 22, .group_id = id, .ip_protocol = "tcp", .to_port = 22});
  EXPECT_TRUE(show(id).ip_permissions->empty());
  EXPECT_EQ(world.code(authorize_security_group_ingress, {.group_id = id}), "MissingParameter");
}

TEST_F(SecurityGroups, DuplicatesAreRefused) {
  ASSERT_EQ(allow({from_block(tcp(80), "0.0.0.0/0", "a")}), "");
  EXPECT_EQ(allow({from_block(tcp(80), "0.0.0.0/0", "b")}), "InvalidPermission.Duplicate");
  EXPECT_EQ(world.last_message,
            "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" already exists");
  EXPECT_EQ(allow({from_block(tcp(81), "0.0.0.0/0"), from_block(tcp(81), "0.0.0.0/0")}), "InvalidParameterValue");
  EXPECT_EQ(world.last_message, "The same permission must not appear multiple times");
  EXPECT_EQ(rules(id).size(), 2u);
}

TEST_F(SecurityGroups, BadRulesAreRefused) {
  EXPECT_EQ(allow({tcp(80)}), "InvalidPermission.Malformed");
  EXPECT_EQ(allow({from_block({.ip_protocol = "tcp"}, "0.0.0.0/0")}), "InvalidParameterValue");
  EXPECT_EQ(allow({from_block({.ip_protocol = "tcp", .from_port = 90, .to_port = 80}, "0.0.0.0/0")}),
            "InvalidParameterValue");
  EXPECT_EQ(allow({from_block({.ip_protocol = "tcp", .from_port = 0, .to_port = 65536}, "0.0.0.0/0")}),
            "InvalidParameterValue");
  EXPECT_EQ(allow({from_block({.ip_protocol = "icmp", .from_port = 256, .to_port = 0}, "0.0.0.0/0")}),
            "InvalidParameterValue");
  EXPECT_EQ(allow({from_block({.ip_protocol = "carrier-pigeon"}, "0.0.0.0/0")}), "InvalidParameterValue");
  EXPECT_EQ(allow({from_block(tcp(80), "0.0.0.0")}), "InvalidParameterValue");
  EXPECT_EQ(allow({from_block(tcp(80), "0.0.0.0/0", "no <angles>")}), "InvalidParameterValue");
  EXPECT_EQ(allow({from_group(tcp(80), "sg-0123456789abcdef0")}), "InvalidGroup.NotFound");
  EXPECT_EQ(allow({from_group(tcp(80), world.group(world.vpc()))}), "InvalidGroup.NotFound");
  EXPECT_EQ(allow({from_group(tcp(80), "x")}), "InvalidGroupId.Malformed");
  IpPermission list = tcp(80);
  list.prefix_list_ids.ensure().push_back({.prefix_list_id = "pl-0123456789abcdef0"});
  EXPECT_EQ(allow({list}), "InvalidPrefixListID.NotFound");
  IpPermission peered = from_group(tcp(80), id);
  peered.user_id_group_pairs->at(0).vpc_peering_connection_id = "pcx-1";
  EXPECT_EQ(allow({peered}), "UnsupportedOperation");
  EXPECT_TRUE(show(id).ip_permissions->empty());
}

TEST_F(SecurityGroups, Ipv6RulesAreKept) {
  IpPermission web = tcp(443);
  web.ipv6_ranges.ensure().push_back({.description = "all", .cidr_ipv6 = "0:0::/0"});
  ASSERT_EQ(allow({web}), "");
  EXPECT_EQ(*show(id).ip_permissions->at(0).ipv6_ranges->at(0).cidr_ipv6, "::/0");
}

TEST_F(SecurityGroups, LimitOfRulesPerDirection) {
  std::vector<IpPermission> many;
  for (int i = 0; i < 60; ++i) many.push_back(from_block(tcp(i + 1), "0.0.0.0/0"));
  ASSERT_EQ(allow(many), "");
  EXPECT_EQ(allow({from_block(tcp(1000), "0.0.0.0/0")}), "RulesPerSecurityGroupLimitExceeded");
  EXPECT_EQ(world.code(authorize_security_group_egress,
                       {.group_id = id, .ip_permissions = {{from_block(tcp(1000), "0.0.0.0/0")}}}),
            "");
}

TEST_F(SecurityGroups, RevokeByPermissionOrId) {
  allow({from_block(tcp(80), "0.0.0.0/0"), from_block(tcp(81), "0.0.0.0/0")});
  EXPECT_EQ(revoke({from_block(tcp(80), "0.0.0.0/0"), from_block(tcp(99), "0.0.0.0/0")}), "InvalidPermission.NotFound");
  EXPECT_EQ(show(id).ip_permissions->size(), 2u);  // nothing of a refused request happens
  EXPECT_EQ(revoke({from_block(tcp(80), "0.0.0.0/0", "whatever")}), "");
  std::string rule;
  for (const SecurityGroupRule& item : rules(id)) {
    if (!*item.is_egress) rule = *item.security_group_rule_id;
  }
  EXPECT_EQ(world.code(revoke_security_group_egress, {.security_group_rule_ids = {{rule}}, .group_id = id}),
            "InvalidSecurityGroupRuleId.NotFound");
  const auto output = world.call(revoke_security_group_ingress, {.group_id = id, .security_group_rule_ids = {{rule}}});
  EXPECT_EQ(*output.revoked_security_group_rules->at(0).security_group_rule_id, rule);
  EXPECT_EQ(world.code(describe_security_group_rules, {.security_group_rule_ids = {{rule}}}),
            "InvalidSecurityGroupRuleId.NotFound");
  EXPECT_EQ(world.code(revoke_security_group_ingress, {.group_id = id}), "MissingParameter");
}

TEST_F(SecurityGroups, DefaultVpcReportsUnknownPermissions) {
  const std::string own = *world.call(create_security_group, {.description = "d", .group_name = "mine"}).group_id;
  const auto output = world.call(revoke_security_group_ingress,
                                 {.group_name = "mine", .ip_permissions = {{from_block(tcp(1), "0.0.0.0/0")}}});
  EXPECT_FALSE(*output.return_);
  EXPECT_EQ(*output.unknown_ip_permissions->at(0).from_port, 1);
  EXPECT_EQ(world.call(describe_security_groups, {.group_names = {{"mine"}}}).security_groups->size(), 1u);
  EXPECT_EQ(world.code(describe_security_groups, {.group_names = {{"web"}}}), "InvalidGroup.NotFound");
  EXPECT_EQ(world.code(delete_security_group, {.group_name = "mine"}), "");
}

TEST_F(SecurityGroups, ModifyKeepsTheRulesId) {
  allow({from_block(tcp(80), "0.0.0.0/0", "old"), from_block(tcp(81), "0.0.0.0/0")});
  std::string rule;
  for (const SecurityGroupRule& item : rules(id)) {
    if (*item.from_port == 80) rule = *item.security_group_rule_id;
  }
  const auto modify = [&](SecurityGroupRuleRequest wanted) {
    return world.code(
        modify_security_group_rules,
        {.group_id = id, .security_group_rules = {{{.security_group_rule_id = rule, .security_group_rule = wanted}}}});
  };
  world.call(create_tags, {.resources = {{rule}}, .tags = {{{.key = "Name", .value = "kept"}}}});
  EXPECT_EQ(
      modify({.ip_protocol = "tcp", .from_port = 443, .to_port = 443, .cidr_ipv4 = "10.0.0.0/8", .description = "new"}),
      "");
  const auto shape = world.call(describe_security_group_rules, {.security_group_rule_ids = {{rule}}});
  EXPECT_EQ(*shape.security_group_rules->at(0).from_port, 443);
  EXPECT_EQ(*shape.security_group_rules->at(0).description, "new");
  EXPECT_EQ(*shape.security_group_rules->at(0).tags->at(0).value, "kept");
  EXPECT_EQ(modify({.ip_protocol = "tcp", .from_port = 81, .to_port = 81, .cidr_ipv4 = "0.0.0.0/0"}),
            "InvalidPermission.Duplicate");
  EXPECT_EQ(modify({.ip_protocol = "tcp", .from_port = 81, .to_port = 81}), "InvalidParameterValue");
  EXPECT_EQ(modify({.ip_protocol = "tcp", .from_port = 443, .to_port = 443, .referenced_group_id = id}), "");
  EXPECT_EQ(world.code(modify_security_group_rules,
                       {.group_id = world.group(vpc, "other"),
                        .security_group_rules = {{{.security_group_rule_id = rule,
                                                   .security_group_rule = SecurityGroupRuleRequest{}}}}}),
            "InvalidSecurityGroupRuleId.NotFound");
}

TEST_F(SecurityGroups, DescriptionsAreUpdatedInBothStyles) {
  allow({from_block(tcp(80), "0.0.0.0/0", "old")});
  const auto description = [&]() -> opt<std::string> {
    return show(id).ip_permissions->at(0).ip_ranges->at(0).description;
  };
  world.call(update_security_group_rule_descriptions_ingress,
             {.group_id = id, .ip_permissions = {{from_block(tcp(80), "0.0.0.0/0", "new")}}});
  EXPECT_EQ(*description(), "new");
  std::string rule;
  for (const SecurityGroupRule& item : rules(id)) {
    if (!*item.is_egress) rule = *item.security_group_rule_id;
  }
  world.call(update_security_group_rule_descriptions_ingress,
             {.group_id = id, .security_group_rule_descriptions = {{{.security_group_rule_id = rule}}}});
  EXPECT_FALSE(description());
  EXPECT_EQ(world.code(update_security_group_rule_descriptions_ingress,
                       {.group_id = id, .ip_permissions = {{from_block(tcp(9), "0.0.0.0/0")}}}),
            "InvalidPermission.NotFound");
  EXPECT_EQ(world.code(update_security_group_rule_descriptions_egress,
                       {.group_id = id, .security_group_rule_descriptions = {{{.security_group_rule_id = rule}}}}),
            "InvalidSecurityGroupRuleId.NotFound");
}

TEST_F(SecurityGroups, Filters) {
  allow({from_block(tcp(80), "10.7.0.0/16"), from_group(tcp(81), id)});
  const auto count = [&](const std::string& name, const std::string& value) {
    return world.call(describe_security_groups, {.filters = filter(name, {value})}).security_groups->size();
  };
  EXPECT_EQ(count("group-name", "web"), 1u);
  EXPECT_EQ(count("group-id", id), 1u);
  EXPECT_EQ(count("ip-permission.cidr", "10.7.*"), 1u);
  EXPECT_EQ(count("ip-permission.from-port", "80"), 1u);
  EXPECT_EQ(count("ip-permission.to-port", "81"), 1u);
  EXPECT_EQ(count("ip-permission.group-id", id), 1u);
  EXPECT_EQ(count("ip-permission.protocol", "tcp"), 1u);
  EXPECT_EQ(count("egress.ip-permission.cidr", "0.0.0.0/0"), 3u);
  EXPECT_EQ(count("description", "test"), 1u);
  EXPECT_EQ(world.code(describe_security_groups, {.filters = filter("color", {"x"})}), "InvalidParameterValue");
  const auto of_vpc = world.call(get_security_groups_for_vpc, {.vpc_id = vpc});
  EXPECT_EQ(of_vpc.security_group_for_vpcs->size(), 2u);
  EXPECT_TRUE(
      world.call(describe_security_group_references, {.group_id = {{id}}}).security_group_reference_set->empty());
}

// A page is full of what passes the filter, whatever lies between; after the last match there is no further page.
TEST_F(SecurityGroups, PagesOfAFilterAreFull) {
  std::set<std::string> named;
  for (int i = 0; i < 40; ++i) {
    const std::string name = (i % 4 == 0 ? "front-" : "back-") + std::to_string(i);
    const std::string made =
        *world.call(create_security_group, {.description = "d", .group_name = name, .vpc_id = vpc}).group_id;
    if (i % 4 == 0) named.insert(made);
  }
  std::vector<std::size_t> sizes;
  std::set<std::string> seen;
  opt<std::string> token;
  do {
    const auto output =
        world.call(describe_security_groups,
                   {.next_token = token, .max_results = 5, .filters = filter("group-name", {"front-*"})});
    sizes.push_back(output.security_groups->size());
    for (const SecurityGroup& group : output.security_groups.get()) EXPECT_TRUE(seen.insert(*group.group_id).second);
    token = output.next_token;
  } while (token);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{5, 5}));
  EXPECT_EQ(seen, named);
}

}  // namespace
}  // namespace brume::ec2
