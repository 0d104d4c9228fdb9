#include "front/http/head.h"

#include <gtest/gtest.h>

namespace brume::http {
namespace {

HeadResult parse(std::string_view text, RequestHead& head, const HeadLimits& limits = {}) {
  return parse_head(text, 0, limits, head);
}
int refused_with(std::string_view text, const HeadLimits& limits = {}) {
  RequestHead head;
  const HeadResult result = parse(text, head, limits);
  return result.state == HeadResult::State::refused ? result.problem.status : 0;
}
RequestHead accepted(std::string_view text) {
  RequestHead head;
  const HeadResult result = parse(text, head);
  EXPECT_EQ(result.state, HeadResult::State::complete) << text << result.problem.message;
  EXPECT_EQ(result.size, text.size());
  return head;
}

TEST(ParseHead, ReadsRequestLineHeadersAndFraming) {
  const RequestHead head = accepted(
      "PUT /bucket/a%20key?partNumber=1&uploadId=x HTTP/1.1\r\nHost: s3.eu-west-1.amazonaws.com\r\n"
      "content-length: 12\r\nX-Empty:\r\nX-Spaced: \t a  b \t\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.path, "/bucket/a%20key");
  EXPECT_EQ(head.query, "partNumber=1&uploadId=x");
  EXPECT_EQ(head.host, "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_EQ(head.header("x-spaced"), "a  b");
  EXPECT_TRUE(head.has_header("x-empty"));
  EXPECT_FALSE(head.has_header("x-absent"));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_FALSE(head.chunked);
}

TEST(ParseHead, AcceptsWhatTheStandardAllows) {
  EXPECT_EQ(accepted("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").path, "/");
  EXPECT_EQ(accepted("GET http://a:4566/x?y HTTP/1.1\r\nHost: A:4566\r\n\r\n").path, "/x");
  EXPECT_EQ(accepted("GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n").path, "/");
  EXPECT_EQ(accepted("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
  EXPECT_TRUE(accepted("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked);
  EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n").upgrade);
  EXPECT_EQ(accepted("GET / HTTP/1.1\r\nHost: [::1]:4566\r\n\r\n").host, "[::1]:4566");
}

// Each of these is read differently by some pair of servers: a request could be smuggled past one of them.
TEST(ParseHead, RefusesWhatServersReadDifferently) {
  const auto with = [](std::string_view headers) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
  };
  EXPECT_EQ(refused_with(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refused_with(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: 3\r\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: 3, 3\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: +3\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: -1\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: 0x10\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: 3 3\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length:\r\n")), 400);
  EXPECT_EQ(refused_with(with("Content-Length: 18446744073709551617\r\n")), 400);
  EXPECT_EQ(refused_with(with("Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(refused_with(with("Transfer-Encoding: xchunked\r\n")), 501);
  EXPECT_EQ(refused_with(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refused_with(with("Transfer-Encoding : chunked\r\n")), 400);
  EXPECT_EQ(refused_with(with(" Transfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refused_with(with("Transfer-Encoding\r\n : chunked\r\n")), 400);
  EXPECT_EQ(refused_with(with("X: a\r\n folded\r\n")), 400);
  EXPECT_EQ(refused_with(with("X: a\r\n\tfolded\r\n")), 400);
  EXPECT_EQ(refused_with(with("X: a\rContent-Length: 3\r\n")), 400);
  EXPECT_EQ(refused_with(with("X: a\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(refused_with(with(std::string_view("X: a\0b\r\n", 8))), 400);
  EXPECT_EQ(refused_with(with("X: a\x01\r\n")), 400);
  EXPECT_EQ(refused_with(with("X\x0b: a\r\n")), 400);
  EXPECT_EQ(refused_with(with(": a\r\n")), 400);
  EXPECT_EQ(refused_with(with("no colon\r\n")), 400);
  EXPECT_EQ(refused_with(with("X(y): a\r\n")), 400);
  EXPECT_EQ(refused_with(with("Host: b\r\n")), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(ParseHead, RefusesMalformedRequestLines) {
  EXPECT_EQ(refused_with("GET /\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET  HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("G\tT / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET relative HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refused_with("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refused_with("GET / http/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\n\r\n"), 417);
}

TEST(ParseHead, LimitsWhatAHeadMayCost) {
  const HeadLimits limits{.head_bytes = 512, .target_bytes = 64, .headers = 4};
  const std::string long_path(65, 'a');
  EXPECT_EQ(refused_with("GET /" + long_path + " HTTP/1.1\r\nHost: a\r\n\r\n", limits), 414);
  EXPECT_EQ(refused_with("GET /" + long_path + std::string(100, 'b'), limits), 414);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n", limits), 431);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(600, 'x'), limits), 431);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(600, 'x') + "\r\n\r\n", limits), 431);
}

TEST(ParseHead, GivesTheSameResultByteByByteAsAtOnce) {
  const std::string text = "GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nrest of the body";
  RequestHead head;
  std::size_t searched = 0;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const HeadResult result = parse_head(std::string_view(text).substr(0, size), searched, {}, head);
    searched = size;
    if (size < text.size() - 16) {
      ASSERT_EQ(result.state, HeadResult::State::incomplete) << size;
      continue;
    }
    ASSERT_EQ(result.state, HeadResult::State::complete);
    EXPECT_EQ(result.size, text.size() - 16);
    EXPECT_EQ(head.header("x"), "y");
    return;
  }
}

}  // namespace
}  // namespace brume::http
