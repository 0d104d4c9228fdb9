#include "services/sqs/send.h"

#include <algorithm>

#include "core/text.h"

namespace brume::sqs {
namespace {

constexpr std::int64_t kLongestDelay = 900;
constexpr std::uint64_t kFirstSequenceNumber = 10'000'000'000'000'000'000ULL;  // so that all have twenty digits

// "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"; the codecs let only UTF-8 through.
void check_characters(const std::string& body) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    const auto byte = static_cast<unsigned char>(body[i]);
    const bool control = byte < 0x20 && byte != 0x9 && byte != 0xA && byte != 0xD;
    const bool no_character = byte == 0xEF && body.compare(i + 1, 1, "\xBF") == 0 && i + 2 < body.size() &&
                              static_cast<unsigned char>(body[i + 2]) >= 0xBE;
    if (control || no_character)
      throw invalid_message_contents(
          "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD "
          "| #x10000 to #x10FFFF");
  }
}

void check_id(const opt<std::string>& value, const std::string& name) {
  if (!value) return;
  const auto allowed = [](char c) { return c > 0x20 && c < 0x7f; };
  if (value->empty() || value->size() > 128 || !std::ranges::all_of(*value, allowed))
    throw invalid_parameter(*value, name,
                            name + " can only include alphanumeric and punctuation characters. 1 to 128 in length.");
}

constexpr const char* kWrongKind = "The request include parameter that is not valid for this queue type.";

std::int64_t delay_of(const QueueRecord& queue, const opt<std::int64_t>& delay) {
  if (!delay) return queue.delay_seconds;
  if (*delay < 0 || *delay > kLongestDelay)
    throw invalid_parameter(std::to_string(*delay), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.");
  if (!queue.fifo) return *delay;
  // "When you set FifoQueue, you can't set DelaySeconds per message."
  if (*delay != 0) throw invalid_parameter(std::to_string(*delay), "DelaySeconds", kWrongKind);
  return queue.delay_seconds;
}

std::string deduplication_key(const QueueRecord& queue, const MessageRecord& message) {
  if (queue.deduplication_scope != "messageGroup") return message.deduplication;
  return message.group + '\0' + message.deduplication;
}

}  // namespace

std::string sequence_number(Sequence sequence) { return std::to_string(kFirstSequenceNumber + sequence); }

void check_fifo(const QueueRecord& queue, const opt<std::string>& group, const opt<std::string>& deduplication) {
  if (!queue.fifo) return;
  if (!group) throw missing_parameter("MessageGroupId");
  if (!deduplication && !queue.content_deduplication)
    throw invalid_parameter(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
}

Sending read_sending(const QueueRecord& queue, const opt<std::string>& body, const opt<std::int64_t>& delay,
                     const opt<std::map<std::string, MessageAttributeValue>>& attributes,
                     const opt<std::map<std::string, MessageSystemAttributeValue>>& system,
                     const opt<std::string>& group, const opt<std::string>& deduplication) {
  if (body.get().empty()) throw missing_parameter("MessageBody");
  Sending sending;
  MessageRecord& message = sending.message;
  message.body = *body;
  message.attributes = read_attributes(attributes.get());
  message.trace = read_trace(system.get());
  sending.size = message.body.size() + size_of(message.attributes);
  if (static_cast<std::int64_t>(sending.size) > queue.maximum_size)
    throw invalid_parameter("One or more parameters are invalid. Reason: Message must be shorter than " +
                            std::to_string(queue.maximum_size) + " bytes.");
  check_characters(message.body);
  sending.delay_seconds = delay_of(queue, delay);
  check_id(group, "MessageGroupId");
  check_id(deduplication, "MessageDeduplicationId");
  if (!queue.fifo && deduplication) throw invalid_parameter(*deduplication, "MessageDeduplicationId", kWrongKind);
  message.group = group.get();
  message.deduplication = deduplication ? *deduplication : queue.fifo ? to_hex(sha256(message.body)) : std::string();
  return sending;
}

Accepted send(Sqs& sqs, Tx& tx, const Queue& queue, const RequestContext& context, Sending sending) {
  MessageRecord& message = sending.message;
  const QueueRecord& record = queue.record;
  if (record.fifo)
    if (const auto sent = sqs.messages.find_sent(tx, record, deduplication_key(record, message), context.now))
      return {sent->message_id, sequence_number(sent->sequence)};
  message.id = sqs.needs.random.uuid();
  message.sender = context.principal.id;
  MessageState state;
  state.sent_at = context.now;
  state.visible_at = context.now + seconds(sending.delay_seconds);
  if (record.fifo) state.group = message.group;
  const Sequence sequence = sqs.messages.add(tx, record, message, std::move(state), context.now);
  tx.on_commit([&sqs, scope = queue.scope, name = record.name] { sqs.waiters.wake(scope, name); });
  if (!record.fifo) return {message.id, {}};
  sqs.messages.note_sent(tx, record, deduplication_key(record, message), {message.id, sequence, context.now});
  return {message.id, sequence_number(sequence)};
}

}  // namespace brume::sqs
