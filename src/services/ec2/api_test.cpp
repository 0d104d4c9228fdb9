#include "services/ec2/api.h"

#include <gtest/gtest.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

class Api : public testing::Test {
 protected:
  World world;
  std::string vpc = world.vpc();
  std::string subnet = world.subnet(vpc);
  std::string group = world.group(vpc);

  InterfaceFacts make(ServiceInterface wanted) {
    if (wanted.subnet.empty()) wanted.subnet = subnet;
    if (wanted.requester.empty()) wanted.requester = "amazon-elb";
    return world.change([&](Tx& tx) { return create_service_interface(*world.ec2, tx, kScope, wanted); });
  }
  NetworkInterface show(const std::string& id) {
    return world.call(describe_network_interfaces, {.network_interface_ids = {{id}}}).network_interfaces->at(0);
  }
};

TEST_F(Api, AServicesInterfaceIsShownAndNotTouched) {
  const InterfaceFacts facts =
      make({.groups = {group}, .description = "ELB app/x/1", .sandbox = "lb/x", .assign_public_ip = true});
  EXPECT_EQ(facts.vpc, vpc);
  EXPECT_EQ(facts.subnet_cidr, "10.0.1.0/24");
  EXPECT_EQ(facts.zone, "eu-west-1a");
  EXPECT_TRUE(facts.private_ip.starts_with("10.0.1."));
  EXPECT_TRUE(facts.public_ip.starts_with("198.19."));
  EXPECT_TRUE(facts.attachment.starts_with("ela-attach-"));
  const NetworkInterface shape = show(facts.id);
  EXPECT_EQ(*shape.status, "in-use");
  EXPECT_EQ(*shape.requester_id, "amazon-elb");
  EXPECT_EQ(*shape.attachment->instance_owner_id, "amazon-elb");
  EXPECT_EQ(*shape.association->public_ip, facts.public_ip);
  EXPECT_EQ(*shape.association->ip_owner_id, "amazon-elb");
  // What Terraform looks for after it has deleted a load balancer.
  const std::vector<Filter> left{{.name = "attachment.instance-owner-id", .values = {{"amazon-elb"}}},
                                 {.name = "description", .values = {{"ELB app/x/1"}}}};
  EXPECT_EQ(world.call(describe_network_interfaces, {.filters = left}).network_interfaces->size(), 1u);
  EXPECT_EQ(world.code(delete_network_interface, {.network_interface_id = facts.id}), "InvalidParameterValue");
  EXPECT_EQ(world.code(modify_network_interface_attribute, {.network_interface_id = facts.id, .groups = {{group}}}),
            "AuthFailure");
  EXPECT_EQ(world.code(detach_network_interface, {.attachment_id = facts.attachment}), "OperationNotPermitted");
  EXPECT_EQ(world.code(delete_security_group, {.group_id = group}), "DependencyViolation");
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "DependencyViolation");
  world.change([&](Tx& tx) {
    delete_service_interface(*world.ec2, tx, kScope, facts.id);
    delete_service_interface(*world.ec2, tx, kScope, facts.id);
    return 0;
  });
  EXPECT_TRUE(world.call(describe_network_interfaces, {.filters = left}).network_interfaces->empty());
  EXPECT_EQ(world.ec2->public_addresses.size(), 0u);
  EXPECT_EQ(world.code(delete_subnet, {.subnet_id = subnet}), "");
}

TEST_F(Api, ATasksAttachmentIsItsOwn) {
  const InterfaceFacts facts = make({.requester = "amazon-ecs", .assign_public_ip = true});
  EXPECT_TRUE(facts.attachment.starts_with("eni-attach-"));
  EXPECT_EQ(facts.groups, std::vector<std::string>{*default_group_of(*world.ec2, kScope, vpc)});
  EXPECT_EQ(*show(facts.id).association->ip_owner_id, "amazon");
  EXPECT_EQ(world.code(detach_network_interface, {.attachment_id = facts.attachment}), "AuthFailure");
}

TEST_F(Api, BadWishesAreRefusedWithAwsCodes) {
  const auto code = [&](const ServiceInterface& wanted) {
    try {
      make(wanted);
    } catch (const AwsError& error) {
      return error.code;
    }
    return std::string();
  };
  EXPECT_EQ(code({.subnet = "subnet-0123456789abcdef0"}), "InvalidSubnetID.NotFound");
  EXPECT_EQ(code({.groups = {"sg-0123456789abcdef0"}}), "InvalidGroup.NotFound");
  EXPECT_EQ(code({.groups = {world.group(world.vpc())}}), "InvalidParameter");
  EXPECT_EQ(code({.private_ip = "10.0.1.1"}), "InvalidParameterValue");
  EXPECT_EQ(code({.private_ip = "10.0.1.77"}), "");
  EXPECT_EQ(code({.private_ip = "10.0.1.77"}), "InvalidIPAddress.InUse");
}

TEST_F(Api, GroupsOfAnInterfaceAreReplaced) {
  const InterfaceFacts facts = make({.sandbox = "lb/x"});
  world.change([&](Tx& tx) {
    set_service_interface_groups(*world.ec2, tx, kScope, facts.id, {group});
    return 0;
  });
  world.run();
  EXPECT_EQ(find_interface(*world.ec2, kScope, facts.id)->groups, std::vector<std::string>{group});
  EXPECT_EQ(world.network.vpcs.at(vpc).interfaces.at(0).groups, std::vector<std::string>{group});
  EXPECT_EQ(interfaces_of_sandbox(*world.ec2, kScope, "lb/x").size(), 1u);
}

