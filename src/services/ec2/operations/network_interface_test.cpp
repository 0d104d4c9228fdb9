#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

class Interfaces : public testing::Test {
 protected:
  World world;
  std::string vpc = world.vpc();
  std::string subnet = world.subnet(vpc);

  NetworkInterface show(const std::string& id) {
    return world.call(describe_network_interfaces, {.network_interface_ids = {{id}}}).network_interfaces->at(0);
  }
};

TEST_F(Interfaces, HaveWhatAwsShows) {
  world.call(modify_vpc_attribute, {.enable_dns_hostnames = AttributeBooleanValue{.value = true}, .vpc_id = vpc});
  const auto made =
      world.call(create_network_interface, {.tag_specifications = tagged("network-interface", "Name", "x"),
                                            .subnet_id = subnet,
                                            .description = "mine",
                                            .private_ip_address = "10.0.1.9"});
  const NetworkInterface shape = *made.network_interface;
  EXPECT_EQ(*shape.private_ip_address, "10.0.1.9");
  EXPECT_EQ(*shape.private_dns_name, "ip-10-0-1-9.eu-west-1.compute.internal");
  EXPECT_EQ(shape.mac_address->size(), 17u);
  EXPECT_TRUE(shape.mac_address->starts_with("0a:"));
  EXPECT_EQ(*shape.status, "available");
  EXPECT_EQ(*shape.interface_type, "interface");
  EXPECT_FALSE(*shape.requester_managed);
  EXPECT_TRUE(*shape.source_dest_check);
  EXPECT_FALSE(shape.attachment);
  EXPECT_EQ(*shape.groups->at(0).group_name, "default");
  EXPECT_EQ(*shape.availability_zone, "eu-west-1a");
  EXPECT_EQ(*shape.tag_set->at(0).value, "x");
  EXPECT_TRUE(*shape.private_ip_addresses->at(0).primary);
}

TEST_F(Interfaces, AddressesAreChecked) {
  const auto code = [&](const std::string& address) {
    return world.code(create_network_interface, {.subnet_id = subnet, .private_ip_address = address});
  };
  EXPECT_EQ(code("10.0.1.9"), "");
  EXPECT_EQ(code("10.0.1.9"), "InvalidIPAddress.InUse");
  EXPECT_EQ(code("10.0.2.9"), "InvalidParameterValue");
  EXPECT_EQ(code("10.0.1.3"), "InvalidParameterValue");
  EXPECT_EQ(code("10.0.1.255"), "InvalidParameterValue");
  EXPECT_EQ(code("ten"), "InvalidParameterValue");
}

TEST_F(Interfaces, EveryAddressOfASubnetIsGivenOnce) {
  const std::string small = world.subnet(vpc, "10.0.2.0/28");
  std::set<std::string> seen;
  for (int i = 0; i < 11; ++i) {
    EXPECT_TRUE(seen.insert(*show(world.interface(small)).private_ip_address).second);
  }
  EXPECT_FALSE(seen.contains("10.0.2.3"));
  EXPECT_FALSE(seen.contains("10.0.2.15"));
  EXPECT_EQ(world.code(create_network_interface, {.subnet_id = small}), "InsufficientFreeAddressesInSubnet");
}

TEST_F(Interfaces, GroupsAreChecked) {
  const auto code = [&](std::vector<std::string> groups) {
    return world.code(create_network_interface, {.subnet_id = subnet, .groups = std::move(groups)});
  };
  EXPECT_EQ(code({world.group(world.vpc())}), "InvalidParameter");
  EXPECT_EQ(code({"sg-0123456789abcdef0"}), "InvalidGroup.NotFound");
  std::vector<std::string> many;
  for (int i = 0; i < 6; ++i) many.push_back(world.group(vpc, "g" + std::to_string(i)));
  EXPECT_EQ(code(many), "SecurityGroupsPerInterfaceLimitExceeded");
}

TEST_F(Interfaces, ClientTokenMakesItOnce) {
  const auto make = [&](const std::string& description) {
    return *world.call(create_network_interface, {.client_token = "t", .subnet_id = subnet, .description = description})
                .network_interface->network_interface_id;
  };
  EXPECT_EQ(make("a"), make("a"));
  EXPECT_EQ(world.code(create_network_interface, {.client_token = "t", .subnet_id = subnet, .description = "b"}),
            "IdempotentParameterMismatch");
}

