#include "services/cloudtrail/event_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/record.h"

namespace brume::cloudtrail {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

const Scope kScope{"111122223333", "eu-west-1"};
constexpr std::int64_t kNow = 1'772'366'400'000;

EventRecord event_at(std::int64_t ms, const std::string& id) {
  EventRecord event;
  event.scope = kScope;
  event.time = Time{kNow + ms};
  event.id = id;
  event.name = "GetRole";
  event.source = "iam.amazonaws.com";
  event.identity = R"({"type":"Root"})";
  return event;
}

// As programs before wrote it: whole, by itself, and with what the key says.
struct WholeEvent {
  std::string name;
  std::vector<ResourceName> resources;
  std::string json;
};
BOOST_DESCRIBE_STRUCT(WholeEvent, (), (name, resources, json))

class EventHistoryTest : public ::testing::Test {
 protected:
  void add(const std::vector<EventRecord>& events) {
    std::vector<NewEvent> added;
    for (const EventRecord& event : events) added.push_back({.event = event, .trails = {}});
    history().add(std::move(added));
  }
  EventHistory& history() {
    if (!history_) history_.emplace(*store_);
    return *history_;
  }
  void restart() { history_.reset(); }
  std::vector<EventRecord> read(Time from = Time{0}, Time until = Time{kNow * 2}, std::size_t limit = 1'000'000,
                                const std::string& position = {}) {
    std::vector<EventRecord> found;
    history().read(kScope, from, until, position, [&](const std::string& at, const EventRecord& event) {
      found.push_back(event);
      last_ = at;
      return found.size() < limit;
    });
    return found;
  }
  static std::vector<std::string> ids(const std::vector<EventRecord>& events) {
    std::vector<std::string> found;
    for (const EventRecord& event : events) found.push_back(event.id);
    return found;
  }
  std::size_t pages() {
    std::size_t count = 0;
    const Keyspace keyspace(*store_, "cloudtrail.page");
    keyspace.scan(*keyspace.snapshot(), {}, {}, [&](std::string_view, std::string_view) { return ++count > 0; });
    return count;
  }

