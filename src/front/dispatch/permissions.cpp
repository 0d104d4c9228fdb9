#include "front/dispatch/permissions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "aws/queue_url.h"
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

std::optional<std::string_view> scope_value(std::string_view name, const Scope& scope) {
  if (name == "partition") return partition_of(scope.region);
  if (name == "region") return scope.region;
  if (name == "account") return scope.account;
  return std::nullopt;
}

// What an alternative's own placeholders mean: the scope, or another member ("{cluster=default|%}").
std::string nested_value(std::string_view placeholder, const model::Type& type, const void* input, const Scope& scope) {
  if (auto value = scope_value(placeholder.substr(1, placeholder.size() - 2), scope)) return std::string(*value);
  // Something stands before it, so that of an ARN only the name is taken.
  const std::vector<std::string> values = fill_template("/" + std::string(placeholder), type, input, scope);
  return values.empty() ? "*" : values.front().substr(1);
}

std::string replace_percent(std::string_view alternative, std::string_view value, const model::Type& type,
                            const void* input, const Scope& scope) {
  std::string text;
  for (std::size_t i = 0; i < alternative.size(); ++i) {
    if (alternative[i] == '%') {
      text += value;
    } else if (alternative[i] == '{') {
      const std::size_t end = closing_brace(alternative, i);
      text += nested_value(alternative.substr(i, end - i + 1), type, input, scope);
      i = end;
    } else {
      text += alternative[i];
    }
  }
  return text;
}

// "{@QueueUrl}": the queue that a URL names, as ACCOUNT:NAME.
std::string queue_of(std::string_view path, const model::Type& type, const void* input, const Scope& scope) {
  const std::vector<std::string> urls = model::strings_at(type, input, path);
  const QueueAddress queue = parse_queue_url(urls.empty() ? std::string_view() : std::string_view(urls.front()));
  return (queue.account.empty() ? scope.account : queue.account) + ":" + queue.name;
}

// `embedded`: something stands before the placeholder.
std::vector<std::string> values_of(const Placeholder& placeholder, bool embedded, const model::Type& type,
                                   const void* input, const Scope& scope) {
  if (const auto value = scope_value(placeholder.path, scope)) return {std::string(*value)};
  if (placeholder.path.starts_with('@')) return {queue_of(placeholder.path.substr(1), type, input, scope)};
  std::vector<std::string> values = model::strings_at(type, input, placeholder.path);
  const bool over_list = placeholder.path.find("[]") != std::string_view::npos;
  if (values.empty() && placeholder.fallback) values.emplace_back(*placeholder.fallback);
  if (values.empty() && !over_list) return {"*"};
  for (std::string& value : values) {
    // What is only a name stays whole: an object's key may be "arn:x/y", and is not the object "y".
    if (placeholder.alternative.empty()) continue;
    if (!value.starts_with("arn:"))
      value = replace_percent(placeholder.alternative, value, type, input, scope);
    else if (embedded)
      value = std::string(name_of_arn(value));
  }
  return values;
}

// A line's allow=ACTION?MEMBER@RESOURCE;KEY=VALUE, taken apart. ?!MEMBER: only without the member.
struct Row {
  std::string_view action, only_with, only_without, resource, keys;
  bool about_tags = true;  // a role that is passed along does not get the tags of what is made
};

Row read_row(const model::Permission& permission) {
  Row row{.action = permission.action, .resource = permission.resource};
  if (const std::size_t mark = row.action.find('?'); mark != std::string_view::npos) {
    const std::string_view member = row.action.substr(mark + 1);
    if (member.starts_with('!'))
      row.only_without = member.substr(1);
    else
      row.only_with = member;
    row.action = row.action.substr(0, mark);
  }
  if (const std::size_t semicolon = row.resource.find(';'); semicolon != std::string_view::npos) {
    row.keys = row.resource.substr(semicolon + 1);
    row.resource = row.resource.substr(0, semicolon);
  }
  row.about_tags = row.action != "iam:PassRole" && row.action != "iam:CreateServiceLinkedRole";
  return row;
}

// Whether the input has the member; structures and lists count too, empty texts do not ("?versionId=").
bool has_member(const model::Type& type, const void* input, std::string_view path) {
  const std::size_t dot = path.find('.');
  const model::Member* member = type.find(path.substr(0, dot));
  const void* value = member == nullptr ? nullptr : member->get(input);
  if (value != nullptr && member->type->kind == model::Kind::string && static_cast<const std::string*>(value)->empty())
    return false;
  if (value == nullptr || dot == std::string_view::npos) return value != nullptr;
  return member->type->kind == model::Kind::structure && has_member(*member->type, value, path.substr(dot + 1));
}

// "{member}" alone whose member the input lacks gives no value: the key is then absent, as on AWS.
ConditionKeys row_keys(std::string_view text, const model::Type& type, const void* input, const Scope& scope) {
  ConditionKeys keys;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    const std::string_view value = one.substr(equals + 1);
    if (value.starts_with('{')) {
      const Placeholder placeholder = read_placeholder(value.substr(1, closing_brace(value, 0) - 1));
      if (!placeholder.fallback && !scope_value(placeholder.path, scope) &&
          model::strings_at(type, input, placeholder.path).empty())
        continue;
    }
    for (std::string& filled : fill_template(value, type, input, scope))
      keys.emplace(one.substr(0, equals), std::move(filled));
  }
  return keys;
}

}  // namespace

std::vector<std::string> fill_template(std::string_view text, const model::Type& type, const void* input,
                                       const Scope& scope) {
  std::vector<std::string> filled(1);
  filled.front().reserve(128);
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    for (std::string& resource : filled) resource += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = closing_brace(text, open);
    if (close == std::string_view::npos) break;  // the code generator has refused such a template
    const bool embedded = !filled.empty() && !filled.front().empty();
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    text.remove_prefix(close + 1);
    if (const auto value = scope_value(inside, scope)) {
      for (std::string& resource : filled) resource += *value;
      continue;
    }
    const std::vector<std::string> values = values_of(read_placeholder(inside), embedded, type, input, scope);
    if (values.size() == 1) {
      for (std::string& resource : filled) resource += values.front();
      continue;
    }
    std::vector<std::string> product;
    for (const std::string& resource : filled)
      for (const std::string& value : values) product.push_back(resource + value);
    filled = std::move(product);
  }
  return filled;
}

std::vector<Ask> asks_of(const model::Operation& operation, const void* input, const Scope& scope) {
  std::vector<Ask> asks;
  if (operation.unchecked || operation.is_public) return asks;
  const model::Type& type = *operation.input;
  const ConditionKeys of_tags = tag_keys(type, input);
  const auto ask = [&](const Row& row, std::string resource) {
    ConditionKeys keys = row.about_tags ? of_tags : ConditionKeys();
    keys.merge(listing_keys(row.action, type, input));
    keys.merge(row_keys(row.keys, type, input, scope));
    asks.push_back({.action = std::string(row.action), .resource = std::move(resource), .keys = std::move(keys)});
  };
  for (const model::Permission& permission : operation.permissions) {
    const Row row = read_row(permission);
    if (!row.only_with.empty() && !has_member(type, input, row.only_with)) continue;
    if (!row.only_without.empty() && has_member(type, input, row.only_without)) continue;
    for (std::string& resource : fill_template(row.resource, type, input, scope)) ask(row, std::move(resource));
  }
  // A request that names nothing must not pass for lack of something to ask.
  if (asks.empty() && !operation.permissions.empty()) ask(read_row(operation.permissions.front()), "*");
  return asks;
}

}  // namespace brume::front
