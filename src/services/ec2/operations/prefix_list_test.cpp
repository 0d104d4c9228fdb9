#include <gmock/gmock.h>

#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string make_list(World& world, std::vector<std::string> cidrs, std::int64_t max_entries = 5) {
  CreateManagedPrefixListInput input{.prefix_list_name = "peers", .max_entries = max_entries, .address_family = "IPv4"};
  for (const std::string& cidr : cidrs) input.entries.ensure().push_back({.cidr = cidr});
  return *world.call(create_managed_prefix_list, input).prefix_list->prefix_list_id;
}

IpPermission from_list(const std::string& list, std::int64_t port = 8000) {
  IpPermission permission{.ip_protocol = "tcp", .from_port = port, .to_port = port};
  permission.prefix_list_ids.ensure().push_back({.description = "peers", .prefix_list_id = list});
  return permission;
}

const network::SecurityGroup& rendered_group(World& world, const std::string& vpc, const std::string& id) {
  const VpcRecord& record = *world.ec2->vpcs.find(kScope, vpc);
  static network::Vpc rendered;
  rendered = render(snapshot(*world.ec2, kScope, record));
  return *std::ranges::find(rendered.groups, id, &network::SecurityGroup::id);
}

TEST(ManagedPrefixList, RulesFollowItsVersions) {
  World world;
  const std::string vpc = world.vpc(), group = world.group(vpc),
                    list = make_list(world, {"10.1.2.3/24", "10.2.0.0/16"});
  world.call(authorize_security_group_ingress, {.group_id = group, .ip_permissions = std::vector{from_list(list)}});
  const auto cidrs = [&] {
    std::vector<std::string> all;
    for (const auto& rule : rendered_group(world, vpc, group).ingress) all.push_back(rule.cidr);
    return all;
  };
  EXPECT_THAT(cidrs(), ElementsAre("10.1.2.0/24", "10.2.0.0/16"));
  ModifyManagedPrefixListInput change{.prefix_list_id = list, .current_version = 1};
  change.add_entries.ensure().push_back({.cidr = "10.3.0.0/16"});
  change.remove_entries.ensure().push_back({.cidr = "10.1.2.0/24"});
  EXPECT_EQ(world.call(modify_managed_prefix_list, change).prefix_list->version, 2);
  EXPECT_THAT(cidrs(), ElementsAre("10.2.0.0/16", "10.3.0.0/16"));
  EXPECT_EQ(world.code(modify_managed_prefix_list, change), "PrefixListVersionMismatch");
  world.call(restore_managed_prefix_list_version,
             {.prefix_list_id = list, .previous_version = 1, .current_version = 2});
  EXPECT_THAT(cidrs(), ElementsAre("10.1.2.0/24", "10.2.0.0/16"));
  const auto second = world.call(get_managed_prefix_list_entries, {.prefix_list_id = list, .target_version = 2});
  EXPECT_EQ(second.entries->back().cidr, "10.3.0.0/16");
}

TEST(ManagedPrefixList, InUseCannotGo) {
  World world;
  const std::string vpc = world.vpc(), group = world.group(vpc), list = make_list(world, {"10.1.0.0/16"});
  world.call(authorize_security_group_ingress, {.group_id = group, .ip_permissions = std::vector{from_list(list)}});
  EXPECT_EQ(world.code(delete_managed_prefix_list, {.prefix_list_id = list}), "DependencyViolation");
  const auto users = world.call(get_managed_prefix_list_associations, {.prefix_list_id = list});
  EXPECT_EQ(users.prefix_list_associations->at(0).resource_id, group);
  const auto shown = world.call(describe_security_groups, {.group_ids = std::vector{group}});
  EXPECT_EQ(shown.security_groups->at(0).ip_permissions->at(0).prefix_list_ids->at(0).prefix_list_id, list);
  world.call(revoke_security_group_ingress, {.group_id = group, .ip_permissions = std::vector{from_list(list)}});
  world.call(delete_managed_prefix_list, {.prefix_list_id = list});
  EXPECT_EQ(world.code(get_managed_prefix_list_entries, {.prefix_list_id = list}), "InvalidPrefixListID.NotFound");
}

