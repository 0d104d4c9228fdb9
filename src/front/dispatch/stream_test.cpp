// Streaming bodies through the whole door: uploads with every way of signing a body, downloads from files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/digest.h"
#include "front/dispatch/testing.h"

namespace brume::front {
namespace {

using testing::HasSubstr;

struct Uploads {
  TestFront front;
  struct Seen {
    std::string key, bytes, encoding, crc32;
    std::int64_t length = -1;
    Body body;
  };
  std::vector<Seen> seen;

  Uploads() {
    front.s3.on("PutObject", [this](const TestCall& call) {
      Seen& now = seen.emplace_back();
      now.key = call.in("Key");
      now.encoding = call.in("ContentEncoding");
      now.crc32 = call.in("ChecksumCRC32");
      if (const auto* length = call.in_member<std::int64_t>("ContentLength")) now.length = *length;
      now.body = *call.in_member<Body>("Body");
      now.bytes = now.body.bytes;
      if (now.body.spool != nullptr) {
        std::ifstream file(now.body.spool->path(), std::ios::binary);
        now.bytes.assign(std::istreambuf_iterator<char>(file), {});
      }
      call.out("ETag", "\"" + to_hex(now.body.md5) + "\"");
    });
    front.start();
  }
  http::RawClient::Answer put(std::string body, Headers headers = {}, std::string payload_hash = {}) {
    return front.send({.method = "PUT",
                       .path = "/bucket/key",
                       .body = std::move(body),
                       .headers = std::move(headers),
                       .service = "s3",
                       .payload_hash = std::move(payload_hash)});
  }
};

std::string base64_of(DigestKind kind, std::string_view text) { return to_base64(digest_of(kind, text)); }

TEST(Upload, GivesTheHandlerTheBodyWithItsDigests) {
  Uploads uploads;
  const auto small = uploads.put("hello");
  EXPECT_THAT(small.head, HasSubstr("ETag: \"" + to_hex(md5("hello")) + "\""));
  EXPECT_THAT(small.head, HasSubstr("x-amz-request-id: "));
  EXPECT_THAT(small.head, HasSubstr("x-amz-id-2: "));
  const std::string large(300'000, 'L');
  EXPECT_EQ(uploads.put(large).status(), 200);
  ASSERT_EQ(uploads.seen.size(), 2U);
  EXPECT_EQ(uploads.seen[0].bytes, "hello");
  EXPECT_EQ(uploads.seen[0].body.crc64nvme, digest_of(DigestKind::crc64nvme, "hello"));
  EXPECT_EQ(uploads.seen[1].bytes, large);
  EXPECT_NE(uploads.seen[1].body.spool, nullptr);
  EXPECT_EQ(uploads.seen[1].body.sha256, sha256(large));
  EXPECT_EQ(uploads.put("").status(), 200);
}

TEST(Upload, IsRefusedWhenTheBodyIsNotWhatWasSaid) {
  Uploads uploads;
  const auto wrong_hash = uploads.put("hello", {}, to_hex(sha256("other")));
  EXPECT_EQ(wrong_hash.status(), 400);
  EXPECT_THAT(wrong_hash.body, HasSubstr("<Code>XAmzContentSHA256Mismatch</Code>"));
  EXPECT_THAT(wrong_hash.body, HasSubstr("<S3ComputedContentSHA256>" + to_hex(sha256("hello"))));
  const auto with = [&uploads](std::string_view name, std::string value) {
    return uploads.put("hello", {{std::string(name), std::move(value)}}).body;
  };
  EXPECT_THAT(with("Content-MD5", base64_of(DigestKind::md5, "x")), HasSubstr("<Code>BadDigest</Code>"));
  EXPECT_THAT(with("Content-MD5", "short"), HasSubstr("<Code>InvalidDigest</Code>"));
  EXPECT_THAT(with("x-amz-checksum-crc32", base64_of(DigestKind::crc32, "x")), HasSubstr("The CRC32 you specified"));
  EXPECT_THAT(with("x-amz-checksum-crc32c", "AA=="), HasSubstr("Value for x-amz-checksum-crc32c header is invalid."));
  EXPECT_TRUE(uploads.seen.empty());
  EXPECT_EQ(with("x-amz-checksum-sha1", base64_of(DigestKind::sha1, "hello")), "");
  EXPECT_EQ(with("x-amz-checksum-sha256", base64_of(DigestKind::sha256, "hello")), "");
  EXPECT_EQ(with("x-amz-checksum-crc64nvme", base64_of(DigestKind::crc64nvme, "hello")), "");
  EXPECT_EQ(with("Content-MD5", base64_of(DigestKind::md5, "hello")), "");
  EXPECT_EQ(uploads.seen.size(), 4U);
}

// As boto3 and the aws cli put objects over TLS: unsigned chunks, the checksum behind them.
TEST(Upload, TakesUnsignedChunksWithATrailingChecksum) {
  Uploads uploads;
  const auto put = [&uploads](const std::string& checksum) {
    return uploads.put("5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:" + checksum + "\r\n\r\n",
                       {{"Content-Encoding", "gzip,aws-chunked"},
                        {"X-Amz-Decoded-Content-Length", "6"},
                        {"X-Amz-Trailer", "x-amz-checksum-crc32"},
                        {"x-amz-sdk-checksum-algorithm", "CRC32"}},
                       "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  };
  const std::string right = base64_of(DigestKind::crc32, "hello!");
  EXPECT_EQ(put(right).status(), 200);
  ASSERT_EQ(uploads.seen.size(), 1U);
  EXPECT_EQ(uploads.seen[0].bytes, "hello!");
  EXPECT_EQ(uploads.seen[0].length, 6);
  EXPECT_EQ(uploads.seen[0].encoding, "gzip");  // what is stored has no aws-chunked
  EXPECT_EQ(uploads.seen[0].crc32, right);      // the trailer becomes the member
  EXPECT_THAT(put(base64_of(DigestKind::crc32, "other")).body, HasSubstr("<Code>BadDigest</Code>"));
  EXPECT_THAT(uploads.put("5\r\nhello\r\n0\r\n\r\n", {}, "STREAMING-UNSIGNED-PAYLOAD-TRAILER").body,
              HasSubstr("<Code>MissingContentLength</Code>"));
  EXPECT_EQ(uploads.seen.size(), 1U);
}

// Each chunk's signature, made by hand after "Signature Calculations … Transferring Payload in Multiple Chunks".
std::string signed_chunks(std::string_view seed, const std::vector<std::string>& chunks, Time now,
                          const std::string& trailer) {
  const sigv4::CredentialScope scope{basic_iso8601(now).substr(0, 8), "eu-west-1", "s3"};
  const sigv4::SigningKey key = sigv4::derive_key("test", scope);
  const std::string middle = "\n" + basic_iso8601(now) + "\n" + scope.text() + "\n";
  std::string previous(seed);
  std::string body;
  for (const std::string& chunk : chunks) {
    previous = to_hex(key.sign("AWS4-HMAC-SHA256-PAYLOAD" + middle + previous + "\n" + to_hex(sha256("")) + "\n" +
                               to_hex(sha256(chunk))));
    char size[24];
    std::snprintf(size, sizeof size, "%zx", chunk.size());
    body += std::string(size) + ";chunk-signature=" + previous + "\r\n" + chunk + (chunk.empty() ? "" : "\r\n");
  }
  if (!trailer.empty()) {
    previous = to_hex(key.sign("AWS4-HMAC-SHA256-TRAILER" + middle + previous + "\n" + to_hex(sha256(trailer + "\n"))));
    body += trailer + "\r\nx-amz-trailer-signature:" + previous + "\r\n";
  }
  return body + "\r\n";
}

TEST(Upload, VerifiesEverySignedChunkAndTheSignedTrailer) {
  Uploads uploads;
  const std::string first(100'000, 'f');
  const std::string second(5'000, 's');
  const auto put = [&](bool trailing, std::size_t changed) {
    TestSend request{.method = "PUT",
                     .path = "/bucket/key",
                     .headers = {{"X-Amz-Decoded-Content-Length", "105000"}},
                     .service = "s3",
                     .payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"};
    std::string trailer;
    if (trailing) {
      request.payload_hash += "-TRAILER";
      request.headers.emplace_back("X-Amz-Trailer", "x-amz-checksum-crc32");
      trailer = "x-amz-checksum-crc32:" + base64_of(DigestKind::crc32, first + second);
    }
    std::string head = uploads.front.wire(request);
    const std::string seed = head.substr(head.find("Signature=") + 10, 64);
    std::string body = signed_chunks(seed, {first, second, ""}, uploads.front.clock.now(), trailer);
    if (changed > 0) body[body.size() - changed] ^= 1;
    const std::size_t at = head.find("Content-Length: 0\r\n");
    head.replace(at, 19, "Content-Length: " + std::to_string(body.size()) + "\r\n");
    http::RawClient client(uploads.front.port);
    client.send(head + body);
    return client.read_answer();
  };
  EXPECT_EQ(put(false, 0).status(), 200);
  EXPECT_EQ(put(true, 0).status(), 200);
  ASSERT_EQ(uploads.seen.size(), 2U);
  EXPECT_EQ(uploads.seen[0].bytes, first + second);
  EXPECT_EQ(put(false, 4'000).status(), 403);   // the second chunk's data
  EXPECT_EQ(put(false, 60'000).status(), 403);  // the first chunk's
  EXPECT_EQ(put(true, 10).status(), 403);       // the trailer's signature
  EXPECT_NE(put(true, 100).status(), 200);      // the trailer
  EXPECT_EQ(uploads.seen.size(), 2U);
}

TEST(Upload, IsAuthorizedBeforeItsBodyIsPulled) {
  TestFront front;
  front.s3.require("PutObject", "s3:PutObject", "arn:{partition}:s3:::{Bucket}/{Key}");
  front.start();
  TestSend request{.method = "PUT",
                   .path = "/bucket/a/key",
                   .headers = {{"Expect", "100-continue"}},
                   .key = "AKIDUSER",
                   .secret = "secret",
                   .service = "s3",
                   .payload_hash = "UNSIGNED-PAYLOAD"};
  std::string head = front.wire(request);
  head.replace(head.find("Content-Length: 0"), 17, "Content-Length: 5");
  http::RawClient denied(front.port);
  denied.send(head);
  const auto answer = denied.read_answer();  // no 100 Continue first
  EXPECT_EQ(answer.status(), 403);
  EXPECT_THAT(answer.body, HasSubstr("s3:PutObject on resource: \"arn:aws:s3:::bucket/a/key\""));
  front.control.post([&] { front.authorizer.allowed = {"s3:PutObject on arn:aws:s3:::bucket/a/key"}; });
  http::RawClient allowed(front.port);
  allowed.send(head);
  EXPECT_EQ(allowed.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  allowed.send("hello");
  EXPECT_EQ(allowed.read_answer().status(), 200);
}

TEST(Upload, AsksAnonymousCallersOfS3ToTheAuthorizer) {
  TestFront front;
  front.s3.require("PutObject", "s3:PutObject", "arn:{partition}:s3:::{Bucket}/{Key}");
  front.start();
  const TestSend request{.method = "PUT", .path = "/open/key", .body = "x", .key = "", .service = "s3"};
  const auto denied = front.send(request);
  EXPECT_EQ(denied.status(), 403);
  EXPECT_THAT(denied.body, HasSubstr("<Message>Access Denied</Message>"));
  front.control.post([&] { front.authorizer.allowed = {"s3:PutObject on arn:aws:s3:::open/key"}; });
  EXPECT_EQ(front.send(request).status(), 200);
}

TEST(Download, StreamsAFileAndAnswersHeadWithoutIt) {
  TestFront front;
  const std::string content(200'000, 'd');
  const std::string path = front.directory.path() + "/object";
  std::ofstream(path) << content;
  front.s3.on("GetObject", [&path](const TestCall& call) {
    Body& body = call.out_member<Body>("Body");
    body.file = path;
    body.offset = 10;
    body.size = 150'000;
  });
  front.start();
  EXPECT_EQ(front.send({.method = "GET", .path = "/bucket/key", .service = "s3"}).body, content.substr(10, 150'000));
  front.s3.on("GetObject",
              [](const TestCall&) { throw AwsError("NoSuchKey", "The specified key does not exist.", 404); });
  EXPECT_EQ(front.send({.method = "GET", .path = "/bucket/none", .service = "s3"}).status(), 404);
}

TEST(Presigned, WorksUntilItExpires) {
  TestFront front;
  front.s3.on("GetObject", [](const TestCall& call) { call.out("ETag", call.context.principal.arn); });
  front.start();
  sigv4::UnsignedRequest link{
      .method = "GET", .path = "/bucket/a%20key", .query = {}, .headers = {{"Host", "127.0.0.1"}}};
  sigv4::presign(link, {"AKIDUSER", "secret", {}}, "eu-west-1", "s3", 60, front.clock.now());
  const auto follow = [&](const std::string& query) {
    http::RawClient client(front.port);
    client.send("GET " + link.path + "?" + query + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    return client.read_answer();
  };
  EXPECT_THAT(follow(link.query).head, HasSubstr("ETag: arn:aws:iam::123456789012:user/ann"));
  EXPECT_THAT(follow(link.query + "&versionId=other").body, HasSubstr("SignatureDoesNotMatch"));
  front.clock.advance(seconds(61));
  const auto late = follow(link.query);
  EXPECT_EQ(late.status(), 403);
  EXPECT_THAT(late.body, HasSubstr("<Message>Request has expired</Message>"));
}

class OneOrigin final : public CrossOrigin {
 public:
  std::optional<Headers> preflight(const std::string& bucket, const std::string& origin, const std::string& method,
                                   const std::string& requested_headers) const override {
    if (bucket != "site" || origin != "https://page.example" || method != "PUT") return std::nullopt;
    return Headers{{"Access-Control-Allow-Origin", origin}, {"Access-Control-Allow-Headers", requested_headers}};
  }
  Headers headers(const std::string& bucket, const std::string& origin, const std::string&) const override {
    if (bucket != "site") return {};
    return {{"Access-Control-Allow-Origin", origin}};
  }
};

TEST(CrossOriginRequests, AreAnsweredByTheBucketsRules) {
  TestFront front;
  OneOrigin rules;
  front.cross_origin = &rules;
  front.start();
  const auto preflight = [&front](std::string_view host, std::string_view path, std::string_view method) {
    http::RawClient client(front.port);
    client.send("OPTIONS " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
                "\r\nOrigin: https://page.example\r\nAccess-Control-Request-Headers: x-amz-date\r\n"
                "Access-Control-Request-Method: " +
                std::string(method) + "\r\n\r\n");
    return client.read_answer();
  };
  const auto allowed = preflight("site.s3.eu-west-1.amazonaws.com", "/key", "PUT");
  EXPECT_EQ(allowed.status(), 200);
  EXPECT_THAT(allowed.head, HasSubstr("Access-Control-Allow-Headers: x-amz-date"));
  EXPECT_EQ(preflight("127.0.0.1", "/site/key", "PUT").status(), 200);
  const auto denied = preflight("127.0.0.1", "/site/key", "DELETE");
  EXPECT_EQ(denied.status(), 403);
  EXPECT_THAT(denied.body, HasSubstr("<Code>AccessForbidden</Code>"));
  const TestSend request{
      .method = "PUT", .path = "/site/key", .headers = {{"Origin", "https://page.example"}}, .service = "s3"};
  EXPECT_THAT(front.send(request).head, HasSubstr("Access-Control-Allow-Origin: https://page.example"));
}

}  // namespace
}  // namespace brume::front
