// A queue's attributes: which there are, what they may be ("CreateQueue", "SetQueueAttributes"), and what they are.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "services/sqs/sqs.h"

namespace brume::sqs {

using AttributeMap = std::map<std::string, std::string>;

// Throws InvalidParameterValue.
void check_queue_name(const std::string& name, bool fifo);
// Whether the attributes make a FIFO queue. Throws InvalidAttributeValue.
bool asks_for_fifo(const AttributeMap& attributes);

// Sets them, `creating` or not. Throws InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue.
void set_attributes(const Sqs& sqs, const Scope& scope, const AttributeMap& attributes, bool creating,
                    QueueRecord& queue);

// Of all attributes those that are asked for. Throws InvalidAttributeName.
AttributeMap describe_attributes(Sqs& sqs, Tx& tx, const Queue& queue, Time now, const std::vector<std::string>& names);
// What can be compared with what a CreateQueue asks for: everything that can be set.
AttributeMap settable_attributes(const QueueRecord& queue);

}  // namespace brume::sqs
