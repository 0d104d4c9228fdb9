// Message attributes: what may be sent, and their MD5 ("Calculating the MD5 message digest for message attributes").
// Pure functions.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "gen/sqs.h"
#include "services/sqs/records.h"

namespace brume::sqs {

using Attributes = std::map<std::string, AttributeRecord>;

// Throw InvalidParameterValue.
Attributes read_attributes(const std::map<std::string, MessageAttributeValue>& given);
std::string read_trace(const std::map<std::string, MessageSystemAttributeValue>& given);

// Lower-case hex; empty for none.
std::string md5_of(const Attributes& attributes);
Attributes system_attributes(const std::string& trace);
std::size_t size_of(const Attributes& attributes);
MessageAttributeValue describe(const AttributeRecord& attribute);

// The attributes that a receive asks for: names, "All", ".*", or prefixes "foo.*".
Attributes chosen(const Attributes& attributes, const std::vector<std::string>& names);

}  // namespace brume::sqs