TEST_F(Api, LookUps) {
  const SubnetFacts facts = get_subnet(*world.ec2, kScope, subnet);
  EXPECT_EQ(facts.vpc, vpc);
  EXPECT_EQ(facts.zone, "eu-west-1a");
  EXPECT_EQ(facts.cidr, "10.0.1.0/24");
  EXPECT_EQ(facts.available_addresses, 251);
  EXPECT_FALSE(find_subnet(*world.ec2, kScope, "subnet-0"));
  EXPECT_THROW(get_subnet(*world.ec2, kScope, "subnet-0123456789abcdef0"), AwsError);
  EXPECT_TRUE(vpc_exists(*world.ec2, kScope, vpc));
  EXPECT_FALSE(vpc_exists(*world.ec2, {"210987654321", "eu-west-1"}, vpc));
  EXPECT_EQ(vpc_cidrs(*world.ec2, kScope, vpc), std::vector<std::string>{"10.0.0.0/16"});
  EXPECT_EQ(vpc_of_group(*world.ec2, kScope, group), vpc);
  EXPECT_FALSE(vpc_of_group(*world.ec2, kScope, "sg-0"));
  EXPECT_EQ(scope_of_vpc(*world.ec2, vpc), kScope);
  EXPECT_TRUE(dns_support(*world.ec2, vpc));
  const Scope fresh{"210987654321", "us-east-1"};
  const std::string made = world.change([&](Tx& tx) { return default_vpc(*world.ec2, tx, fresh); });
  EXPECT_EQ(made, *world.call(describe_vpcs, {}, fresh).vpcs->at(0).vpc_id);
}

TEST_F(Api, ResidentsAreFoundByAddress) {
  const InterfaceFacts facts = make({.assign_public_ip = true});
  const std::string twin = world.vpc();  // the same blocks
  EXPECT_EQ(resident_at(*world.ec2, vpc, facts.private_ip)->interface.id, facts.id);
  EXPECT_EQ(resident_at(*world.ec2, vpc, facts.private_ip)->scope, kScope);
  EXPECT_FALSE(resident_at(*world.ec2, twin, facts.private_ip));
  EXPECT_FALSE(resident_at(*world.ec2, vpc, "10.0.1.200"));
  EXPECT_EQ(resident_at_public(*world.ec2, facts.public_ip)->interface.id, facts.id);
  EXPECT_FALSE(resident_at_public(*world.ec2, "198.19.255.1"));
  world.attached_gateway(vpc);
  const auto elastic = world.call(allocate_address, {});
  EXPECT_FALSE(resident_at_public(*world.ec2, *elastic.public_ip));
  const std::string own = world.interface(subnet);
  world.call(associate_address, {.allocation_id = elastic.allocation_id, .network_interface_id = own});
  EXPECT_EQ(resident_at_public(*world.ec2, *elastic.public_ip)->interface.id, own);
}

TEST_F(Api, TheWayOutFollowsTheRouteTable) {
  const InterfaceFacts inside = make({.sandbox = "task/1"});
  const InterfaceFacts with_public = make({.sandbox = "task/2", .assign_public_ip = true});
  EXPECT_EQ(outbound_of(*world.ec2, kScope, subnet), Outbound::none);
  const std::string gateway = world.attached_gateway(vpc);
  const std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  world.call(associate_route_table, {.subnet_id = subnet, .route_table_id = table});
  world.call(create_route, {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0", .gateway_id = gateway});
  EXPECT_EQ(outbound_of(*world.ec2, kScope, subnet), Outbound::internet_gateway);
  EXPECT_FALSE(reaches_internet(*world.ec2, kScope, inside.id));
  EXPECT_TRUE(reaches_internet(*world.ec2, kScope, with_public.id));
  const std::string public_subnet = world.subnet(vpc, "10.0.9.0/24");
  world.network.hold = true;
  const std::string nat =
      *world.call(create_nat_gateway, {.allocation_id = world.address(), .subnet_id = public_subnet})
           .nat_gateway->nat_gateway_id;
  world.call(replace_route, {.route_table_id = table, .destination_cidr_block = "0.0.0.0/0", .nat_gateway_id = nat});
  EXPECT_EQ(outbound_of(*world.ec2, kScope, subnet), Outbound::none);  // pending
  world.run();
  world.network.release();
  world.run();
  world.network.release();
  EXPECT_EQ(outbound_of(*world.ec2, kScope, subnet), Outbound::nat_gateway);
  EXPECT_TRUE(reaches_internet(*world.ec2, kScope, inside.id));
  EXPECT_FALSE(reaches_internet(*world.ec2, kScope, "eni-0"));
}

TEST_F(Api, StateSurvivesARestart) {
  const InterfaceFacts facts = make({.groups = {group}, .sandbox = "lb/x", .assign_public_ip = true});
  world.call(create_tags, {.resources = {{vpc}}, .tags = {{{.key = "Name", .value = "x"}}}});
  const auto before = world.call(describe_vpcs, {}).vpcs.get();
  world.run();
  const auto interface = show(facts.id);
  world.restart();
  EXPECT_EQ(world.call(describe_vpcs, {}).vpcs.get(), before);
  EXPECT_EQ(show(facts.id), interface);
  EXPECT_EQ(find_interface(*world.ec2, kScope, facts.id)->public_ip, facts.public_ip);
}

}  // namespace
}  // namespace brume::ec2
