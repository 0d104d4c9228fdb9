#include "services/sqs/receive.h"

#include <algorithm>

#include "core/text.h"
#include "services/sqs/message_attributes.h"
#include "services/sqs/send.h"

namespace brume::sqs {
namespace {

constexpr std::size_t kMostInFlight = 120'000;
constexpr std::size_t kMostDeadLetters = 100;  // that one receive moves
constexpr std::int64_t kLongestVisibility = 43'200;

constexpr std::string_view kSystemNames[] = {"All",
                                             "SenderId",
                                             "SentTimestamp",
                                             "ApproximateReceiveCount",
                                             "ApproximateFirstReceiveTimestamp",
                                             "SequenceNumber",
                                             "MessageDeduplicationId",
                                             "MessageGroupId",
                                             "AWSTraceHeader",
                                             "DeadLetterQueueSourceArn"};

bool is_system_name(const std::string& name) { return std::ranges::find(kSystemNames, name) != std::end(kSystemNames); }

std::map<std::string, std::string> system_values(const QueueRecord& queue, const MessageRecord& message,
                                                 const MessageState& state, Sequence sequence) {
  std::map<std::string, std::string> values;
  values["SenderId"] = message.sender;
  values["SentTimestamp"] = std::to_string(state.sent_at.ms);
  values["ApproximateReceiveCount"] = std::to_string(state.receives);
  values["ApproximateFirstReceiveTimestamp"] = std::to_string(state.first_received_at.ms);
  if (queue.fifo) values["SequenceNumber"] = sequence_number(sequence);
  if (queue.fifo) values["MessageDeduplicationId"] = message.deduplication;
  if (!message.group.empty()) values["MessageGroupId"] = message.group;
  if (!message.trace.empty()) values["AWSTraceHeader"] = message.trace;
  if (!message.dead_letter_source.empty()) values["DeadLetterQueueSourceArn"] = message.dead_letter_source;
  return values;
}

class Receiving {
 public:
  Receiving(Sqs& sqs, Tx& tx, const Queue& queue, const RequestContext& context, const ReceiveMessageInput& input)
      : sqs_(sqs),
        tx_(tx),
        queue_(queue),
        context_(context),
        input_(input),
        index_(sqs.messages.open(tx, record(), now())) {
    visible_at_ = now() + seconds(input.visibility_timeout.value_or(record().visibility_timeout));
  }

  ReceiveMessageOutput run() {
    const std::string& attempt = input_.receive_request_attempt_id.get();
    if (record().fifo && !attempt.empty() && repeat(attempt)) return std::move(output_);
    if (index_.counts().in_flight >= kMostInFlight) {
      if (record().fifo) return {};
      throw over_limit("Too many messages in flight: the maximum of a queue is 120000.");
    }
    take_available();
    if (record().fifo && !attempt.empty() && !receipts_.empty())
      sqs_.messages.note_attempt(record(), attempt, {now(), std::move(receipts_)});
    return std::move(output_);
  }

 private:
  const QueueRecord& record() const { return queue_.record; }
  Time now() const { return context_.now; }

  void take_available() {
    const auto most = static_cast<std::size_t>(input_.max_number_of_messages.value_or(1));
    const std::optional<Queue> dead_letters = dead_letter_queue();
    std::size_t moved = 0;
    while (receipts_.size() < most && moved < kMostDeadLetters) {
      const std::vector<Sequence> sequences = index_.available(most - receipts_.size());
      if (sequences.empty()) return;
      for (const Sequence sequence : sequences) {
        const MessageState& state = *index_.find(sequence);
        // "When the ReceiveCount for a message exceeds the maxReceiveCount for a queue".
        if (dead_letters && state.receives - state.receives_before >= record().maximum_receives) {
          bury(sequence, *dead_letters);
          ++moved;
        } else {
          take(sequence);
        }
      }
    }
    if (moved >= kMostDeadLetters) wake(queue_);  // there is more to look at
  }

  std::optional<Queue> dead_letter_queue() const {
    if (record().dead_letter_arn.empty()) return std::nullopt;
    std::optional<Queue> found = find_queue_by_arn(sqs_, record().dead_letter_arn);
    if (found && found->record.fifo != record().fifo) return std::nullopt;
    return found;
  }

  void wake(const Queue& queue) {
    tx_.on_commit([&sqs = sqs_, scope = queue.scope, name = queue.record.name] { sqs.waiters.wake(scope, name); });
  }

  void bury(Sequence sequence, const Queue& dead_letters) {
    std::optional<MessageRecord> message = sqs_.messages.read(tx_, record(), sequence);
    MessageState state = *index_.find(sequence);
    sqs_.messages.erase(tx_, record(), sequence);
    if (!message) return;
    message->dead_letter_source = queue_.arn();
    // "The original message's deduplication ID will be replaced with the original message's ID."
    if (record().fifo) message->deduplication = message->id;
    // "For standard queues, the expiration of a message is always based on its original enqueue timestamp. … For FIFO
    // queues, the enqueue timestamp resets when the message is moved to a dead-letter queue."
    if (record().fifo) state.sent_at = now();
    state.visible_at = now();
    state.receives_before = state.receives;
    sqs_.messages.open(tx_, dead_letters.record, now());
    sqs_.messages.add(tx_, dead_letters.record, *message, std::move(state), now());
    wake(dead_letters);
  }

