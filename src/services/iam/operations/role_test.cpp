#include <gtest/gtest.h>

#include "core/text.h"
#include "services/iam/service_linked.h"
#include "services/iam/testing.h"

namespace brume::iam {
namespace {

const std::string kNoRole = "NoSuchEntity: The role with name app cannot be found.";

TEST(CreateRole, ReturnsWhatTerraformReadsBack) {
  IamWorld world;
  const Role made = *world
                         .call(create_role, {.path = "/team/",
                                             .role_name = "app",
                                             .assume_role_policy_document = kTasksTrust,
                                             .description = "runs tasks",
                                             .tags = std::vector<Tag>{{.key = "a", .value = "1"}}})
                         .role;
  const Role role = *world.call(get_role, {.role_name = "app"}).role;
  EXPECT_EQ(made, role);
  EXPECT_EQ(*role.arn, "arn:aws:iam::111111111111:role/team/app");
  EXPECT_EQ(role.role_id->substr(0, 4), "AROA");
  EXPECT_EQ(role.role_id->size(), 21U);
  EXPECT_EQ(*role.path, "/team/");
  EXPECT_EQ(*role.max_session_duration, 3600);
  EXPECT_EQ(*role.create_date, world.clock.now());
  EXPECT_EQ(*role.description, "runs tasks");
  EXPECT_EQ(role.tags->at(0), (Tag{.key = "a", .value = "1"}));
  EXPECT_EQ(percent_decode(*role.assume_role_policy_document), kTasksTrust);
  EXPECT_EQ(role.assume_role_policy_document->find_first_of(" +{\""), std::string::npos);
}

TEST(CreateRole, RefusesWhatAwsRefuses) {
  IamWorld world;
  world.make_role("App");
  EXPECT_EQ(world.error(create_role, {.role_name = "app", .assume_role_policy_document = kTasksTrust}),
            "EntityAlreadyExists: Role with name app already exists.");
  EXPECT_EQ(world.error(create_role, {.role_name = "r", .assume_role_policy_document = "{"}),
            "MalformedPolicyDocument: This policy contains invalid Json");
  EXPECT_EQ(world.error(create_role, {.role_name = "r", .assume_role_policy_document = kAllowS3}),
            "MalformedPolicyDocument: Missing required field Principal");
  const std::string unknown =
      R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/x"},"Action":"sts:AssumeRole"}})";
  EXPECT_EQ(world.error(create_role, {.role_name = "r", .assume_role_policy_document = unknown}),
            R"(MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:role/x")");
  EXPECT_EQ(world.error(create_role, {.role_name = "r",
                                      .assume_role_policy_document = kTasksTrust,
                                      .permissions_boundary = "arn:aws:iam::111111111111:policy/none"}),
            "NoSuchEntity: Policy arn:aws:iam::111111111111:policy/none does not exist or is not attachable.");
  std::string long_trust = R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":["111111111111")";
  for (int i = 0; i < 150; ++i) long_trust += ",\"111111111111\"";
  long_trust += R"(]},"Action":"sts:AssumeRole"}]})";
  EXPECT_EQ(world.error(create_role, {.role_name = "r", .assume_role_policy_document = long_trust}),
            "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048");
  EXPECT_EQ(world
                .error(create_role, {.role_name = "r",
                                     .assume_role_policy_document = kTasksTrust,
                                     .tags = std::vector<Tag>{{.key = "aws:x", .value = "1"}}})
                .substr(0, 12),
            "InvalidInput");
  EXPECT_EQ(world.iam->roles.size(), 1U);
}

TEST(GetRole, SaysThatThereIsNone) {
  IamWorld world;
  EXPECT_EQ(world.error(get_role, {.role_name = "app"}), kNoRole);
  world.make_role("app");
  world.caller = world.context_of(root_principal("222222222222"));
  EXPECT_EQ(world.error(get_role, {.role_name = "app"}), kNoRole);
}

TEST(UpdateRole, ChangesItsSettings) {
  IamWorld world;
  world.call(create_role,
             {.role_name = "app", .assume_role_policy_document = kTasksTrust, .description = std::string("old")});
  world.call(update_role, {.role_name = "app", .max_session_duration = 7200});
  EXPECT_EQ(*world.call(get_role, {.role_name = "app"}).role->description, "old");
  EXPECT_EQ(*world.call(get_role, {.role_name = "app"}).role->max_session_duration, 7200);
  EXPECT_EQ(*world.call(update_role_description, {.role_name = "app", .description = ""}).role->description, "");
  world.call(tag_role,
             {.role_name = "app", .tags = std::vector<Tag>{{.key = "a", .value = "1"}, {.key = "b", .value = "2"}}});
  world.call(tag_role, {.role_name = "app", .tags = std::vector<Tag>{{.key = "A", .value = "3"}}});
  world.call(untag_role, {.role_name = "app", .tag_keys = std::vector<std::string>{"b"}});
  const auto tags = *world.call(list_role_tags, {.role_name = "app"}).tags;
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0], (Tag{.key = "a", .value = "3"}));
}

