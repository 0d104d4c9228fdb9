#include "services/s3/bucket_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/cors.h"
#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string policy(const std::string& principal, const std::string& resource, const std::string& rest = {}) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":)" + principal +
         R"(,"Action":"s3:GetObject","Resource":")" + resource + "\"" + rest + "}}";
}
const std::string kMine = R"({"AWS":"arn:aws:iam::111111111111:root"})";
const std::string kEveryone = "\"*\"";

BucketRecord bucket_record() {
  BucketRecord bucket;
  bucket.name = "abc";
  bucket.account = "000000000000";
  bucket.region = "eu-west-1";
  return bucket;
}

TEST(BucketPolicy, MustBeOfThisBucketAndOfS3) {
  const BucketRecord bucket = bucket_record();
  const auto code = [&](const std::string& text) { return error_code([&] { validate_bucket_policy(text, bucket); }); };
  EXPECT_EQ(code(policy(kMine, "arn:aws:s3:::abc/*")), "none");
  EXPECT_EQ(code(policy(kMine, "arn:aws:s3:::abc")), "none");
  EXPECT_EQ(code(policy(kMine, "arn:aws:s3:::abcd/*")), "MalformedPolicy");
  EXPECT_EQ(code(policy(kMine, "arn:aws:sqs:eu-west-1:000000000000:abc")), "MalformedPolicy");
  EXPECT_EQ(code("{"), "MalformedPolicy");
  EXPECT_EQ(code(R"({"Statement":[]})"), "MalformedPolicy");
  EXPECT_EQ(code(R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:s3:::abc"}})"),
            "MalformedPolicy");
  EXPECT_EQ(code(R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::abc"}})"),
            "MalformedPolicy");
}

TEST(BucketPolicy, PublicMeansEveryoneWithoutAFixedCondition) {
  const std::string all = "arn:aws:s3:::abc/*";
  EXPECT_TRUE(is_public_policy(policy(kEveryone, all)));
  EXPECT_TRUE(is_public_policy(policy(R"({"AWS":["*"]})", all)));
  EXPECT_FALSE(is_public_policy(policy(kMine, all)));
  EXPECT_FALSE(
      is_public_policy(policy(kEveryone, all, R"(,"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}})")));
  EXPECT_TRUE(is_public_policy(policy(kEveryone, all, R"(,"Condition":{"StringLike":{"aws:SourceVpce":"vpce-*"}})")));
  EXPECT_TRUE(is_public_policy(policy(kEveryone, all, R"(,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})")));
  EXPECT_TRUE(is_public_policy(policy(kEveryone, all, R"(,"Condition":{"Bool":{"aws:SecureTransport":"true"}})")));
  EXPECT_FALSE(is_public_policy(R"({"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"x"}]})"));
}

TEST(BucketPolicy, PublicAclsAreFoldedInUnlessDisabled) {
  BucketRecord bucket = bucket_record();
  bucket.acl = "public-read";
  EXPECT_EQ(effective_policy(bucket, "key", "public-read"), "");
  bucket.ownership = "ObjectWriter";
  EXPECT_THAT(effective_policy(bucket, "", ""), HasSubstr("s3:ListBucket"));
  EXPECT_THAT(effective_policy(bucket, "", ""), Not(HasSubstr("s3:GetObject")));
  EXPECT_THAT(effective_policy(bucket, "key", "public-read"), HasSubstr("arn:aws:s3:::abc/key"));
  bucket.policy = policy(kMine, "arn:aws:s3:::abc/*");
  EXPECT_THAT(effective_policy(bucket, "key", "public-read"), HasSubstr("111111111111"));
  bucket.public_access_block = PublicAccessBlockConfiguration{false, true, false, false};
  EXPECT_EQ(effective_policy(bucket, "key", "public-read"), bucket.policy);
}

TEST(BucketPolicy, RestrictPublicBucketsDeniesOthers) {
  BucketRecord bucket = bucket_record();
  bucket.public_access_block = PublicAccessBlockConfiguration{false, false, false, true};
  bucket.policy = policy(kMine, "arn:aws:s3:::abc/*");
  EXPECT_EQ(effective_policy(bucket, "key", ""), bucket.policy);
  bucket.policy = policy(kEveryone, "arn:aws:s3:::abc/*");
  EXPECT_THAT(effective_policy(bucket, "key", ""), HasSubstr(R"("aws:PrincipalAccount":"000000000000")"));
}

struct Policies : testing::Test {
  Policies() { world.create_bucket("abc"); }
  PutBucketPolicyInput input(const std::string& text) {
    PutBucketPolicyInput put;
    put.bucket = "abc";
    put.policy = text;
    return put;
  }
  void open_to_the_public() {
    DeletePublicAccessBlockInput block;
    block.bucket = "abc";
    world(delete_public_access_block, block);
    PutBucketOwnershipControlsInput controls;
    controls.bucket = "abc";
    controls.ownership_controls.emplace().rules = std::vector<OwnershipControlsRule>(1);
    controls.ownership_controls->rules->front().object_ownership = "BucketOwnerPreferred";
    world(put_bucket_ownership_controls, controls);
  }
  World world;
};

