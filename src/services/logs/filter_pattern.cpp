#include "services/logs/filter_pattern.h"

#include <boost/json.hpp>
#include <cctype>
#include <charconv>
#include <optional>

#include "aws/filters.h"
#include "core/text.h"
#include "gen/logs.h"

namespace brume::logs {

namespace json = boost::json;

// One comparison, or two conditions joined.
struct FilterPattern::Condition {
  enum class Kind {
    all,
    any,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    is_null,
    is_true,
    is_false,
    not_exists,
    exists
  };
  Kind kind = Kind::equal;
  std::vector<std::string> path;  // "$.a.b[0]" → a, b, 0
  std::string text;
  std::optional<double> number;  // when the value compared with is one
  std::vector<Condition> parts;  // of all and any
};

namespace {

using Condition = FilterPattern::Condition;
using Kind = Condition::Kind;
constexpr std::size_t kDeepest = 32;

[[noreturn]] void refuse(const std::string& why) {
  throw invalid_parameter_exception("Invalid filter pattern: " + why);
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> parse_path(std::string_view text) {
  if (!text.starts_with("$.") && !text.starts_with("$[")) refuse("a selector must begin with $");
  std::vector<std::string> path;
  std::string part;
  const auto flush = [&] {
    if (!part.empty()) path.push_back(std::exchange(part, {}));
  };
  for (char c : text.substr(1)) {
    if (c == '.' || c == '[')
      flush();
    else if (c != ']' && c != '"' && c != '\'')
      part += c;
  }
  flush();
  if (path.empty()) refuse("an empty selector");
  return path;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Condition parse() {
    Condition condition = any(0);
    skip();
    if (!text_.empty()) refuse("unexpected '" + std::string(text_) + "'");
    return condition;
  }

 private:
  void skip() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_.front())) != 0) text_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  // || binds weaker than &&.
  Condition any(std::size_t depth) { return joined(Kind::any, "||", depth); }
  Condition joined(Kind kind, std::string_view token, std::size_t depth) {
    if (depth > kDeepest) refuse("nested too deeply");
    const auto part = [&] { return kind == Kind::any ? joined(Kind::all, "&&", depth + 1) : single(depth + 1); };
    Condition first = part();
    if (!take(token)) return first;
    Condition list{.kind = kind, .parts = {std::move(first)}};
    do list.parts.push_back(part());
    while (take(token));
    return list;
  }
  Condition single(std::size_t depth) {
    if (take("(")) {
      Condition inner = any(depth + 1);
      if (!take(")")) refuse("a missing )");
      return inner;
    }
    Condition condition{.path = parse_path(word())};
    if (take("NOT EXISTS")) return with(std::move(condition), Kind::not_exists);
    if (take("EXISTS")) return with(std::move(condition), Kind::exists);
    if (take("IS TRUE")) return with(std::move(condition), Kind::is_true);
    if (take("IS FALSE")) return with(std::move(condition), Kind::is_false);
    if (take("IS NULL")) return with(std::move(condition), Kind::is_null);
    constexpr std::pair<std::string_view, Kind> kOperators[] = {{"!=", Kind::not_equal},     {"<=", Kind::less_equal},
                                                                {">=", Kind::greater_equal}, {"=", Kind::equal},
                                                                {"<", Kind::less},           {">", Kind::greater}};
    for (const auto& [token, kind] : kOperators) {
      if (!take(token)) continue;
      condition.kind = kind;
      skip();
      const bool quoted = text_.starts_with('"');
      condition.text = word();
      if (!quoted) condition.number = number_of(condition.text);
      return condition;
    }
    refuse("a missing operator");
  }
  static Condition with(Condition condition, Kind kind) {
    condition.kind = kind;
    return condition;
  }
  std::string word() {
    skip();
    std::string out;
    if (!text_.empty() && text_.front() == '"') {
      text_.remove_prefix(1);
      while (!text_.empty() && text_.front() != '"') {
        if (text_.front() == '\\' && text_.size() > 1) text_.remove_prefix(1);
        out += text_.front();
        text_.remove_prefix(1);
      }
      if (text_.empty()) refuse("a missing quotation mark");
      text_.remove_prefix(1);
      return out;
    }
    while (!text_.empty() && std::string_view(" \t\n()=<>!&|").find(text_.front()) == std::string_view::npos) {
      out += text_.front();
      text_.remove_prefix(1);
    }
    if (out.empty()) refuse("a missing word");
    return out;
  }

  std::string_view text_;
};

