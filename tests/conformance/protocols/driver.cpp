// Runs one codec case at a time for tests/conformance/protocols/run.py: reads a JSON object a line from standard input,
// answers one a line. {"do": "decode", "model", "operation", "request"} gives {"params"}; {"do": "encode", "model",
// "operation", "result"} gives {"status", "headers", "body"}; {"do": "error", …} likewise. Failures give {"failure"}.
// {"do": "events", "model", "operation", "result", "events"} gives the "body" of an event stream, whose last event may
// be
// {"error": CODE, "message"}. Without a "model" the generated tables and structs of "service" are used.
#include <simdjson.h>

#include <iostream>
#include <string>

#include "core/json_text.h"
#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/dynamic_model.h"
#include "front/protocols/event_stream.h"
#include "front/protocols/protocol.h"
#include "gen/cloudtrail.h"
#include "gen/dynamodb.h"
#include "gen/ec2.h"
#include "gen/ecr.h"
#include "gen/ecs.h"
#include "gen/elbv2.h"
#include "gen/iam.h"
#include "gen/logs.h"
#include "gen/resourcegroupstaggingapi.h"
#include "gen/s3.h"
#include "gen/sqs.h"
#include "gen/sts.h"

namespace {

using namespace brume;
using namespace brume::protocols;
using simdjson::dom::element;

std::string text_of(const element& json, std::string_view key) {
  std::string_view value;
  return json[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

// The values of the vectors are botocore's: members by name, blobs as their text, timestamps as seconds.
class ValueReader {
 public:
  static void read(const Type& type, const element& json, void* value) {
    switch (type.kind) {
      case Kind::structure:
        for (const auto& [key, child] : simdjson::dom::object(json)) {
          const Member* member = type.find(key);
          if (member != nullptr && !child.is_null()) read(*member->type, child, member->emplace(value));
        }
        return;
      case Kind::list:
        for (const element& child : simdjson::dom::array(json)) {
          if (child.is_null()) throw std::runtime_error("a list with nulls has no C++ value");
          read(*type.element.type, child, type.ops->append(type, value));
        }
        return;
      case Kind::map:
        for (const auto& [key, child] : simdjson::dom::object(json)) {
          if (child.is_null()) throw std::runtime_error("a map with nulls has no C++ value");
          read(*type.element.type, child, type.ops->insert(type, value, std::string(key)));
        }
        return;
      default:
        scalar(type, json, value);
    }
  }

 private:
  static void scalar(const Type& type, const element& json, void* value) {
    const std::string text = json.is_string() ? std::string(std::string_view(json)) : simdjson::minify(json);
    if (type.kind == Kind::stream && type.event_stream)
      throw std::runtime_error("events are not values: event_stream_test.cpp has their messages");
    if (type.kind == Kind::stream) {
      *static_cast<Body*>(value) = Body::of(text);
    } else if (type.kind == Kind::blob) {
      *static_cast<std::string*>(value) = text;
    } else if (type.kind == Kind::document) {
      *static_cast<std::string*>(value) = simdjson::minify(json);
    } else if (!parse_scalar(type, TimestampFormat::unix_seconds, text, value)) {
      throw std::runtime_error("the vector's value '" + text + "' does not fit its type");
    }
  }
};

void write_value(const Type& type, const void* value, std::string& out) {
  switch (type.kind) {
    case Kind::structure: {
      out += '{';
      bool first = true;
      for (const Member& member : type.members) {
        const void* each = member.get(value);
        if (each == nullptr) continue;
        if (!std::exchange(first, false)) out += ',';
        append_json_string(member.name, out);
        out += ':';
        write_value(*member.type, each, out);
      }
      out += '}';
      return;
    }
    case Kind::list:
      out += '[';
      for (std::size_t i = 0; i < type.ops->size(value); ++i) {
        if (i != 0) out += ',';
        write_value(*type.element.type, type.ops->at(value, i), out);
      }
      out += ']';
      return;
    case Kind::map: {
      struct Context {
        const Type& type;
        std::string& out;
        bool first = true;
      } context{type, out};
      out += '{';
      type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
        auto& self = *static_cast<Context*>(pointer);
        if (!std::exchange(self.first, false)) self.out += ',';
        append_json_string(key, self.out);
        self.out += ':';
        write_value(*self.type.element.type, each, self.out);
      });
      out += '}';
      return;
    }
    case Kind::string:
    case Kind::blob:
      return append_json_string(*static_cast<const std::string*>(value), out);
    case Kind::stream:
      return append_json_string(static_cast<const Body*>(value)->bytes, out);
    case Kind::number: {
      const std::string text = format_scalar(type, TimestampFormat::unspecified, value);
      const bool special = text == "NaN" || text.ends_with("Infinity");
      return special ? append_json_string(text, out) : static_cast<void>(out += text);
    }
    default:
      out += format_scalar(type, TimestampFormat::unix_seconds, value);
  }
}

void write_reply(const WireReply& reply, std::string& out) {
  out += "{\"status\":" + std::to_string(reply.status) + ",\"headers\":[";
  for (std::size_t i = 0; i < reply.headers.size(); ++i) {
    if (i != 0) out += ',';
    out += '[';
    append_json_string(reply.headers[i].first, out);
    out += ',';
    append_json_string(reply.headers[i].second, out);
    out += ']';
  }
  out += "],\"body\":";
  append_json_string(to_base64(reply.body.bytes), out);
  out += '}';
}

// A request as it arrives, and what of it must outlive the reading.
struct ArrivedRequest {
  explicit ArrivedRequest(const element& json) : method(text_of(json, "method")), path(text_of(json, "path")) {
    query = text_of(json, "query");
    host = text_of(json, "host");
    body = text_of(json, "body");
    if (const std::string bytes = text_of(json, "bytes"); !bytes.empty()) body = from_base64(bytes).value();
    for (const auto& [name, value] : simdjson::dom::object(json["headers"]))
      headers.emplace_back(std::string(name), std::string(std::string_view(value)));
  }
  WireRequest wire() const { return {method, path, query, headers, host, body, nullptr}; }

