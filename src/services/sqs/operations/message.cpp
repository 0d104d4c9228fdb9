// Messages: sent, received, hidden for longer, deleted; one at a time or ten.
#include <algorithm>
#include <set>

#include "core/text.h"
#include "services/sqs/receive.h"
#include "services/sqs/send.h"

namespace brume::sqs {
namespace {

constexpr std::size_t kMostEntries = 10;
constexpr std::size_t kLargestBatch = 1'048'576;
constexpr Duration kLongestInFlight = hours(12);

bool is_entry_id(const std::string& id) {
  return !id.empty() && id.size() <= 80 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// What every batch must be. `entry` is the entries' name in messages.
template <class Entry>
void check_batch(const std::vector<Entry>& entries, const std::string& entry) {
  if (entries.empty()) throw empty_batch_request("There should be at least one " + entry + " in the request.");
  for (const Entry& each : entries)
    if (!is_entry_id(each.id.get()))
      throw invalid_batch_entry_id(
          "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "
          "letters long.");
  std::set<std::string> ids;
  for (const Entry& each : entries)
    if (!ids.insert(each.id.get()).second) throw batch_entry_ids_not_distinct("Id " + each.id.get() + " repeated.");
  if (entries.size() > kMostEntries)
    throw too_many_entries_in_batch_request("Maximum number of entries per request are 10. You have sent " +
                                            std::to_string(entries.size()) + ".");
}

std::size_t size_of(const SendMessageBatchRequestEntry& entry) {
  std::size_t size = entry.message_body.get().size();
  for (const auto& [name, value] : entry.message_attributes.get())
    size +=
        name.size() + value.data_type.get().size() + value.string_value.get().size() + value.binary_value.get().size();
  return size;
}

BatchResultErrorEntry failed(const std::string& id, const AwsError& error) {
  BatchResultErrorEntry entry;
  entry.id = id;
  entry.sender_fault = error.status < 500;
  entry.code = error.query_code.empty() ? error.code : error.query_code;
  entry.message = error.message;
  return entry;
}

// Each entry on its own: what is refused of it was refused before anything was changed.
template <class Output, class Entry, class Act>
Output each_entry(const std::vector<Entry>& entries, const Act& act) {
  Output output;
  output.successful.ensure();
  output.failed.ensure();
  for (const Entry& entry : entries) {
    try {
      output.successful->push_back(act(entry));
    } catch (const AwsError& error) {
      output.failed->push_back(failed(entry.id.get(), error));
    }
  }
  return output;
}

void wake_after(Sqs& sqs, Tx& tx, const Queue& queue) {
  tx.on_commit([&sqs, scope = queue.scope, name = queue.record.name] { sqs.waiters.wake(scope, name); });
}

void delete_one(Sqs& sqs, Tx& tx, const Queue& queue, const std::string& handle, Time now,
                const std::string& when_invalid) {
  const std::optional<Receipt> receipt = open_receipt(sqs, queue.record, handle);
  if (!receipt) throw receipt_handle_is_invalid(when_invalid);
  const MessageIndex& index = sqs.messages.open(tx, queue.record, now);
  const MessageState* state = index.find(receipt->sequence);
  if (state == nullptr) return;
  // Exactly once: a FIFO queue's message is deleted by whoever has it, while they have it.
  if (queue.record.fifo &&
      (state->receives != receipt->receives || index.phase_of(receipt->sequence) != MessageIndex::Phase::in_flight))
    throw invalid_parameter(handle, "ReceiptHandle", "The receipt handle has expired.");
  sqs.messages.erase(tx, queue.record, receipt->sequence);
}

void change_one(Sqs& sqs, Tx& tx, const Queue& queue, const std::string& handle, std::int64_t timeout, Time now,
                const std::string& when_invalid) {
  check_visibility_timeout(timeout);
  const std::optional<Receipt> receipt = open_receipt(sqs, queue.record, handle);
  if (!receipt) throw receipt_handle_is_invalid(when_invalid);
  const MessageIndex& index = sqs.messages.open(tx, queue.record, now);
  const MessageState* found = index.find(receipt->sequence);
  if (found == nullptr || (queue.record.fifo && found->receives != receipt->receives))
    throw invalid_parameter(handle, "ReceiptHandle",
                            "Message does not exist or is not available for visibility timeout change.");
  if (index.phase_of(receipt->sequence) != MessageIndex::Phase::in_flight) throw message_not_inflight("");
  MessageState state = *found;
  state.visible_at = now + seconds(timeout);
  if (state.visible_at > state.received_at + kLongestInFlight)
    throw invalid_parameter(std::to_string(timeout), "VisibilityTimeout",
                            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]");
  sqs.messages.hide(tx, queue.record, receipt->sequence, state);
}

const char* const kInvalidHandle = "The input receipt handle is invalid.";

std::string invalid_in_batch(const std::string& handle) {
  return "The input receipt handle \"" + handle + "\" is not a valid receipt handle.";
}

}  // namespace

SendMessageOutput send_message(Sqs& sqs, Tx& tx, const Request<SendMessageInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  check_fifo(queue.record, request.input);
  const Sending sending = read_sending(queue.record, request.input);
  SendMessageOutput output;
  describe_sent(sending, send(sqs, tx, queue, request, sending), output);
  return output;
}

SendMessageBatchOutput send_message_batch(Sqs& sqs, Tx& tx, const Request<SendMessageBatchInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  const auto& entries = request.input.entries.get();
  check_batch(entries, "SendMessageBatchRequestEntry");
  std::size_t size = 0;
  for (const SendMessageBatchRequestEntry& entry : entries) size += size_of(entry);
  if (size > kLargestBatch)
    throw batch_request_too_long("Batch requests cannot be longer than " + std::to_string(kLargestBatch) +
                                 " bytes. You have sent " + std::to_string(size) + " bytes.");
  for (const SendMessageBatchRequestEntry& entry : entries) check_fifo(queue.record, entry);
  return each_entry<SendMessageBatchOutput>(entries, [&](const SendMessageBatchRequestEntry& entry) {
    const Sending sending = read_sending(queue.record, entry);
    SendMessageBatchResultEntry result;
    result.id = entry.id;
    describe_sent(sending, send(sqs, tx, queue, request, sending), result);
    return result;
  });
}

void receive_message(Sqs& sqs, Tx& tx, const Request<ReceiveMessageInput>& request,
                     Deferred<ReceiveMessageOutput> reply) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  check_receive(request.input);
  ReceiveMessageOutput output = receive(sqs, tx, queue, request, request.input);
  const std::int64_t wait = request.input.wait_time_seconds.value_or(queue.record.wait_seconds);
  if (wait == 0 || !output.messages.get().empty()) return reply.succeed(std::move(output));
  sqs.waiters.wait(queue.scope, queue.record.name, request, request.input, std::move(reply),
                   request.now + seconds(wait));
}

DeleteMessageOutput delete_message(Sqs& sqs, Tx& tx, const Request<DeleteMessageInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  delete_one(sqs, tx, queue, request.input.receipt_handle.get(), request.now, kInvalidHandle);
  wake_after(sqs, tx, queue);
  return {};
}

DeleteMessageBatchOutput delete_message_batch(Sqs& sqs, Tx& tx, const Request<DeleteMessageBatchInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  check_batch(request.input.entries.get(), "DeleteMessageBatchRequestEntry");
  wake_after(sqs, tx, queue);
  return each_entry<DeleteMessageBatchOutput>(
      request.input.entries.get(), [&](const DeleteMessageBatchRequestEntry& entry) {
        const std::string& handle = entry.receipt_handle.get();
        delete_one(sqs, tx, queue, handle, request.now, invalid_in_batch(handle));
        DeleteMessageBatchResultEntry result;
        result.id = entry.id;
        return result;
      });
}

ChangeMessageVisibilityOutput change_message_visibility(Sqs& sqs, Tx& tx,
                                                        const Request<ChangeMessageVisibilityInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  change_one(sqs, tx, queue, request.input.receipt_handle.get(), request.input.visibility_timeout.get(), request.now,
             kInvalidHandle);
  wake_after(sqs, tx, queue);
  return {};
}

ChangeMessageVisibilityBatchOutput change_message_visibility_batch(
    Sqs& sqs, Tx& tx, const Request<ChangeMessageVisibilityBatchInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  check_batch(request.input.entries.get(), "ChangeMessageVisibilityBatchRequestEntry");
  wake_after(sqs, tx, queue);
  return each_entry<ChangeMessageVisibilityBatchOutput>(
      request.input.entries.get(), [&](const ChangeMessageVisibilityBatchRequestEntry& entry) {
        const std::string& handle = entry.receipt_handle.get();
        change_one(sqs, tx, queue, handle, entry.visibility_timeout.get(), request.now, invalid_in_batch(handle));
        ChangeMessageVisibilityBatchResultEntry result;
        result.id = entry.id;
        return result;
      });
}

}  // namespace brume::sqs
