#include <gtest/gtest.h>

#include <mutex>
#include <string>

#include "front/dispatch/testing.h"

namespace brume::front {
namespace {

// Says who asks, and lets nobody else than "yes" send much.
class WhoHandler final : public HttpHandler {
 public:
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override {
    done({.body = Body::of(request.context.principal.arn + " " + std::to_string(request.body.size))});
  }
  std::uint64_t largest_body(std::string_view, std::string_view) const override { return 1 << 30; }
  std::optional<HttpReply> refuse(const HttpRequest& request) override {
    if (request.header("X-May") == "yes") return std::nullopt;
    return HttpReply{.status = 401, .body = Body::of("not you")};
  }
};

struct Door : TestFront {
  Door() {
    start(nullptr, {}, [this](Front& door) { door.route("", "/who", who); });
  }
  WhoHandler who;
};

TEST(RawRequests, CarryWhoSignedThem) {
  Door door;
  EXPECT_EQ(door.send({.path = "/who", .body = "abc", .key = ""}).body, " 3");
  const TestSend asked{.path = "/who", .body = "abc", .key = "AKIDUSER", .secret = "secret", .service = "execute-api"};
  EXPECT_EQ(door.send(asked).body, "arn:aws:iam::123456789012:user/ann 3");
  TestSend wrong = asked;
  wrong.secret = "other";
  EXPECT_EQ(door.send(wrong).status(), 403);
  TestSend changed = asked;
  changed.payload_hash = to_hex(sha256("other"));
  EXPECT_EQ(door.send(changed).status(), 403);
  TestSend unknown = asked;
  unknown.key = "AKIDNOBODY";
  EXPECT_EQ(door.send(unknown).status(), 403);
}

TEST(RawRequests, AskBeforeALargeBodyIsReceived) {
  Door door;
  http::RawClient stranger(door.port);
  stranger.send("PUT /who HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
  const auto answer = stranger.read_answer();
  EXPECT_EQ(answer.status(), 401);
  EXPECT_EQ(answer.body, "not you");
  http::RawClient chunks(door.port);
  chunks.send("PUT /who HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(chunks.read_answer().status(), 401);
  const std::string large(100'000, 'x');
  EXPECT_EQ(door.send({.path = "/who", .body = large, .headers = {{"X-May", "yes"}}, .key = ""}).body, " 100000");
}

}  // namespace
}  // namespace brume::front
