#include <gtest/gtest.h>

#include "services/sts/testing.h"

namespace brume::sts {
namespace {

const AssumeRoleInput kPlain{.role_arn = kRole, .role_session_name = "deploy"};

const Ask* asked(const StsWorld& world, const std::string& action) {
  for (const Ask& ask : world.authorizer.asked)
    if (ask.action == action) return &ask;
  return nullptr;
}

TEST(AssumeRole, GivesCredentialsThatTheFrontDoorKnows) {
  StsWorld world;
  const AssumeRoleOutput output = world.call(assume_role, kPlain);
  EXPECT_EQ(*output.assumed_role_user->arn, "arn:aws:sts::111111111111:assumed-role/app/deploy");
  EXPECT_EQ(*output.assumed_role_user->assumed_role_id, "AROAAPPAPPAPPAPPAPPAP:deploy");
  EXPECT_EQ(output.credentials->access_key_id->substr(0, 4), "ASIA");
  EXPECT_EQ(account_of_access_key(*output.credentials->access_key_id), kAccount);
  EXPECT_EQ(*output.credentials->expiration, world.runtime.clock.now() + hours(1));
  EXPECT_FALSE(output.packed_policy_size);
  const Credential bearer = *world.bearer(*output.credentials);
  EXPECT_EQ(bearer.secret, *output.credentials->secret_access_key);
  EXPECT_EQ(bearer.session_token, *output.credentials->session_token);
  EXPECT_EQ(bearer.principal.kind, Principal::Kind::role_session);
  EXPECT_EQ(bearer.principal.role_arn, kRole);
  EXPECT_EQ(bearer.principal.id, "AROAAPPAPPAPPAPPAPPAP:deploy");
  EXPECT_EQ(bearer.principal.expires, *output.credentials->expiration);
  EXPECT_EQ(bearer.principal.issued, world.runtime.clock.now());
}

TEST(AssumeRole, AsksWithTheKeysOfTheRequest) {
  StsWorld world;
  AssumeRoleInput input = kPlain;
  input.external_id = "42-x";
  input.source_identity = "alice";
  input.tags = std::vector<Tag>{{.key = "team", .value = "red"}};
  input.transitive_tag_keys = std::vector<std::string>{"team"};
  const AssumeRoleOutput output = world.call(assume_role, input);
  const Ask* ask = asked(world, "sts:AssumeRole");
  ASSERT_NE(ask, nullptr);
  EXPECT_EQ(ask->resource, kRole);
  for (const auto& [key, value] : std::map<std::string, std::string>{{"sts:ExternalId", "42-x"},
                                                                     {"sts:RoleSessionName", "deploy"},
                                                                     {"sts:SourceIdentity", "alice"},
                                                                     {"aws:RequestTag/team", "red"},
                                                                     {"aws:TagKeys", "team"},
                                                                     {"sts:TransitiveTagKeys", "team"}})
    EXPECT_EQ(ask->keys.find(key)->second, value) << key;
  EXPECT_NE(asked(world, "sts:TagSession"), nullptr);
  EXPECT_NE(asked(world, "sts:SetSourceIdentity"), nullptr);
  const Credential bearer = *world.bearer(*output.credentials);
  EXPECT_EQ(bearer.principal.session_tags, (Tags{{"team", "red"}}));
  EXPECT_EQ(bearer.principal.source_identity, "alice");
  EXPECT_EQ(*output.source_identity, "alice");
}

TEST(AssumeRole, IsDeniedAsAwsDeniesIt) {
  StsWorld world;
  world.authorizer.allows = [](const auto&, const Ask& ask) { return ask.action != "sts:TagSession"; };
  AssumeRoleInput tagged = kPlain;
  tagged.tags = std::vector<Tag>{{.key = "team", .value = "red"}};
  EXPECT_EQ(world.error(assume_role, tagged),
            "AccessDenied: User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:TagSession on "
            "resource: arn:aws:iam::111111111111:role/team/app because no identity-based policy allows the "
            "sts:TagSession action");
  EXPECT_EQ(world.error(assume_role, {.role_arn = "arn:aws:iam::111111111111:role/none", .role_session_name = "x1"}),
            "AccessDenied: User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on "
            "resource: arn:aws:iam::111111111111:role/none");
  world.caller = world.context_of(StsWorld::root());
  EXPECT_EQ(world.error(assume_role, kPlain), "AccessDenied: Roles may not be assumed by root accounts.");
  EXPECT_EQ(world.key_ring.size(), 0U);
}

TEST(AssumeRole, KeepsToTheRolesDurations) {
  StsWorld world;
  AssumeRoleInput input = kPlain;
  input.duration_seconds = 7201;
  EXPECT_EQ(world.error(assume_role, input),
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  input.duration_seconds = 7200;
  const AssumeRoleOutput output = world.call(assume_role, input);
  EXPECT_EQ(*output.credentials->expiration, world.runtime.clock.now() + hours(2));
  world.caller = world.context_of(world.bearer(*output.credentials)->principal);
  EXPECT_EQ(world.error(assume_role, input),
            "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining.");
  input.duration_seconds = 3600;
  EXPECT_EQ(world.error(assume_role, input), "");
}

TEST(AssumeRole, TakesSessionPolicies) {
  StsWorld world;
  AssumeRoleInput input = kPlain;
  input.policy = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})";
  input.policy_arns = std::vector<PolicyDescriptorType>{{.arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}};
  const AssumeRoleOutput output = world.call(assume_role, input);
  EXPECT_TRUE(output.packed_policy_size);
  const Principal bearer = world.bearer(*output.credentials)->principal;
  EXPECT_EQ(bearer.session_policy, *input.policy);
  EXPECT_EQ(bearer.session_policy_arns.size(), 1U);
  input.policy_arns = std::vector<PolicyDescriptorType>{{.arn = "arn:aws:iam::aws:policy/Nothing"}};
  EXPECT_EQ(world.error(assume_role, input).substr(0, 15), "ValidationError");
  input.policy_arns.reset();
  input.policy = "no document";
  EXPECT_EQ(world.error(assume_role, input), "MalformedPolicyDocument: Syntax errors in policy.");
  input.policy = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::)" +
                 std::string(2048, 'x') + "\"}}";
  EXPECT_EQ(world.error(assume_role, input).substr(0, 20), "PackedPolicyTooLarge");
}

