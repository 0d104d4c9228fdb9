#include <gtest/gtest.h>

#include "core/text.h"
#include "services/sts/roles.h"
#include "services/sts/testing.h"

namespace brume::sts {
namespace {

TEST(GetCallerIdentity, IsTheCaller) {
  StsWorld world;
  GetCallerIdentityOutput output = world.call(get_caller_identity, {});
  EXPECT_EQ(*output.arn, "arn:aws:iam::111111111111:user/alice");
  EXPECT_EQ(*output.user_id, "AIDAALICEALICEALICEAL");
  EXPECT_EQ(*output.account, kAccount);
  world.caller = world.context_of(StsWorld::root());
  output = world.call(get_caller_identity, {});
  EXPECT_EQ(*output.arn, "arn:aws:iam::111111111111:root");
  EXPECT_EQ(*output.user_id, kAccount);
}

TEST(GetAccessKeyInfo, ReadsTheAccountFromTheKey) {
  StsWorld world;
  const std::string id = new_access_key_id("AKIA", "123456789012", *world.random);
  EXPECT_EQ(*world.call(get_access_key_info, {.access_key_id = id}).account, "123456789012");
  EXPECT_EQ(world.error(get_access_key_info, {.access_key_id = "AKIAIOSFODNN7EXAMPLE"}).substr(0, 21),
            "InvalidParameterValue");
}

TEST(GetSessionToken, KeepsTheCallersIdentity) {
  StsWorld world;
  const Credentials credentials = *world.call(get_session_token, {}).credentials;
  EXPECT_EQ(*credentials.expiration, world.runtime.clock.now() + hours(12));
  const Principal bearer = world.bearer(credentials)->principal;
  EXPECT_EQ(bearer.kind, Principal::Kind::user);
  EXPECT_EQ(bearer.arn, "arn:aws:iam::111111111111:user/alice");
  world.caller = world.context_of(bearer);
  EXPECT_EQ(world.error(get_session_token, {}), "AccessDenied: Cannot call GetSessionToken with session credentials");
  world.caller = world.context_of(StsWorld::root());
  EXPECT_EQ(*world.call(get_session_token, {.duration_seconds = 7200}).credentials->expiration,
            world.runtime.clock.now() + hours(1));
}

TEST(GetSessionToken, MakesTokensAsLongAsAsked) {
  StsWorld world;
  EXPECT_GE(world.call(get_session_token, {.minimum_session_token_size = 2000}).credentials->session_token->size(),
            2000U);
}

TEST(ServiceRoles, AreAssumedByTheTrustedService) {
  StsWorld world;
  world.authorizer.allows = [](const RequestContext& context, const Ask& ask) {
    return context.principal.kind == Principal::Kind::service && context.principal.id == "ecs-tasks.amazonaws.com" &&
           ask.action == "sts:AssumeRole" && ask.resource == kRole;
  };
  ServiceRoles roles(*world.sts);
  std::string why_not;
  const std::optional<Principal> principal = roles.assume(kRole, "ecs-tasks.amazonaws.com", "task1", why_not);
  ASSERT_TRUE(principal) << why_not;
  EXPECT_EQ(principal->arn, "arn:aws:sts::111111111111:assumed-role/app/task1");
  EXPECT_FALSE(roles.assume(kRole, "ec2.amazonaws.com", "task1", why_not));
  EXPECT_NE(why_not.find("does not allow ec2.amazonaws.com"), std::string::npos);
  EXPECT_FALSE(roles.assume("arn:aws:iam::111111111111:role/none", "ecs-tasks.amazonaws.com", "task1", why_not));
  EXPECT_NE(why_not.find("does not exist"), std::string::npos);

  Tx tx(*world.store);
  const auto keys = roles.issue(tx, kRole, "ecs-tasks.amazonaws.com", "task1", why_not);
  ASSERT_TRUE(keys);
  EXPECT_FALSE(world.key_ring.find(keys->access_key_id));
  tx.commit();
  const Credential bearer = *world.key_ring.find(keys->access_key_id);
  EXPECT_EQ(bearer.secret, keys->secret_access_key);
  EXPECT_EQ(bearer.session_token, keys->session_token);
  EXPECT_EQ(bearer.principal.arn, principal->arn);
  EXPECT_EQ(keys->expires, world.runtime.clock.now() + hours(6));
}

}  // namespace
}  // namespace brume::sts
