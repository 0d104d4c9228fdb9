#include "aws/policy/document.h"

#include <gtest/gtest.h>

#include "aws/policy/library.h"

namespace brume::policy {
namespace {

// The message with which a document is refused, or "" when it is accepted.
std::string refusal(const std::string& text, Grammar grammar = Grammar::identity) {
  auto document = parse_document(text, grammar);
  return document ? "" : document.error().message;
}

std::string identity(const std::string& statement) {
  return R"({"Version":"2012-10-17","Statement":)" + statement + "}";
}

TEST(PolicyDocument, AcceptsWhatAwsAccepts) {
  const char* statements[] = {
      R"({"Effect":"Allow","Action":"*","Resource":"*"})",
      R"([{"Sid":"One","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}])",
      R"([{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws:s3:::b/*"}])",
      R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}})",
      R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":10}}})",
      R"({"Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:*:*:*","Condition":{}})",
      R"({"Effect":"Allow","Action":"ec2:*","Resource":"arn:*:ec2:*"})",
  };
  for (const char* statement : statements) EXPECT_EQ(refusal(identity(statement)), "") << statement;
}

TEST(PolicyDocument, SaysWhyAnIdentityPolicyIsMalformed) {
  const std::string syntax = "Syntax errors in policy.";
  const std::pair<const char*, std::string> cases[] = {
      {R"("x")", syntax},
      {R"(["x"])", syntax},
      {R"([])", syntax},
      {R"({})", syntax},
      {R"({"Effect":"allow","Action":"s3:*","Resource":"*"})", "The policy failed legacy parsing"},
      {R"({"Effect":"perhaps","Action":"s3:*","Resource":"*"})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:iam:::thing"})",
       "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, instance-profile/, "
       "mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws"})",
       "Resource vendor must be fully qualified and cannot contain regexes."},
      {R"({"Action":"s3:*","Resource":"*"})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Extra":1})", syntax},
      {R"({"Effect":"Allow","Effect":"Deny","Action":"s3:*","Resource":"*"})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"})", syntax},
      {R"({"Effect":"Allow","Action":7,"Resource":"*"})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEqual":{"a":"b"}}})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a":{"b":"c"}}}})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":["x"]})", syntax},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"a":"01T"}}})",
       "The policy failed legacy parsing"},
      {R"({"Effect":"Allow","Resource":"*"})", "Policy statement must contain actions."},
      {R"({"Effect":"Allow","Action":[],"Resource":"*"})", "Policy statement must contain actions."},
      {R"({"Effect":"Allow","Action":"s3:*"})", "Policy statement must contain resources."},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":[]})", "Policy statement must contain resources."},
      {R"({"Effect":"Allow","Action":"s3","Resource":"*"})",
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {R"({"Effect":"Allow","Action":"s3:a:b","Resource":"*"})", "Actions/Condition can contain only one colon."},
      {R"({"Effect":"Allow","Action":"s 3:a","Resource":"*"})", "Vendor s 3 is not valid"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"bucket"})", "Resource bucket must be in ARN format or \"*\"."},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:wrong:s3:::b"})",
       "Partition \"wrong\" is not valid for resource \"arn:wrong:s3:::b\"."},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3::b"})", "The policy failed legacy parsing"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:iam:eu-west-1:1:role/x"})",
       "IAM resource arn:aws:iam:eu-west-1:1:role/x cannot contain region information."},
      {R"({"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"})",
       "Policy document should not specify a principal."},
      {R"({"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"s3:*","Resource":"*"})",
       "Policy document should not specify a principal."},
      {R"([{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"s3:*","Resource":"*"}])",
       "Statement IDs (SID) in a single policy must be unique."},
      {R"({"Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*"})",
       "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
       "[0-9A-Za-z]*"},
  };
  for (const auto& [statement, message] : cases) EXPECT_EQ(refusal(identity(statement)), message) << statement;
  EXPECT_EQ(refusal("This is not a json document"), syntax);
  EXPECT_EQ(refusal(R"({"Version":"2012-10-17"})"), syntax);
  EXPECT_EQ(refusal(R"({"Version":"2013-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})"), syntax);
  const std::string old = "Policy document must be version 2012-10-17 or greater.";
  EXPECT_EQ(refusal(R"({"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})"), old);
  EXPECT_EQ(refusal(R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})"), old);
}