TEST_F(Policies, AreFoundByTheAuthorizer) {
  EXPECT_EQ(world.s3->find("arn:aws:s3:::abc")->document, "");
  EXPECT_EQ(world.s3->find("arn:aws:s3:::abc")->owner_account, "000000000000");
  EXPECT_FALSE(world.s3->find("arn:aws:s3:::none/key"));
  EXPECT_FALSE(world.s3->find("arn:aws:sqs:eu-west-1:000000000000:abc"));
  const std::string text = policy(kMine, "arn:aws:s3:::abc/*");
  world(put_bucket_policy, input(text));
  EXPECT_EQ(world.s3->find("arn:aws:s3:::abc/some/key")->document, text);
  GetBucketPolicyInput get;
  get.bucket = "abc";
  EXPECT_EQ(world(get_bucket_policy, get).policy, text);
  DeleteBucketPolicyInput remove;
  remove.bucket = "abc";
  world(delete_bucket_policy, remove);
  EXPECT_EQ(error_code([&] { world(get_bucket_policy, get); }), "NoSuchBucketPolicy");
}

TEST_F(Policies, PublicOnesAreBlockedByDefault) {
  const std::string open = policy(kEveryone, "arn:aws:s3:::abc/*");
  EXPECT_EQ(error_code([&] { world(put_bucket_policy, input(open)); }), "AccessDenied");
  open_to_the_public();
  world(put_bucket_policy, input(open));
  GetBucketPolicyStatusInput status;
  status.bucket = "abc";
  EXPECT_EQ(world(get_bucket_policy_status, status).policy_status->is_public, true);
}

TEST_F(Policies, PublicAclsOfObjectsGrant) {
  open_to_the_public();
  world.put("abc", "key", "x");
  EXPECT_EQ(world.s3->find("arn:aws:s3:::abc/key")->document, "");
  PutObjectAclInput acl;
  acl.bucket = "abc";
  acl.key = "key";
  acl.acl = "public-read";
  world(put_object_acl, acl);
  EXPECT_THAT(world.s3->find("arn:aws:s3:::abc/key")->document, HasSubstr("ObjectAclRead"));
  GetObjectAclInput get;
  get.bucket = "abc";
  get.key = "key";
  EXPECT_EQ(world(get_object_acl, get).grants->size(), 2U);
  acl.acl = "aws-exec-read";
  EXPECT_EQ(error_code([&] { world(put_object_acl, acl); }), "NotImplemented");
}

TEST_F(Policies, TheAclAsXmlIsReadBackAsPut) {
  open_to_the_public();
  GetBucketAclInput get;
  get.bucket = "abc";
  PutBucketAclInput put;
  put.bucket = "abc";
  put.acl = "public-read";
  world(put_bucket_acl, put);
  const auto shown = world(get_bucket_acl, get);
  EXPECT_EQ(shown.grants->size(), 2U);
  put.acl = "private";
  world(put_bucket_acl, put);
  EXPECT_EQ(world(get_bucket_acl, get).grants->size(), 1U);
  put.acl.reset();
  put.access_control_policy.emplace().grants = shown.grants;
  put.access_control_policy->owner = shown.owner;
  world(put_bucket_acl, put);
  EXPECT_EQ(world(get_bucket_acl, get).grants, shown.grants);
}

CORSRule cors_rule() {
  CORSRule rule;
  rule.allowed_origins = std::vector<std::string>{"https://*.example.com"};
  rule.allowed_methods = std::vector<std::string>{"GET", "PUT"};
  rule.allowed_headers = std::vector<std::string>{"x-amz-*", "Content-Type"};
  rule.expose_headers = std::vector<std::string>{"ETag"};
  rule.max_age_seconds = 60;
  return rule;
}

TEST(Cors, MatchesOriginsMethodsAndHeaders) {
  const std::vector<CORSRule> rules{cors_rule()};
  EXPECT_TRUE(cors_preflight(rules, "https://a.example.com", "PUT", "X-Amz-Date, content-type"));
  EXPECT_FALSE(cors_preflight(rules, "https://example.com", "PUT", ""));
  EXPECT_FALSE(cors_preflight(rules, "https://a.example.com", "DELETE", ""));
  EXPECT_FALSE(cors_preflight(rules, "https://a.example.com", "PUT", "authorization"));
  EXPECT_THAT(cors_headers(rules, "https://a.example.com", "GET"),
              testing::IsSupersetOf(Headers{{"Access-Control-Allow-Origin", "https://a.example.com"},
                                            {"Access-Control-Expose-Headers", "ETag"},
                                            {"Access-Control-Max-Age", "60"}}));
  EXPECT_TRUE(cors_headers(rules, "https://evil.com", "GET").empty());
}

TEST(Cors, RulesAreChecked) {
  const auto code = [](auto change) {
    CORSRule rule = cors_rule();
    change(rule);
    return error_code([&] { validate_cors({rule}); });
  };
  EXPECT_EQ(code([](CORSRule&) {}), "none");
  EXPECT_EQ(code([](CORSRule& rule) { rule.allowed_methods->push_back("PATCH"); }), "InvalidRequest");
  EXPECT_EQ(code([](CORSRule& rule) { rule.allowed_origins->push_back("*.*"); }), "InvalidRequest");
  EXPECT_EQ(code([](CORSRule& rule) { rule.allowed_origins.reset(); }), "MalformedXML");
  EXPECT_EQ(error_code([] { validate_cors({}); }), "MalformedXML");
}

TEST_F(Policies, CorsIsKeptForTheFront) {
  PutBucketCorsInput put;
  put.bucket = "abc";
  put.cors_configuration.emplace().cors_rules = std::vector{cors_rule()};
  world(put_bucket_cors, put);
  world.open();
  EXPECT_EQ(world.s3->find_cors("abc")->size(), 1U);
  EXPECT_EQ(world.s3->find_cors("none"), nullptr);
}

}  // namespace
}  // namespace brume::s3
