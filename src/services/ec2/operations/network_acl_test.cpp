#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

class NetworkAcls : public testing::Test {
 protected:
  World world;
  std::string vpc = world.vpc();
  std::string id = *world.call(create_network_acl, {.vpc_id = vpc}).network_acl->network_acl_id;

  NetworkAcl show(const std::string& acl) {
    return world.call(describe_network_acls, {.network_acl_ids = {{acl}}}).network_acls->at(0);
  }
  NetworkAcl default_acl() {
    return world
        .call(describe_network_acls,
              {.filters = {{{.name = "vpc-id", .values = {{vpc}}}, {.name = "default", .values = {{"true"}}}}}})
        .network_acls->at(0);
  }
  CreateNetworkAclEntryInput entry(std::int64_t number, std::string protocol = "-1") const {
    return {.network_acl_id = id,
            .rule_number = number,
            .protocol = std::move(protocol),
            .rule_action = "allow",
            .egress = false,
            .cidr_block = "0.0.0.0/0"};
  }
};

TEST_F(NetworkAcls, DefaultAllowsAndEndsWithTheDeny) {
  const NetworkAcl acl = default_acl();
  ASSERT_EQ(acl.entries->size(), 4u);
  for (std::size_t i : {0u, 2u}) {
    EXPECT_EQ(*acl.entries->at(i).rule_number, 100);
    EXPECT_EQ(*acl.entries->at(i).rule_action, "allow");
    EXPECT_EQ(*acl.entries->at(i + 1).rule_number, 32767);
    EXPECT_EQ(*acl.entries->at(i + 1).rule_action, "deny");
  }
  EXPECT_EQ(show(id).entries->size(), 2u);
  EXPECT_FALSE(*show(id).is_default);
  EXPECT_EQ(world.code(delete_network_acl, {.network_acl_id = acl.network_acl_id}), "InvalidParameterValue");
}

TEST_F(NetworkAcls, EntriesAreMadeReplacedAndDeleted) {
  CreateNetworkAclEntryInput web = entry(100, "tcp");
  web.port_range = PortRange{.from = 80, .to = 81};
  world.call(create_network_acl_entry, web);
  const NetworkAclEntry shape = show(id).entries->at(1);
  EXPECT_EQ(*shape.protocol, "6");
  EXPECT_EQ(*shape.port_range->from, 80);
  EXPECT_FALSE(shape.icmp_type_code);
  EXPECT_EQ(world.code(create_network_acl_entry, web), "NetworkAclEntryAlreadyExists");
  web.egress = true;
  EXPECT_EQ(world.code(create_network_acl_entry, web), "");
  world.call(replace_network_acl_entry, {.network_acl_id = id,
                                         .rule_number = 100,
                                         .protocol = "1",
                                         .rule_action = "deny",
                                         .egress = false,
                                         .cidr_block = "10.0.0.0/8",
                                         .icmp_type_code = IcmpTypeCode{.code = -1, .type = 8}});
  const NetworkAclEntry replaced = show(id).entries->at(2);
  EXPECT_EQ(*replaced.rule_action, "deny");
  EXPECT_EQ(*replaced.icmp_type_code->type, 8);
  EXPECT_EQ(world.code(replace_network_acl_entry, {.network_acl_id = id,
                                                   .rule_number = 7,
                                                   .protocol = "-1",
                                                   .rule_action = "deny",
                                                   .egress = false,
                                                   .cidr_block = "10.0.0.0/8"}),
            "InvalidNetworkAclEntry.NotFound");
  world.call(delete_network_acl_entry, {.network_acl_id = id, .rule_number = 100, .egress = true});
  EXPECT_EQ(world.code(delete_network_acl_entry, {.network_acl_id = id, .rule_number = 100, .egress = true}),
            "InvalidNetworkAclEntry.NotFound");
  EXPECT_EQ(show(id).entries->size(), 3u);
}

TEST_F(NetworkAcls, EntriesAreShownInOrder) {
  for (const std::int64_t number : {300, 100, 200}) world.call(create_network_acl_entry, entry(number));
  const auto entries = show(id).entries.get();
  EXPECT_EQ(*entries[1].rule_number, 100);
  EXPECT_EQ(*entries[2].rule_number, 200);
  EXPECT_EQ(*entries[3].rule_number, 300);
}

