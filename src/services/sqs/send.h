// One message on its way into a queue, as SendMessage and the entries of a batch have it.
#pragma once

#include <string>

#include "core/text.h"
#include "services/sqs/message_attributes.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {

struct Sending {
  MessageRecord message;
  std::int64_t delay_seconds = 0;
  std::size_t size = 0;  // as limits count it: the body and the attributes
};

// What FIFO queues want of each message; a batch fails whole without it. Throws MissingParameter,
// InvalidParameterValue.
template <class Input>
void check_fifo(const QueueRecord& queue, const Input& input);
void check_fifo(const QueueRecord& queue, const opt<std::string>& group, const opt<std::string>& deduplication);

template <class Input>
void check_fifo(const QueueRecord& queue, const Input& input) {
  check_fifo(queue, input.message_group_id, input.message_deduplication_id);
}

// The rest of "SendMessage"'s rules. Throw AwsError before anything is changed.
Sending read_sending(const QueueRecord& queue, const opt<std::string>& body, const opt<std::int64_t>& delay,
                     const opt<std::map<std::string, MessageAttributeValue>>& attributes,
                     const opt<std::map<std::string, MessageSystemAttributeValue>>& system,
                     const opt<std::string>& group, const opt<std::string>& deduplication);
template <class Input>
Sending read_sending(const QueueRecord& queue, const Input& input) {
  return read_sending(queue, input.message_body, input.delay_seconds, input.message_attributes,
                      input.message_system_attributes, input.message_group_id, input.message_deduplication_id);
}

struct Accepted {
  std::string message_id;
  std::string sequence;  // empty: the queue is none of the FIFO kind
};
Accepted send(Sqs& sqs, Tx& tx, const Queue& queue, const RequestContext& context, Sending sending);

// "SequenceNumber": of twenty digits, rising.
std::string sequence_number(Sequence sequence);

// Fills what SendMessage's answer and a batch's entries have in common.
template <class Output>
void describe_sent(const Sending& sending, const Accepted& accepted, Output& output) {
  output.message_id = accepted.message_id;
  output.md5_of_message_body = to_hex(md5(sending.message.body));
  if (!sending.message.attributes.empty()) output.md5_of_message_attributes = md5_of(sending.message.attributes);
  if (!sending.message.trace.empty())
    output.md5_of_message_system_attributes = md5_of(system_attributes(sending.message.trace));
  if (!accepted.sequence.empty()) output.sequence_number = accepted.sequence;
}

}  // namespace brume::sqs
