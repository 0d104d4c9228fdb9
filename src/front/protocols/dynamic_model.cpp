#include "front/protocols/dynamic_model.h"

#include <simdjson.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "front/protocols/dynamic_object.h"

namespace brume::protocols {
namespace {

using model::ErrorShape;
using model::Kind;
using model::Location;
using model::Member;
using model::Operation;
using model::Protocol;
using model::TimestampFormat;
using model::Type;
using simdjson::dom::element;

template <class Value>
Value named(std::string_view name, std::initializer_list<std::pair<std::string_view, Value>> values) {
  for (const auto& [each, value] : values)
    if (each == name) return value;
  throw std::runtime_error("the model has an unknown word: " + std::string(name));
}

Kind kind_named(std::string_view name) {
  return named<Kind>(name, {{"string", Kind::string},
                            {"character", Kind::string},
                            {"integer", Kind::integer},
                            {"byte", Kind::integer},
                            {"short", Kind::integer},
                            {"long", Kind::integer},
                            {"biginteger", Kind::integer},
                            {"float", Kind::number},
                            {"double", Kind::number},
                            {"bigdecimal", Kind::number},
                            {"boolean", Kind::boolean},
                            {"timestamp", Kind::timestamp},
                            {"blob", Kind::blob},
                            {"structure", Kind::structure},
                            {"list", Kind::list},
                            {"map", Kind::map}});
}

std::uint8_t bits_of(std::string_view type) {
  if (type == "byte") return 8;
  if (type == "short") return 16;
  return type == "integer" ? 32 : 64;
}

Location location_named(std::string_view name) {
  return named<Location>(name, {{"", Location::body},
                                {"header", Location::header},
                                {"headers", Location::headers},
                                {"querystring", Location::query},
                                {"uri", Location::uri},
                                {"statusCode", Location::status_code}});
}

TimestampFormat format_named(std::string_view name) {
  return named<TimestampFormat>(name, {{"", TimestampFormat::unspecified},
                                       {"iso8601", TimestampFormat::iso8601},
                                       {"unixTimestamp", TimestampFormat::unix_seconds},
                                       {"rfc822", TimestampFormat::http_date}});
}

Protocol protocol_named(std::string_view name) {
  return named<Protocol>(name, {{"query", Protocol::query},
                                {"ec2", Protocol::ec2},
                                {"json", Protocol::json},
                                {"rest-json", Protocol::rest_json},
                                {"rest-xml", Protocol::rest_xml},
                                {"smithy-rpc-v2-cbor", Protocol::rpc_v2_cbor}});
}

bool flag(const element& json, std::string_view key) {
  bool value = false;
  return json[key].get(value) == simdjson::SUCCESS && value;
}

class Loaded final : public DynamicModel, private ModelFacts {
 public:
  Loaded(std::string_view text, std::string_view id) {
    const element document = parser_.parse(text.data(), text.size());
    if (document["shapes"].get(shapes_) != simdjson::SUCCESS) throw std::runtime_error("the model has no shapes");
    service_.id = keep(id);
    metadata(document["metadata"]);
    empty_.ops = &dynamic_ops(Kind::structure);
    stream_.kind = Kind::stream;
    stream_.ops = &dynamic_ops(Kind::stream);
    load_errors();
    simdjson::dom::object operations;
    if (document["operations"].get(operations) == simdjson::SUCCESS)
      for (const auto& [name, json] : operations) operation(name, json);
    std::ranges::sort(operations_, {}, &Operation::name);
    for (std::size_t i = 0; i < operations_.size(); ++i) operations_[i].index = static_cast<std::uint16_t>(i);
    service_.operations = operations_;
  }

  const model::Service& service() const override { return service_; }
  const ModelFacts& facts() const override { return *this; }

 private:
  const TypeFacts& of(const Type& type) const override {
    static const TypeFacts none;
    const auto found = facts_.find(&type);
    return found == facts_.end() ? none : found->second;
  }

  std::string_view keep(std::string_view text) { return strings_.emplace_back(text); }

  std::string_view text(const element& json, std::string_view key) {
    std::string_view value;
    return json[key].get(value) == simdjson::SUCCESS ? keep(value) : std::string_view();
  }