  const std::unique_ptr<Store> store_ = memory_store();
  std::optional<EventHistory> history_;
  std::string last_;  // the position of what was read last
};

TEST_F(EventHistoryTest, GivesBackEveryMember) {
  EventRecord all = event_at(0, "00000000-0000-4000-8000-000000000001");
  all.user_name = "ann";
  all.access_key_id = "AKIAEXAMPLE";
  all.read_only = true;
  all.management = false;
  all.resources = {{"AWS::IAM::Role", "app"}};
  all.request = R"({"roleName":"app"})";
  all.response = "{}";
  all.named = "[]";
  all.address = "192.0.2.7";
  all.agent = "agent";
  all.request_id = "request-1";
  all.error_code = "NoSuchEntity";
  all.error_message = "none";
  all.shared_id = "shared-1";
  all.api_version = "2010-05-08";
  all.tls_host = "iam.amazonaws.com";
  EventRecord other = event_at(1, "00000000-0000-4000-8000-000000000002");
  other.tls_host = "";
  for (const std::vector<EventRecord>& written : {std::vector{all}, std::vector{all, other}, std::vector{other, all}}) {
    add(written);
    for (const EventRecord& found : read()) {
      const EventRecord& expected = found.id == all.id ? all : other;
      EXPECT_EQ(json_of(found), json_of(expected));
      EXPECT_EQ(found.user_name, expected.user_name);
      EXPECT_EQ(found.access_key_id, expected.access_key_id);
      EXPECT_EQ(found.resources, expected.resources);
      EXPECT_EQ(found.time, expected.time);
      EXPECT_EQ(found.scope, expected.scope);
    }
  }
  EXPECT_EQ(read().size(), 5U);
}

TEST_F(EventHistoryTest, WhatIsWrittenTogetherIsOnePageOfEachScope) {
  EventRecord elsewhere = event_at(1, "other");
  elsewhere.scope.region = "us-east-1";
  add({event_at(0, "a"), elsewhere, event_at(2, "b")});
  EXPECT_EQ(pages(), 2U);
  EXPECT_THAT(ids(read()), ElementsAre("b", "a"));
  EXPECT_THAT(history().scopes(), ElementsAre(kScope, elsewhere.scope));
}

TEST_F(EventHistoryTest, APageIsBoundedInNumberAndInTime) {
  std::vector<EventRecord> events;
  for (int i = 0; i < 1000; ++i) events.push_back(event_at(i, std::to_string(i)));
  add(events);
  EXPECT_EQ(pages(), 4U);
  add({event_at(20'000, "late"), event_at(20'001, "later"), event_at(31'000, "last")});
  EXPECT_EQ(pages(), 6U);
  EXPECT_EQ(read().size(), 1003U);
}

TEST_F(EventHistoryTest, ARequestThatTookLongIsInItsPlace) {
  add({event_at(100, "a"), event_at(9000, "b")});
  add({event_at(50, "slow"), event_at(9500, "c")});
  add({event_at(9200, "d")});
  EXPECT_THAT(ids(read()), ElementsAre("c", "d", "b", "a", "slow"));
}

TEST_F(EventHistoryTest, ThoseOfOneMomentAreInTheOrderInWhichTheyCame) {
  add({event_at(0, "z"), event_at(0, "y")});
  add({event_at(0, "x")});
  EXPECT_THAT(ids(read()), ElementsAre("x", "y", "z"));
}

// Against the list of all events that were added.
TEST_F(EventHistoryTest, AnyTimesAndPositionsReadAsFromOneList) {
  std::mt19937 random(1);
  std::vector<EventRecord> all;
  for (int batch = 0; batch < 60; ++batch) {
    std::vector<EventRecord> events;
    for (unsigned i = random() % 40; i > 0; --i) {
      const auto ago = static_cast<std::int64_t>(random() % 4 == 0 ? random() % 40'000 : random() % 20);
      events.push_back(event_at(batch * 500 - ago, std::to_string(all.size() + events.size())));
    }
    all.insert(all.end(), events.begin(), events.end());
    add(events);
    if (batch == 30) restart();
  }
  const std::vector<EventRecord> found = read();
  EXPECT_THAT(ids(found), UnorderedElementsAreArray(ids(all)));
  EXPECT_TRUE(std::ranges::is_sorted(found, std::ranges::greater(), &EventRecord::time));
  for (int round = 0; round < 50; ++round) {
    const Time from{kNow - 40'000 + static_cast<std::int64_t>(random() % 70'000)};
    const Time until = from + milliseconds(static_cast<std::int64_t>(random() % 30'000));
    std::vector<std::string> wanted, by_pages;
    for (const EventRecord& event : found)
      if (event.time >= from && event.time <= until) wanted.push_back(event.id);
    last_.clear();
    for (;;) {
      const std::vector<std::string> page = ids(read(from, until, 7, last_));
      by_pages.insert(by_pages.end(), page.begin(), page.end());
      if (page.size() < 7) break;
    }
    EXPECT_THAT(by_pages, ElementsAreArray(wanted)) << from.ms << " to " << until.ms;
  }
}

TEST_F(EventHistoryTest, OldPagesExpire) {
  add({event_at(0, "old")});
  add({event_at(60'000, "new")});
  history().expire(history().scopes(), Time{kNow + 30'000});
  EXPECT_THAT(ids(read()), ElementsAre("new"));
  history().expire(history().scopes(), Time{kNow + 90'000});
  EXPECT_THAT(history().scopes(), IsEmpty());
}

TEST_F(EventHistoryTest, WhatATrailHasYetToDeliverIsKeptWhole) {
  const EventRecord event = event_at(0, "a");
  history().add({{.event = event, .trails = {"arn:of-a-trail"}}});
  const std::vector<PendingEvent> pending = history().pending("arn:of-a-trail", 10);
  ASSERT_EQ(pending.size(), 1U);
  EXPECT_EQ(pending[0].json, json_of(event));
}

TEST_F(EventHistoryTest, EventsThatProgramsBeforeKeptOneByOneAreTakenOver) {
  const Keyspace singles(*store_, "cloudtrail.event");
  std::vector<std::string> expected;
  Tx tx(*store_);
  for (int i = 0; i < 600; ++i) {
    const std::string id = "old-" + std::to_string(i);
    std::string key;
    append_key_string(key, kScope.account);
    append_key_string(key, kScope.region);
    append_key_number_descending(key, static_cast<std::uint64_t>(kNow - i * 1000LL));
    append_key_number_descending(key, 7);
    append_key_string(key, id);
    singles.put(
        tx, key,
        encode_record(WholeEvent{"ListRoles", {{"AWS::IAM::Role", "app"}}, R"({"old":)" + std::to_string(i) + "}"}));
    expected.push_back(id);
  }
  tx.commit();
  add({event_at(1, "new")});
  expected.insert(expected.begin(), "new");
  const std::vector<EventRecord> found = read();
  EXPECT_THAT(ids(found), ElementsAreArray(expected));
  EXPECT_EQ(json_of(found.at(3)), R"({"old":2})");
  EXPECT_EQ(found.at(3).name, "ListRoles");
  EXPECT_EQ(found.at(3).resources.at(0).name, "app");
  EXPECT_EQ(found.at(3).time, Time{kNow - 2000});
  singles.scan(*singles.snapshot(), {}, {}, [](std::string_view key, std::string_view) {
    ADD_FAILURE() << "left: " << key;
    return false;
  });
}

}  // namespace
}  // namespace brume::cloudtrail
