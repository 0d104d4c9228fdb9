// Clients that go away while their request waits for its answer: what goes with them, and what is kept until then.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

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
  EXPECT_EQ(front.json("RunTask", "{").status(), 400);  // comes after them
  front.front->stop();
  ASSERT_EQ(front.audit.records.size(), kClients + 1);
  for (std::size_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(front.audit.records[i].error_code, "");
    EXPECT_TRUE(front.audit.records[i].input.has_value());
  }
}

}  // namespace
}  // namespace brume::front
