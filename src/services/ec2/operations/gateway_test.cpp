#include <gtest/gtest.h>

#include <cstring>

#include "services/ec2/addresses.h"
#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

InternetGateway show_gateway(World& world, const std::string& id) {
  return world.call(describe_internet_gateways, {.internet_gateway_ids = {{id}}}).internet_gateways->at(0);
}

TEST(InternetGateway, AttachesToOneVpc) {
  World world;
  const std::string vpc = world.vpc();
  const std::string id = *world.call(create_internet_gateway, {}).internet_gateway->internet_gateway_id;
  EXPECT_TRUE(show_gateway(world, id).attachments->empty());
  world.call(attach_internet_gateway, {.internet_gateway_id = id, .vpc_id = vpc});
  EXPECT_EQ(*show_gateway(world, id).attachments->at(0).state, "available");
  EXPECT_EQ(*show_gateway(world, id).attachments->at(0).vpc_id, vpc);
  EXPECT_EQ(world.code(attach_internet_gateway, {.internet_gateway_id = id, .vpc_id = world.vpc()}),
            "Resource.AlreadyAssociated");
  const std::string other = *world.call(create_internet_gateway, {}).internet_gateway->internet_gateway_id;
  EXPECT_EQ(world.code(attach_internet_gateway, {.internet_gateway_id = other, .vpc_id = vpc}),
            "InvalidParameterValue");
  EXPECT_EQ(world.code(delete_internet_gateway, {.internet_gateway_id = id}), "DependencyViolation");
  EXPECT_EQ(world.code(detach_internet_gateway, {.internet_gateway_id = other, .vpc_id = vpc}), "Gateway.NotAttached");
  EXPECT_EQ(
      world.call(describe_internet_gateways, {.filters = filter("attachment.vpc-id", {vpc})}).internet_gateways->size(),
      1u);
  world.call(detach_internet_gateway, {.internet_gateway_id = id, .vpc_id = vpc});
  world.call(delete_internet_gateway, {.internet_gateway_id = id});
  EXPECT_EQ(world.code(delete_internet_gateway, {.internet_gateway_id = id}), "InvalidInternetGatewayID.NotFound");
  EXPECT_EQ(world.code(delete_internet_gateway, {.internet_gateway_id = "igw-x"}),
            "InvalidInternetGatewayId.Malformed");
}

TEST(InternetGateway, IsNotDetachedUnderPublicAddresses) {
  World world;
  const std::string vpc = world.vpc();
  const std::string gateway = world.attached_gateway(vpc);
  const auto made = world.call(associate_address, {.allocation_id = world.address(),
                                                   .network_interface_id = world.interface(world.subnet(vpc))});
  EXPECT_EQ(world.code(detach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = vpc}),
            "DependencyViolation");
  world.call(disassociate_address, {.association_id = made.association_id});
  EXPECT_EQ(world.code(detach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = vpc}), "");
}

Address show_address(World& world, const std::string& id) {
  return world.call(describe_addresses, {.allocation_ids = {{id}}}).addresses->at(0);
}

TEST(ElasticIp, IsAllocatedFromThePoolAndUniqueOverAccounts) {
  World world;
  std::set<std::string> seen;
  for (const std::string account : {"123456789012", "210987654321"}) {
    for (int i = 0; i < 50; ++i) {
      const auto made = world.call(allocate_address, {.domain = "vpc"}, {account, "eu-west-1"});
      EXPECT_TRUE(made.public_ip->starts_with("198.19."));
      EXPECT_EQ(*made.public_ipv4_pool, "amazon");
      EXPECT_EQ(*made.network_border_group, "eu-west-1");
      EXPECT_TRUE(seen.insert(*made.public_ip).second);
    }
  }
  for (int i = 0; i < 50; ++i) world.address();
  EXPECT_EQ(world.code(allocate_address, {}), "AddressLimitExceeded");
}

class ConstantRandom final : public Random {
 public:
  void fill(void* data, std::size_t size) override { std::memset(data, 0x55, size); }
};

TEST(PublicAddresses, AreNeverGivenTwice) {
  World world;
  ConstantRandom random;
  Ec2 ec2(*world.store, world.runtime.clock, random, world.runtime.control, world.network, world.names,
          PagingTokens("secret"));
  Tx tx(*world.store);
  const std::string first = take_public_address(ec2, tx, kScope, "a");
  const std::string second = take_public_address(ec2, tx, {"210987654321", "us-east-1"}, "b");
  EXPECT_NE(first, second);
  give_back_public_address(ec2, tx, first);
  EXPECT_EQ(take_public_address(ec2, tx, kScope, "c"), first);
}

