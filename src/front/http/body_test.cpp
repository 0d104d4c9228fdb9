// Bodies both ways: spool files, digests, aws-chunked, answers from files, tunnels.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "core/digest.h"
#include "core/text.h"
#include "front/http/body_sink.h"
#include "front/http/chunked.h"
#include "front/http/testing.h"

namespace brume::http {
namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}
std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Body, OfALargeUploadIsSpooledWithItsDigestsAndRemoved) {
  const std::string sent = pattern((3 << 20) + 17);
  std::string path;
  TestServer server([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->receive_body({.limit = 1 << 30,
                            .digests = {DigestKind::md5, DigestKind::sha256, DigestKind::crc32, DigestKind::crc32c,
                                        DigestKind::sha1, DigestKind::crc64nvme}},
                           [&, exchange](std::expected<ReceivedBody, AwsError> got) {
                             ASSERT_TRUE(got);
                             const Body& body = got->body;
                             ASSERT_NE(body.spool, nullptr);
                             path = body.spool->path();
                             EXPECT_EQ(content_of(path), sent);
                             EXPECT_EQ(body.size, sent.size());
                             EXPECT_EQ(body.md5, digest_of(DigestKind::md5, sent));
                             EXPECT_EQ(body.sha256, digest_of(DigestKind::sha256, sent));
                             EXPECT_EQ(body.crc32, digest_of(DigestKind::crc32, sent));
                             EXPECT_EQ(body.crc32c, digest_of(DigestKind::crc32c, sent));
                             EXPECT_EQ(body.sha1, digest_of(DigestKind::sha1, sent));
                             EXPECT_EQ(body.crc64nvme, digest_of(DigestKind::crc64nvme, sent));
                             exchange->reply({});
                           });
  });
  RawClient client(server.port());
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(sent.size()) + "\r\n\r\n" + sent);
  EXPECT_EQ(client.read_answer().status(), 200);
  EXPECT_FALSE(path.empty());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Body, OfAChunkedUploadIsTheSameAsWithALength) {
  const std::string sent = pattern(700'000);
  std::string digest;
  TestServer server([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->receive_body(
        {.limit = 1 << 30, .digests = {DigestKind::sha256}}, [&, exchange](std::expected<ReceivedBody, AwsError> got) {
          digest = got ? got->body.sha256 : got.error().message;
          exchange->reply({.body = Body::of(got ? std::string(header_of(got->trailers, "x-end")) : "")});
        });
  });
  RawClient client(server.port());
  std::string chunks;
  for (std::size_t at = 0; at < sent.size(); at += 70'000) chunks += "11170\r\n" + sent.substr(at, 70'000) + "\r\n";
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\nX-End: here\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "here");
  EXPECT_EQ(digest, sha256(sent));
}

TEST(Body, ThatBreaksOffLeavesNoFileBehind) {
  std::promise<std::string> failure;
  TestServer server([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->receive_body({.limit = 1 << 30}, [&, exchange](std::expected<ReceivedBody, AwsError> got) {
      failure.set_value(got ? "" : got.error().code);
      exchange->reply({.status = 400});
    });
  });
  RawClient client(server.port());
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + std::string(1 << 20, 'x'));
  client.end_sending();
  EXPECT_EQ(failure.get_future().get(), "IncompleteBody");
  client.read_to_end();
  // The pool may still be writing the piece before the break.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!std::filesystem::is_empty(server.spool_directory()) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_TRUE(std::filesystem::is_empty(server.spool_directory()));
}

