#include "front/sigv4/verify.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "front/sigv4/signer.h"
#include "front/sigv4/testing.h"

namespace brume::sigv4 {
namespace {

constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Check {
  OneKey keys;
  Expectation expectation{.style = Style::query, .service = "sts", .region = {}};
  Time now = at("20260301T120000Z");
  UnsignedRequest request{.method = "POST", .headers = {{"Host", "sts.eu-west-1.amazonaws.com"}}};
  std::string payload_hash{kEmptySha256};

  Check& signed_for(std::string_view service, Style style) {
    expectation.service = service;
    expectation.style = style;
    sign(request, {keys.key_id, keys.credential.secret, keys.credential.session_token}, "eu-west-1", service,
         payload_hash, now);
    return *this;
  }
  // The error's code, or "" when the signature holds.
  std::string code() { return error().code; }
  AwsError error() {
    KeyCache cache;
    const SignedRequest view{request.method, request.path, request.query, &request.headers};
    const auto claim = read_claim(view, expectation.style);
    if (!claim) return claim.error();
    if (!*claim) return missing_authentication(expectation.style);
    std::string hash = payload_hash;
    const auto payload = read_payload(view, expectation.style, (*claim)->presigned);
    if (!payload) return payload.error();
    if (!payload->text.empty()) hash = payload->text;
    const auto verified = verify(view, **claim, expectation, hash, now, keys, cache);
    return verified ? AwsError("", "") : verified.error();
  }
  std::string& header(std::string_view name) {
    for (auto& [key, value] : request.headers)
      if (equals_ignoring_case(key, name)) return value;
    return request.headers.emplace_back(name, "").second;
  }
};

TEST(Verify, AcceptsWhatIsSignedAndNamesThePrincipal) {
  EXPECT_EQ(Check().signed_for("sts", Style::query).code(), "");
  EXPECT_EQ(Check().signed_for("s3", Style::s3).code(), "");
  Check with_token;
  with_token.keys.credential.session_token = "token//==";
  EXPECT_EQ(with_token.signed_for("ecs", Style::json).code(), "");
}

// "Example: GET Object", "GET Bucket Lifecycle" and the others of "Signature Calculations for the Authorization Header"
// in the S3 API reference: the signatures are AWS's own.
TEST(Verify, AcceptsTheExamplesOfTheS3Reference) {
  Check get;
  get.now = at("20130524T000000Z");
  get.expectation = {.style = Style::s3, .service = "s3", .region = "us-east-1"};
  get.request = {.method = "GET",
                 .path = "/test.txt",
                 .headers = {{"Host", "examplebucket.s3.amazonaws.com"},
                             {"Range", "bytes=0-9"},
                             {"x-amz-content-sha256", std::string(kEmptySha256)},
                             {"x-amz-date", "20130524T000000Z"},
                             {"Authorization",
                              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                              "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="
                              "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}}};
  EXPECT_EQ(get.code(), "");
  get.request.path = "/test.txu";
  EXPECT_EQ(get.code(), "SignatureDoesNotMatch");

  Check presigned;
  presigned.now = at("20130524T000000Z");
  presigned.expectation = get.expectation;
  presigned.request = {
      .method = "GET",
      .path = "/test.txt",
      .query =
          "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
          "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
          "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
      .headers = {{"Host", "examplebucket.s3.amazonaws.com"}}};
  EXPECT_EQ(presigned.code(), "");
  presigned.now = at("20130525T000001Z");
  EXPECT_EQ(presigned.error().message, "Request has expired");
}

// "Example: PUT Object" of "Transferring Payload in Multiple Chunks": 65 KiB of the letter a in three chunks.
TEST(Verify, AcceptsTheChunksOfTheS3Reference) {
  OneKey keys;
  const Headers headers = {
      {"Host", "s3.amazonaws.com"},
      {"x-amz-date", "20130524T000000Z"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
       "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
       "x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"},
      {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
      {"Content-Encoding", "aws-chunked"},
      {"x-amz-decoded-content-length", "66560"},
      {"Content-Length", "66824"}};
  const SignedRequest request{"PUT", "/examplebucket/chunkObject.txt", "", &headers};
  const auto claim = read_claim(request, Style::s3);
  ASSERT_TRUE(claim && *claim);
  const auto payload = read_payload(request, Style::s3, false);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->kind, Payload::Kind::signed_chunks);
  KeyCache cache;
  const auto verified =
      verify(request, **claim, {Style::s3, "s3", "us-east-1"}, payload->text, at("20130524T000000Z"), keys, cache);
  ASSERT_TRUE(verified) << verified.error().message;

  const std::string body =
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
  EXPECT_EQ(body.size(), 66824U);
  const auto decode = [&](const std::string& text) {
    http::AwsChunkedDecoder decoder({.verifier = chunk_verifier(*verified, **claim), .decoded_length = 66560});
    std::string out;
    if (const auto failed = decoder.feed(text, out)) return failed->code;
    if (const auto failed = decoder.finish()) return failed->code;
    return std::to_string(out.size());
  };
  EXPECT_EQ(decode(body), "66560");
  std::string changed = body;
  changed[30'000] = 'b';
  EXPECT_EQ(decode(changed), "SignatureDoesNotMatch");
  changed = body;
  changed.erase(body.find("400;"), 1024 + 4 + 16 + 64 + 4 + 1);  // a whole chunk left out
  EXPECT_NE(decode(changed), "66560");
}

TEST(Verify, RefusesEveryChangeOfASignedByte) {
  Check original;
  original.request.path = "/a/b%20c";
  original.request.query = "x=1&y=%2F";
  original.request.headers.emplace_back("Content-Type", "text/plain");
  original.signed_for("s3", Style::s3);
  ASSERT_EQ(original.code(), "");
  const auto refuses = [&original](const auto& change) {
    Check changed = original;
    change(changed.request);
    return changed.code() != "";
  };
  for (std::size_t i = 1; i < original.request.path.size(); ++i)
    EXPECT_TRUE(refuses([i](UnsignedRequest& request) { request.path[i] ^= 1; })) << i;
  for (std::size_t i = 0; i < original.request.query.size(); ++i)
    EXPECT_TRUE(refuses([i](UnsignedRequest& request) { request.query[i] ^= 1; })) << i;
  for (std::size_t h = 0; h < original.request.headers.size(); ++h)
    for (std::size_t i = 0; i < original.request.headers[h].second.size(); ++i)
      EXPECT_TRUE(refuses([h, i](UnsignedRequest& request) { request.headers[h].second[i] ^= 1; }))
          << original.request.headers[h].first << " " << i;
  EXPECT_TRUE(refuses([](UnsignedRequest& request) { request.method = "PUT"; }));
  EXPECT_TRUE(refuses([](UnsignedRequest& request) { request.query += "&z"; }));
  EXPECT_TRUE(refuses([](UnsignedRequest& request) { request.headers.emplace_back("X-Amz-Acl", "public-read"); }));
  EXPECT_TRUE(refuses([](UnsignedRequest& request) { request.headers.erase(request.headers.begin()); }));
}

TEST(Verify, EncodesPathsOnceForS3AndTwiceElsewhere) {
  EXPECT_EQ(canonical_path("/a%20b/../c//d%2Fe", PathRule::s3), "/a%20b/../c//d%2Fe");
  EXPECT_EQ(canonical_path("/key+with:odd@chars", PathRule::s3), "/key%2Bwith%3Aodd%40chars");
  EXPECT_EQ(canonical_path("/a%20b/../c//d", PathRule::others), "/c/d");
  EXPECT_EQ(canonical_path("/2015-03-31/functions/arn%3Aaws", PathRule::others), "/2015-03-31/functions/arn%253Aaws");
  EXPECT_EQ(canonical_path("/", PathRule::others), "/");
  EXPECT_EQ(canonical_query("b=2&a=%2f&a=1&c&X-Amz-Signature=x"), "a=%2F&a=1&b=2&c=");
}

TEST(Verify, WordsErrorsAsEachFamilyDoes) {
  const auto code_for = [](std::string_view service, Style style, const auto& change) {
    Check check;
    check.signed_for(service, style);
    change(check);
    return check.code();
  };
  const auto unsigned_ = [](Check& check) { check.request.headers.pop_back(); };
  EXPECT_EQ(code_for("sts", Style::query, unsigned_), "MissingAuthenticationToken");
  EXPECT_EQ(code_for("ec2", Style::ec2, unsigned_), "AuthFailure");
  EXPECT_EQ(code_for("ecs", Style::json, unsigned_), "MissingAuthenticationTokenException");
  EXPECT_EQ(code_for("s3", Style::s3, unsigned_), "AccessDenied");
  const auto unknown = [](Check& check) { check.keys.key_id = "other"; };
  EXPECT_EQ(code_for("sts", Style::query, unknown), "InvalidClientTokenId");
  EXPECT_EQ(code_for("ec2", Style::ec2, unknown), "AuthFailure");
  EXPECT_EQ(code_for("ecs", Style::json, unknown), "UnrecognizedClientException");
  EXPECT_EQ(code_for("s3", Style::s3, unknown), "InvalidAccessKeyId");
  const auto inactive = [](Check& check) { check.keys.credential.active = false; };
  EXPECT_EQ(code_for("sts", Style::query, inactive), "InvalidClientTokenId");
  const auto wrong_secret = [](Check& check) { check.keys.credential.secret = "x"; };
  EXPECT_EQ(code_for("sts", Style::query, wrong_secret), "SignatureDoesNotMatch");
  EXPECT_EQ(code_for("ec2", Style::ec2, wrong_secret), "AuthFailure");
  EXPECT_EQ(code_for("ecs", Style::json, wrong_secret), "InvalidSignatureException");
  EXPECT_EQ(code_for("s3", Style::s3, wrong_secret), "SignatureDoesNotMatch");
  const auto incomplete = [](Check& check) { check.header("Authorization") = "AWS4-HMAC-SHA256 Credential=x"; };
  EXPECT_EQ(code_for("sts", Style::query, incomplete), "IncompleteSignature");
  EXPECT_EQ(code_for("ecs", Style::json, incomplete), "IncompleteSignatureException");
  EXPECT_EQ(code_for("s3", Style::s3, incomplete), "AuthorizationHeaderMalformed");
  const auto undated = [](Check& check) { check.header("X-Amz-Date") = "soon"; };
  EXPECT_EQ(code_for("sts", Style::query, undated), "IncompleteSignature");
  EXPECT_EQ(code_for("s3", Style::s3, undated), "AccessDenied");
  const auto wrong_token = [](Check& check) { check.keys.credential.session_token = "other"; };
  EXPECT_EQ(code_for("sts", Style::query, wrong_token), "InvalidClientTokenId");
  EXPECT_EQ(code_for("s3", Style::s3, wrong_token), "InvalidToken");
  const auto expired = [](Check& check) { check.keys.credential.principal.expires = check.now; };
  EXPECT_EQ(code_for("sts", Style::query, expired), "ExpiredToken");
  EXPECT_EQ(code_for("ec2", Style::ec2, expired), "RequestExpired");
  EXPECT_EQ(code_for("ecs", Style::json, expired), "ExpiredTokenException");
  EXPECT_EQ(code_for("s3", Style::s3, expired), "ExpiredToken");
}

TEST(Verify, AllowsFifteenMinutesOfClockSkew) {
  const auto later = [](std::string_view service, Style style, Duration by) {
    Check check;
    check.signed_for(service, style);
    check.now = check.now + by;
    return check.error();
  };
  EXPECT_EQ(later("sts", Style::query, minutes(15)).code, "");
  EXPECT_EQ(later("sts", Style::query, minutes(-15)).code, "");
  EXPECT_EQ(later("sts", Style::query, minutes(35)).message,
            "Signature expired: 20260301T120000Z is now earlier than 20260301T122000Z (20260301T123500Z - 15 min.)");
  EXPECT_EQ(later("sts", Style::query, minutes(-35)).message,
            "Signature not yet current: 20260301T120000Z is still later than 20260301T114000Z (20260301T112500Z + 15 "
            "min.)");
  EXPECT_EQ(later("ecs", Style::json, minutes(16)).code, "InvalidSignatureException");
  EXPECT_EQ(later("ec2", Style::ec2, minutes(16)).code, "RequestExpired");
  EXPECT_EQ(later("ec2", Style::ec2, minutes(-16)).code, "RequestExpired");
  EXPECT_EQ(later("s3", Style::s3, minutes(16)).code, "RequestTimeTooSkewed");
}

TEST(Verify, HoldsTheScopeAgainstTheServiceAndTheHost) {
  Check service;
  service.signed_for("ecs", Style::query).expectation.service = "sts";
  EXPECT_EQ(service.error().message, "Credential should be scoped to correct service: 'sts'. ");
  Check region;
  region.signed_for("sts", Style::query).expectation.region = "us-east-1";
  EXPECT_EQ(region.error().message, "Credential should be scoped to a valid region, not 'eu-west-1'. ");
  Check s3_region;
  s3_region.signed_for("s3", Style::s3).expectation.region = "us-east-1";
  EXPECT_EQ(s3_region.error().message,
            "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'");
  Check no_region;
  sign(no_region.request, {no_region.keys.key_id, no_region.keys.credential.secret, {}}, "moon-1", "sts",
       no_region.payload_hash, no_region.now);
  EXPECT_EQ(no_region.code(), "SignatureDoesNotMatch");
  Check no_host;
  no_host.request.headers.clear();
  no_host.signed_for("sts", Style::query);
  EXPECT_EQ(no_host.error().message, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST(Verify, ChecksPresignedRequests) {
  const auto presigned = [](std::string_view service, Style style, std::int64_t expires_s) {
    Check check;
    check.request.method = "GET";
    check.keys.credential.session_token = "to/ken";
    check.expectation = {.style = style, .service = service, .region = {}};
    presign(check.request, {check.keys.key_id, check.keys.credential.secret, "to/ken"}, "eu-west-1", service, expires_s,
            check.now);
    return check;
  };
  EXPECT_EQ(presigned("s3", Style::s3, 60).code(), "");
  EXPECT_EQ(presigned("sts", Style::query, 60).code(), "");
  Check late = presigned("s3", Style::s3, 60);
  late.now = late.now + seconds(61);
  EXPECT_EQ(late.code(), "AccessDenied");
  Check late_query = presigned("sts", Style::query, 60);
  late_query.now = late_query.now + seconds(61);
  EXPECT_EQ(late_query.code(), "SignatureDoesNotMatch");
  Check early = presigned("s3", Style::s3, 60);
  early.now = early.now - minutes(16);
  EXPECT_EQ(early.code(), "AccessDenied");
  EXPECT_EQ(presigned("s3", Style::s3, 604'800).code(), "");
  EXPECT_EQ(presigned("s3", Style::s3, 604'801).code(), "AuthorizationQueryParametersError");
  EXPECT_EQ(presigned("s3", Style::s3, -1).code(), "AuthorizationQueryParametersError");
  Check twice = presigned("s3", Style::s3, 60);
  twice.header("Authorization") = "AWS4-HMAC-SHA256 Credential=x";
  EXPECT_EQ(twice.code(), "InvalidArgument");
}

TEST(Verify, UnderstandsWhatS3SaysAboutTheBody) {
  const auto kind = [](std::string_view text) {
    const Headers headers = {{"x-amz-content-sha256", std::string(text)}};
    const auto payload = read_payload({"PUT", "/", "", &headers}, Style::s3, false);
    return payload ? static_cast<int>(payload->kind) : -1;
  };
  EXPECT_EQ(kind(kEmptySha256), static_cast<int>(Payload::Kind::declared_hash));
  EXPECT_EQ(kind("UNSIGNED-PAYLOAD"), static_cast<int>(Payload::Kind::unsigned_body));
  EXPECT_EQ(kind("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), static_cast<int>(Payload::Kind::unsigned_chunks));
  EXPECT_EQ(kind("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), static_cast<int>(Payload::Kind::signed_chunks));
  EXPECT_EQ(kind("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), -1);
  EXPECT_EQ(kind(""), -1);
}

}  // namespace
}  // namespace brume::sigv4
