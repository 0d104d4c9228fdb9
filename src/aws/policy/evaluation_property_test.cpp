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
