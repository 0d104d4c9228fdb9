#include <gtest/gtest.h>

#include <set>

#include "aws/policy/document.h"
#include "core/text.h"
#include "services/iam/managed_policies.h"
#include "services/iam/testing.h"

namespace brume::iam {
namespace {

constexpr const char* kArn = "arn:aws:iam::111111111111:policy/p";
constexpr const char* kTaskExecution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";

TEST(AwsManagedPolicies, AreDocumentsThatTheEngineReads) {
  for (const AwsManagedPolicy& policy : aws_managed_policies()) {
    const auto parsed = policy::parse_document(policy.document, policy::Grammar::identity);
    EXPECT_TRUE(parsed) << policy.name << ": " << parsed.error().message << " " << parsed.error().detail;
    EXPECT_EQ(find_aws_managed_policy(policy.arn()), &policy);
    EXPECT_EQ(policy.id.substr(0, 4), "ANPA");
  }
  EXPECT_EQ(find_aws_managed_policy("arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy"), nullptr);
}

TEST(GetPolicy, KnowsAwsManagedPolicies) {
  IamWorld world;
  const Policy policy = *world.call(get_policy, {.policy_arn = kTaskExecution}).policy;
  EXPECT_EQ(*policy.policy_name, "AmazonECSTaskExecutionRolePolicy");
  EXPECT_EQ(*policy.path, "/service-role/");
  EXPECT_EQ(*policy.default_version_id, "v1");
  EXPECT_EQ(*policy.attachment_count, 0);
  const auto version = world.call(get_policy_version, {.policy_arn = kTaskExecution, .version_id = "v1"});
  EXPECT_NE(percent_decode(*version.policy_version->document)->find("ecr:BatchGetImage"), std::string::npos);
  EXPECT_EQ(
      world.error(create_policy_version, {.policy_arn = kTaskExecution, .policy_document = kAllowS3}).substr(0, 13),
      "AccessDenied:");
}

TEST(CreatePolicy, RefusesWhatAwsRefuses) {
  IamWorld world;
  EXPECT_EQ(world.make_policy("p"), kArn);
  EXPECT_EQ(world.error(create_policy, {.policy_name = "P", .policy_document = kAllowS3}),
            "EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed.");
  EXPECT_EQ(world.error(create_policy, {.policy_name = "q", .policy_document = "no json"}),
            "MalformedPolicyDocument: Syntax errors in policy.");
  const std::string unknown_operator =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}})";
  EXPECT_EQ(world.error(create_policy, {.policy_name = "q", .policy_document = unknown_operator}),
            "MalformedPolicyDocument: Syntax errors in policy.");
  const std::string big =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::)" +
      std::string(6144, 'x') + "\"}}";
  EXPECT_EQ(world.error(create_policy, {.policy_name = "q", .policy_document = big}),
            "LimitExceeded: Cannot exceed quota for PolicySize: 6144");
}

TEST(PolicyVersions, AreFiveAtMostAndOneIsTheDefault) {
  IamWorld world;
  world.make_policy("p");
  for (int i = 2; i <= 5; ++i) {
    const auto made =
        world.call(create_policy_version, {.policy_arn = kArn, .policy_document = kAllowS3, .set_as_default = i == 3});
    EXPECT_EQ(*made.policy_version->version_id, "v" + std::to_string(i));
    EXPECT_EQ(*made.policy_version->is_default_version, i == 3);
  }
  EXPECT_EQ(world.error(create_policy_version, {.policy_arn = kArn, .policy_document = kAllowS3}),
            "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must "
            "delete an existing version.");
  EXPECT_EQ(*world.call(get_policy, {.policy_arn = kArn}).policy->default_version_id, "v3");
  EXPECT_EQ(world.error(delete_policy_version, {.policy_arn = kArn, .version_id = "v3"}),
            "DeleteConflict: Cannot delete the default version of a policy.");
  world.call(delete_policy_version, {.policy_arn = kArn, .version_id = "v1"});
  EXPECT_EQ(world.error(get_policy_version, {.policy_arn = kArn, .version_id = "v1"}),
            "NoSuchEntity: Policy arn:aws:iam::111111111111:policy/p version v1 does not exist or is not attachable.");
  // A number is never used again.
  world.call(delete_policy_version, {.policy_arn = kArn, .version_id = "v5"});
  EXPECT_EQ(
      *world.call(create_policy_version, {.policy_arn = kArn, .policy_document = kAllowS3}).policy_version->version_id,
      "v6");
  world.call(set_default_policy_version, {.policy_arn = kArn, .version_id = "v2"});
  std::vector<std::string> ids;
  opt<std::string> marker;
  do {
    const auto page = world.call(list_policy_versions, {.policy_arn = kArn, .marker = marker, .max_items = 3});
    for (const PolicyVersion& version : *page.versions) {
      ids.push_back(*version.version_id);
      EXPECT_EQ(*version.is_default_version, *version.version_id == "v2");
    }
    marker = page.marker;
  } while (marker);
  EXPECT_EQ(ids, (std::vector<std::string>{"v6", "v4", "v3", "v2"}));
}

