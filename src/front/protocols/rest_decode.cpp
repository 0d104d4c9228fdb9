#include <algorithm>

#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/form.h"
#include "front/protocols/uri_pattern.h"
#include "front/protocols/utf8.h"

namespace brume::protocols {
namespace {

using model::Location;

// Splits the value of a list in a header: at commas, with double quotes around elements that hold some.
std::vector<std::string> split_header(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    text = trim(text);
    std::string part;
    if (text.starts_with('"')) {
      std::size_t i = 1;
      for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        part += text[i];
      }
      text.remove_prefix(std::min(text.size(), i + 1));
      const std::size_t comma = text.find(',');
      text = comma == std::string_view::npos ? std::string_view() : text.substr(comma);
    } else {
      const std::size_t comma = std::min(text.find(','), text.size());
      part = trim(text.substr(0, comma));
      text.remove_prefix(comma);
    }
    parts.push_back(std::move(part));
    if (text.empty()) return parts;
    text.remove_prefix(1);
  }
}

// An HTTP date holds a comma of its own.
std::vector<std::string> split_dates(std::string_view text) {
  std::vector<std::string> dates;
  const auto parts = split(text, ',');
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    std::string date(trim(parts[i]));
    if (i + 1 < parts.size()) date += ", " + std::string(trim(parts[i + 1]));
    dates.push_back(std::move(date));
  }
  return dates;
}

class RestDecoder {
 public:
  RestDecoder(Decoding& decoding, void* input) : decoding_(decoding), type_(*decoding.operation.input), input_(input) {}

  void run() {
    labels();
    if (decoding_.request.query.size() > 0) query();
    for (const Member& member : type_.members) {
      if (member.location == Location::header) header(member);
      if (member.location == Location::headers) prefixed_headers(member);
    }
    if (type_.payload >= 0)
      payload(type_.members[static_cast<std::size_t>(type_.payload)]);
    else
      body();
  }

 private:
  const Member* at(Location location, std::string_view name) const {
    for (const Member& member : type_.members)
      if (member.location == location && member.wire_name() == name) return &member;
    return nullptr;
  }

  void text(const Member& member, const Type& type, TimestampFormat otherwise, std::string_view value, void* out) {
    if (!decoding_.read(type, timestamp_format(&member, type, otherwise), value, out))
      throw unreadable_value(decoding_, member, member.wire_name(), value);
  }

  [[noreturn]] void refuse_uri() const {
    if (is_s3(decoding_.service)) throw AwsError("InvalidURI", "Couldn't parse the specified URI.");
    throw malformed(decoding_.protocol, decoding_.service, "The request's URI cannot be read.");
  }

  void labels() {
    Labels labels;
    match_path(decoding_.operation.uri, decoding_.request.path, &labels);
    for (const auto& [name, raw] : labels) {
      const Member* member = at(Location::uri, name);
      if (member == nullptr) continue;
      const auto value = percent_decode(raw);
      if (value && !is_utf8(*value)) refuse_uri();
      if (!value) throw unreadable_value(decoding_, *member, name, raw);
      text(*member, *member->type, TimestampFormat::iso8601, *value, member->emplace(input_));
    }
  }

  void query() {
    const auto parameters = parse_form(decoding_.request.query);
    if (!parameters) refuse_uri();
    const Member* all = nullptr;  // a map of all parameters, those with a member of their own included
    for (const Member& member : type_.members)
      if (member.location == Location::query && member.type->kind == Kind::map) all = &member;
    for (const auto& [name, value] : *parameters) {
      const Member* member = at(Location::query, name);
      if (member != nullptr && member != all) parameter(*member, value);
      if (all != nullptr) map_parameter(*all, name, value);
      if (member == nullptr && all == nullptr && !is_expected(name)) decoding_.ignore(name);
    }
  }

