#include "services/cloudtrail/value_json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "core/file_body.h"
#include "core/text.h"
#include "core/time.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using model::Kind;

constexpr std::string_view kHidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
// "CloudTrail truncates fields that are longer": a request may be 20 MB, an event may be 256 KB.
constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostElements = 100;
constexpr int kDeepest = 12;

// Secrets that AWS's models do not mark.
bool is_secret(std::string_view name) {
  constexpr std::string_view kNames[] = {"SecretAccessKey", "SessionToken", "WebIdentityToken", "SAMLAssertion",
                                         "Password",        "OldPassword",  "NewPassword",      "authorizationToken",
                                         "SecretString",    "SecretBinary", "Base32StringSeed", "QRCodePNG"};
  return std::ranges::find(kNames, name) != std::ranges::end(kNames);
}

std::string lower_camel(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

json::value shortened(const std::string& text, const json::storage_ptr& storage) {
  if (text.size() <= kLongestText) return json::value(text, storage);
  std::size_t end = kLongestText;  // not inside of a character
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return json::value(text.substr(0, end) + "...", storage);
}

using Storage = json::storage_ptr;
json::value any(const model::Type& type, const void* value, int depth, const Storage& storage);

json::value structure(const model::Type& type, const void* value, int depth, const Storage& storage) {
  json::object object(storage);
  for (const model::Member& member : type.members) {
    const void* each = member.get(value);
    if (each == nullptr || member.type->kind == Kind::stream) continue;
    const bool secret = member.sensitive || member.type->sensitive || is_secret(member.name);
    object[lower_camel(member.name)] =
        secret ? json::value(kHidden, storage) : any(*member.type, each, depth + 1, storage);
  }
  return object;
}

json::value list(const model::Type& type, const void* value, int depth, const Storage& storage) {
  json::array array(storage);
  const std::size_t size = std::min(type.ops->size(value), kMostElements);
  for (std::size_t i = 0; i < size; ++i)
    array.push_back(type.element.type->sensitive ? json::value(kHidden, storage)
                                                 : any(*type.element.type, type.ops->at(value, i), depth + 1, storage));
  return array;
}

json::value map(const model::Type& type, const void* value, int depth, const Storage& storage) {
  struct Context {
    const model::Type& element;
    int depth;
    const Storage& storage;
    json::object object;
  } context{*type.element.type, depth + 1, storage, json::object(storage)};
  type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
    auto& [element, level, memory, object] = *static_cast<Context*>(pointer);
    if (object.size() < kMostElements)
      object[key] = element.sensitive ? json::value(kHidden, memory) : any(element, each, level, memory);
  });
  return std::move(context.object);
}

json::value any(const model::Type& type, const void* value, int depth, const Storage& storage) {
  if (depth > kDeepest) return "...";
  switch (type.kind) {
    case Kind::structure:
      return structure(type, value, depth, storage);
    case Kind::list:
      return list(type, value, depth, storage);
    case Kind::map:
      return map(type, value, depth, storage);
    case Kind::string:
    case Kind::document:
      return shortened(*static_cast<const std::string*>(value), storage);
    case Kind::blob:
      return shortened(to_base64(static_cast<const std::string*>(value)->substr(0, kLongestText)), storage);
    case Kind::integer:
      return *static_cast<const std::int64_t*>(value);
    case Kind::number: {
      const double number = *static_cast<const double*>(value);
      return std::isfinite(number) ? json::value(number) : json::value(nullptr);
    }
    case Kind::boolean:
      return *static_cast<const bool*>(value);
    case Kind::timestamp:
      return json::value(iso8601(*static_cast<const Time*>(value)), storage);
    case Kind::stream:
      break;
  }
  return nullptr;
}

}  // namespace

json::value to_json(const model::Type& type, const void* value, const json::storage_ptr& storage) {
  json::value made = any(type, value, 0, storage);
  if (made.is_object() && made.get_object().empty()) return nullptr;
  return made;
}

}  // namespace brume::cloudtrail
