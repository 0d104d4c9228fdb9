#include <algorithm>

#include "core/events.h"
#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/event_stream.h"
#include "front/protocols/xml_writer.h"

namespace brume::protocols {
namespace {

using model::Location;

// What a header cannot hold would end it: line breaks and other control characters become spaces.
std::string safe(std::string text) {
  for (char& character : text)
    if (static_cast<unsigned char>(character) < 0x20 && character != '\t') character = ' ';
  return text;
}

class RestEncoder {
 public:
  RestEncoder(const model::Service& service, const model::Operation& operation, Protocol protocol, void* output)
      : service_(service),
        operation_(operation),
        json_(protocol == Protocol::rest_json),
        type_(*operation.output),
        output_(output) {
    reply_.status = is_s3(service) ? s3_status(operation) : operation.status;
  }

  WireReply run() {
    for (const Member& member : type_.members) bound(member);
    if (is_s3(service_) && encode_s3_location(operation_, output_, reply_)) return std::move(reply_);
    if (is_s3(service_) && operation_.name == "HeadBucket") content_type("application/xml");  // of what GET would list
    if (type_.payload >= 0)
      payload(type_.members[static_cast<std::size_t>(type_.payload)]);
    else
      body();
    return std::move(reply_);
  }

 private:
  void bound(const Member& member) {
    if (is_body_of_output(member)) return;
    const void* value = member.get(output_);
    if (value == nullptr) return;
    if (member.location == Location::status_code)
      reply_.status = static_cast<int>(*static_cast<const std::int64_t*>(value));
    else if (member.location == Location::header)
      header(member, value);
    else if (member.location == Location::headers)
      prefixed(member, value);
  }

  std::string text(const Member& member, const Type& type, const void* value) const {
    const std::string plain = format_scalar(type, timestamp_format(&member, type, TimestampFormat::http_date), value);
    return member.json_value || type.kind == Kind::document ? to_base64(plain) : plain;
  }

  void header(const Member& member, const void* value) {
    const Type& type = *member.type;
    // The length of a body is the front's business, unless there is none: HEAD tells what GET would send.
    if (equals_ignoring_case(member.wire_name(), "Content-Length") && operation_.method != "HEAD") return;
    // "206 (Partial Content)" is what a range is answered with (RFC 9110), and what S3 answers; the model has only 200.
    if (equals_ignoring_case(member.wire_name(), "Content-Range") && reply_.status == 200) reply_.status = 206;
    if (type.kind != Kind::list) return add(std::string(member.wire_name()), text(member, type, value));
    std::vector<std::string> parts;
    const std::size_t size = type.ops->size(value);
    for (std::size_t i = 0; i < size; ++i) {
      std::string part = text(member, *type.element.type, type.ops->at(value, i));
      const bool quoted = type.element.type->kind == Kind::string && part.find_first_of(",\"") != std::string::npos;
      parts.push_back(quoted ? quote(part) : std::move(part));
    }
    add(std::string(member.wire_name()), join(parts, ", "));
  }

  static std::string quote(std::string_view text) {
    std::string out = "\"";
    for (const char character : text) {
      if (character == '"' || character == '\\') out += '\\';
      out += character;
    }
    return out + "\"";
  }

  void prefixed(const Member& member, const void* value) {
    struct Context {
      RestEncoder& encoder;
      const Member& member;
    } context{*this, member};
    member.type->ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      auto& [encoder, of] = *static_cast<Context*>(pointer);
      encoder.add(std::string(of.location_name) + key, encoder.text(of, *of.type->element.type, each));
    });
  }

  void add(std::string name, std::string value) {
    reply_.headers.emplace_back(safe(std::move(name)), safe(std::move(value)));
  }

  void content_type(std::string_view type) {
    if (header_of(reply_.headers, "Content-Type").empty())
      reply_.headers.emplace_back("Content-Type", std::string(type));
  }

  void payload(const Member& member) {
    const void* value = member.get(output_);
    if (value == nullptr) return;
    if (member.type->event_stream) return events(value);
    switch (member.type->kind) {
      case Kind::stream:
        content_type(is_s3(service_) ? "binary/octet-stream" : "application/octet-stream");
        reply_.body = std::move(*static_cast<Body*>(member.get(output_)));
        return;
      case Kind::string:
        content_type("text/plain");
        reply_.body = Body::of(*static_cast<const std::string*>(value));
        return;
      case Kind::blob:
        content_type("application/octet-stream");
        reply_.body = Body::of(*static_cast<const std::string*>(value));
        return;
      default:
        break;
    }
    if (json_) return json(*member.type, value);
    std::string_view root = member.location_name.empty() ? member.type->location_name : member.location_name;
    if (root.empty()) root = member.type->name;
    xml(root, *member.type, &member, value);
  }

  void events(const void* value) {
    content_type(kEventStreamType);
    reply_.events = static_cast<const EventStream*>(value)->source;
  }

  void body() {
    const bool has_members = std::ranges::any_of(type_.members, is_body_of_output);
    // "Server implementations are expected to respond with a JSON object regardless of if the output parameters are
    // empty" (Smithy, RestJsonEmptyInputAndEmptyOutput).
    if (json_ && reply_.status != 204 && (has_members || operation_.has_output)) return json(type_, output_);
    if (!has_members) return;
    std::string_view root = is_s3(service_) ? s3_root(operation_.name) : type_.location_name;
    if (root.empty()) root = type_.location_name.empty() ? type_.name : type_.location_name;
    xml(root, type_, nullptr, output_);
  }

  void json(const Type& type, const void* value) {
    std::string text;
    encode_json(type, TimestampFormat::unix_seconds, value, text);
    content_type("application/json");
    reply_.body = Body::of(std::move(text));
  }

  void xml(std::string_view root, const Type& type, const Member* member, const void* value) {
    XmlWriter writer;
    writer.declaration();
    encode_xml_element(writer, xml_style(service_), root, type, member, value,
                       is_s3(service_) ? kS3Namespace : service_.xml_namespace);
    content_type("application/xml");
    reply_.body = Body::of(writer.take());
  }

  const model::Service& service_;
  const model::Operation& operation_;
  bool json_;
  const Type& type_;
  void* output_;
  WireReply reply_;
};

}  // namespace

WireReply encode_rest(const model::Service& service, const model::Operation& operation, Protocol protocol,
                      void* output) {
  return RestEncoder(service, operation, protocol, output).run();
}

}  // namespace brume::protocols