const json::value* follow(const json::value& document, const std::vector<std::string>& path) {
  const json::value* value = &document;
  for (const std::string& part : path) {
    if (const json::object* object = value->if_object()) {
      value = object->if_contains(part);
    } else if (const json::array* array = value->if_array()) {
      std::int64_t index = 0;
      value = parse_int(part, index) && index >= 0 ? array->if_contains(static_cast<std::size_t>(index)) : nullptr;
    } else {
      return nullptr;
    }
    if (value == nullptr) return nullptr;
  }
  return value;
}

std::string text_of_value(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

bool compare(const Condition& condition, const json::value& value) {
  if (condition.kind == Kind::equal || condition.kind == Kind::not_equal) {
    bool equal = false;
    if (condition.number && value.is_number())
      equal = value.to_number<double>() == *condition.number;
    else
      equal = matches_wildcard(condition.text, text_of_value(value));
    return equal == (condition.kind == Kind::equal);
  }
  if (!condition.number || !value.is_number()) return false;
  const double left = value.to_number<double>();
  switch (condition.kind) {
    case Kind::less:
      return left < *condition.number;
    case Kind::less_equal:
      return left <= *condition.number;
    case Kind::greater:
      return left > *condition.number;
    default:
      return left >= *condition.number;
  }
}

bool holds(const Condition& condition, const json::value& document) {
  if (condition.kind == Kind::all || condition.kind == Kind::any) {
    for (const Condition& part : condition.parts)
      if (holds(part, document) == (condition.kind == Kind::any)) return condition.kind == Kind::any;
    return condition.kind == Kind::all;
  }
  const json::value* value = follow(document, condition.path);
  switch (condition.kind) {
    case Kind::not_exists:
      return value == nullptr;
    case Kind::exists:
      return value != nullptr;
    case Kind::is_null:
      return value != nullptr && value->is_null();
    case Kind::is_true:
      return value != nullptr && value->is_bool() && value->as_bool();
    case Kind::is_false:
      return value != nullptr && value->is_bool() && !value->as_bool();
    default:
      return value != nullptr && compare(condition, *value);
  }
}

std::optional<json::value> parse_message(const std::string& message) {
  boost::system::error_code error;
  json::value document = json::parse(message, error);
  if (error || !document.is_object()) return std::nullopt;
  return document;
}

}  // namespace

FilterPattern FilterPattern::parse(std::string_view text) {
  FilterPattern pattern;
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  if (text.starts_with('[')) refuse("Brume does not serve space-delimited patterns ([a, b, …])");
  if (text.starts_with('%')) refuse("Brume does not serve regular expressions (%…%)");
  if (text.starts_with('{')) {
    if (!text.ends_with('}')) refuse("a missing }");
    pattern.condition_ = std::make_shared<Condition>(Parser(text.substr(1, text.size() - 2)).parse());
    return pattern;
  }
  while (!text.empty()) {
    std::vector<std::string>* list = &pattern.all_;
    if (text.front() == '?' || text.front() == '-') {
      list = text.front() == '?' ? &pattern.any_ : &pattern.none_;
      text.remove_prefix(1);
    }
    std::string term;
    const bool quoted = text.starts_with('"');
    if (quoted) text.remove_prefix(1);
    while (!text.empty() && (quoted ? text.front() != '"' : text.front() != ' ')) {
      term += text.front();
      text.remove_prefix(1);
    }
    if (quoted && text.empty()) refuse("a missing quotation mark");
    if (quoted) text.remove_prefix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    if (!term.empty()) list->push_back(std::move(term));
  }
  return pattern;
}

bool FilterPattern::matches(const std::string& message) const {
  if (condition_) {
    const auto document = parse_message(message);
    return document && holds(*condition_, *document);
  }
  const auto has = [&](const std::string& term) { return message.find(term) != std::string::npos; };
  for (const std::string& term : all_)
    if (!has(term)) return false;
  for (const std::string& term : none_)
    if (has(term)) return false;
  if (any_.empty()) return true;
  for (const std::string& term : any_)
    if (has(term)) return true;
  return false;
}

bool FilterPattern::text_of(const std::string& selector, const std::string& message, std::string& text) const {
  if (!selector.starts_with('$')) return false;
  const auto document = parse_message(message);
  const json::value* value = document ? follow(*document, parse_path(selector)) : nullptr;
  if (value == nullptr) return false;
  text = text_of_value(*value);
  return true;
}

bool FilterPattern::value_of(const std::string& metric_value, const std::string& message, double& value) const {
  std::string text = metric_value;
  if (metric_value.starts_with('$') && !text_of(metric_value, message, text)) return false;
  const std::optional<double> number = number_of(text);
  if (number) value = *number;
  return number.has_value();
}

}  // namespace brume::logs
