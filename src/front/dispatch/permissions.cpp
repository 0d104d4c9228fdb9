#include "front/dispatch/permissions.h"

#include <optional>
#include <utility>

#include "core/scope.h"
#include "front/dispatch/condition_keys.h"

namespace brume::front {
namespace {

// One "{member=default|alternative}" of a template.
struct Placeholder {
  std::string_view path;
  std::optional<std::string_view> fallback;
  std::string_view alternative;  // empty: the value as it is
};

Placeholder read_placeholder(std::string_view inside) {
  Placeholder placeholder;
  const std::size_t bar = inside.find('|');
  if (bar != std::string_view::npos) placeholder.alternative = inside.substr(bar + 1);
  inside = inside.substr(0, bar);
  const std::size_t equals = inside.find('=');
  if (equals != std::string_view::npos) placeholder.fallback = inside.substr(equals + 1);
  placeholder.path = inside.substr(0, equals);
  return placeholder;
}

// The end of the placeholder whose '{' is at `open`: alternatives have placeholders of their own.
std::size_t closing_brace(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// A member that may be given as a name or as an ARN. Inside a longer ARN only the name can stand.
std::string_view name_of_arn(std::string_view value) {
  const std::size_t slash = value.rfind('/');
  return value.substr((slash != std::string_view::npos ? slash : value.rfind(':')) + 1);
}

std::optional<std::string> scope_value(std::string_view name, const Scope& scope) {
  if (name == "partition") return std::string(partition_of(scope.region));
  if (name == "region") return scope.region;
  if (name == "account") return scope.account;
  return std::nullopt;
}

std::string replace_percent(std::string_view alternative, std::string_view value, const Scope& scope) {
  std::string text;
  for (std::size_t i = 0; i < alternative.size(); ++i) {
    if (alternative[i] == '%') {
      text += value;
    } else if (alternative[i] == '{') {
      const std::size_t end = closing_brace(alternative, i);
      text += scope_value(alternative.substr(i + 1, end - i - 1), scope).value_or("*");
      i = end;
    } else {
      text += alternative[i];
    }
  }
  return text;
}

// `embedded`: something stands before the placeholder.
std::vector<std::string> values_of(const Placeholder& placeholder, bool embedded, const model::Type& type,
                                   const void* input, const Scope& scope) {
  if (auto value = scope_value(placeholder.path, scope)) return {*std::move(value)};
  std::vector<std::string> values = model::strings_at(type, input, placeholder.path);
  const bool over_list = placeholder.path.find("[]") != std::string_view::npos;
  if (values.empty() && placeholder.fallback) values.emplace_back(*placeholder.fallback);
  if (values.empty() && !over_list) return {"*"};
  for (std::string& value : values) {
    // What is only a name stays whole: an object's key may be "arn:x/y", and is not the object "y".
    if (placeholder.alternative.empty()) continue;
    if (!value.starts_with("arn:"))
      value = replace_percent(placeholder.alternative, value, scope);
    else if (embedded)
      value = std::string(name_of_arn(value));
  }
  return values;
}

}  // namespace

std::vector<std::string> fill_template(std::string_view text, const model::Type& type, const void* input,
                                       const Scope& scope) {
  std::vector<std::string> filled = {""};
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    for (std::string& resource : filled) resource += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = closing_brace(text, open);
    if (close == std::string_view::npos) break;  // the code generator has refused such a template
    const bool embedded = !filled.empty() && !filled.front().empty();
    const std::vector<std::string> values =
        values_of(read_placeholder(text.substr(open + 1, close - open - 1)), embedded, type, input, scope);
    std::vector<std::string> product;
    for (const std::string& resource : filled)
      for (const std::string& value : values) product.push_back(resource + value);
    filled = std::move(product);
    text.remove_prefix(close + 1);
  }
  return filled;
}

std::vector<Ask> asks_of(const model::Operation& operation, const void* input, const Scope& scope) {
  std::vector<Ask> asks;
  if (operation.unchecked || operation.is_public) return asks;
  const ConditionKeys of_tags = tag_keys(*operation.input, input);
  const auto ask = [&](std::string_view action, std::string resource) {
    ConditionKeys keys = of_tags;
    keys.merge(listing_keys(action, *operation.input, input));
    asks.push_back({.action = std::string(action), .resource = std::move(resource), .keys = std::move(keys)});
  };
  for (const model::Permission& permission : operation.permissions)
    for (std::string& resource : fill_template(permission.resource, *operation.input, input, scope))
      ask(permission.action, std::move(resource));
  // A request that names nothing must not pass for lack of something to ask.
  if (asks.empty() && !operation.permissions.empty()) ask(operation.permissions.front().action, "*");
  return asks;
}

}  // namespace brume::front