TEST(ManagedPrefixList, CountsAsItsMaximum) {
  World world;
  const std::string vpc = world.vpc(), group = world.group(vpc), list = make_list(world, {}, 40);
  world.call(authorize_security_group_ingress, {.group_id = group, .ip_permissions = std::vector{from_list(list)}});
  EXPECT_EQ(world.code(authorize_security_group_ingress,
                       {.group_id = group, .ip_permissions = std::vector{from_list(list, 8001)}}),
            "RulesPerSecurityGroupLimitExceeded");
  EXPECT_EQ(world.code(modify_managed_prefix_list, {.prefix_list_id = list, .max_entries = 61}),
            "RulesPerSecurityGroupLimitExceeded");
  world.call(modify_managed_prefix_list, {.prefix_list_id = list, .max_entries = 10});
  world.call(authorize_security_group_ingress,
             {.group_id = group, .ip_permissions = std::vector{from_list(list, 8001)}});
}

TEST(ManagedPrefixList, LimitsAreKept) {
  World world;
  const std::string list = make_list(world, {"10.1.0.0/16"}, 1);
  ModifyManagedPrefixListInput change{.prefix_list_id = list, .current_version = 1};
  change.add_entries.ensure().push_back({.cidr = "10.3.0.0/16"});
  EXPECT_EQ(world.code(modify_managed_prefix_list, change), "PrefixListMaxEntriesExceeded");
  change.max_entries = 3;
  EXPECT_EQ(world.code(modify_managed_prefix_list, change), "InvalidParameterCombination");
  change.max_entries.reset();
  change.add_entries->at(0).cidr = "nonsense";
  EXPECT_EQ(world.code(modify_managed_prefix_list, change), "InvalidParameterValue");
}

TEST(ManagedPrefixList, IsADestination) {
  World world;
  const std::string vpc = world.vpc(), gateway = world.attached_gateway(vpc);
  const std::string list = make_list(world, {"203.0.113.0/24", "198.51.100.0/24"});
  const std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  world.call(create_route, {.destination_prefix_list_id = list, .route_table_id = table, .gateway_id = gateway});
  const auto shown = world.call(describe_route_tables, {.route_table_ids = std::vector{table}});
  EXPECT_EQ(shown.route_tables->at(0).routes->at(1).destination_prefix_list_id, list);
  EXPECT_FALSE(shown.route_tables->at(0).routes->at(1).destination_cidr_block);
  const network::Vpc rendered = render(snapshot(*world.ec2, kScope, *world.ec2->vpcs.find(kScope, vpc)));
  const auto& routes = std::ranges::find(rendered.route_tables, table, &network::RouteTable::id)->routes;
  EXPECT_EQ(std::ranges::count(routes, network::Route::Target::internet_gateway, &network::Route::target), 2);
  EXPECT_EQ(world.code(create_route,
                       {.destination_prefix_list_id = list, .route_table_id = table, .nat_gateway_id = "nat-1"}),
            "InvalidNatGatewayID.NotFound");
  world.call(delete_route, {.destination_prefix_list_id = list, .route_table_id = table});
  world.call(delete_managed_prefix_list, {.prefix_list_id = list});
}

TEST(AwsPrefixList, IsThereForEveryServiceWithEndpoints) {
  World world;
  const auto lists = world.call(describe_prefix_lists, {});
  ASSERT_EQ(lists.prefix_lists->size(), 2U);
  const auto managed = world.call(describe_managed_prefix_lists,
                                  {.filters = filter("prefix-list-name", {"com.amazonaws.eu-west-1.s3"})});
  ASSERT_EQ(managed.prefix_lists->size(), 1U);
  EXPECT_EQ(managed.prefix_lists->at(0).owner_id, "AWS");
  const std::string id = *managed.prefix_lists->at(0).prefix_list_id;
  EXPECT_EQ(world.call(get_managed_prefix_list_entries, {.prefix_list_id = id}).entries->size(), 1U);
  EXPECT_EQ(world.code(delete_managed_prefix_list, {.prefix_list_id = id}), "UnauthorizedOperation");
  const auto elsewhere = world.call(describe_prefix_lists, {}, {"123456789012", "us-east-1"});
  EXPECT_NE(*elsewhere.prefix_lists->at(0).prefix_list_id, *lists.prefix_lists->at(0).prefix_list_id);
}

