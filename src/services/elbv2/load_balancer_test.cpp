#include <gtest/gtest.h>

#include "services/elbv2/hosted_zones.h"
#include "services/elbv2/testing.h"

namespace brume::elbv2 {
namespace {

using Names = std::vector<std::string>;

CreateLoadBalancerInput input_for(const std::string& name) {
  return {.name = name, .subnets = Names{"subnet-a", "subnet-b"}, .security_groups = Names{"sg-web"}};
}

TEST(CreateLoadBalancer, DescribesWhatTerraformReads) {
  World world;
  const LoadBalancer made = world.call(create_load_balancer, input_for("hello")).load_balancers->at(0);
  EXPECT_EQ(*made.state->code, "provisioning");
  const LoadBalancer now = world.described(*made.load_balancer_arn);
  EXPECT_EQ(*now.state->code, "active") << "its proxy serves";
  EXPECT_TRUE(now.load_balancer_arn->starts_with(
      "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/hello/"));
  EXPECT_EQ(now.load_balancer_arn->size(), made.load_balancer_arn->rfind('/') + 17);
  EXPECT_TRUE(now.dns_name->starts_with("hello-"));
  EXPECT_TRUE(now.dns_name->ends_with(".eu-west-1.elb.amazonaws.com"));
  EXPECT_EQ(now.dns_name->size(), std::string("hello-1234567890.eu-west-1.elb.amazonaws.com").size());
  EXPECT_EQ(*now.canonical_hosted_zone_id, "Z32O12XQLNTSW2");
  EXPECT_EQ(*now.scheme, "internet-facing");
  EXPECT_EQ(*now.type, "application");
  EXPECT_EQ(*now.vpc_id, "vpc-1");
  EXPECT_EQ(*now.ip_address_type, "ipv4");
  EXPECT_EQ(*now.security_groups, Names{"sg-web"});
  ASSERT_EQ(now.availability_zones->size(), 2U);
  EXPECT_EQ(*now.availability_zones->at(0).zone_name, "eu-west-1a");
  EXPECT_EQ(*now.availability_zones->at(0).subnet_id, "subnet-a");
}

TEST(CreateLoadBalancer, MakesAnInterfacePerSubnetWithAPublicAddressWhenItFacesTheInternet) {
  World world;
  const std::string arn = world.make_balancer();
  ASSERT_EQ(world.network.interfaces.size(), 2U);
  const auto& made = world.network.interfaces.begin()->second.wanted;
  EXPECT_EQ(made.description, "ELB " + arn.substr(arn.find("app/")));
  EXPECT_TRUE(made.public_address);
  EXPECT_EQ(made.groups, Names{"sg-web"});
  EXPECT_EQ(world.zone.names.at(*world.described(arn).dns_name),
            (std::vector<names::Record>{{.value = "198.19.0.1"}, {.value = "198.19.0.2"}}));
  EXPECT_EQ(world.proxy().addresses, (Names{"10.0.1.10", "10.0.2.10"}));
}

TEST(CreateLoadBalancer, AnInternalOneResolvesToPrivateAddresses) {
  World world;
  const LoadBalancer made = world.described(world.make_balancer("Back", "internal"));
  EXPECT_TRUE(made.dns_name->starts_with("internal-back-")) << *made.dns_name;
  EXPECT_FALSE(world.network.interfaces.begin()->second.wanted.public_address);
  EXPECT_EQ(world.zone.names.at(*made.dns_name).at(0).value, "10.0.1.10");
}

TEST(CreateLoadBalancer, TheSameRequestAgainAnswersTheSame) {
  World world;
  const std::string arn = world.make_balancer();
  EXPECT_EQ(*world.call(create_load_balancer, input_for("hello")).load_balancers->at(0).load_balancer_arn, arn);
  auto other = input_for("hello");
  other.scheme = "internal";
  EXPECT_EQ(world.code(create_load_balancer, other), "DuplicateLoadBalancerName");
  EXPECT_EQ(world.network.interfaces.size(), 2U);
}

TEST(CreateLoadBalancer, RefusesWhatAwsRefuses) {
  World world;
  const auto with = [](auto change) {
    auto input = input_for("hello");
    change(input);
    return input;
  };
  using Input = CreateLoadBalancerInput;
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.subnets = Names{"subnet-a"}; })), "ValidationError");
  EXPECT_EQ(world.message, "At least two subnets in two different Availability Zones must be specified");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.subnets = Names{"subnet-a", "subnet-a2"}; })),
            "InvalidConfigurationRequest");
  EXPECT_EQ(world.message, "A load balancer cannot be attached to multiple subnets in the same Availability Zone");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.subnets = Names{"subnet-a", "subnet-0"}; })),
            "SubnetNotFound");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.subnets = Names{"subnet-a", "subnet-y"}; })),
            "InvalidSubnet");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.security_groups = Names{"sg-x"}; })),
            "InvalidSecurityGroup");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) {
                         i.subnets = Names{"subnet-x", "subnet-y"};
                         i.security_groups = Names{"sg-x"};
                       })),
            "InvalidSubnet");
  EXPECT_EQ(world.message, "VPC vpc-2 has no internet gateway");
  for (const char* name : {"", "under_score", "-a", "a-", "internal-a", "abcdefghijklmnopqrstuvwxyzabcdefg"})
    EXPECT_EQ(world.code(create_load_balancer, with([&](Input& i) { i.name = name; })), "ValidationError") << name;
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.type = "network"; })), "UnsupportedOperation");
  EXPECT_EQ(world.message, "Brume does not serve load balancers of type network.");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) { i.ip_address_type = "dualstack"; })),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(create_load_balancer, with([](Input& i) {
                         i.tags = std::vector<Tag>{{.key = "a", .value = "1"}, {.key = "a", .value = "2"}};
                       })),
            "DuplicateTagKeys");
  EXPECT_TRUE(world.network.interfaces.empty()) << "a refused request leaves nothing";
}