TEST(ElasticIp, IsReleasedOnce) {
  World world;
  const std::string id = world.address();
  world.call(release_address, {.allocation_id = id});
  EXPECT_EQ(world.code(release_address, {.allocation_id = id}), "InvalidAllocationID.NotFound");
  EXPECT_EQ(world.code(describe_addresses, {.allocation_ids = {{id}}}), "InvalidAllocationID.NotFound");
  EXPECT_EQ(world.ec2->public_addresses.size(), 0u);
  EXPECT_EQ(world.code(release_address, {}), "MissingParameter");
  EXPECT_EQ(world.code(release_address, {.public_ip = "198.19.0.1"}), "InvalidAddress.NotFound");
  EXPECT_EQ(world.code(describe_addresses, {.public_ips = {{"x"}}}), "InvalidParameterValue");
}

TEST(ElasticIp, Associates) {
  World world;
  const std::string vpc = world.vpc();
  const std::string interface = world.interface(world.subnet(vpc));
  const std::string id = world.address();
  EXPECT_EQ(world.code(associate_address, {.allocation_id = id, .network_interface_id = interface}),
            "Gateway.NotAttached");
  world.attached_gateway(vpc);
  EXPECT_EQ(world.code(associate_address, {.allocation_id = id}), "MissingParameter");
  EXPECT_EQ(world.code(associate_address, {.allocation_id = id, .instance_id = "i-0123456789abcdef0"}),
            "InvalidInstanceID.NotFound");
  EXPECT_EQ(world.code(associate_address,
                       {.allocation_id = id, .network_interface_id = interface, .private_ip_address = "10.0.9.9"}),
            "InvalidParameterValue");
  const auto made = world.call(associate_address, {.allocation_id = id, .network_interface_id = interface});
  const Address shape = show_address(world, id);
  EXPECT_EQ(*shape.association_id, *made.association_id);
  EXPECT_EQ(*shape.network_interface_id, interface);
  EXPECT_EQ(*shape.network_interface_owner_id, kScope.account);
  EXPECT_EQ(world.code(release_address, {.allocation_id = id}), "InvalidIPAddress.InUse");
  EXPECT_EQ(world.code(associate_address,
                       {.allocation_id = id, .network_interface_id = interface, .allow_reassociation = false}),
            "Resource.AlreadyAssociated");
  const std::string second = world.address();
  EXPECT_EQ(world.code(associate_address, {.allocation_id = second, .network_interface_id = interface}),
            "Resource.AlreadyAssociated");
  world.call(associate_address,
             {.allocation_id = second, .network_interface_id = interface, .allow_reassociation = true});
  EXPECT_FALSE(show_address(world, id).association_id);
  const NetworkInterface item =
      world.call(describe_network_interfaces, {.network_interface_ids = {{interface}}}).network_interfaces->at(0);
  EXPECT_EQ(*item.association->allocation_id, second);
  EXPECT_EQ(*item.association->ip_owner_id, kScope.account);
  world.call(disassociate_address, {.public_ip = show_address(world, second).public_ip});
  EXPECT_EQ(world.code(disassociate_address, {.association_id = "eipassoc-0"}), "InvalidAssociationID.NotFound");
  EXPECT_EQ(world.code(disassociate_address, {}), "MissingParameter");
}

TEST(ElasticIp, FreedWithItsInterface) {
  World world;
  const std::string vpc = world.vpc();
  world.attached_gateway(vpc);
  const std::string interface = world.interface(world.subnet(vpc));
  const std::string id = world.address();
  world.call(associate_address, {.allocation_id = id, .network_interface_id = interface});
  world.call(delete_network_interface, {.network_interface_id = interface});
  EXPECT_FALSE(show_address(world, id).association_id);
  EXPECT_EQ(world.code(release_address, {.allocation_id = id}), "");
}

