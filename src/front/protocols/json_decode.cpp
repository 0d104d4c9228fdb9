#include <simdjson.h>

#include <cmath>

#include "core/text.h"
#include "front/protocols/codec.h"

namespace brume::protocols {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// What AWS's JSON services call the kinds of JSON values in their SerializationException.
std::string_view kind_name(const element& json) {
  switch (json.type()) {
    case element_type::ARRAY:
      return "Start of list";
    case element_type::OBJECT:
      return "Start of structure or map";
    case element_type::STRING:
      return "STRING_VALUE";
    case element_type::BOOL:
      return json.get_bool().value_unsafe() ? "TRUE_VALUE" : "FALSE_VALUE";
    case element_type::INT64:
    case element_type::UINT64:
      return "NUMBER_VALUE";
    case element_type::DOUBLE:
      return "DECIMAL_VALUE";
    case element_type::NULL_VALUE:
      return "NULL_VALUE";
  }
  return "VALUE";
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::string:
      return "String";
    case Kind::integer:
      return "Integer";
    case Kind::number:
      return "Double";
    case Kind::boolean:
      return "Boolean";
    case Kind::timestamp:
      return "Timestamp";
    case Kind::blob:
    case Kind::stream:
      return "Blob";
    case Kind::document:
      return "Document";
    case Kind::structure:
    case Kind::map:
    case Kind::list:
      break;
  }
  return "Structure";
}

class JsonDecoder {
 public:
  explicit JsonDecoder(Decoding& decoding) : decoding_(decoding) {}

  void any(const Member* member, const Type& type, const element& json, void* value) {
    switch (type.kind) {
      case Kind::structure:
        return structure(type, json, value);
      case Kind::list:
        return list(member, type, json, value);
      case Kind::map:
        return map(member, type, json, value);
      default:
        return scalar(member, type, json, value);
    }
  }

 private:
  [[noreturn]] void refuse(const Type& type, const element& json) const {
    const bool container = json.is_array() || json.is_object();
    const std::string kind(kind_name(json));
    if (container) throw malformed(decoding_.protocol, decoding_.service, kind + " found where not expected");
    const std::string wanted(type_name(type.kind));
    // DynamoDB has a newer parser with words of its own.
    const bool dynamodb = decoding_.service.id == "dynamodb";
    const std::string article = type.kind == Kind::integer ? "an " : "a ";
    throw malformed(decoding_.protocol, decoding_.service,
                    kind + (dynamodb ? " cannot be converted to " : " can not be converted to " + article) + wanted);
  }

  static const Member* find_member(const Type& type, std::string_view key, std::size_t& hint) {
    // Clients send members in the model's order: the next one is usually the one wanted.
    const std::size_t size = type.members.size();
    for (std::size_t step = 0; step < size; ++step) {
      const std::size_t index = (hint + step) % size;
      const Member& member = type.members[index];
      if (member.wire_name() == key && member.location == model::Location::body) {
        hint = index + 1;
        return &member;
      }
    }
    return nullptr;
  }

  void structure(const Type& type, const element& json, void* object) {
    if (!json.is_object()) refuse(type, json);
    if (type.is_union && decoding_.exact()) only_member(type, json);
    std::size_t hint = 0;
    for (const auto& [key, child] : simdjson::dom::object(json)) {
      const Member* member = find_member(type, key, hint);
      if (member == nullptr) {
        if (key != "__type") decoding_.ignore(key);
      } else if (!child.is_null()) {
        any(member, *member->type, child, member->emplace(object));
      }
    }
  }

  // A union has one member, known and not null.
  void only_member(const Type& type, const element& json) {
    std::size_t present = 0;
    for (const auto& [key, child] : simdjson::dom::object(json)) {
      std::size_t hint = 0;
      if (key == "__type") continue;
      if (find_member(type, key, hint) == nullptr) present += 2;
      if (!child.is_null()) ++present;
    }
    if (present != 1) throw malformed(decoding_.protocol, decoding_.service, "Union must have exactly one member set.");
  }

  // A null that a list or map cannot hold is left out, or refused.
  bool skips(const Type& type, const element& child) const {
    if (!child.is_null()) return false;
    if (decoding_.exact() && !decoding_.facts_of(type).sparse) refuse(*type.element.type, child);
    return true;
  }

