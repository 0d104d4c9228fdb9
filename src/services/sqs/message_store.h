// The messages of all queues: on disk in the order of their places, with an index in memory for each queue: read by
// a worker after the start, or at once when a queue is used before that. What a transaction changes of a queue's index
// is forgotten when it is undone, and read again from disk. Owned by Sqs; control thread, but for load().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/sqs/message_index.h"
#include "services/sqs/records.h"
#include "store/keyspace.h"

namespace brume::sqs {

class MessageStore {
 public:
  explicit MessageStore(Store& store);
  MessageStore(const MessageStore&) = delete;
  MessageStore& operator=(const MessageStore&) = delete;

  using Indexes = std::map<std::string, std::unique_ptr<MessageIndex>>;  // by messages id
  // Reads the indexes of the queues that `fifo_by_id` names by their messages ids. On a worker.
  Indexes load(const Snapshot& snapshot, const std::map<std::string, bool>& fifo_by_id, Time now) const;
  // Takes them, but for those of queues that were used since the start: what was read of these may be old.
  void adopt(Indexes loaded);
  std::shared_ptr<Snapshot> snapshot() const { return states_.snapshot(); }

  // The queue's index as it is now: what became visible is ready, what is past its retention is gone.
  MessageIndex& open(Tx& tx, const QueueRecord& queue, Time now);

  Sequence add(Tx& tx, const QueueRecord& queue, const MessageRecord& message, MessageState state, Time now);
  std::optional<MessageRecord> read(const Tx& tx, const QueueRecord& queue, Sequence sequence) const;
  void hide(Tx& tx, const QueueRecord& queue, Sequence sequence, const MessageState& state);
  void delay(Tx& tx, const QueueRecord& queue, Sequence sequence, Time until);
  void erase(Tx& tx, const QueueRecord& queue, Sequence sequence);
  // All messages at once; the queue must have another messages_id from then on.
  void erase_all(Tx& tx, const QueueRecord& queue);

  // "5-minute deduplication interval": what was sent with an id within it.
  struct Sent {
    std::string message_id;
    Sequence sequence = 0;
    Time at;
  };
  std::optional<Sent> find_sent(const Tx& tx, const QueueRecord& queue, const std::string& id, Time now) const;
  void note_sent(Tx& tx, const QueueRecord& queue, const std::string& id, const Sent& sent);
  void forget_sent(Tx& tx, const QueueRecord& queue);

  // The receipts of a ReceiveRequestAttemptId. In memory alone.
  struct Attempt {
    Time at;
    std::vector<std::pair<Sequence, std::int64_t>> receipts;  // place, receives
  };
  const Attempt* find_attempt(const QueueRecord& queue, const std::string& id, Time now) const;
  void note_attempt(const QueueRecord& queue, const std::string& id, Attempt attempt);

  bool is_open(const QueueRecord& queue) const { return indexes_.contains(queue.messages_id); }
  // When the next message that is delayed or in flight becomes visible, of a queue that is open.
  std::optional<Time> next_visible(const QueueRecord& queue) const;

 private:
  MessageIndex& index_of(const QueueRecord& queue, Time now);
  void forget_on_rollback(Tx& tx, const std::string& messages_id);
  void expire(Tx& tx, const QueueRecord& queue, MessageIndex& index, Time now);

  Keyspace bodies_;      // messages id, place → MessageRecord
  Keyspace states_;      // messages id, place → MessageState
  Keyspace sent_;        // queue id, deduplication id → Sent
  Keyspace sent_times_;  // queue id, moment, deduplication id: those that are over go first
  Indexes indexes_;
  std::set<std::string> used_;  // messages ids, until the rest was adopted
  bool adopted_ = false;
  std::map<std::string, std::map<std::string, Attempt>> attempts_;  // by messages id
};

}  // namespace brume::sqs
