// The engine against a slow, obvious reference over random small worlds.
#include <gtest/gtest.h>

#include "aws/policy/test_worlds.h"

namespace brume::policy {
namespace {

using namespace worlds;

TEST(DecideProperty, AgreesWithTheReferenceOnRandomWorlds) {
  const auto random = seeded_random(20260301);
  int allowed = 0, denied = 0;
  for (int i = 0; i < 25'000; ++i) {
    const reference::World world = random_world(*random);
    const Decision decision = by_engine(world);
    const reference::Answer answer = reference::evaluate(world);
    allowed += decision.allowed ? 1 : 0;
    denied += decision.explicit_deny ? 1 : 0;
    ASSERT_EQ(decision.allowed, answer.allowed) << "world " << i << ": " << decision.reason;
    ASSERT_EQ(decision.explicit_deny, answer.denied) << "world " << i << ": " << decision.reason;
    ASSERT_EQ(decision.allowed, decision.reason.empty());
  }
  // The worlds must be worth something: each answer comes up often.
  EXPECT_GT(allowed, 2000);
  EXPECT_GT(denied, 2000);
}

TEST(DecideProperty, TheWorldsHoldEveryOperatorInEveryForm) {
  // One condition at a time, so that its answer is the decision's: each operator, with and without IfExists and either
  // set operator, must come out both ways and as the reference says.
  const auto random = seeded_random(4);
  for (const std::string& op : kOperators)
    for (const std::string set : {"", "ForAllValues:", "ForAnyValue:"})
      for (const std::string end : {"", "IfExists"}) {
        if (op == "Null" && !end.empty()) continue;
        int held = 0, failed = 0;
        for (int i = 0; i < 400 && (i < 60 || held == 0 || failed == 0); ++i) {
          reference::World world = random_world(*random);
          world.caller = {"user", "111111111111", "arn:aws:iam::111111111111:user/alice", "", "AIDAALICEALICE00"};
          world.has_boundary = world.has_session = world.is_trust = false;
          world.resource_account.clear();
          world.resource_policies.clear();
          world.service_control.clear();
          const json::object condition{
              {set + op + end, json::object{{pick(*random, kKeys), json::array{json::string(fitting(*random, op))}}}}};
          const json::object statement{
              {"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}, {"Condition", condition}};
          world.identity = {json::object{{"Version", "2012-10-17"}, {"Statement", json::array{statement}}}};
          const bool allowed = by_engine(world).allowed;
          ASSERT_EQ(allowed, reference::evaluate(world).allowed) << json::serialize(statement);
          ++(allowed ? held : failed);
        }
        EXPECT_GT(held, 0) << set + op + end;
        EXPECT_GT(failed, 0) << set + op + end;
      }
}

TEST(DecideProperty, NeverAllowsMoreAfterADenyOrALimitIsAdded) {
  const auto random = seeded_random(77);
  for (int i = 0; i < 2000; ++i) {
    reference::World world = random_world(*random);
    const bool before = by_engine(world).allowed;
    json::value deny = random_document(*random, Grammar::identity);
    for (json::value& statement : deny.as_object()["Statement"].as_array()) statement.as_object()["Effect"] = "Deny";
    reference::World denied = world;
    denied.identity.push_back(deny);
    ASSERT_LE(by_engine(denied).allowed, before) << i;
    world.service_control.push_back(random_documents(*random, Grammar::identity, 2));
    ASSERT_LE(by_engine(world).allowed, before) << i;
  }
}

}  // namespace
}  // namespace brume::policy
