// Validation as Smithy's servers do it: every violation at a JSON pointer, in the message and in the list of fields of
// smithy.framework#ValidationException. AWS's newer services are such servers; their ValidationException has a member
// fieldList, and this is used for them alone.
#include <algorithm>
#include <set>

#include "core/json_text.h"
#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/validate.h"

namespace brume::protocols {
namespace {

struct Field {
  std::string path, message;
};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// "between 2 and 8, inclusive"
std::string bounds(const model::Constraints& limits) {
  if (limits.has_min && limits.has_max)
    return "between " + format_number(limits.min) + " and " + format_number(limits.max) + ", inclusive";
  return limits.has_min ? "greater than or equal to " + format_number(limits.min)
                        : "less than or equal to " + format_number(limits.max);
}

bool outside(double value, const model::Constraints& limits) {
  return (limits.has_min && value < limits.min) || (limits.has_max && value > limits.max);
}

class FieldValidator {
 public:
  FieldValidator(const Decoding& decoding, std::vector<Field>& out) : decoding_(decoding), out_(out) {}

  void members(const Type& type, const void* object, const std::string& path) {
    for (const Member& member : type.members) {
      if (out_.size() >= kMostFields) return;
      const std::string at = path + "/" + std::string(member.name);
      if (const void* value = member.get(object))
        any(*member.type, value, at);
      else if (member.required && !member.idempotency_token)
        add("Value", at, "Member must not be null");
    }
  }

 private:
  static constexpr std::size_t kMostFields = 20;

  void add(std::string_view subject, const std::string& path, const std::string& constraint) {
    out_.push_back({path, std::string(subject) + " at '" + path + "' failed to satisfy constraint: " + constraint});
  }

  void sized(std::size_t size, const model::Constraints& limits, const std::string& path) {
    if (outside(static_cast<double>(size), limits))
      add("Value with length " + std::to_string(size), path, "Member must have length " + bounds(limits));
  }

  void number(double value, const model::Constraints& limits, const std::string& path) {
    if (outside(value, limits)) add("Value", path, "Member must be " + bounds(limits));
  }

  void string(const std::string& text, const model::Constraints& limits, const std::string& path) {
    if (!limits.values.empty() && std::ranges::find(limits.values, std::string_view(text)) == limits.values.end()) {
      const std::vector<std::string> names(limits.values.begin(), limits.values.end());
      add("Value", path, "Member must satisfy enum value set: [" + join(names, ", ") + "]");
    }
    sized(characters(text), limits, path);
    if (!limits.pattern.empty() && !contains_pattern(limits.pattern, text))
      add("Value", path, "Member must satisfy regular expression pattern: " + std::string(limits.pattern));
  }

  void any(const Type& type, const void* value, const std::string& path) {
    if (type.kind == Kind::structure) return members(type, value, path);
    if (type.kind == Kind::list) return list(type, value, path);
    if (type.kind == Kind::map) return map(type, value, path);
    if (type.constraints == nullptr) return;
    const model::Constraints& limits = *type.constraints;
    if (type.kind == Kind::string) string(*static_cast<const std::string*>(value), limits, path);
    if (type.kind == Kind::blob) sized(static_cast<const std::string*>(value)->size(), limits, path);
    if (type.kind == Kind::integer) number(static_cast<double>(*static_cast<const std::int64_t*>(value)), limits, path);
    if (type.kind == Kind::number) number(*static_cast<const double*>(value), limits, path);
  }

  void list(const Type& type, const void* value, const std::string& path) {
    const std::size_t size = type.ops->size(value);
    if (type.constraints != nullptr) sized(size, *type.constraints, path);
    if (decoding_.facts_of(type).unique && repeats(type, value)) add("Value", path, "Member must have unique values");
    for (std::size_t i = 0; i < size && out_.size() < kMostFields; ++i)
      any(*type.element.type, type.ops->at(value, i), path + "/" + std::to_string(i));
  }

  static bool repeats(const Type& type, const void* list) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < type.ops->size(list); ++i) {
      std::string text;
      encode_json(*type.element.type, TimestampFormat::unix_seconds, type.ops->at(list, i), text);
      if (!seen.insert(std::move(text)).second) return true;
    }
    return false;
  }

  void map(const Type& type, const void* value, const std::string& path) {
    if (type.constraints != nullptr) sized(type.ops->size(value), *type.constraints, path);
    struct Context {
      FieldValidator& validator;
      const Type& type;
      const std::string& path;
    } context{*this, type, path};
    // A key is reported at its map.
    type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      auto& [self, map_type, at] = *static_cast<Context*>(pointer);
      self.any(*map_type.key.type, &key, at);
      self.any(*map_type.element.type, each, at + "/" + key);
    });
  }

  const Decoding& decoding_;
  std::vector<Field>& out_;
};

std::string fields_json(const std::vector<Field>& fields) {
  std::string text = "[";
  for (const Field& field : fields) {
    if (text.size() > 1) text += ',';
    JsonObject out(text);
    out.text("path", field.path);
    out.text("message", field.message);
    out.end();
  }
  return text + "]";
}

}  // namespace

bool lists_fields(const model::Service& service) {
  for (const model::ErrorShape& error : service.errors)
    if (error.name == "ValidationException") return error.type->find("fieldList") != nullptr;
  return false;
}

void validate_fields(const Decoding& decoding, const void* input) {
  std::vector<Field> fields;
  FieldValidator(decoding, fields).members(*decoding.operation.input, input, "");
  if (fields.empty()) return;
  std::vector<std::string> messages;
  for (const Field& field : fields) messages.push_back(field.message);
  const std::string count = std::to_string(fields.size());
  throw AwsError("ValidationException", count + (fields.size() == 1 ? " validation error" : " validation errors") +
                                            " detected. " + join(messages, "; "))
      .with("fieldList", fields_json(fields));
}

}  // namespace brume::protocols
