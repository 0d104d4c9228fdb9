#include "front/protocols/event_stream.h"

#include <zlib.h>

#include <utility>

#include "core/json_text.h"
#include "core/text.h"
#include "core/time.h"
#include "front/protocols/cbor_items.h"
#include "front/protocols/codec.h"
#include "front/protocols/type_facts.h"
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

// As the encoding numbers them.
enum class HeaderType : char { is_true, is_false, byte, int16, int32, int64, bytes, string, timestamp };

// A header's value has two bytes of length at most.
void append_bytes(HeaderType type, std::string_view bytes, std::string& out) {
  const std::string_view fitting = bytes.substr(0, 0xffff);
  out += static_cast<char>(type);
  append_number(out, fitting.size(), 2);
  out += fitting;
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

// A structure's type with some of its members only; of the other's tables.
struct PartialType {
  template <class Kept>
  PartialType(const Type& whole, const Kept& kept) : type(whole) {
    for (const Member& member : whole.members)
      if (kept(member)) members.push_back(member);
    type.members = members;
    type.payload = -1;
  }
  PartialType(const PartialType&) = delete;
  PartialType& operator=(const PartialType&) = delete;
  std::vector<Member> members;
  Type type;
};

bool is_event_header(const Member& member) { return member.location == model::Location::header; }

// What follows the headers of an event, and its media type; neither when all is said by headers.
struct Payload {
  std::string_view media_type;
  std::string bytes;
};
Payload payload_of(const Type& type, Protocol protocol, const void* event) {
  if (type.payload >= 0) {
    const Member& member = type.members[static_cast<std::size_t>(type.payload)];
    const void* value = member.get(event);
    if (value == nullptr) return {};
    if (member.type->kind == Kind::structure) return {document_type(protocol), document(protocol, *member.type, value)};
    const bool bytes = member.type->kind == Kind::blob;
    return {bytes ? "application/octet-stream" : "text/plain", *static_cast<const std::string*>(value)};
  }
  const PartialType rest(type, [](const Member& member) { return !is_event_header(member); });
  if (rest.members.empty() && !type.members.empty()) return {};
  return {document_type(protocol), document(protocol, rest.type, event)};
}

const Member* member_named(const Type& type, std::string_view name) {
  for (const Member& member : type.members)
    if (member.name == name || member.wire_name() == name) return &member;
  return nullptr;
}

std::string_view message_name(const Type& exception) {
  for (const Member& member : exception.members)
    if (equals_ignoring_case(member.name, "message")) return member.wire_name();
  return "message";
}

// As a handler gives an error's members: text, or their JSON.
bool is_text(const Type& exception, std::string_view name) {
  const Member* member = member_named(exception, name);
  return member == nullptr || member->type->kind == Kind::string || member->type->kind == Kind::blob;
}

std::string exception_document(const Type& exception, Protocol protocol, const AwsError& error) {
  std::vector<std::pair<std::string, std::string>> members = {{std::string(message_name(exception)), error.message}};
  // Of CBOR and XML the texts only: nothing that is served has more.
  for (const auto& [name, value] : error.members)
    if (is_text(exception, name) || document_type(protocol) == "application/json") members.emplace_back(name, value);
  std::string out;
  if (protocol == Protocol::rpc_v2_cbor) {
    CborItemWriter writer(out);
    writer.map(members.size());
    for (const auto& [name, value] : members) {
      writer.text(name);
      writer.text(value);
    }
  } else if (document_type(protocol) == "text/xml") {
    XmlWriter writer;
    writer.open(exception.name);
    for (const auto& [name, value] : members) writer.element(name, value);
    writer.close(exception.name);
    return writer.take();
  } else {
    JsonObject object(out);
    for (const auto& [name, value] : members)
      is_text(exception, name) ? object.text(name, value) : object.raw(name, value);
    object.end();
  }
  return out;
}

}  // namespace

EventHeader::EventHeader(std::string given, std::string_view text) : name(std::move(given)) {
  append_bytes(HeaderType::string, text, encoded);
}

EventHeader::EventHeader(std::string given, const Type& type, std::uint8_t bits, const void* value)
    : name(std::move(given)) {
  switch (type.kind) {
    case Kind::boolean:
      encoded += static_cast<char>(*static_cast<const bool*>(value) ? HeaderType::is_true : HeaderType::is_false);
      return;
    case Kind::integer: {
      const HeaderType as = bits == 8    ? HeaderType::byte
                            : bits == 16 ? HeaderType::int16
                            : bits == 32 ? HeaderType::int32
                                         : HeaderType::int64;
      encoded += static_cast<char>(as);
      append_number(encoded, static_cast<std::uint64_t>(*static_cast<const std::int64_t*>(value)), bits / 8);
      return;
    }
    case Kind::timestamp:
      encoded += static_cast<char>(HeaderType::timestamp);
      append_number(encoded, static_cast<std::uint64_t>(static_cast<const Time*>(value)->ms), 8);
      return;
    case Kind::blob:
      append_bytes(HeaderType::bytes, *static_cast<const std::string*>(value), encoded);
      return;
    default:
      append_bytes(HeaderType::string, *static_cast<const std::string*>(value), encoded);
  }
}

std::string event_message(const EventHeaders& headers, std::string_view payload) {
  std::string encoded;
  for (const auto& [name, value] : headers) {
    encoded += static_cast<char>(name.size());
    encoded += name;
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
  const PartialType rest(*operation.output, [](const Member& member) { return member.type->kind != Kind::stream; });
  const EventHeaders headers = {
      {":event-type", "initial-response"}, {":content-type", document_type(protocol)}, {":message-type", "event"}};
  return event_message(headers, document(protocol, rest.type, output));
}

std::string encode_event(const model::Service& service, const model::Type& events, Protocol protocol, const void* value,
                         const ModelFacts* facts) {
  for (const Member& member : events.members) {
    const void* event = member.get(value);
    if (event == nullptr) continue;
    const Payload payload = payload_of(*member.type, protocol, event);
    EventHeaders headers = {{":event-type", member.name}};
    if (!payload.media_type.empty()) headers.emplace_back(":content-type", payload.media_type);
    headers.emplace_back(":message-type", "event");
    for (const Member& each : member.type->members) {
      const void* own = is_event_header(each) ? each.get(event) : nullptr;
      if (own == nullptr) continue;
      const TypeFacts& of = facts != nullptr ? facts->of(*each.type) : generated_facts(service, *each.type);
      headers.emplace_back(std::string(each.name), *each.type, of.bits, own);
    }
    return event_message(headers, payload.bytes);
  }
  return {};
}

std::string encode_event_error(const model::Type& events, Protocol protocol, const AwsError& error) {
  for (const Member& member : events.members) {
    if (member.type->name != error.code && member.name != error.code) continue;
    return event_message(
        {{":exception-type", member.name}, {":content-type", document_type(protocol)}, {":message-type", "exception"}},
        exception_document(*member.type, protocol, error));
  }
  return event_message({{":message-type", "error"}, {":error-code", error.code}, {":error-message", error.message}},
                       {});
}

}  // namespace brume::protocols