TEST(DeletePolicy, NeedsNoAttachmentAndOneVersion) {
  IamWorld world;
  world.make_policy("p");
  world.make_role("r");
  world.call(attach_role_policy, {.role_name = "r", .policy_arn = kArn});
  EXPECT_EQ(*world.call(get_policy, {.policy_arn = kArn}).policy->attachment_count, 1);
  EXPECT_EQ(world.error(delete_policy, {.policy_arn = kArn}),
            "DeleteConflict: Cannot delete a policy attached to entities.");
  world.call(detach_role_policy, {.role_name = "r", .policy_arn = kArn});
  EXPECT_EQ(world.error(detach_role_policy, {.role_name = "r", .policy_arn = kArn}),
            "NoSuchEntity: Policy arn:aws:iam::111111111111:policy/p was not found.");
  world.call(create_policy_version, {.policy_arn = kArn, .policy_document = kAllowS3});
  EXPECT_EQ(world.error(delete_policy, {.policy_arn = kArn}).substr(0, 14), "DeleteConflict");
  world.call(delete_policy_version, {.policy_arn = kArn, .version_id = "v2"});
  world.call(delete_policy, {.policy_arn = kArn});
  EXPECT_EQ(world.error(get_policy, {.policy_arn = kArn}),
            "NoSuchEntity: Policy arn:aws:iam::111111111111:policy/p was not found.");
}

TEST(AttachRolePolicy, ListsNamesAndStopsAtTheQuota) {
  IamWorld world;
  world.make_role("r");
  world.call(attach_role_policy, {.role_name = "r", .policy_arn = kTaskExecution});
  world.call(attach_role_policy, {.role_name = "r", .policy_arn = kTaskExecution});
  const auto list = *world.call(list_attached_role_policies, {.role_name = "r"}).attached_policies;
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(*list[0].policy_name, "AmazonECSTaskExecutionRolePolicy");
  EXPECT_EQ(*list[0].policy_arn, kTaskExecution);
  EXPECT_EQ(world.error(attach_role_policy, {.role_name = "r", .policy_arn = "arn:aws:iam::aws:policy/Nothing"}),
            "NoSuchEntity: Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable.");
  for (int i = 0; i < 9; ++i)
    world.call(attach_role_policy, {.role_name = "r", .policy_arn = world.make_policy("p" + std::to_string(i))});
  EXPECT_EQ(world.error(attach_role_policy, {.role_name = "r", .policy_arn = world.make_policy("last")}),
            "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10");
  const auto entities = world.call(list_entities_for_policy, {.policy_arn = kTaskExecution});
  EXPECT_EQ(*entities.policy_roles->at(0).role_name, "r");
  EXPECT_TRUE(entities.policy_users->empty());
}

// What ListEntitiesForPolicy shows, page by page: "group/readers role/r user/u".
std::string entities_of(IamWorld& world, const ListEntitiesForPolicyInput& asked) {
  std::string seen;
  ListEntitiesForPolicyInput input = asked;
  do {
    const auto page = world.call(list_entities_for_policy, input);
    for (const PolicyGroup& group : *page.policy_groups) seen += " group/" + *group.group_name;
    for (const PolicyRole& role : *page.policy_roles) seen += " role/" + *role.role_name;
    for (const PolicyUser& user : *page.policy_users) seen += " user/" + *user.user_name;
    input.marker = page.marker;
    EXPECT_EQ(*page.is_truncated, page.marker.has_value());
  } while (input.marker);
  return seen;
}

