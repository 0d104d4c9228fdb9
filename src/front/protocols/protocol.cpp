#include "front/protocols/protocol.h"

#include "core/events.h"
#include "front/protocols/codec.h"
#include "front/protocols/event_stream.h"

namespace brume::protocols {
namespace {

void decode_json_request(Decoding& decoding, void* input) {
  // Some clients send no body at all for an operation without members.
  if (!decoding.request.body.empty()) decode_json(decoding, *decoding.operation.input, decoding.request.body, input);
}

// Members in the host name: "{AccountId}." before the service's own.
void decode_host_prefix(const Decoding& decoding, void* input) {
  std::string_view pattern = decoding.operation.host_prefix;
  std::string_view host = decoding.request.host;
  while (!pattern.empty() && !host.empty()) {
    if (!pattern.starts_with('{')) {
      if (pattern[0] != host[0]) return;
      pattern.remove_prefix(1);
      host.remove_prefix(1);
      continue;
    }
    const std::size_t end = pattern.find('}');
    const std::string_view value = host.substr(0, host.find('.'));
    if (end == std::string_view::npos) return;
    const Member* member = decoding.operation.input->find(pattern.substr(1, end - 1));
    if (member != nullptr && member->type->kind == Kind::string && member->get(input) == nullptr)
      static_cast<std::string*>(member->emplace(input))->assign(value);
    pattern.remove_prefix(end + 1);
    host.remove_prefix(value.size());
  }
}

// Of an answer that is an event stream: the rest of the output goes into the first message.
bool take_events(const model::Operation& operation, const void* output, WireReply& reply) {
  const Member* member = event_stream_of(operation);
  const void* events = member != nullptr ? member->get(output) : nullptr;
  if (events == nullptr) return false;
  reply.headers.emplace_back("Content-Type", std::string(kEventStreamType));
  reply.events = static_cast<const EventStream*>(events)->source;
  return true;
}

WireReply encode_json_reply(const model::Service& service, const model::Operation& operation, const void* output) {
  WireReply reply;
  if (take_events(operation, output, reply)) return reply;
  reply.headers.emplace_back("Content-Type", "application/x-amz-json-" + std::string(service.json_version));
  std::string text;
  text.reserve(512);
  // An operation without an output answers an empty body, one with an empty output "{}".
  if (operation.has_output) encode_json(*operation.output, TimestampFormat::unix_seconds, output, text);
  reply.body = Body::of(std::move(text));
  return reply;
}

}  // namespace

bool names_elements(const Member& member) {
  return member.flattened && member.type->flattened && member.type->kind == Kind::list &&
         member.location_name.empty() && !member.type->element.location_name.empty();
}

DecodeReport decode(const model::Service& service, const model::Operation& operation, Protocol protocol,
                    const WireRequest& request, void* input, const ModelFacts* facts) {
  Decoding decoding{service, operation, protocol, request, facts, {}};
  switch (protocol) {
    case Protocol::query:
    case Protocol::ec2:
      decode_query(decoding, input);
      if (is_sqs(service)) sqs_queue_of_path(decoding, input);
      break;
    case Protocol::json:
      decode_json_request(decoding, input);
      break;
    case Protocol::rest_json:
    case Protocol::rest_xml:
      decode_rest(decoding, input);
      break;
    case Protocol::rpc_v2_cbor:
      decode_rpc_v2_cbor(decoding, input);
      break;
  }
  decode_host_prefix(decoding, input);
  if (lists_fields(service))
    validate_fields(decoding, input);
  else
    validate(service, operation, protocol, input);
  return std::move(decoding.report);
}

WireReply encode(const model::Service& service, const model::Operation& operation, Protocol protocol, void* output,
                 std::string_view request_id) {
  WireReply reply;
  switch (protocol) {
    case Protocol::query:
    case Protocol::ec2:
      reply = encode_query_reply(service, operation, protocol, output, request_id);
      break;
    case Protocol::json:
      reply = encode_json_reply(service, operation, output);
      break;
    case Protocol::rest_json:
    case Protocol::rest_xml:
      reply = encode_rest(service, operation, protocol, output);
      break;
    case Protocol::rpc_v2_cbor:
      if (take_events(operation, output, reply))
        reply.headers.emplace_back("Smithy-Protocol", "rpc-v2-cbor");
      else
        reply = encode_rpc_v2_cbor(operation, output);
      break;
  }
  add_request_id(service, request_id, reply.headers);
  return reply;
}

}  // namespace brume::protocols
