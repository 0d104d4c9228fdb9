#include "services/iam/authorizer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "services/iam/explanation.h"
#include "services/iam/service_linked.h"
#include "services/iam/testing.h"

namespace brume::iam {
namespace {

class OneBucketPolicy final : public ResourcePolicies {
 public:
  std::string owner = kAccount, document;
  std::optional<Found> find(const std::string& arn) const override {
    if (!arn.starts_with("arn:aws:s3:::bucket")) return std::nullopt;
    return Found{owner, document};
  }
};

struct AuthorizerWorld : IamWorld {
  OneBucketPolicy bucket;
  PolicyAuthorizer authorizer{*iam};

  AuthorizerWorld() { authorizer.add_resource_policies("s3", bucket); }

  Principal user(const std::string& name) {
    const User made = make_user(name);
    Principal principal = root_principal();
    principal.kind = Principal::Kind::user;
    principal.arn = *made.arn;
    principal.id = *made.user_id;
    return principal;
  }
  Principal session(const std::string& role_name) {
    const Role role = make_role(role_name);
    Principal principal = root_principal();
    principal.kind = Principal::Kind::role_session;
    principal.arn = "arn:aws:sts::111111111111:assumed-role/" + role_name + "/one";
    principal.role_arn = *role.arn;
    principal.id = *role.role_id + ":one";
    principal.issued = clock.now();
    return principal;
  }
  void give(const std::string& user_name, const std::string& document) {
    call(put_user_policy, {.user_name = user_name, .policy_name = "p", .policy_document = document});
  }
  // "" when it is allowed.
  std::string ask(const Principal& principal, const std::string& action, const std::string& resource = "*",
                  bool secure = true) {
    RequestContext context = context_of(principal);
    context.secure = secure;
    context.source_address = "10.0.0.1";
    const Verdict verdict = authorizer.authorize(context, {.action = action, .resource = resource});
    EXPECT_EQ(verdict.allowed, verdict.reason.empty());
    return verdict.reason;
  }
};

constexpr const char* kKey = "arn:aws:s3:::bucket/key";
const std::string kNoIdentity = "because no identity-based policy allows the s3:GetObject action";

TEST(PolicyAuthorizer, FollowsAUsersPolicies) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), kNoIdentity);
  world.give("alice", kAllowS3);
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "");
  // EC2's denials carry a message that only DecodeAuthorizationMessage reads, where they name a resource.
  EXPECT_EQ(world.ask(alice, "ec2:DescribeVpcs"),
            "because no identity-based policy allows the ec2:DescribeVpcs action");
  const std::string reason = world.ask(alice, "ec2:DeleteVpc", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1");
  const std::string start =
      "because no identity-based policy allows the ec2:DeleteVpc action. Encoded authorization failure message: ";
  ASSERT_EQ(reason.substr(0, start.size()), start);
  const std::string message = world.authorizer.decode_message(reason.substr(start.size())).value_or("");
  EXPECT_NE(message.find(R"("action":"ec2:DeleteVpc")"), std::string::npos);
  EXPECT_FALSE(world.authorizer.decode_message(reason.substr(start.size() + 4)));
  world.call(attach_user_policy, {.user_name = "alice", .policy_arn = "arn:aws:iam::aws:policy/AWSDenyAll"});
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "with an explicit deny in an identity-based policy");
  world.call(detach_user_policy, {.user_name = "alice", .policy_arn = "arn:aws:iam::aws:policy/AWSDenyAll"});
  world.call(put_user_permissions_boundary,
             {.user_name = "alice", .permissions_boundary = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"});
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "because no permissions boundary allows the s3:GetObject action");
}

TEST(PolicyAuthorizer, FollowsEveryChangeAndEveryRollbackAtOnce) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice"), session = world.session("r");
  const std::string deny = R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]})";
  const std::string arn = world.make_policy("p");
  world.call(attach_role_policy, {.role_name = "r", .policy_arn = arn});
  world.call(create_group, {.group_name = "g"});
  world.call(add_user_to_group, {.group_name = "g", .user_name = "alice"});
  world.call(attach_group_policy, {.group_name = "g", .policy_arn = arn});
  const auto both = [&](const std::string& wanted) {
    EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), wanted);
    EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), wanted);
  };
  both("");
  {
    // Within a transaction that comes to nothing its changes count, and afterwards they do not.
    Tx tx(*world.store);
    create_policy_version(*world.iam, tx,
                          Request<CreatePolicyVersionInput>(
                              world.caller, {.policy_arn = arn, .policy_document = deny, .set_as_default = true}));
    both("with an explicit deny in an identity-based policy");
  }
  both("");
  world.call(create_policy_version, {.policy_arn = arn, .policy_document = deny, .set_as_default = true});
  both("with an explicit deny in an identity-based policy");
  world.call(set_default_policy_version, {.policy_arn = arn, .version_id = "v1"});
  both("");
  world.call(detach_group_policy, {.group_name = "g", .policy_arn = arn});
  world.call(detach_role_policy, {.role_name = "r", .policy_arn = arn});
  both(kNoIdentity);
}

