#include <gtest/gtest.h>

#include "services/elbv2/api.h"
#include "services/elbv2/testing.h"

namespace brume::elbv2 {
namespace {

using Strings = std::vector<std::string>;
using Health = balancer::Health;

const balancer::TargetHealth kHealthy{Health::healthy, "", ""};
const balancer::TargetHealth kFailed{Health::unhealthy, "Target.ResponseCodeMismatch",
                                     "Health checks failed with these codes: [503]"};

CreateTargetGroupInput group_input() {
  return {.name = "web", .protocol = "HTTP", .port = 8000, .vpc_id = "vpc-1", .target_type = "ip"};
}

TEST(CreateTargetGroup, HasAwsDefaults) {
  World world;
  const TargetGroup made = world.call(create_target_group, group_input()).target_groups->at(0);
  EXPECT_TRUE(
      made.target_group_arn->starts_with("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/"));
  EXPECT_EQ(*made.protocol_version, "HTTP1");
  EXPECT_EQ(*made.health_check_protocol, "HTTP");
  EXPECT_EQ(*made.health_check_port, "traffic-port");
  EXPECT_EQ(*made.health_check_path, "/");
  EXPECT_EQ(*made.health_check_interval_seconds, 30);
  EXPECT_EQ(*made.health_check_timeout_seconds, 5);
  EXPECT_EQ(*made.healthy_threshold_count, 5);
  EXPECT_EQ(*made.unhealthy_threshold_count, 2);
  EXPECT_EQ(*made.matcher->http_code, "200");
  EXPECT_TRUE(*made.health_check_enabled);
  EXPECT_EQ(*made.ip_address_type, "ipv4");
  EXPECT_TRUE(made.load_balancer_arns->empty());
  EXPECT_EQ(*world.call(create_target_group, group_input()).target_groups->at(0).target_group_arn,
            *made.target_group_arn);
  auto other = group_input();
  other.port = 80;
  EXPECT_EQ(world.code(create_target_group, other), "DuplicateTargetGroupName");
}

TEST(CreateTargetGroup, RefusesWhatAwsRefusesAndWhatIsNotServed) {
  World world;
  const auto code = [&](auto change) {
    auto input = group_input();
    change(input);
    return world.code(create_target_group, input);
  };
  using Input = CreateTargetGroupInput;
  EXPECT_EQ(code([](Input& i) { i.vpc_id = "vpc-9"; }), "ValidationError");
  EXPECT_EQ(world.message, "The VPC ID 'vpc-9' is not found");
  EXPECT_EQ(code([](Input& i) { i.vpc_id.reset(); }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.port.reset(); }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.protocol.reset(); }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.health_check_path = "health"; }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.health_check_port = "0"; }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.matcher.emplace().http_code = "200-600"; }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.matcher.emplace().http_code = "abc"; }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.health_check_timeout_seconds = 31; }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.health_check_enabled = false; }), "ValidationError");
  EXPECT_EQ(code([](Input& i) { i.target_type = "lambda"; }), "UnsupportedOperation");
  EXPECT_EQ(code([](Input& i) { i.protocol = "TCP"; }), "UnsupportedOperation");
  EXPECT_EQ(code([](Input& i) { i.protocol_version = "GRPC"; }), "UnsupportedOperation");
  EXPECT_EQ(code([](Input& i) { i.ip_address_type = "ipv6"; }), "UnsupportedOperation");
}

TEST(DescribeTargetGroups, FindsByNameArnAndLoadBalancer) {
  World world;
  const std::string web = world.make_group("web"), api = world.make_group("api"), balancer = world.make_balancer();
  world.make_listener(balancer, web);
  EXPECT_EQ(world.call(describe_target_groups, {}).target_groups->size(), 2U);
  EXPECT_EQ(*world.call(describe_target_groups, {.names = Strings{"api"}}).target_groups->at(0).target_group_arn, api);
  const auto used = world.call(describe_target_groups, {.load_balancer_arn = balancer}).target_groups.get();
  ASSERT_EQ(used.size(), 1U);
  EXPECT_EQ(*used[0].target_group_arn, web);
  EXPECT_EQ(*used[0].load_balancer_arns, Strings{balancer});
  EXPECT_EQ(world.code(describe_target_groups, {.names = Strings{"none"}}), "TargetGroupNotFound");
  EXPECT_EQ(world.message, "One or more target groups not found");
}