TEST(Body, OfAnAnswerComesFromAFileAndAPartOfIt) {
  const std::string content = pattern(5 << 20);
  std::string path;
  TestServer server([&](const std::shared_ptr<Exchange>& exchange) {
    Body body;
    body.file = path;
    body.offset = exchange->head().path == "/part" ? 1000 : 0;
    body.size = exchange->head().path == "/part" ? 70'000 : content.size();
    exchange->reply({.body = std::move(body)});
  });
  path = server.directory() + "/object";
  std::ofstream(path, std::ios::binary) << content;
  RawClient client(server.port());
  client.send(
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /part HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_answer().body == content);
  EXPECT_TRUE(client.read_answer().body == content.substr(1000, 70'000));
  EXPECT_NE(client.read_answer(false).head.find("Content-Length: 5242880"), std::string::npos);
  std::filesystem::remove(path);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer().status(), 500);
}

TEST(Tunnel, PassesTheHeadAndAllBytesBothWays) {
  LoopbackSockets backend = listen_loopback(0);
  TestServer server([&](const std::shared_ptr<Exchange>& exchange) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(backend.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    exchange->tunnel(fd, "GET / HTTP/1.1\r\nHost: web\r\n\r\n");
  });
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: web.elb.localhost\r\n\r\nsent early;");
  ::fcntl(backend.v4.get(), F_SETFL, 0);
  Fd accepted(::accept(backend.v4.get(), nullptr, nullptr));
  ASSERT_TRUE(accepted);
  client.send("sent later");
  client.end_sending();
  std::string seen;
  char bytes[4096];
  for (ssize_t got = 0; (got = ::read(accepted.get(), bytes, sizeof bytes)) > 0;)
    seen.append(bytes, static_cast<std::size_t>(got));
  EXPECT_EQ(seen, "GET / HTTP/1.1\r\nHost: web\r\n\r\nsent early;sent later");
  const std::string answer = pattern(1 << 20);
  std::thread writer([&] {
    std::string_view rest = answer;
    while (!rest.empty())
      rest.remove_prefix(static_cast<std::size_t>(::write(accepted.get(), rest.data(), rest.size())));
    accepted.reset(-1);
  });
  EXPECT_TRUE(client.read_to_end() == answer);
  writer.join();
}

AwsChunkedDecoder::Plan unsigned_plan(std::uint64_t length) {
  return {.has_trailers = true, .trailer_names = "x-amz-checksum-crc32", .decoded_length = length};
}
std::string decode(std::string_view text, std::uint64_t length) {
  std::string out;
  AwsChunkedDecoder decoder(unsigned_plan(length));
  for (const char& byte : text)
    if (const auto failed = decoder.feed({&byte, 1}, out)) return failed->code;
  if (const auto failed = decoder.finish()) return failed->code;
  return out + "|" + std::string(header_of(decoder.trailers(), "x-amz-checksum-crc32"));
}

TEST(AwsChunked, DecodesUnsignedChunksWithTrailers) {
  EXPECT_EQ(decode("3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n", 5), "abcde|abc=");
  EXPECT_EQ(decode("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 0), "|AAAAAA==");
}

TEST(AwsChunked, RefusesWhatDoesNotAddUp) {
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n", 4), "IncompleteBody");
  EXPECT_EQ(decode("5\r\nabcde\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n", 4), "IncompleteBody");
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:a\r\n", 3), "IncompleteBody");
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\n\r\n", 3), "MalformedTrailerError");
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\nx-amz-other:a\r\n\r\n", 3), "MalformedTrailerError");
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\nGET /", 3), "MalformedTrailerError");
  EXPECT_EQ(decode("3\nabc\r\n", 3), "InvalidRequest");
  EXPECT_EQ(decode("x\r\n", 3), "InvalidRequest");
  EXPECT_EQ(decode("3;name=value\r\nabc", 3), "InvalidRequest");
  EXPECT_EQ(decode("ffffffffffffffff\r\n", 3), "InvalidRequest");
}

// Only blanks are trimmed; a form feed is no part of a header's value at its ends either.
TEST(AwsChunked, RefusesControlCharactersAroundATrailersValue) {
  EXPECT_EQ(decode("0\r\nx-amz-checksum-crc32: \tabc= \r\n\r\n", 0), "|abc=");
  EXPECT_EQ(decode("0\r\nx-amz-checksum-crc32:abc=\f\r\n\r\n", 0), "MalformedTrailerError");
}

TEST(Chunked, RefusesControlCharactersAroundATrailersValue) {
  for (const std::string_view value : {"abc", " \tabc ", "\vabc", "abc\f"}) {
    ChunkedDecoder decoder;
    const bool blanks_only = value.find_first_of("\v\f") == std::string_view::npos;
    const auto step = decoder.feed("0\r\nX-End:" + std::string(value) + "\r\n\r\n");
    EXPECT_EQ(step.state, blanks_only ? ChunkedDecoder::State::done : ChunkedDecoder::State::refused);
    if (blanks_only) {
      EXPECT_EQ(header_of(decoder.trailers(), "x-end"), "abc");
    }
  }
}

}  // namespace
}  // namespace brume::http
