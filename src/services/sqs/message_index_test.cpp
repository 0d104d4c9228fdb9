#include "services/sqs/message_index.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"

namespace brume::sqs {
namespace {

constexpr Time kStart{1'000'000};
using Sequences = std::vector<Sequence>;

MessageState sent(Time at, std::string group = {}) {
  MessageState state;
  state.sent_at = at;
  state.visible_at = at;
  state.group = std::move(group);
  return state;
}

void receive(MessageIndex& index, Sequence sequence, Time until) {
  MessageState state = *index.find(sequence);
  ++state.receives;
  state.visible_at = until;
  index.hide(sequence, state);
}

TEST(MessageIndex, GivesWhatIsVisibleInOrderAndTakesBackWhatIsNot) {
  MessageIndex index(false);
  for (const Sequence sequence : {1U, 2U, 3U}) index.add(sequence, sent(kStart), kStart);
  EXPECT_EQ(index.available(2), (Sequences{1, 2}));
  receive(index, 1, kStart + seconds(30));
  EXPECT_EQ(index.available(10), (Sequences{2, 3}));
  EXPECT_EQ(index.counts().in_flight, 1U);
  EXPECT_EQ(index.next_visible(), kStart + seconds(30));
  index.advance(kStart + milliseconds(29'999));
  EXPECT_EQ(index.available(10), (Sequences{2, 3}));
  index.advance(kStart + seconds(30));
  EXPECT_EQ(index.available(10), (Sequences{1, 2, 3}));
  index.erase(2);
  EXPECT_EQ(index.available(10), (Sequences{1, 3}));
  EXPECT_EQ(index.counts().ready, 2U);
}

TEST(MessageIndex, CountsWhatIsDelayedApartFromWhatIsInFlight) {
  MessageIndex index(false);
  MessageState delayed = sent(kStart);
  delayed.visible_at = kStart + seconds(5);
  index.add(1, delayed, kStart);
  EXPECT_EQ(index.counts().delayed, 1U);
  EXPECT_TRUE(index.available(10).empty());
  EXPECT_EQ(index.delayed(), Sequences{1});
  index.delay(1, kStart + seconds(2));
  index.advance(kStart + seconds(2));
  EXPECT_EQ(index.counts().ready, 1U);
  EXPECT_EQ(index.counts().delayed, 0U);
}

TEST(MessageIndex, BlocksAGroupWhileOneOfItsMessagesIsInFlight) {
  MessageIndex index(true);
  index.add(1, sent(kStart, "a"), kStart);
  index.add(2, sent(kStart, "a"), kStart);
  index.add(3, sent(kStart, "b"), kStart);
  EXPECT_EQ(index.available(2), (Sequences{1, 2}));
  receive(index, 1, kStart + seconds(30));
  EXPECT_EQ(index.available(10), Sequences{3});
  index.erase(1);
  EXPECT_EQ(index.available(10), (Sequences{2, 3}));
  receive(index, 2, kStart + seconds(1));
  index.advance(kStart + seconds(1));
  EXPECT_EQ(index.available(1), Sequences{2});
}

TEST(MessageIndex, NeverPassesADelayedMessageOfAGroup) {
  MessageIndex index(true);
  MessageState delayed = sent(kStart, "a");
  delayed.visible_at = kStart + seconds(5);
  index.add(1, delayed, kStart);
  index.add(2, sent(kStart, "a"), kStart);
  EXPECT_TRUE(index.available(10).empty());
  index.advance(kStart + seconds(5));
  EXPECT_EQ(index.available(10), (Sequences{1, 2}));
}

TEST(MessageIndex, FindsTheOldestWhateverTheirPlaces) {
  MessageIndex index(false);
  index.add(1, sent(kStart + seconds(10)), kStart);
  index.add(2, sent(kStart), kStart);  // a dead letter keeps the moment it was sent
  EXPECT_EQ(index.sent_until(kStart + seconds(5), 10), Sequences{2});
  EXPECT_EQ(index.sent_until(kStart + seconds(10), 1), Sequences{2});
}

TEST(MessageIndex, NumbersRiseWithTimeAndWithinAMoment) {
  MessageIndex index(false);
  const Sequence first = index.next_sequence(kStart);
  EXPECT_EQ(index.next_sequence(kStart), first + 1);
  MessageIndex reborn(false);
  EXPECT_GT(reborn.next_sequence(kStart + milliseconds(1)), first + 1);
}

TEST(MessageState, IsReadAsItWasWritten) {
  MessageState state = sent(kStart, "group");
  state.receives = 3;
  state.receives_before = 2;
  state.first_received_at = kStart + seconds(1);
  EXPECT_EQ(decode_state(encode_state(state)), state);
  EXPECT_THROW(decode_state("short"), std::exception);
}

// Against a slow and obvious account of the same queue.
TEST(MessageIndex, AgreesWithAListOverManySteps) {
  const auto random = seeded_random(7);
  for (const bool fifo : {false, true}) {
    MessageIndex index(fifo);
    std::map<Sequence, MessageState> list;
    Time now = kStart;
    for (int step = 0; step < 3000; ++step) {
      now = now + milliseconds(static_cast<std::int64_t>(random->below(300)));
      index.advance(now);
      const std::uint64_t act = random->below(3);
      if (act == 0) {
        const Sequence sequence = index.next_sequence(now);
        list[sequence] = sent(now, fifo ? std::string(1, static_cast<char>('a' + random->below(3))) : std::string());
        index.add(sequence, list[sequence], now);
        continue;
      }
      Sequences wanted;
      std::set<std::string> blocked;
      for (const auto& [sequence, state] : list)
        if (state.visible_at > now) blocked.insert(state.group);
      for (const auto& [sequence, state] : list)
        if (state.visible_at <= now && !(fifo && blocked.contains(state.group))) wanted.push_back(sequence);
      Sequences given = index.available(list.size());
      std::ranges::sort(given);
      ASSERT_EQ(given, wanted);
      ASSERT_EQ(index.counts().ready + index.counts().in_flight + index.counts().delayed, list.size());
      if (wanted.empty()) continue;
      const Sequence chosen = index.available(1).front();
      if (act == 1) {
        receive(index, chosen, now + milliseconds(static_cast<std::int64_t>(random->below(1000)) + 1));
        list[chosen] = *index.find(chosen);
      } else {
        index.erase(chosen);
        list.erase(chosen);
      }
    }
  }
}

}  // namespace
}  // namespace brume::sqs
