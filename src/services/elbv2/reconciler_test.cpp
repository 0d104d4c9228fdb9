#include "services/elbv2/reconciler.h"

#include <gtest/gtest.h>

#include "services/elbv2/plan.h"
#include "services/elbv2/testing.h"

namespace brume::elbv2 {
namespace {

balancer::LoadBalancer proxy_with(int idle) { return {.id = "a", .idle_timeout_seconds = idle}; }
const std::vector<names::Record> kNames = {{.value = "198.19.0.1"}};

struct Case {
  const char* name;
  DesiredBalancer desired;
  ObservedBalancer observed;
  std::vector<Step> steps;
};

class Plan : public ::testing::TestWithParam<Case> {};

TEST_P(Plan, Plans) { EXPECT_EQ(plan(GetParam().desired, GetParam().observed), GetParam().steps); }

DesiredBalancer wanted(const std::string& state, bool leaving = false) {
  return {.state = state, .proxy = proxy_with(60), .names = kNames, .has_leaving_interfaces = leaving};
}

INSTANTIATE_TEST_SUITE_P(
    Table, Plan,
    ::testing::Values(
        Case{"waits_for_its_interfaces", wanted("provisioning"), {}, {}},
        Case{"starts_its_proxy", wanted("provisioning"), {.interfaces_ready = true}, {Step::apply}},
        Case{"is_named_and_active_when_it_serves",
             wanted("provisioning"),
             {.interfaces_ready = true, .served = proxy_with(60)},
             {Step::publish, Step::activate}},
        Case{"rests", wanted("active"), {.interfaces_ready = true, .served = proxy_with(60), .published = kNames}, {}},
        Case{"follows_changes",
             wanted("active"),
             {.interfaces_ready = true, .served = proxy_with(50), .published = kNames},
             {Step::apply}},
        Case{"answers_by_name_at_once_after_a_restart", wanted("active"), {}, {Step::publish}},
        Case{"applies_after_a_restart", wanted("active"), {.interfaces_ready = true}, {Step::publish, Step::apply}},
        Case{"keeps_old_interfaces_until_the_new_ones_serve",
             wanted("active", true),
             {.interfaces_ready = false, .served = proxy_with(60), .published = kNames},
             {}},
        Case{"drops_old_interfaces_last",
             wanted("active", true),
             {.interfaces_ready = true, .served = proxy_with(60), .published = {}},
             {Step::publish, Step::drop_interfaces}},
        Case{"recovers_from_failure",
             wanted("failed"),
             {.interfaces_ready = true, .served = proxy_with(60), .published = kNames},
             {Step::activate}},
        Case{"goes_name_first", {.deleting = true}, {.published = kNames}, {Step::unpublish, Step::remove_proxy}},
        Case{"is_forgotten_last", {.deleting = true}, {.proxy_removed = true}, {Step::forget}}),
    [](const auto& info) { return info.param.name; });

TEST(Reconciler, IsProvisioningUntilPacketsPassAndTheProxyServes) {
  World world;
  world.network.ready_at_once = false;
  world.balancer.hold = true;
  const std::string arn = world.make_balancer();
  EXPECT_EQ(*world.described(arn).state->code, "provisioning");
  EXPECT_EQ(world.balancer.applies, 0);
  world.network.make_ready();
  world.run();
  EXPECT_EQ(world.balancer.applies, 1);
  EXPECT_EQ(*world.described(arn).state->code, "provisioning");
  EXPECT_TRUE(world.zone.names.empty()) << "no name before something answers there";
  world.balancer.release();
  world.run();
  EXPECT_EQ(*world.described(arn).state->code, "active");
  EXPECT_EQ(world.zone.names.size(), 1U);
}

TEST(Reconciler, SaysWhyAProxyCannotServeAndTriesAgain) {
  World world;
  world.balancer.error = "HAProxy could not be started";
  const std::string arn = world.make_balancer();
  EXPECT_EQ(*world.described(arn).state->code, "failed");
  EXPECT_EQ(*world.described(arn).state->reason, "HAProxy could not be started");
  world.balancer.error = "";
  world.runtime.advance(seconds(1));
  EXPECT_EQ(*world.described(arn).state->code, "active");
  EXPECT_FALSE(world.described(arn).state->reason);
  world.balancer.error = "refused";
  world.make_listener(arn, world.make_group());
  EXPECT_EQ(*world.described(arn).state->code, "active") << "it goes on with what it had";
  world.balancer.error = "";
  world.runtime.advance(seconds(1));
  EXPECT_EQ(world.proxy().listeners.size(), 1U);
}

TEST(Reconciler, AfterARestartItAppliesTheSameAndNothingIsLost) {
  World world;
  const std::string arn = world.make_balancer(), group = world.make_group();
  world.make_listener(arn, group);
  world.register_address(group, "10.0.1.5");
  const auto before = world.proxy();
  world.zone.names.clear();  // another process's memory
  world.network.ready_interfaces.clear();
  world.restart();
  EXPECT_EQ(world.zone.names.size(), 1U) << "its name answers before its interfaces are adopted";
  world.network.make_ready();
  world.run();
  EXPECT_EQ(world.proxy(), before);
  EXPECT_EQ(*world.described(arn).state->code, "active");
}

TEST(Reconciler, ADeletionThatWasInterruptedIsFinished) {
  World world;
  const std::string arn = world.make_balancer();
  world.elbv2->reconciler = nullptr;  // the daemon dies right after the request's commit
  world.elbv2->reconciler = std::make_unique<Reconciler>(*world.elbv2);
  world.call(delete_load_balancer, {.load_balancer_arn = arn});
  EXPECT_EQ(world.network.interfaces.size(), 2U);
  world.restart();
  EXPECT_TRUE(world.network.interfaces.empty());
  EXPECT_TRUE(world.balancer.balancers.empty());
  EXPECT_EQ(world.elbv2->balancers.size(), 0U);
}

// The plane may see no difference between the two but this: without it nobody would tell the health of the second.
TEST(Reconciler, ATargetThatIsRegisteredAnewIsAnotherRegistration) {
  World world;
  const std::string arn = world.make_balancer(), group = world.make_group();
  world.make_listener(arn, group);
  world.register_address(group, "10.0.1.5");
  const std::string first = world.proxy().groups.at(0).targets.at(0).registration;
  world.register_address(group, "10.0.1.5");
  EXPECT_EQ(world.proxy().groups.at(0).targets.at(0).registration, first) << "it was there already";
  world.call(deregister_targets,
             {.target_group_arn = group, .targets = std::vector<TargetDescription>{{.id = "10.0.1.5"}}});
  world.register_address(group, "10.0.1.5");
  EXPECT_NE(world.proxy().groups.at(0).targets.at(0).registration, first);
}

TEST(Reconciler, IgnoresReportsAboutWhatIsNoLongerThere) {
  World world;
  const std::string arn = world.make_balancer(), group = world.make_group();
  world.make_listener(arn, group);
  world.register_address(group, "10.0.1.5");
  const auto proxy = world.proxy();
  const std::string id = proxy.groups.at(0).id;
  const balancer::TargetHealth healthy{balancer::Health::healthy, "", ""};
  world.balancer.health("0000000000000000", id, "10.0.1.5:8000", healthy);
  world.balancer.health(proxy.id, "0000000000000000", "10.0.1.5:8000", healthy);
  world.balancer.health(proxy.id, id, "10.0.1.6:8000", healthy);
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "initial Elb.RegistrationInProgress");
  world.balancer.health(proxy.id, id, "10.0.1.5:8000", healthy);
  EXPECT_EQ(world.health_of(group).at("10.0.1.5"), "healthy");
}

}  // namespace
}  // namespace brume::elbv2
