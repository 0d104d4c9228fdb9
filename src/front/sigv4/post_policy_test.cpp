// The policy and signature of the Amazon S3 API reference's own example, "Example: Browser-based upload using HTTP POST
// (using AWS signature version 4)", and everything that may be wrong with a form.
#include "front/sigv4/post_policy.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "front/sigv4/canonical.h"
#include "front/sigv4/testing.h"

namespace brume::sigv4 {
namespace {

constexpr std::string_view kPolicy =
    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tl"
    "dCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAg"
    "ICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhh"
    "bXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwg"
    "IiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAg"
    "ICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXot"
    "bWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkv"
    "dXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwN"
    "CiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

Headers example_fields() {
  return {{"key", "user/user1/${filename}"},
          {"acl", "public-read"},
          {"success_action_redirect", "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
          {"Content-Type", "image/jpeg"},
          {"x-amz-meta-uuid", "14365123651274"},
          {"x-amz-server-side-encryption", "AES256"},
          {"X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
          {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
          {"X-Amz-Date", "20151229T000000Z"},
          {"x-amz-meta-tag", ""},
          {"Policy", std::string(kPolicy)},
          {"X-Amz-Signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"},
          {"file", "a.jpg"}};
}

std::string code(const Headers& fields, std::string_view now = "20151229T120000Z",
                 std::string_view bucket = "sigv4examplebucket", std::string_view region = "us-east-1") {
  const auto grant = read_post(fields, bucket, region, at(now), OneKey());
  return grant ? "granted" : grant.error().code + ": " + grant.error().message;
}

Headers with(std::string_view name, const std::string& value) {
  Headers fields = example_fields();
  for (auto& [each, text] : fields)
    if (each == name) {
      text = value;
      return fields;
    }
  fields.emplace_back(std::string(name), value);
  return fields;
}

// The example's form with another policy, signed again.
Headers signed_with(const std::string& policy) {
  Headers fields = with("Policy", to_base64(policy));
  const SigningKey key = derive_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {"20151229", "us-east-1", "s3"});
  for (auto& [name, value] : fields)
    if (name == "X-Amz-Signature") value = to_hex(key.sign(to_base64(policy)));
  return fields;
}

TEST(PostPolicy, TakesTheExampleOfTheReference) {
  EXPECT_EQ(code(example_fields()), "granted");
  const auto grant = read_post(example_fields(), "sigv4examplebucket", "", at("20151229T120000Z"), OneKey());
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->principal.account, "123456789012");
  EXPECT_EQ(grant->access_key_id, "AKIAIOSFODNN7EXAMPLE");
}

TEST(PostPolicy, EveryConditionAndEveryFieldCounts) {
  EXPECT_EQ(
      code(with("key", "user/user2/x")),
      R"(AccessDenied: Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "user/user1/"])");
  EXPECT_TRUE(code(with("acl", "private")).starts_with("AccessDenied: Invalid according to Policy: Policy Condition"));
  EXPECT_TRUE(code(example_fields(), "20151229T120000Z", "another").starts_with("AccessDenied"));
  EXPECT_EQ(code(with("x-amz-meta-more", "1")),
            "AccessDenied: Invalid according to Policy: Extra input fields: x-amz-meta-more");
  EXPECT_EQ(code(with("x-ignore-me", "1")), "granted");
  EXPECT_EQ(code(example_fields(), "20151230T120001Z"), "AccessDenied: Invalid according to Policy: Policy expired.");
}

TEST(PostPolicy, SignaturesAreRefusedInS3sWords) {
  const auto starts = [](const Headers& fields, const std::string& wanted, std::string_view region = "us-east-1") {
    EXPECT_TRUE(code(fields, "20151229T120000Z", "sigv4examplebucket", region).starts_with(wanted + ":"))
        << code(fields, "20151229T120000Z", "sigv4examplebucket", region);
  };
  starts(with("X-Amz-Signature", std::string(64, 'a')), "SignatureDoesNotMatch");
  starts(with("Policy", to_base64(R"({"expiration":"2030-01-01T00:00:00Z","conditions":[]})")),
         "SignatureDoesNotMatch");
  starts(with("X-Amz-Credential", "AKIAI44QH8DHBEXAMPLE/20151229/us-east-1/s3/aws4_request"), "InvalidAccessKeyId");
  starts(with("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/sts/aws4_request"),
         "AuthorizationHeaderMalformed");
  starts(with("X-Amz-Credential", "nothing"), "InvalidArgument");
  starts(example_fields(), "AuthorizationHeaderMalformed", "eu-west-1");
  starts(with("x-amz-security-token", "made-up"), "InvalidToken");
  starts(with("X-Amz-Algorithm", "AWS4"), "InvalidRequest");
  starts(with("X-Amz-Signature", ""), "InvalidArgument");
  starts(with("key", ""), "InvalidArgument");
}

TEST(PostPolicy, PoliciesThatCannotBeReadAreSaidToBe) {
  for (const char* policy : {"", "{", "[]", R"({"conditions":[]})", R"({"expiration":"soon","conditions":[]})",
                             R"({"expiration":"2030-01-01T00:00:00Z"})",
                             R"({"expiration":"2030-01-01T00:00:00Z","conditions":[["eq","key","x"]]})",
                             R"({"expiration":"2030-01-01T00:00:00Z","conditions":[["like","$key","x"]]})",
                             R"({"expiration":"2030-01-01T00:00:00Z","conditions":[["content-length-range",1]]})",
                             R"({"expiration":"2030-01-01T00:00:00Z","conditions":[{"tagging":["x"]}]})",
                             R"({"expiration":"2030-01-01T00:00:00Z","conditions":[["starts-with","$key",{}]]})"}) {
    if (*policy == '\0') continue;
    EXPECT_TRUE(code(signed_with(policy)).starts_with("InvalidPolicyDocument:")) << policy << code(signed_with(policy));
  }
}

TEST(PostPolicy, SizesAreThoseOfTheRange) {
  PostGrant grant{.principal = {}, .access_key_id = {}, .smallest = 2, .largest = 4};
  EXPECT_EQ(check_post_size(grant, 1)->code, "EntityTooSmall");
  EXPECT_FALSE(check_post_size(grant, 2).has_value());
  EXPECT_FALSE(check_post_size(grant, 4).has_value());
  EXPECT_EQ(check_post_size(grant, 5)->code, "EntityTooLarge");
}

TEST(PostPolicy, WithoutAPolicyTheCallerIsAnonymous) {
  const auto grant = read_post({{"key", "a"}, {"file", ""}}, "bucket", "", at("20151229T120000Z"), OneKey());
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->principal.kind, Principal::Kind::anonymous);
}

}  // namespace
}  // namespace brume::sigv4