  // The parameters of the URI's pattern itself, of presigned requests, and the one that SDKs send for logs.
  bool is_expected(const std::string& name) const {
    const std::string_view uri = decoding_.operation.uri;
    const std::size_t mark = uri.find('?');
    for (const std::string_view part :
         split(mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1), '&'))
      if (part.substr(0, part.find('=')) == name) return true;
    return name == "x-id" || to_lower(name).starts_with("x-amz-");
  }

  void parameter(const Member& member, const std::string& value) {
    const Type& type = *member.type;
    if (type.kind == Kind::list) {
      void* list = member.get(input_);
      if (list == nullptr) list = member.emplace(input_);
      text(member, *type.element.type, TimestampFormat::iso8601, value, type.ops->append(type, list));
    } else if (!value.empty() || type.kind == Kind::string) {
      text(member, type, TimestampFormat::iso8601, value, member.emplace(input_));
    }
  }

  void map_parameter(const Member& member, const std::string& name, const std::string& value) {
    const Type& type = *member.type;
    void* map = member.get(input_);
    if (map == nullptr) map = member.emplace(input_);
    const Type& element = *type.element.type;
    if (element.kind != Kind::list)
      return text(member, element, TimestampFormat::iso8601, value, type.ops->insert(type, map, name));
    void* list = find_value(type, map, name);
    if (list == nullptr) list = type.ops->insert(type, map, name);
    text(member, *element.element.type, TimestampFormat::iso8601, value, element.ops->append(element, list));
  }

  static void* find_value(const Type& type, const void* map, const std::string& key) {
    struct Context {
      const std::string& key;
      const void* found = nullptr;
    } context{key};
    type.ops->each(map, &context, [](void* pointer, const std::string& each, const void* value) {
      auto& self = *static_cast<Context*>(pointer);
      if (each == self.key) self.found = value;
    });
    return const_cast<void*>(context.found);
  }

  void header(const Member& member) {
    const std::string_view value = decoding_.request.header(member.wire_name());
    if (value.data() == nullptr) return;
    const Type& type = *member.type;
    if (type.kind == Kind::list) return header_list(member, type, value);
    if (value.empty() && type.kind != Kind::string) return;
    if (member.json_value || type.kind == Kind::document) return header_json(member, value);
    Time date;
    // "Conditional requests" of HTTP: a date that cannot be read is as good as none. S3 holds it so for Expires too.
    if (type.kind == Kind::timestamp && is_s3(decoding_.service) &&
        !parse_timestamp(value, timestamp_format(&member, type, TimestampFormat::http_date), date))
      return;
    text(member, type, TimestampFormat::http_date, value, member.emplace(input_));
  }

  void header_json(const Member& member, std::string_view value) {
    auto json = from_base64(value);
    if (!json) throw unreadable_value(decoding_, member, member.wire_name(), value);
    *static_cast<std::string*>(member.emplace(input_)) = std::move(*json);
  }

  void header_list(const Member& member, const Type& type, std::string_view value) {
    void* list = member.emplace(input_);
    if (trim(value).empty()) return;
    const Type& element = *type.element.type;
    const bool dates = element.kind == Kind::timestamp &&
                       timestamp_format(&member, element, TimestampFormat::http_date) == TimestampFormat::http_date;
    for (const std::string& part : dates ? split_dates(value) : split_header(value))
      text(member, element, TimestampFormat::http_date, part, type.ops->append(type, list));
  }

  void prefixed_headers(const Member& member) {
    const std::string prefix = to_lower(member.location_name);
    const Type& type = *member.type;
    void* map = nullptr;
    for (const auto& [name, value] : decoding_.request.headers) {
      if (!to_lower(name).starts_with(prefix)) continue;
      if (map == nullptr) map = member.emplace(input_);
      // S3 keeps user metadata in lower case ("Working with object metadata"); names of headers have no case.
      std::string key = name.substr(prefix.size());
      if (is_s3(decoding_.service)) key = to_lower(key);
      text(member, *type.element.type, TimestampFormat::http_date, value, type.ops->insert(type, map, std::move(key)));
    }
  }

  void payload(const Member& member) {
    const WireRequest& request = decoding_.request;
    switch (member.type->kind) {
      case Kind::stream: {
        Body& out = *static_cast<Body*>(member.emplace(input_));
        out = request.stream != nullptr ? std::move(*request.stream) : Body::of(std::string(request.body));
        return;
      }
      case Kind::string:
      case Kind::blob:
        if (!request.body.empty()) static_cast<std::string*>(member.emplace(input_))->assign(request.body);
        return;
      default:
        if (!request.body.empty()) document(*member.type, &member, member.emplace(input_));
    }
  }

  void body() {
    const bool has_members =
        std::ranges::any_of(type_.members, [](const Member& member) { return member.location == Location::body; });
    if (has_members && !decoding_.request.body.empty()) document(type_, nullptr, input_);
  }

  void document(const Type& type, const Member* payload, void* value) {
    if (decoding_.protocol == Protocol::rest_json)
      decode_json(decoding_, type, decoding_.request.body, value);
    else
      decode_xml(decoding_, type, payload, decoding_.request.body, value);
  }

  Decoding& decoding_;
  const Type& type_;
  void* input_;
};

}  // namespace

void decode_rest(Decoding& decoding, void* input) {
  if (decoding.protocol == Protocol::rest_json) check_media_types(decoding);
  RestDecoder(decoding, input).run();
}

}  // namespace brume::protocols
