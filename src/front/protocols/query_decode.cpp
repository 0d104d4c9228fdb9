#include <algorithm>

#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/form.h"

namespace brume::protocols {
namespace {

// The protocols "AWS query protocol" and "Amazon EC2 query protocol" of the Smithy specification.
class QueryDecoder {
 public:
  QueryDecoder(Decoding& decoding, Form form)
      : decoding_(decoding), ec2_(decoding.protocol == Protocol::ec2), form_(std::move(form)) {}

  void run(const Type& type, void* input) {
    structure(type, "", input);
    for (const std::string_view name : form_.unused())
      if (!is_common(name)) decoding_.ignore(name);
  }

 private:
  // Parameters that every request may have ("Common Parameters" of each API reference).
  static bool is_common(std::string_view name) {
    constexpr std::string_view names[] = {"Action",           "Version",         "AWSAccessKeyId",
                                          "Signature",        "SignatureMethod", "Timestamp",
                                          "SignatureVersion", "SecurityToken",   "Expires"};
    return std::ranges::find(names, name) != std::end(names) || name.starts_with("X-Amz-");
  }

  std::string name_of(const Member& member) const {
    if (!ec2_) {
      return std::string(names_elements(member) ? member.type->element.location_name : query_name_of(member));
    }
    if (!member.query_name.empty()) return std::string(member.query_name);
    std::string name(member.wire_name());
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return name;
  }

  static std::string below(const std::string& prefix, std::string_view name) {
    return prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
  }

  void structure(const Type& type, const std::string& prefix, void* object) {
    for (const Member& member : type.members) {
      const std::string name = below(prefix, name_of(member));
      if (!form_.has(name)) continue;
      if (is_scalar(member.type->kind)) {
        const std::string* text = form_.find(name);
        // "MaxResults=" is an absent number, but an empty string is a value.
        if (text == nullptr || (text->empty() && member.type->kind != Kind::string)) continue;
        scalar(member, *member.type, name, *text, member.emplace(object));
      } else {
        container(member, *member.type, member.flattened, name, member.emplace(object));
      }
    }
  }

  void scalar(const Member& member, const Type& type, const std::string& name, std::string_view text, void* value) {
    const TimestampFormat format = timestamp_format(&member, type, TimestampFormat::iso8601);
    if (!decoding_.read(type, format, text, value)) throw unreadable_value(decoding_, member, name, text);
  }

  void container(const Member& member, const Type& type, bool flattened, const std::string& name, void* value) {
    if (type.kind == Kind::structure) return structure(type, name, value);
    form_.find(name);  // "Tags=" is an empty list
    if (type.kind == Kind::list) return list(member, type, flattened, name, value);
    map(member, type, flattened, name, value);
  }

  void any(const Member& member, const Type& type, const std::string& name, void* value) {
    if (!is_scalar(type.kind)) return container(member, type, type.flattened, name, value);
    if (const std::string* text = form_.find(name)) scalar(member, type, name, *text, value);
  }

  void list(const Member& member, const Type& type, bool flattened, const std::string& name, void* value) {
    std::string prefix = name;
    if (!ec2_ && !flattened) {
      const std::string_view element = type.element.location_name;
      prefix = below(prefix, element.empty() ? "member" : element);
    }
    for (const std::int64_t index : form_.indices(prefix)) {
      const std::string item = prefix + "." + std::to_string(index);
      // "Values.1.x=" names something below a text: that is no text of this list.
      if (is_scalar(type.element.type->kind) && form_.find(item) == nullptr) continue;
      any(member, *type.element.type, item, type.ops->append(type, value));
    }
  }

  void map(const Member& member, const Type& type, bool flattened, const std::string& name, void* value) {
    const std::string prefix = flattened ? name : below(name, "entry");
    const std::string_view key_name = type.key.location_name.empty() ? "key" : type.key.location_name;
    const std::string_view value_name = type.element.location_name.empty() ? "value" : type.element.location_name;
    for (const std::int64_t index : form_.indices(prefix)) {
      const std::string entry = prefix + "." + std::to_string(index);
      const std::string* key = form_.find(below(entry, key_name));
      if (key == nullptr) throw malformed(decoding_.protocol, decoding_.service, "The entry " + entry + " has no key.");
      if (is_scalar(type.element.type->kind) && form_.find(below(entry, value_name)) == nullptr)
        throw malformed(decoding_.protocol, decoding_.service, "The entry " + entry + " has no value.");
      any(member, *type.element.type, below(entry, value_name), type.ops->insert(type, value, *key));
    }
  }

  Decoding& decoding_;
  bool ec2_;
  Form form_;
};

}  // namespace

void decode_query(Decoding& decoding, void* input) {
  auto parameters = parse_form(decoding.request.query);
  auto more = parse_form(decoding.request.body);
  if (!parameters || !more || parameters->size() + more->size() > kMostParameters)
    throw malformed(decoding.protocol, decoding.service, "The request's parameters cannot be read.");
  std::ranges::move(*more, std::back_inserter(*parameters));
  QueryDecoder(decoding, Form(std::move(*parameters))).run(*decoding.operation.input, input);
}

}  // namespace brume::protocols