TEST(AssumeRole, HandsTransitiveTagsAndSourceIdentityOn) {
  StsWorld world;
  AssumeRoleInput input = kPlain;
  input.tags = std::vector<Tag>{{.key = "team", .value = "red"}, {.key = "once", .value = "1"}};
  input.transitive_tag_keys = std::vector<std::string>{"team"};
  input.source_identity = "alice";
  world.caller = world.context_of(world.bearer(*world.call(assume_role, input).credentials)->principal);
  const Principal second = world.bearer(*world.call(assume_role, kPlain).credentials)->principal;
  EXPECT_EQ(second.session_tags, (Tags{{"team", "red"}}));
  EXPECT_EQ(second.source_identity, "alice");
  input = kPlain;
  input.tags = std::vector<Tag>{{.key = "team", .value = "blue"}};
  EXPECT_EQ(world.error(assume_role, input).substr(0, 21), "InvalidParameterValue");
  input = kPlain;
  input.source_identity = "mallory";
  EXPECT_EQ(world.error(assume_role, input).substr(0, 12), "AccessDenied");
}

TEST(AssumeRole, TakesTheCodeOfTheCallersDeviceOnce) {
  StsWorld world;
  AssumeRoleInput input = kPlain;
  input.serial_number = "arn:aws:iam::111111111111:mfa/alice";
  input.token_code = "123456";
  const std::string refused = "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code.";
  EXPECT_EQ(world.error(assume_role, input), refused);
  world.identities.code = "123456";
  const Principal bearer = world.bearer(*world.call(assume_role, input).credentials)->principal;
  EXPECT_TRUE(bearer.mfa);
  EXPECT_EQ(world.authorizer.asked.back().keys.find("aws:MultiFactorAuthPresent")->second, "true");
  EXPECT_EQ(world.error(assume_role, input), refused);
}

TEST(AssumeRole, RefusesWhatIsNotServedByName) {
  StsWorld world;
  AssumeRoleInput input = kPlain;
  input.provided_contexts = std::vector<ProvidedContext>(1);
  EXPECT_NE(world.error(assume_role, input).find("ProvidedContexts is not served"), std::string::npos);
}

TEST(Sessions, AreThereAfterARestartAndPrunedWhenExpired) {
  StsWorld world;
  const Credentials credentials = *world.call(assume_role, kPlain).credentials;
  const Principal before = world.bearer(credentials)->principal;
  world.sts.reset();
  world.key_ring.remove(*credentials.access_key_id);
  world.sts = world.make();
  EXPECT_EQ(world.bearer(credentials)->principal, before);
  EXPECT_EQ(world.bearer(credentials)->session_token, *credentials.session_token);
  // Expired, it is known for a while, so that its bearer hears that it expired.
  world.runtime.advance(minutes(61));
  EXPECT_TRUE(world.bearer(credentials));
  world.runtime.advance(hours(1));
  EXPECT_FALSE(world.bearer(credentials));
  EXPECT_EQ(world.sts->sessions.size(), 0U);
}

}  // namespace
}  // namespace brume::sts
