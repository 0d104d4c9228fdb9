// "Amazon event stream encoding" (application/vnd.amazon.eventstream): answers made of messages, each with headers, a
// payload and two checksums. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/model.h"
#include "front/protocols/protocol.h"

namespace brume::protocols {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";

// Names and values; those of the messages here are texts all.
using EventHeaders = std::vector<std::pair<std::string, std::string>>;

std::string event_message(const EventHeaders& headers, std::string_view payload);

// The member of an operation's output that is its event stream; null: it has none.
const model::Member* event_stream_of(const model::Operation& operation);

// "The first message of an RPC protocol's stream": the other members of the output. Empty for REST, where they are in
// the head.
std::string initial_response(const model::Operation& operation, Protocol protocol, const void* output);

// A value of the stream's union of events with one member set. Its event is the payload: none that is served has a
// payload or headers of its own.
std::string encode_event(const model::Type& events, Protocol protocol, const void* value);
// Any other error that ends a stream.
std::string encode_event_error(const model::Type& events, Protocol protocol, const AwsError& error);

}  // namespace brume::protocols