  void metadata(const element& json) {
    service_.name = text(json, "serviceId");
    service_.endpoint_prefix = text(json, "endpointPrefix");
    service_.signing_name = text(json, "signingName");
    if (service_.signing_name.empty()) service_.signing_name = service_.endpoint_prefix;
    service_.api_version = text(json, "apiVersion");
    service_.xml_namespace = text(json, "xmlNamespace");
    service_.target_prefix = text(json, "targetPrefix");
    service_.json_version = text(json, "jsonVersion");
    element ignored;
    service_.query_compatible = json["awsQueryCompatible"].get(ignored) == simdjson::SUCCESS;
    simdjson::dom::array protocols;
    if (json["protocols"].get(protocols) == simdjson::SUCCESS)
      for (const element& each : protocols) protocols_.push_back(protocol_named(std::string_view(each)));
    else
      protocols_.push_back(protocol_named(text(json, "protocol")));
    service_.protocols = protocols_;
  }

  // xmlNamespace is either the URI or an object of the URI and a prefix.
  std::pair<std::string_view, std::string_view> name_space(const element& json) {
    element value;
    if (json["xmlNamespace"].get(value) != simdjson::SUCCESS) return {};
    if (value.is_object()) return {text(value, "uri"), text(value, "prefix")};
    return {keep(std::string_view(value)), {}};
  }

  const Type* type(std::string_view name) {
    const auto found = types_.find(name);
    if (found != types_.end()) return found->second;
    element json;
    if (shapes_[name].get(json) != simdjson::SUCCESS)
      throw std::runtime_error("the model lacks the shape " + std::string(name));
    // Entered before its members are read, for shapes that hold themselves.
    Type& made = all_types_.emplace_back();
    made.name = keep(name);
    types_.emplace(made.name, &made);
    fill(made, json);
    return &made;
  }

  void fill(Type& made, const element& json) {
    made.kind = flag(json, "document") ? Kind::document : kind_named(text(json, "type"));
    made.ops = &dynamic_ops(made.kind);
    made.flattened = flag(json, "flattened");
    made.is_union = flag(json, "union");
    facts_[&made] = {.bits = bits_of(text(json, "type")),
                     .sparse = flag(json, "sparse"),
                     .unique = flag(json, "uniqueItems"),
                     .media_type = std::string(text(json, "mediaType"))};
    made.event_stream = flag(json, "eventstream");
    made.sensitive = flag(json, "sensitive");
    made.timestamp_format = format_named(text(json, "timestampFormat"));
    made.location_name = text(json, "locationName");
    std::tie(made.xml_namespace, made.xml_prefix) = name_space(json);
    constraints(made, json);
    if (made.kind == Kind::structure) members(made, json);
    if (made.kind == Kind::list) made.element = element_of(json["member"]);
    if (made.kind == Kind::map) {
      made.key = element_of(json["key"]);
      made.element = element_of(json["value"]);
    }
  }

  model::Element element_of(const element& json) {
    model::Element out;
    out.type = type(std::string_view(json["shape"]));
    out.location_name = text(json, "locationName");
    std::tie(out.xml_namespace, out.xml_prefix) = name_space(json);
    return out;
  }

  void constraints(Type& made, const element& json) {
    model::Constraints limits;
    limits.has_min = json["min"].get(limits.min) == simdjson::SUCCESS;
    limits.has_max = json["max"].get(limits.max) == simdjson::SUCCESS;
    limits.pattern = text(json, "pattern");
    simdjson::dom::array values;
    if (json["enum"].get(values) == simdjson::SUCCESS) {
      auto& kept = values_.emplace_back();
      for (const element& each : values) kept.push_back(keep(std::string_view(each)));
      limits.values = kept;
    }
    if (limits.has_min || limits.has_max || !limits.pattern.empty() || !limits.values.empty())
      made.constraints = &constraints_.emplace_back(limits);
  }

  void members(Type& made, const element& json) {
    std::vector<Member>& list = members_.emplace_back();
    const std::string_view payload = text(json, "payload");
    simdjson::dom::object members;
    if (json["members"].get(members) != simdjson::SUCCESS) return;
    for (const auto& [name, each] : members) {
      if (name == payload || flag(each, "eventpayload")) made.payload = static_cast<std::int16_t>(list.size());
      list.push_back(member(name, each, list.size()));
    }
    simdjson::dom::array required;
    if (json["required"].get(required) == simdjson::SUCCESS)
      for (const element& each : required)
        for (Member& member : list)
          if (member.name == std::string_view(each)) member.required = true;
    made.members = list;
  }