TEST(PolicyAuthorizer, FollowsTheGroupsOfAUser) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.call(create_group, {.group_name = "readers"});
  world.call(put_group_policy, {.group_name = "readers", .policy_name = "p", .policy_document = kAllowS3});
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), kNoIdentity);
  world.call(add_user_to_group, {.group_name = "readers", .user_name = "alice"});
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "");
  world.call(remove_user_from_group, {.group_name = "readers", .user_name = "alice"});
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), kNoIdentity);
}

TEST(PolicyAuthorizer, GivesAFederatedUserWhatBothSidesAllow) {
  AuthorizerWorld world;
  Principal federated = world.user("alice");
  world.give("alice", kAllowS3);
  federated.kind = Principal::Kind::federated_user;
  federated.role_arn = std::exchange(federated.arn, "arn:aws:sts::111111111111:federated-user/bob");
  EXPECT_EQ(world.ask(federated, "s3:GetObject", kKey), "because no session policy allows the s3:GetObject action");
  federated.session_policy = kAllowS3;
  EXPECT_EQ(world.ask(federated, "s3:GetObject", kKey), "");
  federated.session_policy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]})";
  EXPECT_EQ(world.ask(federated, "dynamodb:GetItem"),
            "because no identity-based policy allows the dynamodb:GetItem action");
}

