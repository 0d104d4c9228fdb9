#include "front/protocols/event_stream.h"

#include <zlib.h>

#include "front/protocols/cbor_items.h"
#include "front/protocols/codec.h"
#include "front/protocols/xml_writer.h"

namespace brume::protocols {
namespace {

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));  // NOLINT(*-reinterpret-cast)
}

std::string_view document_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::rpc_v2_cbor:
      return "application/cbor";
    case Protocol::query:
    case Protocol::ec2:
    case Protocol::rest_xml:
      return "text/xml";
    case Protocol::json:
    case Protocol::rest_json:
      break;
  }
  return "application/json";
}

std::string document(Protocol protocol, const Type& type, const void* value) {
  if (protocol == Protocol::rpc_v2_cbor) {
    std::string out;
    encode_cbor(type, value, out);
    return out;
  }
  if (document_type(protocol) == "text/xml") {
    XmlWriter writer;
    encode_xml_element(writer, {}, type.name, type, nullptr, value, {});
    return writer.take();
  }
  std::string out;
  encode_json(type, TimestampFormat::unix_seconds, value, out);
  return out;
}

}  // namespace

std::string event_message(const EventHeaders& headers, std::string_view payload) {
  std::string encoded;
  for (const auto& [name, value] : headers) {
    encoded += static_cast<char>(name.size());
    encoded += name;
    encoded += '\7';  // a string, as the encoding numbers its types
    append_number(encoded, value.size(), 2);
    encoded += value;
  }
  std::string out;
  out.reserve(16 + encoded.size() + payload.size());
  append_number(out, 16 + encoded.size() + payload.size(), 4);
  append_number(out, encoded.size(), 4);
  append_number(out, checksum(out), 4);
  out += encoded;
  out += payload;
  append_number(out, checksum(out), 4);
  return out;
}

const model::Member* event_stream_of(const model::Operation& operation) {
  for (const Member& member : operation.output->members)
    if (member.type->kind == Kind::stream && member.type->event_stream) return &member;
  return nullptr;
}

std::string initial_response(const model::Operation& operation, Protocol protocol, const void* output) {
  if (protocol != Protocol::json && protocol != Protocol::rpc_v2_cbor) return {};
  // The stream itself is no part of the document.
  model::Type rest = *operation.output;
  std::vector<Member> members;
  for (const Member& member : rest.members)
    if (member.type->kind != Kind::stream) members.push_back(member);
  rest.members = members;
  const EventHeaders headers = {{":event-type", "initial-response"},
                                {":content-type", std::string(document_type(protocol))},
                                {":message-type", "event"}};
  return event_message(headers, document(protocol, rest, output));
}

std::string encode_event(const model::Type& events, Protocol protocol, const void* value) {
  for (const Member& member : events.members) {
    const void* event = member.get(value);
    if (event == nullptr) continue;
    return event_message({{":event-type", std::string(member.name)},
                          {":content-type", std::string(document_type(protocol))},
                          {":message-type", "event"}},
                         document(protocol, *member.type, event));
  }
  return {};
}

std::string encode_event_error(const model::Type& events, Protocol protocol, const AwsError& error) {
  for (const Member& member : events.members) {
    if (member.type->name != error.code && member.name != error.code) continue;
    std::string payload;
    if (protocol == Protocol::rpc_v2_cbor) {
      CborItemWriter writer(payload);
      writer.map(1);
      writer.text("message");
      writer.text(error.message);
    } else {
      payload = "{\"message\":";
      append_json_string(error.message, payload);
      payload += '}';
    }
    return event_message({{":exception-type", std::string(member.name)},
                          {":content-type", std::string(document_type(protocol))},
                          {":message-type", "exception"}},
                         payload);
  }
  return event_message({{":message-type", "error"}, {":error-code", error.code}, {":error-message", error.message}},
                       {});
}

}  // namespace brume::protocols