TEST(ListEntitiesForPolicy, PagesOverEachKindOfUseAndFollowsNames) {
  IamWorld world;
  const std::string arn = world.make_policy("p"), other = world.make_policy("other");
  for (const char* name : {"Ann", "bob", "carl"}) {
    world.make_user(name);
    world.call(attach_user_policy, {.user_name = name, .policy_arn = arn});
  }
  world.make_role("runner");
  world.make_role("idle");
  world.call(attach_role_policy, {.role_name = "runner", .policy_arn = arn});
  world.call(attach_role_policy, {.role_name = "idle", .policy_arn = other});
  world.call(put_role_permissions_boundary, {.role_name = "runner", .permissions_boundary = arn});
  world.call(put_role_permissions_boundary, {.role_name = "idle", .permissions_boundary = arn});
  world.call(create_group, {.path = "/team/", .group_name = "readers"});
  world.call(attach_group_policy, {.group_name = "readers", .policy_arn = arn});
  const auto check = [&] {
    for (const std::int64_t items : {1, 2, 100}) {
      const auto seen = [&](ListEntitiesForPolicyInput input) {
        input.policy_arn = arn;
        input.max_items = items;
        return entities_of(world, input);
      };
      EXPECT_EQ(seen({}), " group/readers role/idle role/runner user/Ann user/bob user/carl");
      EXPECT_EQ(seen({.policy_usage_filter = "PermissionsPolicy"}),
                " group/readers role/runner user/Ann user/bob user/carl");
      EXPECT_EQ(seen({.policy_usage_filter = "PermissionsBoundary"}), " role/idle role/runner");
      EXPECT_EQ(seen({.entity_filter = "User"}), " user/Ann user/bob user/carl");
      EXPECT_EQ(seen({.path_prefix = "/team/"}), " group/readers");
    }
  };
  check();
  world.restart();
  check();
  world.call(update_user, {.user_name = "bob", .new_user_name = "zoe"});
  world.call(update_group, {.group_name = "readers", .new_group_name = "lectors"});
  world.call(detach_user_policy, {.user_name = "carl", .policy_arn = arn});
  world.call(delete_role_permissions_boundary, {.role_name = "idle"});
  EXPECT_EQ(entities_of(world, {.policy_arn = arn}), " group/lectors role/runner user/Ann user/zoe");
  EXPECT_EQ(*world.call(get_policy, {.policy_arn = arn}).policy->attachment_count, 4);
  const Indexes kept = world.iam->indexes;
  world.restart();
  EXPECT_TRUE(world.iam->indexes == kept) << "what commits change is what a start reads";
}

TEST(PutRolePolicy, CountsAllInlinePoliciesTogether) {
  IamWorld world;
  world.make_role("r");
  const std::string half =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::)" +
      std::string(6000, 'x') + "\"}}";
  world.call(put_role_policy, {.role_name = "r", .policy_name = "a", .policy_document = half});
  world.call(put_role_policy, {.role_name = "r", .policy_name = "a", .policy_document = half});
  EXPECT_EQ(world.error(put_role_policy, {.role_name = "r", .policy_name = "b", .policy_document = half}),
            "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r");
  EXPECT_EQ(*world.call(list_role_policies, {.role_name = "r"}).policy_names, (std::vector<std::string>{"a"}));
  EXPECT_EQ(world.error(get_role_policy, {.role_name = "r", .policy_name = "b"}),
            "NoSuchEntity: The role policy with name b cannot be found.");
}

TEST(ListPolicies, FiltersByScopeAndUse) {
  IamWorld world;
  const std::string arn = world.make_policy("p");
  world.make_policy("unused");
  world.make_user("u");
  world.call(attach_user_policy, {.user_name = "u", .policy_arn = arn});
  EXPECT_EQ(world.call(list_policies, {.scope = "Local"}).policies->size(), 2U);
  EXPECT_EQ(world.call(list_policies, {.scope = "AWS"}).policies->size(), aws_managed_policies().size());
  const auto attached = *world.call(list_policies, {.only_attached = true}).policies;
  ASSERT_EQ(attached.size(), 1U);
  EXPECT_EQ(*attached[0].arn, arn);
  EXPECT_TRUE(world.call(list_policies, {.policy_usage_filter = "PermissionsBoundary"}).policies->empty());
}

TEST(ListPolicies, PagesOverTheAccountsOwnAndAwss) {
  IamWorld world;
  for (const char* name : {"B", "a", "c"}) world.make_policy(name);
  const std::size_t all = 3 + aws_managed_policies().size();
  std::set<std::string> seen;
  std::size_t pages = 0;
  opt<std::string> marker;
  do {
    const auto page = world.call(list_policies, {.marker = marker, .max_items = 2});
    for (const Policy& policy : *page.policies) EXPECT_TRUE(seen.insert(*policy.arn).second) << *policy.arn;
    EXPECT_EQ(*page.is_truncated, page.marker.has_value());
    marker = page.marker;
    ++pages;
  } while (marker);
  EXPECT_EQ(seen.size(), all);
  EXPECT_EQ(pages, (all + 1) / 2);
}

TEST(GetAccountAuthorizationDetails, PagesOverAllKinds) {
  IamWorld world;
  for (const char* name : {"u1", "u2"}) world.make_user(name);
  world.make_role("r1");
  world.call(attach_role_policy, {.role_name = "r1", .policy_arn = kTaskExecution});
  for (const char* name : {"p1", "p2"}) world.make_policy(name);
  std::string seen;
  opt<std::string> marker;
  do {
    const auto page = world.call(get_account_authorization_details, {.max_items = 1, .marker = marker});
    for (const UserDetail& user : *page.user_detail_list) seen += *user.user_name + " ";
    for (const RoleDetail& role : *page.role_detail_list) seen += *role.role_name + " ";
    for (const ManagedPolicyDetail& policy : *page.policies) seen += *policy.policy_name + " ";
    marker = page.marker;
  } while (marker);
  EXPECT_EQ(seen, "u1 u2 r1 p1 p2 AmazonECSTaskExecutionRolePolicy ");
}

}  // namespace
}  // namespace brume::iam