TEST(PolicyAuthorizer, RemembersWhyAndSaysWhatWouldAllow) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.call(
      put_user_policy,
      {.user_name = "alice",
       .policy_name = "open",
       .policy_document =
           R"({"Version":"2012-10-17","Statement":[{"Sid":"Open","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/open/*"}]})"});
  RequestContext context = world.context_of(alice);
  context.request_id = "the-request";
  EXPECT_FALSE(world.authorizer.authorize(context, {.action = "s3:GetObject", .resource = kKey}).allowed);
  const auto found = world.authorizer.decisions().find("the-request");
  ASSERT_EQ(found.size(), 1U);
  const std::string text = boost::json::serialize(explain_decision(*found.front()));
  EXPECT_NE(text.find("statement 1 (Open) of the identity-based policy open would allow it if its Resource covered "
                      "arn:aws:s3:::bucket/key"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("element":"Action","matched":true)"), std::string::npos);
  EXPECT_EQ(world.authorizer.decisions().denials(5).size(), 1U);
  EXPECT_TRUE(world.authorizer.decisions().find("another").empty());
}

TEST(Decisions, ForgetTheOldest) {
  Decisions decisions(3);
  for (const char* id : {"a", "b", "c", "d"}) decisions.next().request_id = id;
  EXPECT_TRUE(decisions.find("a").empty());
  EXPECT_EQ(decisions.find("d").size(), 1U);
  EXPECT_EQ(decisions.size(), 3U);
  EXPECT_EQ(decisions.denials(10).front()->request_id, "d");
}

TEST(PolicyAuthorizer, FollowsTheDefaultVersionOfAPolicy) {
  AuthorizerWorld world;
  const Principal session = world.session("app");
  const std::string arn = world.make_policy("p");
  world.call(attach_role_policy, {.role_name = "app", .policy_arn = arn});
  EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), "");
  const std::string other =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}})";
  world.call(create_policy_version, {.policy_arn = arn, .policy_document = other});
  EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), "");
  world.call(set_default_policy_version, {.policy_arn = arn, .version_id = "v2"});
  EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), kNoIdentity);
}

TEST(PolicyAuthorizer, LeavesASessionNothingWhenItsRoleIsMadeAnew) {
  AuthorizerWorld world;
  const Principal session = world.session("app");
  world.call(put_role_policy, {.role_name = "app", .policy_name = "p", .policy_document = kAllowS3});
  EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), "");
  world.call(delete_role_policy, {.role_name = "app", .policy_name = "p"});
  world.call(delete_role, {.role_name = "app"});
  world.make_role("app");
  world.call(put_role_policy, {.role_name = "app", .policy_name = "p", .policy_document = kAllowS3});
  EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), kNoIdentity);
}

TEST(PolicyAuthorizer, NarrowsASessionByItsPolicies) {
  AuthorizerWorld world;
  Principal session = world.session("app");
  world.call(put_role_policy, {.role_name = "app", .policy_name = "p", .policy_document = kAllowS3});
  session.session_policy_arns = {"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"};
  EXPECT_EQ(world.ask(session, "s3:GetObject", kKey), "");
  EXPECT_EQ(world.ask(session, "s3:PutObject", kKey), "because no session policy allows the s3:PutObject action");
}

TEST(PolicyAuthorizer, GivesRootItsAccount) {
  AuthorizerWorld world;
  EXPECT_EQ(world.ask(root_principal(), "ec2:CreateVpc"), "");
  EXPECT_EQ(world.ask(root_principal(), "s3:GetObject", kKey), "");
  EXPECT_EQ(world.ask(root_principal(), "iam:GetRole", "arn:aws:iam::222222222222:role/x"),
            "because no resource-based policy allows the iam:GetRole action");
  world.bucket.document =
      R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}})";
  EXPECT_EQ(world.ask(root_principal(), "s3:GetObject", kKey), "");
  EXPECT_EQ(world.ask(root_principal(), "s3:GetObject", kKey, false),
            "with an explicit deny in a resource-based policy");
}

TEST(PolicyAuthorizer, ReadsTheResourcesOwnPolicy) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.bucket.document =
      R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}})";
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "");
  EXPECT_EQ(world.ask(alice, "s3:PutObject", kKey), "because no identity-based policy allows the s3:PutObject action");
  world.bucket.owner = "222222222222";
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), kNoIdentity);
  world.give("alice", kAllowS3);
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "");
  world.bucket.document.clear();
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "because no resource-based policy allows the s3:GetObject action");
}

class OneOrganization final : public ServiceControlPolicies {
 public:
  std::vector<std::vector<Policy>> given;
  const std::vector<std::vector<Policy>>& levels(const std::string&) const override { return given; }
};

TEST(PolicyAuthorizer, KeepsEverybodyButServicesWithinTheOrganization) {
  AuthorizerWorld world;
  OneOrganization organization;
  world.authorizer.service_control = &organization;
  const Principal alice = world.user("alice"), root = root_principal();
  world.give("alice", kAllowS3);
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "");
  const std::string everything =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
  const std::string no_reads =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:Get*","Resource":"*"}]})";
  organization.given = {{{"FullAWSAccess", everything}}, {{"FullAWSAccess", everything}, {"no-reads", no_reads}}};
  const std::string denied = "with an explicit deny in a service control policy";
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), denied);
  EXPECT_EQ(world.ask(root, "s3:GetObject", kKey), denied);
  EXPECT_EQ(world.ask(alice, "s3:PutObject", kKey), "");
  // One level that does not allow is enough, and nothing is given by any.
  organization.given[1] = {{"only-s3", kAllowS3}};
  EXPECT_EQ(world.ask(alice, "s3:GetObject", kKey), "");
  EXPECT_EQ(world.ask(root, "ec2:DescribeVpcs"),
            "because no service control policy allows the ec2:DescribeVpcs action");
  EXPECT_EQ(world.ask(root, "s3:GetObject", kKey), "");
  organization.given[1] = {{"FullAWSAccess", everything}};
  EXPECT_EQ(world.ask(alice, "ec2:DescribeVpcs"),
            "because no identity-based policy allows the ec2:DescribeVpcs action");
  // "SCPs do not affect any service-linked role", nor services.
  organization.given = {{{"nothing", no_reads}}};
  Tx tx(*world.store);
  const std::string arn = ensure_linked_role(*world.iam, tx, world.caller.scope, "ecs.amazonaws.com", "");
  tx.commit();
  Principal linked = root;
  linked.kind = Principal::Kind::role_session;
  linked.role_arn = arn;
  linked.id = find_role(*world.iam, arn)->id + ":one";
  linked.arn = "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForECS/one";
  EXPECT_EQ(world.ask(linked, "ec2:DescribeNetworkInterfaces"), "");
  EXPECT_EQ(world.ask(alice, "s3:PutObject", kKey), "because no service control policy allows the s3:PutObject action");
}

TEST(PolicyAuthorizer, FillsTheGlobalConditionKeys) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.call(tag_user, {.user_name = "alice", .tags = std::vector<Tag>{{.key = "Team", .value = "red"}}});
  const auto allows = [&](const std::string& condition) {
    world.give("alice",
               R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":)" +
                   condition + "}}");
    return world.ask(alice, "sqs:ListQueues").empty();
  };
  for (const char* condition :
       {R"({"StringEquals":{"aws:username":"alice"}})", R"({"StringEquals":{"aws:PrincipalTag/team":"red"}})",
        R"({"StringEquals":{"aws:PrincipalAccount":"111111111111"}})",
        R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/al*"}})", R"({"Bool":{"aws:SecureTransport":"true"}})",
        R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})", R"({"StringEquals":{"aws:RequestedRegion":"us-east-1"}})",
        R"({"DateGreaterThan":{"aws:CurrentTime":"2026-03-01T11:59:59Z"}})",
        R"({"NumericGreaterThan":{"aws:EpochTime":"1772366399"}})", R"({"Null":{"aws:TokenIssueTime":"true"}})",
        R"({"StringEquals":{"aws:PrincipalType":"User"}})", R"({"StringLike":{"aws:userid":"AIDA*"}})",
        R"({"Bool":{"aws:PrincipalIsAWSService":"false"}})",
        R"({"StringEquals":{"aws:ResourceAccount":"111111111111"}})"})
    EXPECT_TRUE(allows(condition)) << condition;
  for (const char* condition :
       {R"({"StringEquals":{"aws:username":"bob"}})", R"({"Null":{"aws:TokenIssueTime":"false"}})",
        R"({"DateLessThan":{"aws:CurrentTime":"2026-03-01T11:59:59Z"}})"})
    EXPECT_FALSE(allows(condition)) << condition;
}

TEST(PolicyAuthorizer, PutsSessionTagsOverRoleTags) {
  AuthorizerWorld world;
  Principal session = world.session("app");
  world.call(tag_role, {.role_name = "app", .tags = std::vector<Tag>{{.key = "team", .value = "red"}}});
  world.call(
      put_role_policy,
      {.role_name = "app",
       .policy_name = "p",
       .policy_document =
           R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*"}})"});
  EXPECT_EQ(world.ask(session, "s3:GetObject", "arn:aws:s3:::bucket/red/1"), "");
  session.session_tags = {{"team", "blue"}};
  EXPECT_EQ(world.ask(session, "s3:GetObject", "arn:aws:s3:::bucket/red/1"), kNoIdentity);
  EXPECT_EQ(world.ask(session, "s3:GetObject", "arn:aws:s3:::bucket/blue/1"), "");
}

TEST(PolicyAuthorizer, KnowsARolesPathFromItsName) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.make_role("deep", kTasksTrust, "/team/");
  world.give(
      "alice",
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetRole","Resource":"arn:aws:iam::111111111111:role/team/*"}})");
  EXPECT_EQ(world.ask(alice, "iam:GetRole", "arn:aws:iam::111111111111:role/deep"), "");
  EXPECT_NE(world.ask(alice, "iam:GetRole", "arn:aws:iam::111111111111:role/other"), "");
}

TEST(PolicyAuthorizer, TakesAUserWhoNamesNobodyForItself) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.give(
      "alice",
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"arn:aws:iam::*:user/${aws:username}"}})");
  EXPECT_EQ(world.ask(alice, "iam:ListAccessKeys", "arn:aws:iam::111111111111:user/*"), "");
  EXPECT_EQ(world.ask(alice, "iam:ListAccessKeys", "arn:aws:iam::111111111111:user/alice"), "");
  EXPECT_NE(world.ask(alice, "iam:ListAccessKeys", "arn:aws:iam::111111111111:user/bob"), "");
}

TEST(PolicyAuthorizer, LetsEverybodyReadAwsManagedPolicies) {
  AuthorizerWorld world;
  const char* arn = "arn:aws:iam::aws:policy/AdministratorAccess";
  EXPECT_EQ(world.ask(root_principal(), "iam:GetPolicy", arn), "");
  const Principal alice = world.user("alice");
  EXPECT_NE(world.ask(alice, "iam:GetPolicy", arn), "");
  world.call(attach_user_policy, {.user_name = "alice", .policy_arn = arn});
  EXPECT_EQ(world.ask(alice, "iam:GetPolicy", arn), "");
}

TEST(PolicyAuthorizer, JudgesAServiceByTheTrustPolicy) {
  AuthorizerWorld world;
  world.make_role("app");
  Principal service;
  service.kind = Principal::Kind::service;
  service.id = service.arn = "ecs-tasks.amazonaws.com";
  EXPECT_EQ(world.ask(service, "sts:AssumeRole", "arn:aws:iam::111111111111:role/app"), "");
  service.id = "ec2.amazonaws.com";
  EXPECT_EQ(world.ask(service, "sts:AssumeRole", "arn:aws:iam::111111111111:role/app"),
            "because no role trust policy allows the sts:AssumeRole action");
}

TEST(PolicyAuthorizer, TellsWhichStatementsDecided) {
  AuthorizerWorld world;
  const Principal alice = world.user("alice");
  world.call(put_user_policy, {.user_name = "alice", .policy_name = "reader", .policy_document = kAllowS3});
  const auto explained =
      world.authorizer.explain(world.context_of(alice), {.action = "s3:GetObject", .resource = kKey});
  ASSERT_EQ(explained.decision.matches.size(), 1U);
  EXPECT_EQ(explained.decision.matches[0].policy->name, "reader");
}

}  // namespace
}  // namespace brume::iam