TEST(DeleteTargetGroup, IsRefusedWhileInUse) {
  World world;
  const std::string group = world.make_group(), balancer = world.make_balancer();
  const std::string listener = world.make_listener(balancer, group);
  EXPECT_EQ(world.code(delete_target_group, {.target_group_arn = group}), "ResourceInUse");
  EXPECT_EQ(world.message, "Target group '" + group + "' is currently in use by a listener or a rule");
  world.call(delete_listener, {.listener_arn = listener});
  EXPECT_EQ(world.code(delete_target_group, {.target_group_arn = group}), "");
  EXPECT_EQ(world.code(delete_target_group, {.target_group_arn = group}), "") << "again";
}

TEST(ModifyTargetGroup, ReachesTheProxy) {
  World world;
  const std::string group = world.make_group(), balancer = world.make_balancer();
  world.make_listener(balancer, group);
  const auto changed = world.call(modify_target_group, {.target_group_arn = group,
                                                        .health_check_port = "9000",
                                                        .health_check_path = "/up",
                                                        .health_check_interval_seconds = 10,
                                                        .healthy_threshold_count = 3,
                                                        .matcher = Matcher{.http_code = "200-299"}});
  EXPECT_EQ(*changed.target_groups->at(0).health_check_port, "9000");
  const auto check = world.proxy().groups.at(0).health_check;
  EXPECT_EQ(check,
            (balancer::HealthCheck{
                .path = "/up", .matcher = "200-299", .port = 9000, .interval_seconds = 10, .healthy_threshold = 3}));
}

TEST(ModifyTargetGroupAttributes, HasDefaultsAndReachesTheProxy) {
  World world;
  const std::string group = world.make_group(), balancer = world.make_balancer();
  world.make_listener(balancer, group);
  using Items = std::vector<TargetGroupAttribute>;
  const auto modify = [&](const char* key, const char* value) {
    return world.code(modify_target_group_attributes,
                      {.target_group_arn = group, .attributes = Items{{.key = key, .value = value}}});
  };
  EXPECT_EQ(modify("stickiness.enabled", "true"), "");
  EXPECT_EQ(modify("stickiness.lb_cookie.duration_seconds", "60"), "");
  EXPECT_EQ(modify("load_balancing.algorithm.type", "least_outstanding_requests"), "");
  EXPECT_EQ(world.proxy().groups.at(0).stickiness_seconds, 60);
  EXPECT_TRUE(world.proxy().groups.at(0).least_outstanding);
  EXPECT_EQ(modify("stickiness.type", "app_cookie"), "UnsupportedOperation");
  EXPECT_EQ(modify("slow_start.duration_seconds", "30"), "UnsupportedOperation");
  EXPECT_EQ(modify("load_balancing.algorithm.type", "weighted_random"), "UnsupportedOperation");
  EXPECT_EQ(modify("proxy_protocol_v2.enabled", "true"), "ValidationError");
  EXPECT_EQ(world.message, "Target group attribute key 'proxy_protocol_v2.enabled' is not recognized");
  const auto all = world.call(describe_target_group_attributes, {.target_group_arn = group}).attributes.get();
  EXPECT_EQ(*all.at(0).key, "deregistration_delay.timeout_seconds");
  EXPECT_EQ(*all.at(0).value, "300");
}

struct Served {
  explicit Served(World& given) : world(given) { listener = world.make_listener(balancer, group); }
  World& world;
  std::string group = world.make_group(), balancer = world.make_balancer(), listener;
};