TEST(ElasticIp, AttributesAndFilters) {
  World world;
  const std::string id =
      *world.call(allocate_address, {.tag_specifications = tagged("elastic-ip", "Name", "nat")}).allocation_id;
  world.address();
  const auto attributes =
      world.call(describe_addresses_attribute, {.allocation_ids = {{id}}, .attribute = "domain-name"});
  ASSERT_EQ(attributes.addresses->size(), 1u);
  EXPECT_FALSE(attributes.addresses->at(0).ptr_record);
  EXPECT_EQ(world.call(describe_addresses, {.filters = filter("tag:Name", {"nat"})}).addresses->size(), 1u);
  EXPECT_EQ(world.call(describe_addresses, {.filters = filter("allocation-id", {id})}).addresses->size(), 1u);
  EXPECT_EQ(world.call(describe_addresses, {.filters = filter("domain", {"vpc"})}).addresses->size(), 2u);
  EXPECT_EQ(world.call(describe_addresses, {.public_ips = {{*show_address(world, id).public_ip}}}).addresses->size(),
            1u);
  EXPECT_EQ(world.code(allocate_address, {.address = "198.19.0.7"}), "UnsupportedOperation");
  EXPECT_EQ(world.code(allocate_address, {.domain = "standard"}), "InvalidParameterValue");
  EXPECT_EQ(world.code(allocate_address, {.network_border_group = "eu-west-2"}), "InvalidParameterValue");
}

class NatGateways : public testing::Test {
 protected:
  World world;
  std::string vpc = world.vpc();
  std::string gateway = world.attached_gateway(vpc);
  std::string subnet = world.subnet(vpc);
  std::string address = world.address();

  std::string make() {
    return *world.call(create_nat_gateway, {.allocation_id = address, .subnet_id = subnet}).nat_gateway->nat_gateway_id;
  }
  NatGateway show(const std::string& id) {
    return world.call(describe_nat_gateways, {.nat_gateway_ids = {{id}}}).nat_gateways->at(0);
  }
};

TEST_F(NatGateways, IsAvailableWhenThePlaneHasAppliedIt) {
  world.network.hold = true;
  const std::string id = make();
  world.run();
  EXPECT_EQ(*show(id).state, "pending");
  EXPECT_EQ(*show(id).nat_gateway_addresses->at(0).status, "associating");
  world.network.release();
  world.run();
  const NatGateway shape = show(id);
  EXPECT_EQ(*shape.state, "available");
  const NatGatewayAddress& part = shape.nat_gateway_addresses->at(0);
  EXPECT_EQ(*part.allocation_id, address);
  EXPECT_EQ(*part.public_ip, *show_address(world, address).public_ip);
  EXPECT_EQ(*part.association_id, *show_address(world, address).association_id);
  EXPECT_TRUE(*part.is_primary);
  EXPECT_EQ(*part.status, "succeeded");
  EXPECT_EQ(*shape.connectivity_type, "public");
  EXPECT_EQ(world.network.vpcs.at(vpc).nat_gateways.at(0).public_address, *part.public_ip);
  const NetworkInterface item =
      world.call(describe_network_interfaces, {.network_interface_ids = {{*part.network_interface_id}}})
          .network_interfaces->at(0);
  EXPECT_EQ(*item.interface_type, "nat_gateway");
  EXPECT_TRUE(*item.requester_managed);
  EXPECT_EQ(*item.description, "Interface for NAT Gateway " + id);
  EXPECT_EQ(*item.status, "in-use");
  EXPECT_FALSE(*item.source_dest_check);
}

TEST_F(NatGateways, StaysPendingWhileThePlaneFailsAndIsRetried) {
  world.network.error = "no";
  const std::string id = make();
  world.run();
  EXPECT_EQ(*show(id).state, "pending");
  world.network.error = "";
  world.runtime.advance(minutes(1));
  EXPECT_EQ(*show(id).state, "available");
}

