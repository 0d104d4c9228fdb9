#include <gtest/gtest.h>

#include "core/text.h"
#include "services/iam/testing.h"

namespace brume::iam {
namespace {

TEST(CreateUser, ReturnsWhatTerraformReadsBack) {
  IamWorld world;
  const User made = *world.call(create_user, {.path = "/team/", .user_name = "alice"}).user;
  EXPECT_EQ(made, *world.call(get_user, {.user_name = "alice"}).user);
  EXPECT_EQ(*made.arn, "arn:aws:iam::111111111111:user/team/alice");
  EXPECT_EQ(made.user_id->substr(0, 4), "AIDA");
  EXPECT_EQ(world.error(create_user, {.user_name = "Alice"}),
            "EntityAlreadyExists: User with name Alice already exists.");
  EXPECT_EQ(world.error(get_user, {.user_name = "bob"}), "NoSuchEntity: The user with name bob cannot be found.");
}

TEST(GetUser, WithoutANameIsTheCaller) {
  IamWorld world;
  const User root = *world.call(get_user, {}).user;
  EXPECT_EQ(*root.arn, "arn:aws:iam::111111111111:root");
  EXPECT_FALSE(root.user_name);
  const User alice = world.make_user("alice");
  Principal principal = root_principal();
  principal.kind = Principal::Kind::user;
  principal.arn = *alice.arn;
  principal.id = *alice.user_id;
  world.caller = world.context_of(principal);
  EXPECT_EQ(*world.call(get_user, {}).user, alice);
  principal.kind = Principal::Kind::role_session;
  world.caller = world.context_of(principal);
  EXPECT_EQ(world.error(get_user, {}), "ValidationError: Must specify userName when calling with non-User credentials");
}

TEST(CreateAccessKey, ReachesTheFrontDoorWhenItIsCommitted) {
  IamWorld world;
  world.make_user("alice");
  const AccessKey key = *world.call(create_access_key, {.user_name = "alice"}).access_key;
  EXPECT_EQ(key.secret_access_key->size(), 40U);
  const Credential& issued = world.access_keys.issued.at(*key.access_key_id);
  EXPECT_EQ(issued.secret, *key.secret_access_key);
  EXPECT_TRUE(issued.active);
  EXPECT_EQ(issued.principal.kind, Principal::Kind::user);
  EXPECT_EQ(issued.principal.arn, "arn:aws:iam::111111111111:user/alice");
  {
    Tx tx(*world.store);
    const CreateAccessKeyInput input{.user_name = "alice"};
    create_access_key(*world.iam, tx, Request<CreateAccessKeyInput>(world.caller, input));
  }
  EXPECT_EQ(world.access_keys.issued.size(), 1U);
  world.call(create_access_key, {.user_name = "alice"});
  EXPECT_EQ(world.error(create_access_key, {.user_name = "alice"}),
            "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2");
}

TEST(UpdateAccessKey, TurnsItOffAndOn) {
  IamWorld world;
  world.make_user("alice");
  const std::string id = *world.call(create_access_key, {.user_name = "alice"}).access_key->access_key_id;
  world.call(update_access_key, {.user_name = "alice", .access_key_id = id, .status = "Inactive"});
  EXPECT_FALSE(world.access_keys.issued.at(id).active);
  EXPECT_EQ(*world.call(list_access_keys, {.user_name = "alice"}).access_key_metadata->at(0).status, "Inactive");
  world.restart();
  EXPECT_FALSE(world.access_keys.issued.at(id).active);
  world.call(update_access_key, {.user_name = "alice", .access_key_id = id, .status = "Active"});
  EXPECT_TRUE(world.access_keys.issued.at(id).active);
  world.call(delete_access_key, {.user_name = "alice", .access_key_id = id});
  EXPECT_TRUE(world.access_keys.issued.empty());
  EXPECT_EQ(world.error(delete_access_key, {.user_name = "alice", .access_key_id = id}),
            "NoSuchEntity: The Access Key with id " + id + " cannot be found.");
}

TEST(AccessKeys, OfRootBelongToTheAccount) {
  IamWorld world;
  const AccessKey key = *world.call(create_access_key, {}).access_key;
  EXPECT_FALSE(key.user_name);
  EXPECT_EQ(world.access_keys.issued.at(*key.access_key_id).principal.kind, Principal::Kind::root);
  EXPECT_EQ(world.call(list_access_keys, {}).access_key_metadata->size(), 1U);
}

TEST(GetAccessKeyLastUsed, TellsWhatTheAuthorizerSaw) {
  IamWorld world;
  world.make_user("alice");
  const std::string id = *world.call(create_access_key, {.user_name = "alice"}).access_key->access_key_id;
  EXPECT_EQ(*world.call(get_access_key_last_used, {.access_key_id = id}).access_key_last_used->service_name, "N/A");
  PolicyAuthorizer authorizer(*world.iam);
  RequestContext context = world.context_of(world.access_keys.issued.at(id).principal);
  context.scope.region = "eu-west-1";
  authorizer.authorize(context, {.action = "s3:GetObject"});
  const AccessKeyLastUsed used = *world.call(get_access_key_last_used, {.access_key_id = id}).access_key_last_used;
  EXPECT_EQ(*used.service_name, "s3");
  EXPECT_EQ(*used.region, "eu-west-1");
  EXPECT_EQ(*used.last_used_date, world.clock.now());
}

TEST(GetAccessKeyLastUsed, IsWrittenWithinAMinuteAndForgottenWithTheKey) {
  IamWorld world;
  ControlLoop control(world.clock);
  world.iam->last_uses.write_lazily(control, world.clock);
  world.make_user("alice");
  const std::string id = *world.call(create_access_key, {.user_name = "alice"}).access_key->access_key_id;
  const auto use = [&](const std::string& region) {
    PolicyAuthorizer authorizer(*world.iam);
    RequestContext context = world.context_of(world.access_keys.issued.at(id).principal);
    context.scope.region = region;
    authorizer.authorize(context, {.action = "s3:GetObject"});
  };
  const auto region = [&] {
    return *world.call(get_access_key_last_used, {.access_key_id = id}).access_key_last_used->region;
  };
  use("eu-west-1");
  world.clock.advance(LastUses::kLaziness);
  control.run_until_idle();
  use("eu-west-2");
  EXPECT_EQ(region(), "eu-west-2");
  // A kill loses what is younger than the last writing, and nothing else.
  world.restart();
  EXPECT_EQ(region(), "eu-west-1");
  use("eu-west-3");
  world.iam->last_uses.write_rest();
  world.restart();
  EXPECT_EQ(region(), "eu-west-3");
  world.call(delete_access_key, {.user_name = "alice", .access_key_id = id});
  EXPECT_EQ(world.iam->last_uses.find(kAccount, id), nullptr);
  world.restart();
  EXPECT_EQ(world.iam->last_uses.find(kAccount, id), nullptr);
}

TEST(LastUses, AreWrittenInBatchesWithTurnsBetween) {
  IamWorld world;
  ControlLoop control(world.clock);
  LastUses& uses = world.iam->last_uses;
  uses.write_lazily(control, world.clock);
  const std::size_t count = 3 * LastUses::kBatch;
  for (std::size_t i = 0; i < count; ++i)
    uses.note(kAccount, "AKIA" + std::to_string(i), world.clock.now(), "s3", "eu-west-1");
  EXPECT_EQ(control.next_timer(), world.clock.now() + LastUses::kLaziness) << "one timer for all";
  world.clock.advance(LastUses::kLaziness);
  control.run_until_idle();
  EXPECT_EQ(control.next_timer(), std::nullopt) << "nothing is due while nothing is used";
  world.restart();
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_NE(world.iam->last_uses.find(kAccount, "AKIA" + std::to_string(i)), nullptr);
}

TEST(UpdateUser, RenamesAndKeepsItsKeys) {
  IamWorld world;
  const std::string id = *world.make_user("alice").user_id;
  const std::string key = *world.call(create_access_key, {.user_name = "alice"}).access_key->access_key_id;
  world.make_user("bob");
  EXPECT_EQ(world.error(update_user, {.user_name = "alice", .new_user_name = "BOB"}).substr(0, 19),
            "EntityAlreadyExists");
  world.call(update_user, {.user_name = "alice", .new_path = "/x/", .new_user_name = "carol"});
  EXPECT_EQ(*world.call(get_user, {.user_name = "carol"}).user->user_id, id);
  EXPECT_EQ(world.error(get_user, {.user_name = "alice"}).substr(0, 12), "NoSuchEntity");
  EXPECT_EQ(world.access_keys.issued.at(key).principal.arn, "arn:aws:iam::111111111111:user/x/carol");
  EXPECT_EQ(world.call(list_access_keys, {.user_name = "carol"}).access_key_metadata->size(), 1U);
}

TEST(DeleteUser, NeedsAnEmptyUser) {
  IamWorld world;
  world.make_user("alice");
  world.call(put_user_policy, {.user_name = "alice", .policy_name = "p", .policy_document = kAllowS3});
  EXPECT_EQ(world.error(delete_user, {.user_name = "alice"}),
            "DeleteConflict: Cannot delete entity, must delete policies first.");
  world.call(delete_user_policy, {.user_name = "alice", .policy_name = "p"});
  const std::string key = *world.call(create_access_key, {.user_name = "alice"}).access_key->access_key_id;
  EXPECT_EQ(world.error(delete_user, {.user_name = "alice"}),
            "DeleteConflict: Cannot delete entity, must delete access keys first.");
  world.call(delete_access_key, {.user_name = "alice", .access_key_id = key});
  world.call(delete_user, {.user_name = "alice"});
  EXPECT_EQ(world.call(list_users, {}).users->size(), 0U);
}

TEST(ForceDestroy, FindsNothingElseToDelete) {
  IamWorld world;
  world.make_user("alice");
  EXPECT_TRUE(world.call(list_groups_for_user, {.user_name = "alice"}).groups->empty());
  EXPECT_TRUE(world.call(list_mfa_devices, {.user_name = "alice"}).mfa_devices->empty());
  EXPECT_TRUE(world.call(list_virtual_mfa_devices, {}).virtual_mfa_devices->empty());
  EXPECT_TRUE(world.call(list_ssh_public_keys, {.user_name = "alice"}).ssh_public_keys->empty());
  EXPECT_TRUE(world.call(list_signing_certificates, {.user_name = "alice"}).certificates->empty());
  EXPECT_TRUE(
      world.call(list_service_specific_credentials, {.user_name = "alice"}).service_specific_credentials->empty());
  EXPECT_EQ(world.error(delete_login_profile, {.user_name = "alice"}),
            "NoSuchEntity: Login Profile for User alice cannot be found.");
  EXPECT_EQ(world.error(list_groups_for_user, {.user_name = "bob"}).substr(0, 12), "NoSuchEntity");
  EXPECT_TRUE(world.call(list_account_aliases, {}).account_aliases->empty());
}

TEST(UserPolicies, AreReadBackEncoded) {
  IamWorld world;
  world.make_user("alice");
  const std::string spaced =
      R"({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})";
  world.call(put_user_policy, {.user_name = "alice", .policy_name = "p", .policy_document = spaced});
  const std::string wire = *world.call(get_user_policy, {.user_name = "alice", .policy_name = "p"}).policy_document;
  EXPECT_NE(wire.find("%20"), std::string::npos);
  EXPECT_EQ(percent_decode(wire), spaced);
  EXPECT_EQ(*world.call(list_user_policies, {.user_name = "alice"}).policy_names, (std::vector<std::string>{"p"}));
  world.call(put_user_permissions_boundary,
             {.user_name = "alice", .permissions_boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess"});
  EXPECT_TRUE(world.call(get_user, {.user_name = "alice"}).user->permissions_boundary);
  world.call(delete_user_permissions_boundary, {.user_name = "alice"});
  world.call(tag_user, {.user_name = "alice", .tags = std::vector<Tag>{{.key = "a", .value = "1"}}});
  EXPECT_EQ(world.call(list_user_tags, {.user_name = "alice"}).tags->size(), 1U);
  world.call(untag_user, {.user_name = "alice", .tag_keys = std::vector<std::string>{"A"}});
  EXPECT_EQ(world.call(list_user_tags, {.user_name = "alice"}).tags->size(), 0U);
  world.call(attach_user_policy, {.user_name = "alice", .policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"});
  EXPECT_EQ(world.call(list_attached_user_policies, {.user_name = "alice"}).attached_policies->size(), 1U);
  world.call(detach_user_policy, {.user_name = "alice", .policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"});
}

}  // namespace
}  // namespace brume::iam
