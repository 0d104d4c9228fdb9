// "Amazon event stream encoding" (application/vnd.amazon.eventstream): answers made of messages, each with headers, a
// payload and two checksums. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/model.h"
#include "front/protocols/protocol.h"

namespace brume::protocols {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";

class ModelFacts;

struct EventHeader {
  EventHeader(std::string name, std::string_view text);  // a text, as are all that the encoding itself has
  // An event's own: of the header type that its member's type has.
  EventHeader(std::string name, const model::Type& type, std::uint8_t bits, const void* value);
  std::string name, encoded;
};
using EventHeaders = std::vector<EventHeader>;

std::string event_message(const EventHeaders& headers, std::string_view payload);

// The member of an operation's output that is its event stream; null: it has none.
const model::Member* event_stream_of(const model::Operation& operation);

// "The first message of an RPC protocol's stream": the other members of the output. Empty for REST, where they are in
// the head.
std::string initial_response(const model::Operation& operation, Protocol protocol, const void* output);

// A value of the stream's union of events with one member set. Members of the event are its headers where the model
// says so (Location::header); its payload is the member that the model names (Type::payload), else the others'
// document. `facts` of a model that was not generated.
std::string encode_event(const model::Service& service, const model::Type& events, Protocol protocol, const void* value,
                         const ModelFacts* facts = nullptr);
// What ends a stream: an exception of its union, or any other error.
std::string encode_event_error(const model::Type& events, Protocol protocol, const AwsError& error);

}  // namespace brume::protocols