TEST_F(NatGateways, IsDeletedWhenThePlaneHasItNoMoreAndShownForAnHour) {
  const std::string id = make();
  world.run();
  const std::string interface = *show(id).nat_gateway_addresses->at(0).network_interface_id;
  EXPECT_EQ(world.code(release_address, {.allocation_id = address}), "InvalidIPAddress.InUse");
  EXPECT_EQ(world.code(disassociate_address, {.public_ip = show_address(world, address).public_ip}), "AuthFailure");
  EXPECT_EQ(world.code(delete_network_interface, {.network_interface_id = interface}), "InvalidParameterValue");
  world.network.hold = true;
  world.call(delete_nat_gateway, {.nat_gateway_id = id});
  world.run();
  EXPECT_EQ(*show(id).state, "deleting");
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "DependencyViolation");
  world.network.release();
  world.network.hold = false;
  world.run();
  EXPECT_EQ(*show(id).state, "deleted");
  EXPECT_TRUE(show(id).delete_time.has_value());
  EXPECT_FALSE(show_address(world, address).association_id);
  EXPECT_EQ(world.code(release_address, {.allocation_id = address}), "");
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "");
  EXPECT_EQ(world.code(describe_network_interfaces, {.network_interface_ids = {{interface}}}),
            "InvalidNetworkInterfaceID.NotFound");
  EXPECT_TRUE(world.network.vpcs.at(vpc).nat_gateways.empty());
  world.runtime.advance(hours(1));
  EXPECT_FALSE(world.network.vpcs.contains(vpc));
  EXPECT_EQ(world.code(describe_nat_gateways, {.nat_gateway_ids = {{id}}}), "NatGatewayNotFound");
}

TEST_F(NatGateways, FailsWithoutAnInternetGateway) {
  world.call(detach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = vpc});
  const NatGateway shape = show(make());
  EXPECT_EQ(*shape.state, "failed");
  EXPECT_EQ(*shape.failure_code, "Gateway.NotAttached");
  EXPECT_EQ(*shape.failure_message, "Network " + vpc + " has no Internet gateway attached");
  EXPECT_FALSE(show_address(world, address).association_id);
  EXPECT_EQ(world.code(delete_nat_gateway, {.nat_gateway_id = shape.nat_gateway_id}), "");
  EXPECT_EQ(*show(*shape.nat_gateway_id).state, "deleted");
}

TEST_F(NatGateways, FailsWithAnAddressThatIsTaken) {
  make();
  EXPECT_EQ(*show(make()).failure_code, "Resource.AlreadyAssociated");
}

TEST_F(NatGateways, ClientTokenMakesItOnce) {
  const auto create = [&](const std::string& in) {
    return *world.call(create_nat_gateway, {.allocation_id = address, .client_token = "t", .subnet_id = in})
                .nat_gateway->nat_gateway_id;
  };
  EXPECT_EQ(create(subnet), create(subnet));
  EXPECT_EQ(world.code(create_nat_gateway,
                       {.allocation_id = address, .client_token = "t", .subnet_id = world.subnet(vpc, "10.0.2.0/24")}),
            "IdempotentParameterMismatch");
}

TEST_F(NatGateways, RefusesWhatIsNotServed) {
  EXPECT_EQ(world.code(create_nat_gateway, {.subnet_id = subnet, .connectivity_type = "private"}),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(create_nat_gateway, {.subnet_id = subnet}), "MissingParameter");
  EXPECT_EQ(world.code(create_nat_gateway, {.allocation_id = "eipalloc-0123456789abcdef0", .subnet_id = subnet}),
            "InvalidAllocationID.NotFound");
  EXPECT_EQ(world.code(create_nat_gateway, {.allocation_id = address, .subnet_id = "subnet-0123456789abcdef0"}),
            "InvalidSubnetID.NotFound");
  EXPECT_EQ(world.code(delete_nat_gateway, {.nat_gateway_id = "nat-0123456789abcdef0"}), "NatGatewayNotFound");
  EXPECT_EQ(world.code(delete_nat_gateway, {.nat_gateway_id = "nat-1"}), "NatGatewayMalformed");
}

TEST_F(NatGateways, RoutesFollowTheirState) {
  const std::string id = make();
  world.run();
  const std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  world.call(create_route, {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0", .nat_gateway_id = id});
  const auto state = [&] {
    return *world.call(describe_route_tables, {.route_table_ids = {{table}}}).route_tables->at(0).routes->at(1).state;
  };
  EXPECT_EQ(state(), "active");
  EXPECT_EQ(world.call(describe_nat_gateways, {.filter = filter("state", {"available"})}).nat_gateways->size(), 1u);
  world.call(delete_nat_gateway, {.nat_gateway_id = id});
  world.run();
  EXPECT_EQ(state(), "blackhole");
  EXPECT_EQ(
      world.code(replace_route, {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0", .nat_gateway_id = id}),
      "InvalidNatGatewayID.NotFound");
  EXPECT_EQ(world.call(describe_nat_gateways, {.filter = filter("vpc-id", {vpc})}).nat_gateways->size(), 1u);
}

}  // namespace
}  // namespace brume::ec2
