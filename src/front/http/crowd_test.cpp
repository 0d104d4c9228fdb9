#include "front/http/crowd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace brume::http {
namespace {

class Client final : public Crowd::Guest {
 public:
  using Guest::Guest;
  void dismiss() override { move_to(Phase::leaving); }
  bool dismissed() const { return phase() == Phase::leaving; }
};

struct Door {
  explicit Door(std::size_t connections, std::size_t held_bytes = 1000) : crowd(connections, held_bytes) {
    crowd.open("api", 0);
    crowd.open("metadata", 2);
  }
  // Null: there is no room.
  std::shared_ptr<Client> enter(const std::string& label, Phase phase = Phase::waiting) {
    if (!crowd.make_room(label)) return nullptr;
    auto client = std::make_shared<Client>(crowd, label);
    client->move_to(phase);
    return client;
  }
  Crowd crowd;
};

TEST(Crowd, LongestWaitingGivesWayAndThoseThatAreWorkedForStay) {
  Door door(3);
  const auto working = door.enter("api", Phase::working);
  const auto receiving = door.enter("api", Phase::receiving);
  const auto waiting = door.enter("api");
  const auto second = door.enter("api");
  EXPECT_TRUE(waiting->dismissed());
  second->move_to(Phase::working);
  const auto third = door.enter("api", Phase::answering);
  EXPECT_TRUE(receiving->dismissed());
  const auto fourth = door.enter("api", Phase::working);
  EXPECT_TRUE(third->dismissed());
  EXPECT_EQ(door.enter("api"), nullptr);
  EXPECT_FALSE(working->dismissed() || second->dismissed() || fourth->dismissed());
}

TEST(Crowd, BeginsToWaitAnewWithEachRequest) {
  Door door(2);
  const auto first = door.enter("api");
  const auto second = door.enter("api");
  first->move_to(Phase::working);
  first->move_to(Phase::waiting);
  const auto third = door.enter("api");
  EXPECT_TRUE(second->dismissed());
  EXPECT_FALSE(first->dismissed());
}

TEST(Crowd, AListenersClientsDoNotShutOutAnothers) {
  Door door(4);
  const auto api = door.enter("api");
  std::vector<std::shared_ptr<Client>> abusers;
  for (int i = 0; i < 10; ++i) abusers.push_back(door.enter("metadata"));
  EXPECT_FALSE(api->dismissed());
  EXPECT_EQ(std::ranges::count_if(abusers, [](const auto& each) { return !each->dismissed(); }), 2);
  door.crowd.open("other", 0);
  for (int i = 0; i < 10; ++i) abusers.push_back(door.enter("other"));
  EXPECT_FALSE(api->dismissed());
}

TEST(Crowd, WhoHoldsMoreThanAShareForLongestIsDismissedWhenMemoryIsShort) {
  Door door(10, 1000);
  const auto small = door.enter("api", Phase::receiving);
  const auto slow = door.enter("api", Phase::receiving);
  const auto busy = door.enter("api", Phase::receiving);
  small->hold(10);
  slow->hold(500);
  busy->hold(400);
  EXPECT_EQ(door.crowd.held(), 910U);
  busy->hold(600);
  EXPECT_TRUE(slow->dismissed());
  EXPECT_FALSE(small->dismissed() || busy->dismissed());
  EXPECT_EQ(door.crowd.held(), 610U);
  busy->hold(2000);
  EXPECT_TRUE(busy->dismissed());
  EXPECT_EQ(door.crowd.held(), 10U);
}

TEST(Crowd, ClosingALabelDismissesItsOwnAndLetsNobodyIn) {
  Door door(10);
  const auto api = door.enter("api");
  const auto metadata = door.enter("metadata", Phase::working);
  door.crowd.close("metadata");
  EXPECT_TRUE(metadata->dismissed());
  EXPECT_FALSE(api->dismissed());
  EXPECT_EQ(door.enter("metadata"), nullptr);
  door.crowd.open("metadata", 2);
  EXPECT_NE(door.enter("metadata"), nullptr);
}

}  // namespace
}  // namespace brume::http