  void take(Sequence sequence) {
    const std::optional<MessageRecord> message = sqs_.messages.read(tx_, record(), sequence);
    MessageState state = *index_.find(sequence);
    ++state.receives;
    if (state.first_received_at == Time{}) state.first_received_at = now();
    state.received_at = now();
    state.visible_at = visible_at_;
    sqs_.messages.hide(tx_, record(), sequence, state);
    receipts_.emplace_back(sequence, state.receives);
    if (message) describe(*message, state, sequence);
  }

  // "If a networking issue occurs … you can retry the same action with an identical ReceiveRequestAttemptId": the same
  // messages with the same handles, unless one of them was deleted or its visibility changed meanwhile.
  bool repeat(const std::string& id) {
    const MessageStore::Attempt* attempt = sqs_.messages.find_attempt(record(), id, now());
    if (attempt == nullptr) return false;
    for (const auto& [sequence, receives] : attempt->receipts) {
      const MessageState* state = index_.find(sequence);
      if (state == nullptr || state->receives != receives ||
          index_.phase_of(sequence) != MessageIndex::Phase::in_flight)
        return false;
    }
    for (const auto& [sequence, receives] : attempt->receipts) {
      MessageState state = *index_.find(sequence);
      state.visible_at = visible_at_;
      sqs_.messages.hide(tx_, record(), sequence, state);
      if (const auto message = sqs_.messages.read(tx_, record(), sequence)) describe(*message, state, sequence);
    }
    return true;
  }

  void describe(const MessageRecord& from, const MessageState& state, Sequence sequence) {
    Message& message = output_.messages.ensure().emplace_back();
    message.message_id = from.id;
    message.receipt_handle = seal_receipt(sqs_, record(), {sequence, state.receives});
    message.body = from.body;
    message.md5_of_body = to_hex(md5(from.body));
    const Attributes attributes = chosen(from.attributes, input_.message_attribute_names.get());
    for (const auto& [name, attribute] : attributes)
      message.message_attributes.ensure()[name] = sqs::describe(attribute);
    if (!attributes.empty()) message.md5_of_message_attributes = md5_of(attributes);
    const auto values = system_values(record(), from, state, sequence);
    for (const auto* names : {&input_.attribute_names.get(), &input_.message_system_attribute_names.get()})
      for (const std::string& name : *names)
        for (const auto& [key, value] : values)
          if (name == "All" || name == key) message.attributes.ensure()[key] = value;
  }

  Sqs& sqs_;
  Tx& tx_;
  const Queue queue_;
  const RequestContext& context_;
  const ReceiveMessageInput& input_;
  MessageIndex& index_;
  Time visible_at_;
  ReceiveMessageOutput output_;
  std::vector<std::pair<Sequence, std::int64_t>> receipts_;
};

std::string receipt_purpose(const QueueRecord& queue) { return "sqs:receipt:" + queue.id; }

void check_range(const opt<std::int64_t>& value, std::int64_t least, std::int64_t most, const std::string& name,
                 const std::string& reason) {
  if (value && (*value < least || *value > most)) throw invalid_parameter(std::to_string(*value), name, reason);
}

}  // namespace

ReceiveMessageOutput receive(Sqs& sqs, Tx& tx, const Queue& queue, const RequestContext& context,
                             const ReceiveMessageInput& input) {
  return Receiving(sqs, tx, queue, context, input).run();
}

void check_visibility_timeout(std::int64_t timeout) {
  check_range(timeout, 0, kLongestVisibility, "VisibilityTimeout",
              "VisibilityTimeout must be an integer between 0 and 43200");
}

void check_receive(const ReceiveMessageInput& input) {
  check_range(input.max_number_of_messages, 1, 10, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.");
  check_range(input.wait_time_seconds, 0, 20, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.");
  if (input.visibility_timeout) check_visibility_timeout(*input.visibility_timeout);
  for (const auto* names : {&input.attribute_names.get(), &input.message_system_attribute_names.get()})
    for (const std::string& name : *names)
      if (!is_system_name(name)) throw invalid_attribute_name("Unknown Attribute " + name + ".");
}

std::string seal_receipt(const Sqs& sqs, const QueueRecord& queue, const Receipt& receipt) {
  std::string position;
  append_key_number(position, receipt.sequence);
  append_key_number(position, static_cast<std::uint64_t>(receipt.receives));
  return sqs.paging.seal(receipt_purpose(queue), position);
}

std::optional<Receipt> open_receipt(const Sqs& sqs, const QueueRecord& queue, const std::string& handle) {
  const std::optional<std::string> position = sqs.paging.open(receipt_purpose(queue), handle);
  if (!position) return std::nullopt;
  std::string_view rest = *position;
  Receipt receipt;
  receipt.sequence = take_key_number(rest);
  receipt.receives = static_cast<std::int64_t>(take_key_number(rest));
  return receipt;
}

}  // namespace brume::sqs
