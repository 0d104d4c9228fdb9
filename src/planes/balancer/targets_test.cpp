#include "planes/balancer/targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "core/random.h"

namespace brume::balancer {
namespace {

using Kind = TargetAction::Kind;
const TargetKey kKey{"a", "10.0.1.5:80"};

TargetGroup group(std::vector<Target> targets) {
  TargetGroup result;
  result.id = "a";
  result.health_check.interval_seconds = 30;
  result.health_check.unhealthy_threshold = 2;
  result.targets = std::move(targets);
  return result;
}
Target target(bool draining = false) {
  return {.id = kKey.second, .address = "10.0.1.5", .port = 80, .draining = draining};
}

struct Case {
  const char* name;
  bool desired, draining;
  std::optional<ObservedTarget> observed;
  std::int64_t probed_ms_ago;
  std::vector<Kind> actions;
  Health health;
  const char* reason;
};

class PlanTargets : public ::testing::TestWithParam<Case> {};

TEST_P(PlanTargets, Plans) {
  const Case& c = GetParam();
  ObservedTargets observed;
  if (c.observed) observed[kKey] = *c.observed;
  Memories memories;
  if (c.probed_ms_ago >= 0) memories[kKey].probed_since_ms = 1'000'000 - c.probed_ms_ago;
  const auto plan = plan_targets(c.desired ? std::vector{group({target(c.draining)})} : std::vector{group({})},
                                 observed, memories, 1'000'000);
  std::vector<Kind> kinds;
  for (const auto& action : plan.actions) kinds.push_back(action.kind);
  EXPECT_EQ(kinds, c.actions);
  if (!c.desired) return;
  EXPECT_EQ(plan.health.at(kKey).health, c.health);
  EXPECT_EQ(plan.health.at(kKey).reason, c.reason);
}

const ObservedTarget kProbed{.probed = true};
const ObservedTarget kUp{.in_service = true, .up = true, .opened = true, .check_status = "L7OK"};

INSTANTIATE_TEST_SUITE_P(
    Table, PlanTargets,
    ::testing::Values(
        Case{"new", true, false, {}, -1, {Kind::probe}, Health::initial, "Elb.RegistrationInProgress"},
        Case{"unprobed", true, false, kProbed, 10, {}, Health::initial, "Elb.InitialHealthChecking"},
        Case{"first_pass",
             true,
             false,
             ObservedTarget{.probed = true, .check_status = "L7OK"},
             10,
             {Kind::serve},
             Health::healthy,
             ""},
        Case{"first_failures",
             true,
             false,
             ObservedTarget{.probed = true, .check_status = "L4CON"},
             59'000,
             {},
             Health::initial,
             "Elb.InitialHealthChecking"},
        Case{"failed_for_long",
             true,
             false,
             ObservedTarget{.probed = true, .check_status = "L7STS", .check_code = 503},
             60'000,
             {Kind::serve_unhealthy},
             Health::unhealthy,
             "Target.ResponseCodeMismatch"},
        Case{"up", true, false, kUp, -1, {}, Health::healthy, ""},
        Case{"down",
             true,
             false,
             ObservedTarget{.in_service = true, .opened = true, .check_status = "L7TOUT"},
             -1,
             {},
             Health::unhealthy,
             "Target.Timeout"},
        Case{"up_and_still_probed",
             true,
             false,
             ObservedTarget{.in_service = true, .up = true, .opened = true, .probed = true},
             -1,
             {Kind::stop_probing},
             Health::healthy,
             ""},
        Case{"draining", true, true, kUp, -1, {Kind::rest}, Health::draining, "Target.DeregistrationInProgress"},
        Case{"drained",
             true,
             true,
             ObservedTarget{.in_service = true, .resting = true, .opened = true},
             -1,
             {},
             Health::draining,
             "Target.DeregistrationInProgress"},
        Case{"draining_never_served",
             true,
             true,
             kProbed,
             10,
             {Kind::stop_probing},
             Health::draining,
             "Target.DeregistrationInProgress"},
        Case{"registered_again",
             true,
             false,
             ObservedTarget{.in_service = true, .resting = true, .opened = true},
             -1,
             {Kind::resume},
             Health::healthy,
             ""},
        Case{"gone", false, false, kUp, -1, {Kind::leave}, Health::unused, ""},
        Case{"gone_half", false, false, ObservedTarget{.opened = true}, -1, {Kind::leave}, Health::unused, ""},
        Case{"gone_from_probing", false, false, kProbed, 10, {Kind::stop_probing}, Health::unused, ""}),
    [](const auto& info) { return info.param.name; });

TEST(PlanTargetsOverTime, ARecoveringTargetKeepsItsLastReason) {
  const std::vector desired{group({target()})};
  ObservedTargets observed{{kKey, {.in_service = true, .check_status = "L7STS", .check_code = 500}}};
  auto plan = plan_targets(desired, observed, {}, 1);
  EXPECT_EQ(plan.health.at(kKey).description, "Health checks failed with these codes: [500]");
  observed[kKey].check_status = "L7OK";
  observed[kKey].check_code = 200;
  observed[kKey].between = true;
  plan = plan_targets(desired, observed, plan.memories, 2);
  EXPECT_EQ(plan.health.at(kKey).description, "Health checks failed with these codes: [500]");
  EXPECT_TRUE(plan.changing);
}

TEST(PlanTargetsOverTime, SaysNothingOfAFailureThatItDidNotSee) {
  const std::vector desired{group({target()})};
  const ObservedTargets observed{{kKey, {.in_service = true, .opened = true}}};
  const auto plan = plan_targets(desired, observed, {}, 1);
  EXPECT_TRUE(plan.health.empty());
  EXPECT_TRUE(plan.actions.empty()) << "it stays in service all the same";
}

TEST(PlanTargetsOverTime, ACheckUnderWayHidesTheCodeButNotTheReason) {
  const std::vector desired{group({target()})};
  ObservedTargets observed{{kKey, {.in_service = true, .up = true, .check_status = "L7STS", .check_code = 500}}};
  auto plan = plan_targets(desired, observed, {}, 1);
  EXPECT_EQ(plan.health.at(kKey).health, Health::healthy) << "one failure is not enough";
  observed[kKey] = {.in_service = true, .check_status = "L7STS"};
  plan = plan_targets(desired, observed, plan.memories, 2);
  EXPECT_EQ(plan.health.at(kKey).description, "Health checks failed with these codes: [500]");
}

// A model of HAProxy's servers: what each action's commands do.
void act(const TargetAction& action, ObservedTargets& world) {
  ObservedTarget& it = world[action.target];
  switch (action.kind) {
    case Kind::probe:
      it.probed = true;
      it.check_status = "L4CON";  // its check has ended when it is looked at again
      break;
    case Kind::stop_probing:
      it.probed = false;
      break;
    case Kind::serve:
    case Kind::serve_unhealthy:
      it = {.in_service = true, .up = action.kind == Kind::serve, .opened = true, .check_status = it.check_status};
      break;
    case Kind::rest:
      it.resting = true;
      break;
    case Kind::resume:
      it.resting = false;
      it.up = true;
      break;
    case Kind::leave:
      it.in_service = it.opened = false;
      break;
  }
  if (!it.in_service && !it.opened && !it.probed) world.erase(action.target);
}

TEST(PlanTargetsOverTime, ComesToRestFromAnyState) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto random = seeded_random(seed);
    const auto chance = [&] { return random->below(2) == 1; };
    ObservedTargets world;
    std::vector<Target> targets;
    for (int i = 0; i < 6; ++i) {
      const std::string id = "10.0.0." + std::to_string(i) + ":80";
      if (chance())
        targets.push_back({.id = id, .address = "10.0.0." + std::to_string(i), .port = 80, .draining = chance()});
      ObservedTarget seen{.in_service = chance(),
                          .resting = chance(),
                          .up = chance(),
                          .opened = chance(),
                          .probed = chance(),
                          .check_status = chance() ? "L7OK" : "L4CON"};
      if (!seen.in_service) seen.resting = seen.up = false;
      if (seen.in_service || seen.opened || seen.probed) world[{"a", id}] = seen;
    }
    const std::vector desired{group(targets)};
    Memories memories;
    std::int64_t now = 1;
    std::size_t rounds = 0;
    for (; rounds < 10; ++rounds) {
      const auto plan = plan_targets(desired, world, memories, now);
      memories = plan.memories;
      if (plan.actions.empty() && rounds > 2) break;
      for (const auto& action : plan.actions) act(action, world);
      now += 100'000;
    }
    ASSERT_LT(rounds, 10U) << "seed " << seed;
    for (const auto& [key, seen] : world) {
      EXPECT_FALSE(seen.probed) << "seed " << seed;
      EXPECT_TRUE(std::any_of(targets.begin(), targets.end(), [&](const Target& t) { return t.id == key.second; }));
    }
    for (const Target& t : targets)
      if (!t.draining) EXPECT_TRUE((world.contains({"a", t.id}))) << "seed " << seed;
  }
}