TEST(DescribeLoadBalancers, FindsByNameByArnAndInPages) {
  World world;
  const std::string a = world.make_balancer("a"), b = world.make_balancer("b");
  EXPECT_EQ(*world.call(describe_load_balancers, {.names = Names{"b"}}).load_balancers->at(0).load_balancer_arn, b);
  EXPECT_EQ(world.code(describe_load_balancers, {.names = Names{"c"}}), "LoadBalancerNotFound");
  EXPECT_EQ(world.message, "Load balancers '[c]' not found");
  EXPECT_EQ(world.code(describe_load_balancers, {.load_balancer_arns = Names{a.substr(0, a.size() - 1) + "x"}}),
            "LoadBalancerNotFound");
  EXPECT_EQ(world.code(describe_load_balancers, {.load_balancer_arns = Names{"nonsense"}}), "ValidationError");
  EXPECT_EQ(world.message, "'nonsense' is not a valid load balancer ARN");
  EXPECT_EQ(world.code(describe_load_balancers,
                       {.load_balancer_arns = Names{"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/"
                                                    "app/a/0123456789abcdef"}}),
            "ValidationError")
      << "of another region";
  const auto first = world.call(describe_load_balancers, {.page_size = 1});
  ASSERT_EQ(first.load_balancers->size(), 1U);
  ASSERT_TRUE(first.next_marker);
  const auto second = world.call(describe_load_balancers, {.marker = first.next_marker, .page_size = 1});
  EXPECT_EQ(*second.load_balancers->at(0).load_balancer_arn, b);
  EXPECT_FALSE(second.next_marker);
}

TEST(DeleteLoadBalancer, TakesEverythingWithItAndSucceedsAgain) {
  World world;
  const std::string arn = world.make_balancer(), group = world.make_group();
  const std::string listener = world.make_listener(arn, group);
  world.call(delete_load_balancer, {.load_balancer_arn = arn});
  EXPECT_EQ(world.code(describe_load_balancers, {.load_balancer_arns = Names{arn}}), "LoadBalancerNotFound");
  EXPECT_EQ(world.code(describe_listeners, {.listener_arns = Names{listener}}), "ListenerNotFound");
  EXPECT_TRUE(world.network.interfaces.empty());
  EXPECT_TRUE(world.balancer.balancers.empty());
  EXPECT_TRUE(world.zone.names.empty());
  EXPECT_EQ(world.elbv2->balancers.size(), 0U);
  world.call(delete_load_balancer, {.load_balancer_arn = arn});
  EXPECT_EQ(world.code(delete_target_group, {.target_group_arn = group}), "") << "nothing uses it any more";
}

TEST(DeleteLoadBalancer, RespectsDeletionProtection) {
  World world;
  const std::string arn = world.make_balancer();
  const auto protect = [&](const char* value) {
    world.call(
        modify_load_balancer_attributes,
        {.load_balancer_arn = arn,
         .attributes = std::vector<LoadBalancerAttribute>{{.key = "deletion_protection.enabled", .value = value}}});
  };
  protect("true");
  EXPECT_EQ(world.code(delete_load_balancer, {.load_balancer_arn = arn}), "OperationNotPermitted");
  protect("false");
  EXPECT_EQ(world.code(delete_load_balancer, {.load_balancer_arn = arn}), "");
}

std::map<std::string, std::string> attributes_of(World& world, const std::string& arn) {
  std::map<std::string, std::string> result;
  for (const auto& item : *world.call(describe_load_balancer_attributes, {.load_balancer_arn = arn}).attributes)
    result[*item.key] = *item.value;
  return result;
}