TEST(PolicyDocument, KnowsTheTrustGrammar) {
  const auto trust = [](const std::string& statement) {
    return refusal(R"({"Statement":[)" + statement + "]}", Grammar::trust);
  };
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"})"),
            "");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::123456789012:role/x"]},
                      "Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"x"}}})"),
            "");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Action":"sts:AssumeRole"})"), "Missing required field Principal");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":"*"})"), "Missing required field Action");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"})"),
            "Has prohibited field Resource");
  EXPECT_EQ(trust(R"({"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole"})"),
            "Has prohibited field NotPrincipal");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject"})"),
            "AssumeRole policy may only specify STS AssumeRole actions.");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":{"Service":"nowhere"},"Action":"sts:AssumeRole"})"),
            R"(Invalid principal in policy: "Service":"nowhere")");
  EXPECT_EQ(
      trust(R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/*"},"Action":"sts:AssumeRole"})"),
      R"(Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/*")");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Principal":{"Robot":"x"},"Action":"sts:AssumeRole"})"),
            R"(Invalid principal in policy: "Robot":"x")");
  EXPECT_EQ(refusal("{", Grammar::trust), "This policy contains invalid Json");
  EXPECT_EQ(
      trust(R"({"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEqual":{"a":"b"}}})"),
      "Invalid Condition type : StringEqual");
}

TEST(PolicyDocument, KnowsTheResourceGrammars) {
  const std::string without = R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]})";
  EXPECT_EQ(refusal(without, Grammar::own_resource), "");
  EXPECT_EQ(refusal(without, Grammar::resource), "Missing required field Resource");
  EXPECT_EQ(refusal(R"({"Id":"p","Statement":[{"Sid":"with space","Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},
                        "Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]})",
                    Grammar::resource),
            "");
  EXPECT_NE(refusal(R"({"Statement":[{"Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"s3:*",
                        "Resource":"arn:aws:s3:::b"}]})",
                    Grammar::resource)
                .find("not served"),
            std::string::npos);
}

TEST(PolicyDocument, RefusesDepthAndLength) {
  std::string deep = R"({"Version":"2012-10-17","Statement":)";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  EXPECT_EQ(refusal(deep), "Syntax errors in policy.");
  EXPECT_EQ(refusal(identity(R"({"Effect":"Allow","Action":"*","Resource":"*"})") + std::string(200'000, ' ')),
            "Syntax errors in policy.");
}

TEST(PolicyDocument, CountsItsSizeWithoutWhiteSpace) { EXPECT_EQ(counted_size("{ \"a\":\n\t1 }\r\n"), 7U); }

TEST(PolicyLibrary, ParsesATextOnceAndForgetsTheLeastRecentlyUsed) {
  Library library(2);
  const std::string a = identity(R"({"Effect":"Allow","Action":"a:*","Resource":"*"})");
  const std::string b = identity(R"({"Effect":"Allow","Action":"b:*","Resource":"*"})");
  const std::string c = identity(R"({"Effect":"Allow","Action":"c:*","Resource":"*"})");
  const auto first = library.get(a, Grammar::identity);
  library.get(b, Grammar::identity);
  EXPECT_EQ(library.get(a, Grammar::identity), first);
  library.get(c, Grammar::identity);
  EXPECT_EQ(library.size(), 2U);
  EXPECT_EQ(library.get(a, Grammar::identity), first);
  EXPECT_EQ(library.get("no document", Grammar::identity), nullptr);
  EXPECT_EQ(library.get(a, Grammar::trust), nullptr);
}

TEST(ParseDocument, TakesAsManyStatementsAsItsTextHolds) {
  const auto many = [](std::size_t count) {
    std::string text = R"({"Version":"2012-10-17","Statement":[)";
    for (std::size_t i = 0; i < count; ++i)
      text += (i == 0 ? "" : ",") + std::string(R"({"Effect":"Deny","Action":"*","Resource":"*"})");
    return text + "]}";
  };
  const std::string text = many(2700);
  ASSERT_LT(text.size(), kMaxDocumentBytes);
  const auto parsed = parse_document(text, Grammar::identity);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->statements.size(), 2700U);
  EXPECT_FALSE(parse_document(many(2900), Grammar::identity));
}

}  // namespace
}  // namespace brume::policy