TEST(VpcEndpoint, RoutesComeAndGoWithItsTables) {
  World world;
  const std::string vpc = world.vpc();
  const std::string table = *world.call(create_route_table, {.vpc_id = vpc}).route_table->route_table_id;
  const auto made =
      world.call(create_vpc_endpoint,
                 {.vpc_id = vpc, .service_name = "com.amazonaws.eu-west-1.s3", .route_table_ids = std::vector{table}});
  const std::string id = *made.vpc_endpoint->vpc_endpoint_id;
  EXPECT_EQ(made.vpc_endpoint->state, "available");
  const auto endpoint_routes_shown = [&] {
    std::vector<std::string> targets;
    const auto shown = world.call(describe_route_tables, {.route_table_ids = std::vector{table}});
    for (const Route& route : shown.route_tables->at(0).routes.get())
      if (route.destination_prefix_list_id) targets.push_back(*route.gateway_id);
    return targets;
  };
  EXPECT_THAT(endpoint_routes_shown(), ElementsAre(id));
  EXPECT_EQ(
      world.code(create_vpc_endpoint,
                 {.vpc_id = vpc, .service_name = "com.amazonaws.eu-west-1.s3", .route_table_ids = std::vector{table}}),
      "RouteAlreadyExists");
  const network::Vpc rendered = render(snapshot(*world.ec2, kScope, *world.ec2->vpcs.find(kScope, vpc)));
  EXPECT_EQ(rendered.service_addresses.size(), 2U);
  world.call(modify_vpc_endpoint, {.vpc_endpoint_id = id, .remove_route_table_ids = std::vector{table}});
  EXPECT_THAT(endpoint_routes_shown(), IsEmpty());
  world.call(modify_vpc_endpoint, {.vpc_endpoint_id = id, .add_route_table_ids = std::vector{table}});
  EXPECT_EQ(world.code(delete_vpc, {.vpc_id = vpc}), "DependencyViolation");
  EXPECT_THAT(*world.call(delete_vpc_endpoints, {.vpc_endpoint_ids = std::vector{id}}).unsuccessful, IsEmpty());
  EXPECT_THAT(endpoint_routes_shown(), IsEmpty());
  EXPECT_EQ(world.call(delete_vpc_endpoints, {.vpc_endpoint_ids = std::vector{id}}).unsuccessful->size(), 1U);
}

TEST(VpcEndpoint, RefusesWhatIsNotAGateway) {
  World world;
  const std::string vpc = world.vpc();
  EXPECT_EQ(world.code(create_vpc_endpoint, {.vpc_id = vpc, .service_name = "com.amazonaws.eu-west-1.sqs"}),
            "InvalidServiceName");
  EXPECT_EQ(world.code(create_vpc_endpoint,
                       {.vpc_endpoint_type = "Interface", .vpc_id = vpc, .service_name = "com.amazonaws.eu-west-1.s3"}),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(create_vpc_endpoint,
                       {.vpc_id = vpc, .service_name = "com.amazonaws.eu-west-1.s3", .policy_document = "{"}),
            "InvalidPolicyDocument");
  const auto services = world.call(describe_vpc_endpoint_services,
                                   {.service_names = std::vector{std::string("com.amazonaws.eu-west-1.s3")}});
  EXPECT_EQ(services.service_details->at(0).service_type->at(0).service_type, "Gateway");
}

}  // namespace
}  // namespace brume::ec2