  std::string method, path, query, host, body;
  Headers headers;
};

// The protocol that the case names by its place in the service's list; the preferred one first.
Protocol protocol_in(const model::Service& service, const element& json) {
  std::int64_t place = 0;
  if (json["protocol"].get(place) != simdjson::SUCCESS) place = 0;
  return service.protocols[static_cast<std::size_t>(place)];
}

void decode_case(const model::Service& service, const ModelFacts* facts, const element& json, std::string& out) {
  const ArrivedRequest arrived(json["request"]);
  const WireRequest request = arrived.wire();
  const Protocol protocol = protocol_in(service, json);
  const Lookup lookup = find_operation(service, protocol, request);
  if (lookup.kind != Lookup::Kind::served) throw std::runtime_error("the request's operation is not found");
  model::Object input(*lookup.operation->input);
  const DecodeReport report = decode(service, *lookup.operation, protocol, request, input.get(), facts);
  out += "{\"params\":";
  write_value(*lookup.operation->input, input.get(), out);
  out += ",\"ignored\":" + std::to_string(report.ignored_members.size()) + "}";
}

// As the front answers: what the request is refused with, if it is.
void answer_case(const model::Service& service, const ModelFacts* facts, const element& json, std::string& out) {
  try {
    decode_case(service, facts, json, out);
  } catch (const AwsError& error) {
    out.clear();
    const std::string method = text_of(json["request"], "method");
    write_reply(encode_error(service, nullptr, service.protocols.front(), error, "request-id", method), out);
  }
}

void encode_case(const model::Service& service, const element& json, std::string& out) {
  const model::Operation* operation = service.find(text_of(json, "operation"));
  if (operation == nullptr) throw std::runtime_error("the operation is not served: run tools/import-models");
  model::Object output(*operation->output);
  ValueReader::read(*operation->output, json["result"], output.get());
  write_reply(encode(service, *operation, protocol_in(service, json), output.get(), "request-id"), out);
}

// A whole event stream: the rest of the output, then its events.
void events_case(const model::Service& service, const ModelFacts* facts, const element& json, std::string& out) {
  const model::Operation* operation = service.find(text_of(json, "operation"));
  if (operation == nullptr) throw std::runtime_error("the operation is not in the model");
  const Protocol protocol = protocol_in(service, json);
  const model::Type& events = *event_stream_of(*operation)->type->element.type;
  model::Object output(*operation->output);
  ValueReader::read(*operation->output, json["result"], output.get());
  std::string body = initial_response(*operation, protocol, output.get());
  for (const element& each : simdjson::dom::array(json["events"])) {
    if (const std::string code = text_of(each, "error"); !code.empty()) {
      body += encode_event_error(events, protocol, AwsError(code, text_of(each, "message")));
      continue;
    }
    model::Object event(events);
    ValueReader::read(events, each, event.get());
    body += encode_event(service, events, protocol, event.get(), facts);
  }
  out += "{\"body\":\"" + to_base64(body) + "\"}";
}

// As a handler gives it: text, or the JSON of a structure on the wire.
std::string error_member(const model::ErrorShape* shape, std::string_view name, const element& value) {
  if (value.is_string()) return std::string(std::string_view(value));
  const Member* member = shape != nullptr ? shape->type->find(name) : nullptr;
  if (member == nullptr || is_scalar(member->type->kind)) return simdjson::minify(value);
  model::Object object(*member->type);
  ValueReader::read(*member->type, value, object.get());
  std::string text;
  encode_json(*member->type, TimestampFormat::unix_seconds, object.get(), text);
  return text;
}

void error_case(const model::Service& service, const element& json, std::string& out) {
  const model::ErrorShape* shape = service.find_error(text_of(json, "code"));
  AwsError error(text_of(json, "code"), text_of(json, "message"), shape != nullptr ? shape->status : 400);
  for (const auto& [name, value] : simdjson::dom::object(json["members"]))
    error.with(std::string(name), error_member(shape, name, value));
  write_reply(encode_error(service, nullptr, service.protocols.front(), error, "request-id", "POST"), out);
}

const model::Service& generated_service(const std::string& id) {
  const model::Service* services[] = {
      &dynamodb::service_model(), &ec2::service_model(),        &ecr::service_model(),
      &ecs::service_model(),      &elbv2::service_model(),      &iam::service_model(),
      &logs::service_model(),     &s3::service_model(),         &sqs::service_model(),
      &sts::service_model(),      &cloudtrail::service_model(), &resourcegroupstaggingapi::service_model()};
  for (const model::Service* service : services)
    if (service->id == id) return *service;
  throw std::runtime_error("no generated service " + id);
}

std::string answer(const std::string& line) {
  std::string out;
  try {
    simdjson::dom::parser parser;
    const element json = parser.parse(line.data(), line.size());
    const std::string id = text_of(json, "service");
    const std::string what = text_of(json, "do");
    element model;
    std::unique_ptr<DynamicModel> loaded;
    if (json["model"].get(model) == simdjson::SUCCESS) loaded = load_model(simdjson::minify(model), id);
    const model::Service& service = loaded ? loaded->service() : generated_service(id);
    const ModelFacts* facts = loaded ? &loaded->facts() : nullptr;
    if (what == "decode") decode_case(service, facts, json, out);
    if (what == "answer") answer_case(service, facts, json, out);
    if (what == "encode") encode_case(service, json, out);
    if (what == "error") error_case(service, json, out);
    if (what == "events") events_case(service, facts, json, out);
  } catch (const AwsError& error) {
    out = "{\"failure\":";
    append_json_string(error.code + ": " + error.message, out);
    out += '}';
  } catch (const std::exception& error) {
    out = "{\"failure\":";
    append_json_string(error.what(), out);
    out += '}';
  }
  return out;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line) << std::endl;
}
