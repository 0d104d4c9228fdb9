// Which messages a queue has and which of them can be received: a few dozen resident bytes for each, in the orders that
// receiving, visibility, retention and message groups need, so that no operation looks at more than it takes. What a
// message says lies on disk. Pure data structure; control thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"

namespace brume::sqs {

using Sequence = std::uint64_t;  // a message's place in its queue

// What changes of a message.
struct MessageState {
  Time sent_at, visible_at, received_at, first_received_at;  // the last two: zero before
  std::int64_t receives = 0;
  std::int64_t receives_before = 0;  // of these, in the queue that it came from as a dead letter
  std::string group;                 // of a FIFO queue
  bool operator==(const MessageState&) const = default;
};
std::string encode_state(const MessageState& state);
MessageState decode_state(std::string_view bytes);  // throws StoreError

class MessageIndex {
 public:
  enum class Phase : std::uint8_t { delayed, ready, in_flight };
  struct Counts {
    std::size_t ready = 0, delayed = 0, in_flight = 0;
  };

  explicit MessageIndex(bool fifo) : fifo_(fifo) {}
  MessageIndex(const MessageIndex&) = delete;
  MessageIndex& operator=(const MessageIndex&) = delete;

  // Larger than all before it, in the queue's earlier lives too.
  Sequence next_sequence(Time now);
  void add(Sequence sequence, MessageState state, Time now);
  void erase(Sequence sequence);
  const MessageState* find(Sequence sequence) const;
  Phase phase_of(Sequence sequence) const;
  // A received message that becomes visible at its state's visible_at; also when that changes. A moment that has
  // passed counts from the next advance() on.
  void hide(Sequence sequence, const MessageState& state);
  // Delayed until then.
  void delay(Sequence sequence, Time until);

  // What became visible by now is ready.
  void advance(Time now);
  // The messages that a receive would take, in order, at most `most`. Of a FIFO queue those of one group first, and
  // none of a group that has one in flight.
  std::vector<Sequence> available(std::size_t most) const;
  // Sent at or before `moment`, oldest first.
  std::vector<Sequence> sent_until(Time moment, std::size_t most) const;
  std::vector<Sequence> delayed() const;
  std::optional<Time> next_visible() const;

  Counts counts() const { return counts_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Group {
    std::string name;
    std::set<Sequence> messages;
    std::size_t in_flight = 0;
    std::optional<Sequence> free_at;  // its place in free_groups_
  };
  struct Entry {
    MessageState state;
    Phase phase = Phase::ready;
    Group* group = nullptr;
  };
  std::size_t& count(Phase phase);
  void enter(Sequence sequence, Entry& entry, Phase phase);
  void leave(Sequence sequence, Entry& entry);
  void refresh(Group& group);

  bool fifo_;
  Sequence last_ = 0;
  std::map<Sequence, Entry> entries_;
  std::set<Sequence> ready_;                            // of a standard queue
  std::set<std::pair<std::int64_t, Sequence>> hidden_;  // by the moment of their visibility
  std::set<std::pair<std::int64_t, Sequence>> by_age_;  // by the moment they were sent
  std::map<std::string, Group> groups_;
  std::map<Sequence, Group*> free_groups_;  // by their first messages
  Counts counts_;
};

}  // namespace brume::sqs
