#include "services/sqs/message_store.h"

#include "store/record.h"

namespace brume::sqs {
namespace {

constexpr Duration kDeduplication = minutes(5);
constexpr std::size_t kMostExpired = 10'000;  // in one transaction
constexpr std::size_t kMostForgotten = 16;    // deduplication ids that are over, for each new one

std::string prefix_of(const std::string& id) {
  std::string key;
  append_key_string(key, id);
  return key;
}

std::string key_of(const std::string& id, Sequence sequence) {
  std::string key = prefix_of(id);
  append_key_number(key, sequence);
  return key;
}

std::string sent_key(const QueueRecord& queue, const std::string& id) {
  std::string key = prefix_of(queue.id);
  append_key_string(key, id);
  return key;
}

std::string sent_time_key(const QueueRecord& queue, Time at, const std::string& id) {
  std::string key = prefix_of(queue.id);
  append_key_number(key, static_cast<std::uint64_t>(at.ms));
  append_key_string(key, id);
  return key;
}

}  // namespace

MessageStore::MessageStore(Store& store)
    : bodies_(store, "sqs.message"),
      states_(store, "sqs.state"),
      sent_(store, "sqs.sent"),
      sent_times_(store, "sqs.sent_time") {}

MessageStore::Indexes MessageStore::load(const Snapshot& snapshot, const std::map<std::string, bool>& fifo_by_id,
                                         Time now) const {
  Indexes loaded;
  for (const auto& [id, fifo] : fifo_by_id) loaded[id] = std::make_unique<MessageIndex>(fifo);
  states_.scan(snapshot, {}, {}, [&](std::string_view key, std::string_view value) {
    const auto index = loaded.find(take_key_string(key));
    if (index != loaded.end()) index->second->add(take_key_number(key), decode_state(value), now);
    return true;
  });
  return loaded;
}

void MessageStore::adopt(Indexes loaded) {
  for (auto& [id, index] : loaded)
    if (!used_.contains(id)) indexes_[id] = std::move(index);
  adopted_ = true;
  used_.clear();
}

MessageIndex& MessageStore::index_of(const QueueRecord& queue, Time now) {
  if (!adopted_) used_.insert(queue.messages_id);
  std::unique_ptr<MessageIndex>& index = indexes_[queue.messages_id];
  if (index != nullptr) return *index;
  auto loaded = std::make_unique<MessageIndex>(queue.fifo);
  states_.scan_prefix(*states_.snapshot(), prefix_of(queue.messages_id),
                      [&](std::string_view key, std::string_view value) {
                        take_key_string(key);
                        loaded->add(take_key_number(key), decode_state(value), now);
                        return true;
                      });
  index = std::move(loaded);
  return *index;
}

void MessageStore::forget_on_rollback(Tx& tx, const std::string& messages_id) {
  tx.on_rollback([this, messages_id] {
    indexes_.erase(messages_id);
    attempts_.erase(messages_id);
  });
}

MessageIndex& MessageStore::open(Tx& tx, const QueueRecord& queue, Time now) {
  MessageIndex& index = index_of(queue, now);
  forget_on_rollback(tx, queue.messages_id);
  index.advance(now);
  expire(tx, queue, index, now);
  return index;
}

void MessageStore::expire(Tx& tx, const QueueRecord& queue, MessageIndex& index, Time now) {
  for (const Sequence sequence : index.sent_until(now - seconds(queue.retention_seconds), kMostExpired))
    erase(tx, queue, sequence);
}

Sequence MessageStore::add(Tx& tx, const QueueRecord& queue, const MessageRecord& message, MessageState state,
                           Time now) {
  MessageIndex& index = index_of(queue, now);
  forget_on_rollback(tx, queue.messages_id);
  const Sequence sequence = index.next_sequence(now);
  const std::string key = key_of(queue.messages_id, sequence);
  bodies_.put(tx, key, encode_record(message));
  states_.put(tx, key, encode_state(state));
  index.add(sequence, std::move(state), now);
  return sequence;
}

std::optional<MessageRecord> MessageStore::read(const Tx& tx, const QueueRecord& queue, Sequence sequence) const {
  const std::optional<std::string> bytes = bodies_.get(tx, key_of(queue.messages_id, sequence));
  if (!bytes) return std::nullopt;
  return decode_record<MessageRecord>(*bytes);
}

void MessageStore::hide(Tx& tx, const QueueRecord& queue, Sequence sequence, const MessageState& state) {
  states_.put(tx, key_of(queue.messages_id, sequence), encode_state(state));
  indexes_.at(queue.messages_id)->hide(sequence, state);
}

void MessageStore::delay(Tx& tx, const QueueRecord& queue, Sequence sequence, Time until) {
  MessageIndex& index = *indexes_.at(queue.messages_id);
  MessageState state = *index.find(sequence);
  state.visible_at = until;
  states_.put(tx, key_of(queue.messages_id, sequence), encode_state(state));
  index.delay(sequence, until);
}

void MessageStore::erase(Tx& tx, const QueueRecord& queue, Sequence sequence) {
  const std::string key = key_of(queue.messages_id, sequence);
  bodies_.erase(tx, key);
  states_.erase(tx, key);
  indexes_.at(queue.messages_id)->erase(sequence);
}

void MessageStore::erase_all(Tx& tx, const QueueRecord& queue) {
  const std::string prefix = prefix_of(queue.messages_id);
  bodies_.erase_range(tx, prefix, prefix_end(prefix));
  states_.erase_range(tx, prefix, prefix_end(prefix));
  if (!adopted_) used_.insert(queue.messages_id);
  tx.on_commit([this, id = queue.messages_id] {
    indexes_.erase(id);
    attempts_.erase(id);
  });
}

std::optional<MessageStore::Sent> MessageStore::find_sent(const Tx& tx, const QueueRecord& queue, const std::string& id,
                                                          Time now) const {
  const std::optional<std::string> bytes = sent_.get(tx, sent_key(queue, id));
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  Sent sent;
  sent.at = Time{static_cast<std::int64_t>(take_key_number(rest))};
  sent.sequence = take_key_number(rest);
  sent.message_id = rest;
  if (sent.at + kDeduplication <= now) return std::nullopt;
  return sent;
}

void MessageStore::note_sent(Tx& tx, const QueueRecord& queue, const std::string& id, const Sent& sent) {
  std::string value;
  append_key_number(value, static_cast<std::uint64_t>(sent.at.ms));
  append_key_number(value, sent.sequence);
  sent_.put(tx, sent_key(queue, id), value + sent.message_id);
  sent_times_.put(tx, sent_time_key(queue, sent.at, id), {});
  // What is over goes as new ones come, so that there are never more than the sends of an interval.
  const Time over = sent.at - kDeduplication;
  std::size_t left = kMostForgotten;
  sent_times_.scan(*sent_times_.snapshot(), prefix_of(queue.id), sent_time_key(queue, over, {}),
                   [&](std::string_view key, std::string_view) {
                     sent_times_.erase(tx, key);
                     std::string_view rest = key;
                     take_key_string(rest);
                     take_key_number(rest);
                     const std::string old = take_key_string(rest);
                     // The same id may have been sent again since.
                     if (old != id && !find_sent(tx, queue, old, sent.at)) sent_.erase(tx, sent_key(queue, old));
                     return --left > 0;
                   });
}

void MessageStore::forget_sent(Tx& tx, const QueueRecord& queue) {
  const std::string prefix = prefix_of(queue.id);
  sent_.erase_range(tx, prefix, prefix_end(prefix));
  sent_times_.erase_range(tx, prefix, prefix_end(prefix));
}

std::optional<Time> MessageStore::next_visible(const QueueRecord& queue) const {
  const auto found = indexes_.find(queue.messages_id);
  return found == indexes_.end() ? std::nullopt : found->second->next_visible();
}

const MessageStore::Attempt* MessageStore::find_attempt(const QueueRecord& queue, const std::string& id,
                                                        Time now) const {
  const auto of_queue = attempts_.find(queue.messages_id);
  if (of_queue == attempts_.end()) return nullptr;
  const auto found = of_queue->second.find(id);
  if (found == of_queue->second.end() || found->second.at + kDeduplication <= now) return nullptr;
  return &found->second;
}

void MessageStore::note_attempt(const QueueRecord& queue, const std::string& id, Attempt attempt) {
  auto& attempts = attempts_[queue.messages_id];
  std::erase_if(attempts, [&](const auto& each) { return each.second.at + kDeduplication <= attempt.at; });
  attempts[id] = std::move(attempt);
}

}  // namespace brume::sqs