TEST(DescribeTargetHealth, FollowsWhatTheProxySees) {
  World world;
  const std::string group = world.make_group();
  world.register_address(group, "10.0.1.5");
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "unused Target.NotInUse");
  const std::string balancer = world.make_balancer();
  const std::string listener = world.make_listener(balancer, group);
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "initial Elb.RegistrationInProgress");
  const std::vector<balancer::Target> targets = world.proxy().groups.at(0).targets;
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0],
            (balancer::Target{
                .id = "10.0.1.5:8000", .address = "10.0.1.5", .port = 8000, .registration = targets[0].registration}));
  world.report("10.0.1.5:8000", kHealthy);
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "healthy");
  world.report("10.0.1.5:8000", kFailed);
  const auto described =
      world.call(describe_target_health, {.target_group_arn = group}).target_health_descriptions->at(0);
  EXPECT_EQ(*described.target_health->description, "Health checks failed with these codes: [503]");
  EXPECT_EQ(*described.health_check_port, "8000");
  EXPECT_EQ(*described.target->availability_zone, "eu-west-1a");
  world.restart();
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "unhealthy Target.ResponseCodeMismatch") << "known after a restart";
  world.call(delete_listener, {.listener_arn = listener});
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "unused Target.NotInUse");
  world.make_listener(balancer, group);
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "initial Elb.RegistrationInProgress") << "used anew";
}

TEST(DescribeTargetHealth, KnowsTargetsThatAreNotRegisteredAndZonesThatAreNotEnabled) {
  World world;
  const Served served(world);
  world.register_address(served.group, "10.0.3.5");
  EXPECT_EQ(world.health_of(served.group).at("10.0.3.5"), "unused Target.NotInUse") << "eu-west-1c is not enabled";
  EXPECT_TRUE(world.proxy().groups.at(0).targets.empty());
  const auto asked = world.call(
      describe_target_health,
      {.target_group_arn = served.group, .targets = std::vector<TargetDescription>{{.id = "10.0.1.99", .port = 8000}}});
  EXPECT_EQ(*asked.target_health_descriptions->at(0).target_health->reason, "Target.NotRegistered");
}

TEST(RegisterTargets, RefusesWhatCannotBeATarget) {
  World world;
  const std::string group = world.make_group();
  const auto code = [&](const std::string& group_arn, const char* id) {
    return world.code(register_targets,
                      {.target_group_arn = group_arn, .targets = std::vector<TargetDescription>{{.id = id}}});
  };
  EXPECT_EQ(code(group, "10.1.0.5"), "InvalidTarget");
  EXPECT_EQ(code(group, "10.0.0.256"), "ValidationError");
  EXPECT_EQ(code(group, "i-0123456789abcdef0"), "ValidationError");
  EXPECT_EQ(code(group + "0", "10.0.1.5"), "TargetGroupNotFound");
  auto input = group_input();
  input.name = "instances";
  input.target_type = "instance";
  EXPECT_EQ(code(*world.call(create_target_group, input).target_groups->at(0).target_group_arn, "i-0123456789abcdef0"),
            "InvalidTarget");
}

TEST(DeregisterTargets, DrainsForTheDelayAndIsThenForgotten) {
  World world;
  const Served served(world);
  world.register_address(served.group, "10.0.1.5");
  world.report("10.0.1.5:8000", kHealthy);
  world.call(deregister_targets,
             {.target_group_arn = served.group, .targets = std::vector<TargetDescription>{{.id = "10.0.1.5"}}});
  EXPECT_EQ(world.health_of(served.group).at("10.0.1.5"), "draining Target.DeregistrationInProgress");
  EXPECT_TRUE(world.proxy().groups.at(0).targets.at(0).draining);
  world.report("10.0.1.5:8000", kHealthy);
  world.runtime.advance(seconds(299));
  EXPECT_EQ(world.health_of(served.group).at("10.0.1.5"), "draining Target.DeregistrationInProgress");
  world.restart();  // the end of the delay is remembered
  world.runtime.advance(seconds(1));
  EXPECT_TRUE(world.health_of(served.group).empty());
  EXPECT_TRUE(world.proxy().groups.at(0).targets.empty());
}

