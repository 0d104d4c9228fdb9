// What a Live Tail session keeps, and how soon it goes with its client.
#include "services/logs/live_tail.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/testing.h"
#include "gen/logs.h"
#include "services/logs/logs.h"

namespace brume::logs {
namespace {

// A client, as the front shows it to the session.
struct Client {
  std::vector<StartLiveTailResponseStream> events;
  std::function<void()> told;
  bool left = false;
  std::string failed;
};

class Writer final : public EventWriter {
 public:
  explicit Writer(Client& client) : client_(client) {}
  void send(const void* event) override {
    client_.events.push_back(*static_cast<const StartLiveTailResponseStream*>(event));
  }
  void fail(const AwsError& error) override { client_.failed = error.code; }
  void end() override {}
  bool gone() const override { return client_.left; }
  void on_gone(std::function<void()> then) override { client_.told = std::move(then); }

 private:
  Client& client_;
};

class LiveTailTest : public testing::Test {
 protected:
  // What is left of the session when the front has let go of it.
  std::weak_ptr<EventSource> open(Client& client) {
    StartLiveTailRequest input;
    input.log_group_identifiers.ensure() = {"arn:aws:logs:eu-west-1:111122223333:log-group:g"};
    const std::shared_ptr<EventSource> source = tail_.open(scope_, "request-1", input, {"g"});
    source->start(std::make_shared<Writer>(client));
    return source;
  }
  void feed(std::size_t count) {
    std::vector<NewEvent> events(count);
    for (NewEvent& event : events) event.message = std::string(1000, 'x');
    tail_.feed(scope_, "g", "s", events, runtime_.clock.now());
  }
  static void leave(Client& client) {
    client.left = true;
    std::exchange(client.told, nullptr)();  // on the front's thread
  }

  const Scope scope_{"111122223333", "eu-west-1"};
  ManualRuntime runtime_;
  std::unique_ptr<Random> random_ = seeded_random(1);
  LiveTail tail_{runtime_.clock, runtime_.control, *random_};
};

TEST_F(LiveTailTest, TellsWhatCameOnceASecond) {
  Client client;
  const auto session = open(client);
  feed(3);
  runtime_.advance(seconds(1));
  ASSERT_EQ(client.events.size(), 2U);
  EXPECT_EQ(client.events[1].session_update.get().session_results.get().size(), 3U);
  EXPECT_FALSE(session.expired());
}

TEST_F(LiveTailTest, NothingIsLeftOfASessionWhoseClientHasGone) {
  Client client, other;
  const auto session = open(client), stays = open(other);
  feed(500);
  leave(client);
  EXPECT_FALSE(session.expired()) << "it ends on the control thread";
  runtime_.run();  // the clock stands still
  EXPECT_TRUE(session.expired());
  EXPECT_FALSE(stays.expired());
  leave(other);
  runtime_.run();
  EXPECT_TRUE(stays.expired());
  EXPECT_EQ(runtime_.control.next_timer(), std::nullopt);
  EXPECT_FALSE(tail_.watched() && (feed(1), tail_.watched()));
}

TEST_F(LiveTailTest, PlacesOfThoseThatHaveGoneAreFree) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 15; ++i) open(*clients.emplace_back(std::make_unique<Client>()));
    Client late;
    EXPECT_THROW(open(late), AwsError);
    for (const auto& client : clients)
      if (!client->left) leave(*client);
  }
  runtime_.run();
  EXPECT_EQ(runtime_.control.next_timer(), std::nullopt);
}

TEST_F(LiveTailTest, ASessionThatLastedThreeHoursEnds) {
  Client client;
  const auto session = open(client);
  runtime_.advance(hours(3));
  EXPECT_EQ(client.failed, "SessionTimeoutException");
  client.told = nullptr;
  EXPECT_TRUE(session.expired());
}

}  // namespace
}  // namespace brume::logs