TEST(PutRolePermissionsBoundary, SetsAndRemovesIt) {
  IamWorld world;
  world.make_role("app");
  const std::string arn = world.make_policy("limit");
  world.call(put_role_permissions_boundary, {.role_name = "app", .permissions_boundary = arn});
  const Role role = *world.call(get_role, {.role_name = "app"}).role;
  EXPECT_EQ(*role.permissions_boundary->permissions_boundary_arn, arn);
  EXPECT_EQ(*world.call(get_policy, {.policy_arn = arn}).policy->permissions_boundary_usage_count, 1);
  world.call(delete_role_permissions_boundary, {.role_name = "app"});
  EXPECT_FALSE(world.call(get_role, {.role_name = "app"}).role->permissions_boundary);
  EXPECT_EQ(world.error(delete_role_permissions_boundary, {.role_name = "app"}).substr(0, 12), "NoSuchEntity");
}

TEST(UpdateAssumeRolePolicy, ReplacesTheTrust) {
  IamWorld world;
  world.make_role("app");
  const std::string other =
      R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]})";
  world.call(update_assume_role_policy, {.role_name = "app", .policy_document = other});
  EXPECT_EQ(percent_decode(*world.call(get_role, {.role_name = "app"}).role->assume_role_policy_document), other);
}

TEST(TrustPolicy, LosesAPrincipalThatIsMadeAnew) {
  IamWorld world;
  const std::string id = *world.make_role("caller").role_id;
  const std::string trust =
      R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/caller"},"Action":"sts:AssumeRole"}})";
  world.make_role("target", trust);
  const auto shown = [&] {
    return *percent_decode(*world.call(get_role, {.role_name = "target"}).role->assume_role_policy_document);
  };
  EXPECT_EQ(shown(), trust);
  world.call(delete_role, {.role_name = "caller"});
  EXPECT_NE(shown().find("\"" + id + "\""), std::string::npos);
  world.make_role("caller");
  EXPECT_NE(shown().find("\"" + id + "\""), std::string::npos);
  world.call(update_assume_role_policy, {.role_name = "target", .policy_document = trust});
  EXPECT_EQ(shown(), trust);
}

TEST(DeleteRole, NeedsAnEmptyRole) {
  IamWorld world;
  world.make_role("app");
  const std::string arn = world.make_policy("p");
  world.call(attach_role_policy, {.role_name = "app", .policy_arn = arn});
  EXPECT_EQ(world.error(delete_role, {.role_name = "app"}),
            "DeleteConflict: Cannot delete entity, must detach all policies first.");
  world.call(detach_role_policy, {.role_name = "app", .policy_arn = arn});
  world.call(put_role_policy, {.role_name = "app", .policy_name = "in", .policy_document = kAllowS3});
  EXPECT_EQ(world.error(delete_role, {.role_name = "app"}),
            "DeleteConflict: Cannot delete entity, must delete policies first.");
  world.call(delete_role_policy, {.role_name = "app", .policy_name = "in"});
  world.call(create_instance_profile, {.instance_profile_name = "ip"});
  world.call(add_role_to_instance_profile, {.instance_profile_name = "ip", .role_name = "app"});
  EXPECT_EQ(world.error(delete_role, {.role_name = "app"}),
            "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.");
  world.call(remove_role_from_instance_profile, {.instance_profile_name = "ip", .role_name = "app"});
  world.call(delete_role, {.role_name = "app"});
  EXPECT_EQ(world.error(get_role, {.role_name = "app"}), kNoRole);
}

TEST(ListRoles, PagesByMarkerAndFiltersByPath) {
  IamWorld world;
  for (const char* name : {"d", "B", "a", "C", "e"}) world.make_role(name, kTasksTrust, "/x/");
  world.make_role("other");
  std::vector<std::string> names;
  opt<std::string> marker;
  int pages = 0;
  do {
    const auto page = world.call(list_roles, {.path_prefix = "/x/", .marker = marker, .max_items = 2});
    for (const Role& role : *page.roles) names.push_back(*role.role_name);
    marker = page.marker;
    EXPECT_EQ(*page.is_truncated, marker.has_value());
    ++pages;
  } while (marker);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "B", "C", "d", "e"}));
  EXPECT_EQ(world.error(list_roles, {.marker = "forged"}).substr(0, 15), "ValidationError");
}