TEST(DeregisterTargets, ATargetThatComesBackIsNotForgotten) {
  World world;
  const Served served(world);
  world.register_address(served.group, "10.0.1.5");
  const DeregisterTargetsInput leave{.target_group_arn = served.group,
                                     .targets = std::vector<TargetDescription>{{.id = "10.0.1.5", .port = 8000}}};
  world.call(deregister_targets, leave);
  world.runtime.advance(seconds(200));
  world.register_address(served.group, "10.0.1.5");
  EXPECT_EQ(world.health_of(served.group).at("10.0.1.5"), "initial Elb.RegistrationInProgress");
  world.call(deregister_targets, leave);
  world.runtime.advance(seconds(150));
  EXPECT_EQ(world.health_of(served.group).size(), 1U) << "the first delay's end is not the second's";
  world.runtime.advance(seconds(150));
  EXPECT_TRUE(world.health_of(served.group).empty());
}

TEST(Api, ServesEcs) {
  World world;
  const std::string group = world.make_group();
  EXPECT_EQ(target_group_problem(*world.elbv2, kScope, group),
            "The target group with targetGroupArn " + group + " does not have an associated load balancer.");
  EXPECT_FALSE(target_group_problem(*world.elbv2, kScope, group + "0").empty());
  const std::string balancer = world.make_balancer();
  world.make_listener(balancer, group);
  EXPECT_EQ(target_group_problem(*world.elbv2, kScope, group), "");
  EXPECT_EQ(find_target_group(*world.elbv2, kScope, group)->load_balancer_arn, balancer);
  std::vector<std::string> changes;
  on_target_change(*world.elbv2, [&](const Scope& scope, const std::string& arn) {
    EXPECT_EQ(scope, kScope);
    changes.push_back(arn);
  });
  const auto in_tx = [&](auto change) {
    Tx tx(*world.store);
    change(tx);
    tx.commit();
    world.run();
  };
  in_tx([&](Tx& tx) { register_target(*world.elbv2, tx, kScope, group, "10.0.1.5", 8000); });
  EXPECT_EQ(changes, Strings{group});
  EXPECT_EQ(target_health(*world.elbv2, kScope, group, "10.0.1.5", 8000)->state, "initial");
  world.report("10.0.1.5:8000", kHealthy);
  EXPECT_EQ(changes.size(), 2U);
  EXPECT_EQ(target_health(*world.elbv2, kScope, group, "10.0.1.5", 8000)->state, "healthy");
  in_tx([&](Tx& tx) { deregister_target(*world.elbv2, tx, kScope, group, "10.0.1.5", 8000); });
  EXPECT_EQ(target_health(*world.elbv2, kScope, group, "10.0.1.5", 8000)->state, "draining");
  world.runtime.advance(seconds(300));
  EXPECT_FALSE(target_health(*world.elbv2, kScope, group, "10.0.1.5", 8000));
  EXPECT_EQ(changes.size(), 4U);
}

TEST(Api, FindsLoadBalancersForTheRelay) {
  World world;
  const std::string arn = world.make_balancer();
  world.make_listener(arn, world.make_group());
  const auto found = find_load_balancer(*world.elbv2, *world.described(arn).dns_name);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->public_addresses, (Strings{"198.19.0.1", "198.19.0.2"}));
  EXPECT_EQ(found->http_ports, std::vector<int>{80});
  EXPECT_EQ(find_load_balancer(*world.elbv2, "Hello")->arn, arn);
  EXPECT_FALSE(find_load_balancer(*world.elbv2, "other"));
}

}  // namespace
}  // namespace brume::elbv2