TEST_F(Interfaces, SecondaryAddressesComeAndGo) {
  const std::string id = *world
                              .call(create_network_interface,
                                    {.subnet_id = subnet,
                                     .private_ip_addresses = {{{.primary = false, .private_ip_address = "10.0.1.21"},
                                                               {.primary = true, .private_ip_address = "10.0.1.20"}}}})
                              .network_interface->network_interface_id;
  EXPECT_EQ(*show(id).private_ip_address, "10.0.1.20");
  const auto assigned =
      world.call(assign_private_ip_addresses, {.network_interface_id = id, .secondary_private_ip_address_count = 2});
  EXPECT_EQ(assigned.assigned_private_ip_addresses->size(), 2u);
  world.call(assign_private_ip_addresses, {.network_interface_id = id, .private_ip_addresses = {{"10.0.1.30"}}});
  EXPECT_EQ(show(id).private_ip_addresses->size(), 5u);
  EXPECT_EQ(
      world.code(assign_private_ip_addresses, {.network_interface_id = id, .private_ip_addresses = {{"10.0.1.30"}}}),
      "InvalidIPAddress.InUse");
  EXPECT_EQ(world.code(assign_private_ip_addresses, {.network_interface_id = id}), "InvalidParameterCombination");
  EXPECT_EQ(
      world.code(assign_private_ip_addresses, {.network_interface_id = id, .secondary_private_ip_address_count = 50}),
      "PrivateIpAddressLimitExceeded");
  world.call(unassign_private_ip_addresses, {.network_interface_id = id, .private_ip_addresses = {{"10.0.1.30"}}});
  EXPECT_EQ(
      world.code(unassign_private_ip_addresses, {.network_interface_id = id, .private_ip_addresses = {{"10.0.1.20"}}}),
      "InvalidParameterValue");
  EXPECT_EQ(show(id).private_ip_addresses->size(), 4u);
  EXPECT_EQ(world.code(create_network_interface,
                       {.subnet_id = subnet,
                        .private_ip_addresses = {{{.primary = false, .private_ip_address = "10.0.1.99"}}}}),
            "InvalidParameterValue");
}

TEST_F(Interfaces, AttributesOneAtATime) {
  const std::string id = world.interface(subnet);
  const std::string group = world.group(vpc);
  world.call(modify_network_interface_attribute,
             {.network_interface_id = id, .description = AttributeValue{.value = "new"}});
  world.call(modify_network_interface_attribute,
             {.network_interface_id = id, .source_dest_check = AttributeBooleanValue{.value = false}});
  world.call(modify_network_interface_attribute, {.network_interface_id = id, .groups = {{group}}});
  EXPECT_EQ(*show(id).description, "new");
  EXPECT_FALSE(*show(id).source_dest_check);
  EXPECT_EQ(*show(id).groups->at(0).group_id, group);
  const auto read =
      world.call(describe_network_interface_attribute, {.network_interface_id = id, .attribute = "groupSet"});
  EXPECT_EQ(*read.groups->at(0).group_id, group);
  world.call(reset_network_interface_attribute, {.network_interface_id = id});
  EXPECT_TRUE(*show(id).source_dest_check);
  EXPECT_EQ(world.code(modify_network_interface_attribute, {.network_interface_id = id}),
            "InvalidParameterCombination");
  EXPECT_EQ(world.code(modify_network_interface_attribute,
                       {.network_interface_id = id, .description = AttributeValue{.value = "a"}, .groups = {{group}}}),
            "InvalidParameterCombination");
  EXPECT_EQ(world.code(modify_network_interface_attribute,
                       {.network_interface_id = id, .groups = {{world.group(world.vpc())}}}),
            "InvalidParameter");
}

TEST_F(Interfaces, FiltersAndIds) {
  const std::string group = world.group(vpc);
  const std::string id =
      *world.call(create_network_interface, {.subnet_id = subnet, .description = "one", .groups = {{group}}})
           .network_interface->network_interface_id;
  world.interface(subnet);
  const auto count = [&](const std::string& name, const std::string& value) {
    return world.call(describe_network_interfaces, {.filters = filter(name, {value})}).network_interfaces->size();
  };
  EXPECT_EQ(count("description", "one"), 1u);
  EXPECT_EQ(count("group-id", group), 1u);
  EXPECT_EQ(count("group-name", "web"), 1u);
  EXPECT_EQ(count("subnet-id", subnet), 2u);
  EXPECT_EQ(count("status", "available"), 2u);
  EXPECT_EQ(count("requester-managed", "false"), 2u);
  EXPECT_EQ(count("mac-address", *show(id).mac_address), 1u);
  EXPECT_EQ(count("addresses.private-ip-address", *show(id).private_ip_address), 1u);
  EXPECT_EQ(count("attachment.instance-owner-id", "amazon-elb"), 0u);
  EXPECT_EQ(count("association.public-ip", "*"), 0u);
  EXPECT_EQ(world.code(describe_network_interfaces, {.max_results = 5, .network_interface_ids = {{id}}}),
            "InvalidParameterCombination");
  EXPECT_EQ(world.code(describe_network_interfaces, {.network_interface_ids = {{"eni-1"}}}),
            "InvalidNetworkInterfaceId.Malformed");
  EXPECT_EQ(world.code(detach_network_interface, {.attachment_id = "eni-attach-1"}), "InvalidAttachmentID.NotFound");
}

}  // namespace
}  // namespace brume::ec2