  void list(const Member* member, const Type& type, const element& json, void* value) {
    if (!json.is_array()) refuse(type, json);
    for (const element& child : simdjson::dom::array(json)) {
      if (skips(type, child)) continue;
      any(member, *type.element.type, child, type.ops->append(type, value));
    }
  }

  void map(const Member* member, const Type& type, const element& json, void* value) {
    if (!json.is_object()) refuse(type, json);
    for (const auto& [key, child] : simdjson::dom::object(json)) {
      if (skips(type, child)) continue;
      any(member, *type.element.type, child, type.ops->insert(type, value, std::string(key)));
    }
  }

  void scalar(const Member* member, const Type& type, const element& json, void* value) {
    switch (type.kind) {
      case Kind::string:
        if (!json.is_string()) refuse(type, json);
        static_cast<std::string*>(value)->assign(json.get_string().value_unsafe());
        return;
      case Kind::document:
        *static_cast<std::string*>(value) = simdjson::minify(json);
        return;
      case Kind::integer:
        return integer(type, json, *static_cast<std::int64_t*>(value));
      case Kind::boolean:
        if (!json.is_bool()) refuse(type, json);
        *static_cast<bool*>(value) = json.get_bool().value_unsafe();
        return;
      case Kind::number:
        if (json.is_number()) {
          *static_cast<double*>(value) = json.get_double().value_unsafe();
          return;
        }
        if (decoding_.exact() && !is_special(json)) refuse(type, json);
        break;  // "NaN", "Infinity"
      case Kind::timestamp: {
        const TimestampFormat format = timestamp_format(member, type, TimestampFormat::unix_seconds);
        const bool number = json.is_number();
        if (decoding_.exact() && number != (format == TimestampFormat::unix_seconds)) refuse(type, json);
        if (number) return seconds(type, json, *static_cast<Time*>(value));
        break;
      }
      default:
        break;
    }
    // Blobs, special numbers and timestamps as text.
    const TimestampFormat format = timestamp_format(member, type, TimestampFormat::unix_seconds);
    if (!json.is_string() || !decoding_.read(type, format, json.get_string().value_unsafe(), value)) refuse(type, json);
  }

  static bool is_special(const element& json) {
    std::string_view text;
    return json.get(text) == simdjson::SUCCESS && (text == "NaN" || text == "Infinity" || text == "-Infinity");
  }

  void integer(const Type& type, const element& json, std::int64_t& out) {
    if (json.is_int64()) {
      out = json.get_int64().value_unsafe();
      if (!decoding_.fits(type, out)) refuse(type, json);
      return;
    }
    // 5.0 is an integer to AWS's services, 5.5 is not.
    if (!json.is_double()) refuse(type, json);
    const double number = json.get_double().value_unsafe();
    if (number != std::trunc(number) || !(std::abs(number) < 9.2e18)) refuse(type, json);
    out = static_cast<std::int64_t>(number);
    if (!decoding_.fits(type, out)) refuse(type, json);
  }

  void seconds(const Type& type, const element& json, Time& out) {
    if (!read_seconds(json.get_double().value_unsafe(), out)) refuse(type, json);
  }

  Decoding& decoding_;
};

}  // namespace

void decode_json(Decoding& decoding, const Type& type, std::string_view text, void* value) {
  if (text.size() > kLargestDocument)
    throw AwsError("RequestEntityTooLargeException", "The request is too large.", 413);
  simdjson::dom::parser parser;
  element root;
  auto problem = parser.allocate(text.size(), kDeepestDocument);
  if (problem == simdjson::SUCCESS) problem = parser.parse(text.data(), text.size()).get(root);
  if (problem == simdjson::DEPTH_ERROR)
    throw malformed(decoding.protocol, decoding.service, "The request is nested too deeply.");
  if (problem != simdjson::SUCCESS)
    throw malformed(decoding.protocol, decoding.service, "The request's JSON cannot be read.");
  JsonDecoder(decoding).any(nullptr, type, root, value);
}

void decode_own_json(const model::Service& service, const Type& type, std::string_view text, void* value) {
  const model::Operation none;
  const WireRequest nothing;
  Decoding decoding{service, none, Protocol::json, nothing, nullptr, {}};
  decode_json(decoding, type, text, value);
}

}  // namespace brume::protocols
