// Clients that go away while their request waits for its answer: what goes with them, and what is kept until then.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "front/dispatch/environment.h"
#include "front/dispatch/testing.h"

namespace brume::front {
namespace {

// Of this process, sockets included.
std::size_t descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Until it holds, for ten seconds at most.
template <class Condition>
bool comes_true(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// "later" with a token of `size` bytes.
TestSend request_of(std::size_t size) {
  return {.body = R"({"taskDefinition":"later","clientToken":")" + std::string(size, 'x') + "\"}",
          .headers = {{"X-Amz-Target", "AmazonEC2ContainerServiceV20141113.RunTask"}},
          .service = "ecs"};
}

// Holds the I/O thread for as long as the test wants.
class HoldingHandler final : public HttpHandler {
 public:
  void handle(HttpRequest, std::function<void(HttpReply)> done) override { done({.body = Body::of("held")}); }
  std::uint64_t largest_body(std::string_view, std::string_view) const override {
    holds.release();
    go_on.acquire();
    return 1 << 20;
  }
  mutable std::binary_semaphore holds{0}, go_on{0};
};

TEST(WaitingRequests, TheControlThreadIsFewAnswersAheadOfTheIoThread) {
  constexpr std::size_t kClients = 200;
  TestFront front;
  HoldingHandler holding;
  std::size_t handled = 0;
  front.ecs.on("RunTask", [&](const TestCall&) { ++handled; });
  front.start(nullptr, {}, [&](Front& door) { door.route("", "/hold", holding); });
  std::promise<void> go_on;
  front.control.post([held = go_on.get_future().share()] { held.wait(); });
  std::vector<std::unique_ptr<http::RawClient>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<http::RawClient>(front.port));
    ASSERT_TRUE(clients.back()->send(front.wire(request_of(1))));
  }
  ASSERT_TRUE(comes_true([&] { return front.front->counts().requests == kClients; }));
  http::RawClient holder(front.port);
  holder.send("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na");
  holding.holds.acquire();
  go_on.set_value();
  front.settle();
  EXPECT_EQ(handled, Backlog::kMost);
  holding.go_on.release();
  for (const auto& client : clients) EXPECT_EQ(client->read_answer().status(), 200);
  EXPECT_EQ(handled, kClients);
}

TEST(WaitingRequests, ConnectionsOfClientsThatLeaveGoAtOnceTheirCallsStayUntilTheyAreAnswered) {
  constexpr std::size_t kClients = 50;
  TestFront front;
  std::vector<Deferred<model::Object>> kept;
  front.ecs.on_deferred("RunTask", [&](const TestCall&, Deferred<model::Object> answer) { kept.push_back(answer); });
  front.start(nullptr, {.linger = std::chrono::seconds(0)});
  const auto waiting = [&] {
    std::size_t count = 0;
    std::promise<void> read;
    front.control.post([&] {
      count = kept.size();
      read.set_value();
    });
    read.get_future().wait();
    return count;
  };
  const std::size_t before = descriptors();
  {
    std::vector<std::unique_ptr<http::RawClient>> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<http::RawClient>(front.port));
      ASSERT_TRUE(clients.back()->send(front.wire(request_of(100))));
    }
    ASSERT_TRUE(comes_true([&] { return waiting() == kClients; }));
    EXPECT_EQ(descriptors(), before + 2 * kClients);
  }
  // Nobody has answered: the sockets go all the same.
  EXPECT_TRUE(comes_true([&] { return descriptors() == before; })) << descriptors() - before << " are left";
  EXPECT_EQ(waiting(), kClients) << "what the handlers keep is theirs";
  // The answers find nobody, and are events of the audit trail: what was asked for took effect.
  front.control.post([&] {
    for (const auto& answer : kept) answer.succeed(model::Object(*front.ecs.operation("RunTask").output));
    kept.clear();
  });
  front.settle();
  EXPECT_EQ(front.json("RunTask", "{").status(), 400);  // the I/O thread comes to it after them
  front.front->stop();
  ASSERT_EQ(front.audit.records.size(), kClients + 1);
  for (std::size_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(front.audit.records[i].error_code, "");
    EXPECT_TRUE(front.audit.records[i].input.has_value());
  }
}

}  // namespace
}  // namespace brume::front