  Member member(std::string_view name, const element& json, std::size_t index) {
    Member out;
    out.name = keep(name);
    out.type = type(std::string_view(json["shape"]));
    const element shape = shapes_[std::string_view(json["shape"])];
    if (out.type->kind == Kind::blob && (flag(json, "streaming") || flag(shape, "streaming"))) out.type = &stream_;
    if (out.type->event_stream) out.type = &event_stream(*out.type);
    out.slot = &dynamic_slot();
    out.offset = static_cast<std::uint32_t>(index * kDynamicSlotSize);
    out.location = flag(json, "eventheader") ? Location::header : location_named(text(json, "location"));
    out.timestamp_format = format_named(text(json, "timestampFormat"));
    out.flattened = flag(json, "flattened") || out.type->flattened;
    out.xml_attribute = flag(json, "xmlAttribute");
    out.idempotency_token = flag(json, "idempotencyToken");
    out.host_label = flag(json, "hostLabel");
    out.json_value = flag(json, "jsonvalue") || flag(shape, "jsonvalue");
    out.sensitive = flag(json, "sensitive") || out.type->sensitive;
    out.location_name = text(json, "locationName");
    out.query_name = text(json, "queryName");
    std::tie(out.xml_namespace, out.xml_prefix) = name_space(json);
    return out;
  }

  // The Body of an answer whose events are of this union.
  const Type& event_stream(const Type& events) {
    Type& made = all_types_.emplace_back();
    made.kind = Kind::stream;
    made.name = events.name;
    made.ops = &dynamic_ops(Kind::stream);
    made.element.type = &events;
    made.event_stream = true;
    return made;
  }

  void load_errors() {
    bool by_shape = false;
    for (const Protocol protocol : protocols_)
      by_shape |= protocol != Protocol::query && protocol != Protocol::ec2 && protocol != Protocol::rest_xml;
    for (const auto& [name, json] : shapes_) {
      if (!flag(json, "exception")) continue;
      ErrorShape error;
      error.name = error.code = keep(name);
      error.sender_fault = !flag(json, "fault");
      error.status = error.sender_fault ? 400 : 500;
      error.type = type(name);
      element details;
      if (json["error"].get(details) == simdjson::SUCCESS) {
        const std::string_view code = text(details, "code");
        if (!code.empty()) (by_shape ? error.query_code : error.code) = code;
        std::int64_t status = 0;
        if (details["httpStatusCode"].get(status) == simdjson::SUCCESS) error.status = static_cast<int>(status);
      }
      errors_.push_back(error);
    }
    service_.errors = errors_;
  }

  const Type* root(const element& json, std::string_view role, bool& has) {
    element reference;
    has = json[role].get(reference) == simdjson::SUCCESS;
    return has ? type(std::string_view(reference["shape"])) : &empty_;
  }

  void operation(std::string_view name, const element& json) {
    Operation& out = operations_.emplace_back();
    out.name = keep(name);
    const element http = json["http"];
    out.method = text(http, "method");
    out.uri = text(http, "requestUri");
    std::int64_t status = 0;
    if (http["responseCode"].get(status) == simdjson::SUCCESS) out.status = static_cast<int>(status);
    bool has_input = false;
    bool has_output = false;
    out.input = root(json, "input", has_input);
    out.output = root(json, "output", has_output);
    out.has_output = has_output;
    if (has_input) {
      out.input_root = text(json["input"], "locationName");
      out.input_namespace = name_space(json["input"]).first;
    }
    if (has_output) out.result_wrapper = text(json["output"], "resultWrapper");
    element endpoint;
    if (json["endpoint"].get(endpoint) == simdjson::SUCCESS) out.host_prefix = text(endpoint, "hostPrefix");
    const auto streams = [](const Type& of) {
      return of.payload >= 0 && of.members[static_cast<std::size_t>(of.payload)].type->kind == Kind::stream;
    };
    out.streaming_input = streams(*out.input);
    out.streaming_output = streams(*out.output);
  }

  simdjson::dom::parser parser_;
  simdjson::dom::object shapes_;
  // Deques: what points into them stays valid.
  std::deque<std::string> strings_;
  std::deque<Type> all_types_;
  std::map<std::string_view, const Type*> types_;
  std::map<const Type*, TypeFacts> facts_;
  std::deque<std::vector<Member>> members_;
  std::deque<model::Constraints> constraints_;
  std::deque<std::vector<std::string_view>> values_;
  std::vector<Protocol> protocols_;
  std::vector<ErrorShape> errors_;
  std::vector<Operation> operations_;
  Type empty_, stream_;
  model::Service service_;
};

}  // namespace

std::unique_ptr<DynamicModel> load_model(std::string_view json, std::string_view id) {
  try {
    return std::make_unique<Loaded>(json, id);
  } catch (const simdjson::simdjson_error& error) {
    throw std::runtime_error(std::string("the model cannot be read: ") + error.what());
  }
}

}  // namespace brume::protocols
