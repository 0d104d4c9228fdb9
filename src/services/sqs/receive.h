// Messages on their way out of a queue: received, or left to the dead-letter queue; and the receipt handles by which
// they are deleted.
#pragma once

#include <string>

#include "services/sqs/sqs.h"

namespace brume::sqs {

// What is there now; no messages: nothing. Throws OverLimit. The request's values are right (check_receive).
ReceiveMessageOutput receive(Sqs& sqs, Tx& tx, const Queue& queue, const RequestContext& context,
                             const ReceiveMessageInput& input);
// Throws InvalidParameterValue.
void check_receive(const ReceiveMessageInput& input);
void check_visibility_timeout(std::int64_t seconds);

struct Receipt {
  Sequence sequence = 0;
  std::int64_t receives = 0;  // which receive it was
};
std::string seal_receipt(const Sqs& sqs, const QueueRecord& queue, const Receipt& receipt);
// nullopt: it is no handle of this queue's.
std::optional<Receipt> open_receipt(const Sqs& sqs, const QueueRecord& queue, const std::string& handle);

}  // namespace brume::sqs