TEST_F(NetworkAcls, BadEntriesAreRefused) {
  EXPECT_EQ(world.code(create_network_acl_entry, entry(0)), "InvalidParameterValue");
  EXPECT_EQ(world.code(create_network_acl_entry, entry(32767)), "InvalidParameterValue");
  EXPECT_EQ(world.code(create_network_acl_entry, entry(1, "tcp")), "MissingParameter");
  EXPECT_EQ(world.code(create_network_acl_entry, entry(1, "icmp")), "MissingParameter");
  EXPECT_EQ(world.code(create_network_acl_entry, entry(1, "256")), "InvalidParameterValue");
  CreateNetworkAclEntryInput both = entry(1);
  both.ipv6_cidr_block = "::/0";
  EXPECT_EQ(world.code(create_network_acl_entry, both), "InvalidParameterCombination");
  CreateNetworkAclEntryInput malformed = entry(1);
  malformed.cidr_block = "::/0";
  EXPECT_EQ(world.code(create_network_acl_entry, malformed), "InvalidParameterValue");
  for (int i = 1; i <= 40; ++i) world.call(create_network_acl_entry, entry(i));
  EXPECT_EQ(world.code(create_network_acl_entry, entry(41)), "NetworkAclEntryLimitExceeded");
}

TEST_F(NetworkAcls, Ipv6EntriesOfTheVpcModuleAreKept) {
  CreateNetworkAclEntryInput six = entry(101);
  six.cidr_block = kNothing;
  six.ipv6_cidr_block = "::/0";
  world.call(create_network_acl_entry, six);
  EXPECT_EQ(*show(id).entries->at(1).ipv6_cidr_block, "::/0");
}

TEST_F(NetworkAcls, AssociationsMove) {
  const std::string subnet = world.subnet(vpc);
  const auto found = world.call(describe_network_acls, {.filters = filter("association.subnet-id", {subnet})});
  ASSERT_EQ(found.network_acls->size(), 1u);
  const std::string association = *found.network_acls->at(0).associations->at(0).network_acl_association_id;
  const std::string made =
      *world.call(replace_network_acl_association, {.association_id = association, .network_acl_id = id})
           .new_association_id;
  EXPECT_NE(made, association);
  EXPECT_EQ(*show(id).associations->at(0).network_acl_association_id, made);
  EXPECT_EQ(world.code(replace_network_acl_association, {.association_id = association, .network_acl_id = id}),
            "InvalidAssociationID.NotFound");
  EXPECT_EQ(world.code(delete_network_acl, {.network_acl_id = id}), "DependencyViolation");
  const std::string foreign = *world.call(create_network_acl, {.vpc_id = world.vpc()}).network_acl->network_acl_id;
  EXPECT_EQ(world.code(replace_network_acl_association, {.association_id = made, .network_acl_id = foreign}),
            "InvalidParameterValue");
  world.call(replace_network_acl_association, {.association_id = made, .network_acl_id = default_acl().network_acl_id});
  EXPECT_EQ(world.code(delete_network_acl, {.network_acl_id = id}), "");
  EXPECT_EQ(world.code(delete_network_acl, {.network_acl_id = id}), "InvalidNetworkAclID.NotFound");
  EXPECT_EQ(world.code(delete_network_acl, {.network_acl_id = "acl"}), "InvalidNetworkAclId.Malformed");
}

TEST_F(NetworkAcls, FiltersAndClientToken) {
  world.call(create_network_acl_entry, entry(77));
  const auto count = [&](const std::string& name, const std::string& value) {
    return world.call(describe_network_acls, {.filters = filter(name, {value})}).network_acls->size();
  };
  EXPECT_EQ(count("entry.rule-number", "77"), 1u);
  EXPECT_EQ(count("entry.rule-action", "allow"), 3u);
  EXPECT_EQ(count("network-acl-id", id), 1u);
  EXPECT_EQ(count("default", "false"), 1u);
  const auto make = [&] {
    return *world.call(create_network_acl, {.client_token = "t", .vpc_id = vpc}).network_acl->network_acl_id;
  };
  EXPECT_EQ(make(), make());
  EXPECT_EQ(world.code(create_network_acl, {.client_token = "t", .vpc_id = world.vpc()}),
            "IdempotentParameterMismatch");
}

}  // namespace
}  // namespace brume::ec2