TEST(ModifyLoadBalancerAttributes, HasDefaultsAndReachesTheProxy) {
  World world;
  const std::string arn = world.make_balancer();
  auto attributes = attributes_of(world, arn);
  EXPECT_EQ(attributes.at("idle_timeout.timeout_seconds"), "60");
  EXPECT_EQ(attributes.at("routing.http2.enabled"), "true");
  EXPECT_EQ(attributes.at("access_logs.s3.bucket"), "");
  using Items = std::vector<LoadBalancerAttribute>;
  world.call(modify_load_balancer_attributes,
             {.load_balancer_arn = arn,
              .attributes = Items{{.key = "idle_timeout.timeout_seconds", .value = "120"},
                                  {.key = "routing.http.drop_invalid_header_fields.enabled", .value = "true"},
                                  {.key = "routing.http.xff_header_processing.mode", .value = "remove"}}});
  EXPECT_EQ(attributes_of(world, arn).at("idle_timeout.timeout_seconds"), "120");
  EXPECT_EQ(world.proxy().idle_timeout_seconds, 120);
  EXPECT_TRUE(world.proxy().drop_invalid_headers);
  EXPECT_EQ(world.proxy().forwarded_for, "remove");
  const auto refused = [&](const char* key, const char* value) {
    return world.code(modify_load_balancer_attributes,
                      {.load_balancer_arn = arn, .attributes = Items{{.key = key, .value = value}}});
  };
  EXPECT_EQ(refused("no.such", "1"), "ValidationError");
  EXPECT_EQ(world.message, "Load balancer attribute key 'no.such' is not recognized");
  EXPECT_EQ(refused("idle_timeout.timeout_seconds", "4001"), "ValidationError");
  EXPECT_EQ(refused("deletion_protection.enabled", "yes"), "ValidationError");
  EXPECT_EQ(refused("access_logs.s3.enabled", "true"), "UnsupportedOperation");
  EXPECT_EQ(refused("access_logs.s3.enabled", "false"), "") << "the default may be said";
}

TEST(SetSubnets, AddsAndRemovesInterfacesWithoutLosingTheOthers) {
  World world;
  const std::string arn = world.make_balancer();
  world.network.ready_at_once = false;
  const auto output = world.call(set_subnets, {.load_balancer_arn = arn, .subnets = Names{"subnet-b", "subnet-c"}});
  EXPECT_EQ(*output.availability_zones->at(1).zone_name, "eu-west-1c");
  EXPECT_EQ(world.network.interfaces.size(), 3U) << "the old one serves until the new one does";
  EXPECT_EQ(world.proxy().addresses, (Names{"10.0.1.10", "10.0.2.10"}));
  world.network.make_ready();
  world.run();
  EXPECT_EQ(world.proxy().addresses, (Names{"10.0.2.10", "10.0.3.10"}));
  EXPECT_EQ(world.network.interfaces.size(), 2U);
  EXPECT_EQ(world.zone.names.at(*world.described(arn).dns_name).at(1).value, "198.19.0.3");
  EXPECT_EQ(world.code(set_subnets, {.load_balancer_arn = arn, .subnets = Names{"subnet-x", "subnet-y"}}),
            "InvalidSubnet");
}

TEST(SetSecurityGroups, ReachTheInterfaces) {
  World world;
  const std::string arn = world.make_balancer();
  EXPECT_EQ(
      *world.call(set_security_groups, {.load_balancer_arn = arn, .security_groups = Names{"sg-default", "sg-web"}})
           .security_group_ids,
      (Names{"sg-default", "sg-web"}));
  EXPECT_EQ(world.network.interfaces.begin()->second.groups, (Names{"sg-default", "sg-web"}));
  EXPECT_EQ(*world.described(arn).security_groups, (Names{"sg-default", "sg-web"}));
  EXPECT_EQ(world.code(set_security_groups, {.load_balancer_arn = arn, .security_groups = Names{"sg-0"}}),
            "InvalidSecurityGroup");
}

TEST(LoadBalancerExtras, AnswerWithNothingReservedAndRefuseTheRest) {
  World world;
  const std::string arn = world.make_balancer();
  EXPECT_FALSE(world.call(describe_capacity_reservation, {.load_balancer_arn = arn}).minimum_load_balancer_capacity);
  EXPECT_EQ(world.code(describe_capacity_reservation, {.load_balancer_arn = arn + "0"}), "LoadBalancerNotFound");
  EXPECT_EQ(world.code(modify_capacity_reservation,
                       {.load_balancer_arn = arn,
                        .minimum_load_balancer_capacity = MinimumLoadBalancerCapacity{.capacity_units = 100}}),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(modify_capacity_reservation, {.load_balancer_arn = arn, .reset_capacity_reservation = true}),
            "");
  EXPECT_EQ(*world.call(set_ip_address_type, {.load_balancer_arn = arn, .ip_address_type = "ipv4"}).ip_address_type,
            "ipv4");
  EXPECT_EQ(world.code(set_ip_address_type, {.load_balancer_arn = arn, .ip_address_type = "dualstack"}),
            "UnsupportedOperation");
  EXPECT_EQ(world.code(modify_ip_pools, {.load_balancer_arn = arn, .ipam_pools = IpamPools{.ipv4_ipam_pool_id = "p"}}),
            "UnsupportedOperation");
}

TEST(CanonicalHostedZone, IsKnownForEveryRegion) {
  for (std::string_view region : all_regions()) EXPECT_TRUE(canonical_hosted_zone(region).starts_with('Z')) << region;
}

}  // namespace
}  // namespace brume::elbv2