TEST(GetRole, TellsItsLastUseForFourHundredDays) {
  IamWorld world;
  const Role role = world.make_role("r");
  Principal session = root_principal();
  session.kind = Principal::Kind::role_session;
  session.role_arn = *role.arn;
  session.id = *role.role_id + ":one";
  session.arn = "arn:aws:sts::111111111111:assumed-role/r/one";
  const auto use = [&] {
    RequestContext context = world.context_of(session);
    context.scope.region = "eu-west-1";
    PolicyAuthorizer(*world.iam).authorize(context, {.action = "s3:GetObject"});
  };
  const auto last_used = [&] { return *world.call(get_role, {.role_name = "r"}).role->role_last_used; };
  EXPECT_FALSE(last_used().last_used_date);
  use();
  EXPECT_EQ(*last_used().region, "eu-west-1");
  world.iam->last_uses.write_rest();
  world.restart();
  EXPECT_EQ(*last_used().last_used_date, world.clock.now());
  world.clock.advance(hours(24 * 400));
  EXPECT_TRUE(last_used().last_used_date);
  world.clock.advance(seconds(1));
  EXPECT_FALSE(last_used().last_used_date);
  use();
  EXPECT_EQ(*last_used().last_used_date, world.clock.now());
  // Of a role that is gone, and of a new one with its name, nothing is told.
  world.call(delete_role, {.role_name = "r"});
  use();
  world.make_role("r");
  EXPECT_FALSE(last_used().last_used_date);
  EXPECT_EQ(world.iam->last_uses.find(kAccount, *role.role_id), nullptr);
}

TEST(Roles, AreThereAfterARestart) {
  IamWorld world;
  const Role before = world.make_role("app", kTasksTrust, "/p/");
  world.call(put_role_policy, {.role_name = "app", .policy_name = "in", .policy_document = kAllowS3});
  world.restart();
  EXPECT_EQ(*world.call(get_role, {.role_name = "app"}).role, before);
  EXPECT_EQ(percent_decode(*world.call(get_role_policy, {.role_name = "app", .policy_name = "in"}).policy_document),
            kAllowS3);
}

TEST(ServiceLinkedRole, IsMadeOnceAndOnlyAwsChangesIt) {
  IamWorld world;
  const Role role = *world.call(create_service_linked_role, {.aws_service_name = "ecs.amazonaws.com"}).role;
  EXPECT_EQ(*role.arn, "arn:aws:iam::111111111111:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS");
  EXPECT_EQ(world.error(create_service_linked_role, {.aws_service_name = "ecs.amazonaws.com"}),
            "InvalidInput: Service role name AWSServiceRoleForECS has been taken in this account, please try a "
            "different suffix.");
  EXPECT_EQ(world.error(delete_role, {.role_name = "AWSServiceRoleForECS"}),
            "UnmodifiableEntity: Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role "
            "is only modifiable by AWS");
  EXPECT_NE(world.error(create_service_linked_role, {.aws_service_name = "x.amazonaws.com"}).find("not served"),
            std::string::npos);
  Tx tx(*world.store);
  EXPECT_EQ(ensure_linked_role(*world.iam, tx, world.caller.scope, "ecs.amazonaws.com"), *role.arn);
  tx.commit();
  const std::string task =
      *world.call(delete_service_linked_role, {.role_name = "AWSServiceRoleForECS"}).deletion_task_id;
  EXPECT_EQ(*world.call(get_service_linked_role_deletion_status, {.deletion_task_id = task}).status, "SUCCEEDED");
  EXPECT_EQ(world.iam->roles.size(), 0U);
}

TEST(ServiceLinkedRole, StaysWhileItIsUsed) {
  struct Cluster final : LinkedRoleUse {
    std::vector<std::string> resources(const std::string&, const std::string&) const override {
      return {"arn:cluster"};
    }
  } cluster;
  IamWorld world;
  world.iam->linked_role_use = &cluster;
  world.call(create_service_linked_role, {.aws_service_name = "ecs.amazonaws.com"});
  const std::string task =
      *world.call(delete_service_linked_role, {.role_name = "AWSServiceRoleForECS"}).deletion_task_id;
  const auto status = world.call(get_service_linked_role_deletion_status, {.deletion_task_id = task});
  EXPECT_EQ(*status.status, "FAILED");
  EXPECT_EQ(status.reason->role_usage_list->at(0).resources->at(0), "arn:cluster");
  EXPECT_EQ(world.iam->roles.size(), 1U);
}

}  // namespace
}  // namespace brume::iam