TEST(Observe, ReadsTheServersOfAllThreeBackends) {
  const auto rows = parse_stat(
      "# pxname,svname,status,check_status,check_code,conn_tot,\n"
      "l.x,FRONTEND,OPEN,,,17,\n"
      "tg.a,1.2.3.4:80,UP 1/2,* L7STS,503,,\n"
      "tg.a,BACKEND,UP,,,,\n"
      "tg.a,1.2.3.5:80,MAINT,L7OK,200,,\n"
      "open.a,1.2.3.4:80,no check,,,,\n"
      "probe.a,1.2.3.6:80,UP,INI,,,\n");
  EXPECT_EQ(rows[0].connections, 17U);
  const auto observed = observe(rows);
  ASSERT_EQ(observed.size(), 3U);
  EXPECT_EQ(observed.at({"a", "1.2.3.4:80"}), (ObservedTarget{.in_service = true,
                                                              .up = true,
                                                              .between = true,
                                                              .opened = true,
                                                              .check_status = "L7STS",
                                                              .check_code = 503}));
  EXPECT_TRUE(observed.at({"a", "1.2.3.5:80"}).resting);
  EXPECT_EQ(observed.at({"a", "1.2.3.6:80"}), (ObservedTarget{.probed = true}));
}

TEST(InfoValue, FindsALine) {
  EXPECT_EQ(info_value("Name: HAProxy\ndescription: 0a1b\nPid: 7", "description"), "0a1b");
  EXPECT_EQ(info_value("Name: HAProxy", "Pid"), "");
}

}  // namespace
}  // namespace brume::balancer
