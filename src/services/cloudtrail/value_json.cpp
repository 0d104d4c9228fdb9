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
// Secrets that AWS's models do not mark.
bool is_secret_name(std::string_view name) {
  constexpr std::string_view kNames[] = {"SecretAccessKey", "SessionToken", "WebIdentityToken", "SAMLAssertion",
                                         "Password",        "OldPassword",  "NewPassword",      "authorizationToken",
                                         "SecretString",    "SecretBinary", "Base32StringSeed", "QRCodePNG"};
  return std::ranges::find(kNames, name) != std::ranges::end(kNames);
}

// "Mar 1, 2026 12:00:00 PM".
std::string english(Time time, std::string_view after_year) {
  const std::string text = http_date(time);  // "Sun, 01 Mar 2026 12:00:00 GMT"
  const int hour = (text[17] - '0') * 10 + (text[18] - '0');
  const std::string day = text[5] == '0' ? text.substr(6, 1) : text.substr(5, 2);
  return text.substr(8, 3) + " " + day + ", " + text.substr(12, 4) + std::string(after_year) + " " +
         std::to_string(hour % 12 == 0 ? 12 : hour % 12) + text.substr(19, 6) + (hour < 12 ? " AM" : " PM");
}

json::value date(Time time, Dates dates, const json::storage_ptr& storage) {
  switch (dates) {
    case Dates::milliseconds:
      return time.ms;
    case Dates::english:
      return json::value(english(time, ""), storage);
    case Dates::english_with_comma:
      return json::value(english(time, ","), storage);
    case Dates::iso8601:
      break;
  }
  return json::value(iso8601(time), storage);
}

// How all of a value is shown.
struct Shown {
  const json::storage_ptr& storage;
  Dates dates;
};
json::value any(const model::Type& type, const void* value, int depth, const Shown& shown);

json::value structure(const model::Type& type, const void* value, int depth, const Shown& shown) {
  json::object object(shown.storage);
  for (const model::Member& member : type.members) {
    const void* each = member.get(value);
    if (each == nullptr || member.type->kind == Kind::stream) continue;
    object[lower_camel(member.name)] =
        is_secret(member) ? hidden(shown.storage) : any(*member.type, each, depth + 1, shown);
  }
  return object;
}

json::value list(const model::Type& type, const void* value, int depth, const Shown& shown) {
  json::array array(shown.storage);
  const std::size_t size = type.ops->size(value);
  for (std::size_t i = 0; i < size; ++i)
    array.push_back(type.element.type->sensitive ? hidden(shown.storage)
                                                 : any(*type.element.type, type.ops->at(value, i), depth + 1, shown));
  return array;
}

json::value map(const model::Type& type, const void* value, int depth, const Shown& shown) {
  struct Context {
    const model::Type& element;
    int depth;
    const Shown& shown;
    json::object object;
  } context{*type.element.type, depth + 1, shown, json::object(shown.storage)};
  type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
    auto& [element, level, how, object] = *static_cast<Context*>(pointer);
    object[key] = element.sensitive ? hidden(how.storage) : any(element, each, level, how);
  });
  return std::move(context.object);
}

json::value any(const model::Type& type, const void* value, int depth, const Shown& shown) {
  if (depth > kDeepest) return "...";
  switch (type.kind) {
    case Kind::structure:
      return structure(type, value, depth, shown);
    case Kind::list:
      return list(type, value, depth, shown);
    case Kind::map:
      return map(type, value, depth, shown);
    default:
      return scalar_json(type, value, shown.storage, shown.dates);
  }
}

}  // namespace

json::value to_json(const model::Type& type, const void* value, const json::storage_ptr& storage, Dates dates) {
  json::value made = any(type, value, 0, {storage, dates});
  if (made.is_object() && made.get_object().empty()) return nullptr;
  return made;
}

json::value scalar_json(const model::Type& type, const void* value, const json::storage_ptr& storage, Dates dates) {
  switch (type.kind) {
    case Kind::string:
    case Kind::document:
      return json::value(*static_cast<const std::string*>(value), storage);
    case Kind::blob:
      return json::value(to_base64(*static_cast<const std::string*>(value)), storage);
    case Kind::integer:
      return *static_cast<const std::int64_t*>(value);
    case Kind::number: {
      const double number = *static_cast<const double*>(value);
      return std::isfinite(number) ? json::value(number) : json::value(nullptr);
    }
    case Kind::boolean:
      return *static_cast<const bool*>(value);
    case Kind::timestamp:
      return date(*static_cast<const Time*>(value), dates, storage);
    default:
      return nullptr;
  }
}

bool is_secret(const model::Member& member) {
  return member.sensitive || member.type->sensitive || is_secret_name(member.name);
}

json::value hidden(const json::storage_ptr& storage) { return json::value(kHidden, storage); }

std::string lower_camel(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace brume::cloudtrail
