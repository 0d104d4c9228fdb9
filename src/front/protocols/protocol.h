// AWS's protocols: from what arrived on the wire to the input of an operation, and from an output or an error to what
// is sent. One table-driven codec per protocol; nothing here knows a service, except for a few documented exceptions of
// S3 and SQS. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/http.h"
#include "core/error.h"
#include "core/model.h"

namespace brume {
class EventSource;
}

namespace brume::protocols {

using model::Protocol;
class ModelFacts;

// Documents above these are refused, before they are parsed.
inline constexpr std::size_t kLargestDocument = 20 << 20;  // DynamoDB's 16 MiB, and S3's 10,000 parts in XML
inline constexpr int kDeepestDocument = 100;               // DynamoDB's 32 levels are two of JSON's each
inline constexpr std::size_t kMostParameters = 20'000;     // of a query or form

struct WireRequest {
  std::string_view method;
  std::string_view path;   // as sent, still percent-encoded; S3's virtual-host style is rewritten to /bucket/key
  std::string_view query;  // as sent, without '?'
  std::span<const std::pair<std::string, std::string>> headers;
  std::string_view host;   // without the port; members in host prefixes are read from it
  std::string_view body;   // whole; empty when the operation's input streams
  Body* stream = nullptr;  // moved into the streaming payload

  // The first header of that name, case ignored; a null view if absent.
  std::string_view header(std::string_view name) const;
};

struct WireReply {
  int status = 200;
  // With Content-Type and the request id. Content-Length is there only in answers to HEAD, when the output has one.
  Headers headers;
  Body body;
  // Of an answer that is an event stream; shared with the handler's output. Its body is made of what this sends.
  std::shared_ptr<EventSource> events;
};

// Which of the service's protocols a request speaks; nullopt: none that the service has.
std::optional<Protocol> protocol_of(const model::Service& service, const WireRequest& request);
// The same for a request of a service that is not served at all: by headers, path and body alone.
Protocol guess_protocol(const WireRequest& request);

// The operation that a request names.
struct Lookup {
  enum class Kind {
    served,  // `operation` is it
    known,   // AWS has it and it is not served: answer refusal()
    unknown  // AWS has no such operation: answer refusal()
  };
  Kind kind = Kind::unknown;
  const model::Operation* operation = nullptr;
  std::string operation_name;  // of a known one AWS's name, of an unknown one what was asked for; may be empty
};
Lookup find_operation(const model::Service& service, Protocol protocol, const WireRequest& request);

// The error that ends a request for an operation that is not served (HTTP 501, naming service and operation), or that
// AWS does not have (AWS's own answer). `service_name` is the name a person would use: "lambda".
AwsError refusal(const Lookup& lookup, Protocol protocol, std::string_view service_name, std::string_view api_version);

// What decoding met and did not mind.
struct DecodeReport {
  // Members that the model does not have, as "RunTask.foo"; ignored, as AWS does. At most 20 a request.
  std::vector<std::string> ignored_members;
};

// Fills `input`, an empty value of operation.input, and validates it against the model. Throws AwsError in the
// service's own shape when the request cannot be read or breaks a constraint.
// `facts` are those of a service without generated tables.
DecodeReport decode(const model::Service& service, const model::Operation& operation, Protocol protocol,
                    const WireRequest& request, void* input, const ModelFacts* facts = nullptr);

// `output` is a value of operation.output; a streaming payload is moved out of it.
WireReply encode(const model::Service& service, const model::Operation& operation, Protocol protocol, void* output,
                 std::string_view request_id);

// `operation` may be null, when none was found. A member of the error (AwsError::with) that the model has as a list or
// a structure holds its JSON text. Answers to HEAD and of status 304 have no body.
WireReply encode_error(const model::Service& service, const model::Operation* operation, Protocol protocol,
                       const AwsError& error, std::string_view request_id, std::string_view method);

// Throws the violations of the input's constraints, as the service words them. decode() calls it.
void validate(const model::Service& service, const model::Operation& operation, Protocol protocol, const void* input);

}  // namespace brume::protocols
