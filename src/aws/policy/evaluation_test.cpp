#include "aws/policy/evaluation.h"

#include <gtest/gtest.h>

namespace brume::policy {
namespace {

constexpr const char* kBucket = "arn:aws:s3:::bucket/key";

Attached attached(const std::string& text, Grammar grammar, std::string name) {
  auto document = parse_document(text, grammar);
  EXPECT_TRUE(document) << text << ": " << document.error().message << " " << document.error().detail;
  return {std::move(name), std::make_shared<const Document>(std::move(*document))};
}

Attached identity(const std::string& statements) {
  return attached(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", Grammar::identity, "identity");
}
Attached resource(const std::string& principal, const std::string& rest = R"("Effect":"Allow","Action":"s3:*")") {
  return attached(R"({"Version":"2012-10-17","Statement":[{"Principal":)" + principal + "," + rest +
                      R"(,"Resource":"arn:aws:s3:::bucket/*"}]})",
                  Grammar::resource, "bucket");
}
const Attached& allow_all() {
  static const Attached value = identity(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
  return value;
}
const Attached& allow_ec2() {
  static const Attached value = identity(R"({"Effect":"Allow","Action":"ec2:*","Resource":"*"})");
  return value;
}
const Attached& deny_s3() {
  static const Attached value = identity(R"({"Effect":"Deny","Action":"s3:*","Resource":"*"})");
  return value;
}

Principal user() {
  Principal principal;
  principal.kind = Principal::Kind::user;
  principal.account = "111111111111";
  principal.arn = "arn:aws:iam::111111111111:user/path/alice";
  principal.id = "AIDAALICE00000000000";
  return principal;
}
Principal session() {
  Principal principal;
  principal.kind = Principal::Kind::role_session;
  principal.account = "111111111111";
  principal.arn = "arn:aws:sts::111111111111:assumed-role/role/one";
  principal.role_arn = "arn:aws:iam::111111111111:role/path/role";
  principal.id = "AROAROLE000000000000:one";
  return principal;
}
Principal root(const std::string& account = "111111111111") {
  Principal principal;
  principal.kind = Principal::Kind::root;
  principal.account = principal.id = account;
  principal.arn = "arn:aws:iam::" + account + ":root";
  return principal;
}
Principal service() {
  Principal principal;
  principal.kind = Principal::Kind::service;
  principal.id = "ecs-tasks.amazonaws.com";
  return principal;
}

Decision ask(const Principal& principal, const Policies& policies, std::string_view action = "s3:GetObject",
             std::string_view on = kBucket) {
  const Keys keys;
  return decide({principal, action, on, keys}, policies);
}

const std::string kNoIdentity = "because no identity-based policy allows the s3:GetObject action";
const std::string kNoBoundary = "because no permissions boundary allows the s3:GetObject action";
const std::string kNoSession = "because no session policy allows the s3:GetObject action";
const std::string kNoResource = "because no resource-based policy allows the s3:GetObject action";

TEST(Decide, DeniesWhatNothingAllows) {
  const Decision decision = ask(user(), {.identity = {allow_ec2()}});
  EXPECT_FALSE(decision.allowed);
  EXPECT_FALSE(decision.explicit_deny);
  EXPECT_EQ(decision.reason, kNoIdentity);
  EXPECT_TRUE(decision.matches.empty());
}

TEST(Decide, AllowsByIdentityAndNamesTheStatement) {
  const Policies policies{.identity = {allow_ec2(), allow_all()}};
  const Decision decision = ask(user(), policies);
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.reason, "");
  ASSERT_EQ(decision.matches.size(), 1U);
  EXPECT_EQ(decision.matches[0].policy, &policies.identity[1]);
  EXPECT_EQ(decision.matches[0].statement, 0U);
}

TEST(Decide, LetsAnExplicitDenyWinWhereverItStands) {
  const auto denied = [](const Policies& policies) {
    const Decision decision = ask(session(), policies);
    EXPECT_FALSE(decision.allowed);
    EXPECT_TRUE(decision.explicit_deny);
    return decision.reason;
  };
  EXPECT_EQ(denied({.identity = {allow_all(), deny_s3()}}), "with an explicit deny in an identity-based policy");
  EXPECT_EQ(denied({.identity = {allow_all()}, .boundary = {allow_all(), deny_s3()}, .has_boundary = true}),
            "with an explicit deny in a permissions boundary");
  EXPECT_EQ(denied({.identity = {allow_all()}, .session = {allow_all(), deny_s3()}, .has_session = true}),
            "with an explicit deny in a session policy");
  EXPECT_EQ(denied({.identity = {allow_all()}, .resource = {resource("\"*\"", R"("Effect":"Deny","Action":"s3:*")")}}),
            "with an explicit deny in a resource-based policy");
  EXPECT_EQ(denied({.identity = {allow_all()}, .service_control = {{allow_all()}, {allow_all(), deny_s3()}}}),
            "with an explicit deny in a service control policy");
}

TEST(Decide, IntersectsBoundaryAndSessionWithIdentity) {
  EXPECT_EQ(ask(user(), {.identity = {allow_all()}, .boundary = {allow_ec2()}, .has_boundary = true}).reason,
            kNoBoundary);
  EXPECT_EQ(ask(user(), {.identity = {allow_all()}, .has_boundary = true}).reason, kNoBoundary);
  EXPECT_EQ(ask(session(), {.identity = {allow_all()}, .session = {allow_ec2()}, .has_session = true}).reason,
            kNoSession);
  EXPECT_EQ(ask(session(), {.identity = {allow_ec2()}, .session = {allow_all()}, .has_session = true}).reason,
            kNoIdentity);
  EXPECT_TRUE(ask(session(), {.identity = {allow_all()},
                              .boundary = {allow_all()},
                              .has_boundary = true,
                              .session = {allow_all()},
                              .has_session = true})
                  .allowed);
}

TEST(Decide, NeedsEveryLevelOfServiceControl) {
  EXPECT_EQ(ask(user(), {.identity = {allow_all()}, .service_control = {{allow_all()}, {allow_ec2()}}}).reason,
            "because no service control policy allows the s3:GetObject action");
  EXPECT_TRUE(
      ask(user(), {.identity = {allow_all()}, .service_control = {{allow_all()}, {allow_ec2(), allow_all()}}}).allowed);
  EXPECT_FALSE(ask(root(), {.service_control = {{allow_ec2()}}}).allowed);
}

// The table "Resource-based policies and implicit denies in other policy types (same account)".
TEST(Decide, LimitsResourceGrantsByHowTheCallerIsNamed) {
  struct Row {
    Principal principal;
    const char* named;
    const char* with_nothing;  // no identity policy, no boundary, no session policy
    const char* with_limits;   // boundary and session policy that allow other things
  };
  const Row rows[] = {
      {user(), R"({"AWS":"arn:aws:iam::111111111111:user/path/alice"})", "", ""},
      {user(), R"({"AWS":"AIDAALICE00000000000"})", "", ""},
      {user(), R"({"AWS":"111111111111"})", kNoIdentity.c_str(), kNoIdentity.c_str()},
      {user(), R"("*")", "", ""},
      {session(), R"({"AWS":"arn:aws:iam::111111111111:role/path/role"})", "", kNoBoundary.c_str()},
      {session(), R"({"AWS":"AROAROLE000000000000"})", "", kNoBoundary.c_str()},
      {session(), R"({"AWS":"arn:aws:sts::111111111111:assumed-role/role/one"})", "", ""},
      {session(), R"({"AWS":"arn:aws:sts::111111111111:assumed-role/role/two"})", kNoIdentity.c_str(),
       kNoIdentity.c_str()},
      {session(), R"({"AWS":"*"})", "", ""},
      {session(), R"({"AWS":"arn:aws:iam::111111111111:root"})", kNoIdentity.c_str(), kNoIdentity.c_str()},
      {root(), R"({"AWS":"222222222222"})", "", kNoBoundary.c_str()},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(ask(row.principal, {.resource = {resource(row.named)}}).reason, row.with_nothing) << row.named;
    EXPECT_EQ(ask(row.principal, {.boundary = {allow_ec2()},
                                  .has_boundary = true,
                                  .session = {allow_ec2()},
                                  .has_session = true,
                                  .resource = {resource(row.named)}})
                  .reason,
              row.with_limits)
        << row.named;
  }
}

TEST(Decide, NeedsBothSidesAcrossAccounts) {
  const auto across = [](const Principal& principal, Policies policies) {
    policies.resource_account = "222222222222";
    return ask(principal, policies).reason;
  };
  const Attached names_user = resource(R"({"AWS":"arn:aws:iam::111111111111:user/path/alice"})");
  const Attached names_account = resource(R"({"AWS":"111111111111"})");
  EXPECT_EQ(across(user(), {.identity = {allow_all()}}), kNoResource);
  EXPECT_EQ(across(user(), {.resource = {names_user}}), kNoIdentity);
  EXPECT_EQ(across(user(), {.identity = {allow_all()}, .resource = {names_user}}), "");
  EXPECT_EQ(across(user(), {.identity = {allow_all()}, .resource = {names_account}}), "");
  EXPECT_EQ(across(session(), {.identity = {allow_all()}, .resource = {names_user}}), kNoResource);
  EXPECT_EQ(
      across(session(),
             {.identity = {allow_all()}, .session = {allow_ec2()}, .has_session = true, .resource = {names_account}}),
      kNoSession);
  EXPECT_EQ(across(root(), {}), kNoResource);
  EXPECT_EQ(across(root(), {.resource = {names_account}}), "");
  EXPECT_EQ(across(user(), {.resource = {resource("\"*\"")}}), kNoIdentity);
}

TEST(Decide, GivesRootEverythingOfItsAccountButADenyOfTheResource) {
  EXPECT_TRUE(ask(root(), {}).allowed);
  EXPECT_TRUE(ask(root(), {.resource = {resource(R"({"AWS":"222222222222"})")}}).allowed);
  EXPECT_FALSE(ask(root(), {.resource = {resource("\"*\"", R"("Effect":"Deny","Action":"s3:*")")}}).allowed);
}

TEST(Decide, JudgesServicesAndStrangersByTheResourceAlone) {
  EXPECT_TRUE(ask(service(), {.resource = {resource(R"({"Service":"ecs-tasks.amazonaws.com"})")}}).allowed);
  EXPECT_EQ(ask(service(), {.resource = {resource(R"({"Service":"ec2.amazonaws.com"})")}}).reason, kNoResource);
  EXPECT_TRUE(ask({}, {.resource = {resource("\"*\"")}}).allowed);
  EXPECT_FALSE(ask({}, {.resource = {resource(R"({"AWS":"111111111111"})")}}).allowed);
  EXPECT_FALSE(ask({}, {.identity = {allow_all()}}).allowed);
}

TEST(Decide, MakesATrustPolicySpeak) {
  const auto trust = [](const std::string& principal) {
    return attached(R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" + principal + "}}",
                    Grammar::trust, "role");
  };
  const auto assume = [](const Principal& principal, Policies policies) {
    policies.resource_is_trust = true;
    return ask(principal, policies, "sts:AssumeRole", "arn:aws:iam::111111111111:role/x").reason;
  };
  const std::string no_trust = "because no role trust policy allows the sts:AssumeRole action";
  EXPECT_EQ(assume(user(), {.identity = {allow_all()}, .resource = {trust(R"({"Service":"ec2.amazonaws.com"})")}}),
            no_trust);
  EXPECT_EQ(assume(user(), {.identity = {allow_all()}, .resource = {trust(R"({"AWS":"111111111111"})")}}), "");
  EXPECT_EQ(assume(user(), {.resource = {trust(R"({"AWS":"111111111111"})")}}),
            "because no identity-based policy allows the sts:AssumeRole action");
  EXPECT_EQ(assume(user(), {.resource = {trust(R"({"AWS":"arn:aws:iam::111111111111:user/path/alice"})")}}), "");
  EXPECT_EQ(assume(service(), {.resource = {trust(R"({"Service":"ecs-tasks.amazonaws.com"})")}}), "");
  EXPECT_EQ(assume(service(), {.resource = {trust(R"({"Service":"ec2.amazonaws.com"})")}}), no_trust);
}

TEST(Decide, ReadsNotPrincipalStrictly) {
  const auto denied = [](const Principal& principal, const std::string& except) {
    const Attached policy =
        attached(R"({"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","NotPrincipal":)" + except + "}}",
                 Grammar::resource, "bucket");
    return ask(principal, {.identity = {allow_all()}, .resource = {policy}}).explicit_deny;
  };
  EXPECT_FALSE(denied(user(), R"({"AWS":["arn:aws:iam::111111111111:user/path/alice","111111111111"]})"));
  EXPECT_TRUE(denied(user(), R"({"AWS":"arn:aws:iam::111111111111:user/path/alice"})"));
  EXPECT_TRUE(denied(user(), R"({"AWS":"111111111111"})"));
  EXPECT_FALSE(denied(session(), R"({"AWS":["arn:aws:iam::111111111111:role/path/role","111111111111"]})"));
  EXPECT_TRUE(denied(session(), R"({"AWS":["arn:aws:sts::111111111111:assumed-role/role/one","111111111111"]})"));
  EXPECT_FALSE(denied(root(), R"({"AWS":"111111111111"})"));
  EXPECT_TRUE(denied({}, R"({"AWS":"111111111111"})"));
  EXPECT_FALSE(denied(service(), R"({"Service":"ecs-tasks.amazonaws.com"})"));
}

TEST(Decide, ReadsNotActionAndNotResource) {
  const Attached policy =
      identity(R"({"Effect":"Allow","NotAction":["iam:*","S3:getobject"],"NotResource":"arn:aws:s3:::x/*"})");
  const Policies policies{.identity = {policy}};
  EXPECT_FALSE(ask(user(), policies).allowed);
  EXPECT_TRUE(ask(user(), policies, "s3:PutObject").allowed);
  EXPECT_FALSE(ask(user(), policies, "s3:PutObject", "arn:aws:s3:::x/1").allowed);
  EXPECT_FALSE(ask(user(), policies, "iam:CreateRole", "*").allowed);
}

TEST(Decide, DeniesWhenAPolicyCannotBeRead) {
  const Decision decision = ask(user(), {.identity = {allow_all(), {"damaged", nullptr}}});
  EXPECT_FALSE(decision.allowed);
  EXPECT_TRUE(decision.explicit_deny);
}

}  // namespace
}  // namespace brume::policy
