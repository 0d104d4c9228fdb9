#include "aws/policy/conditions.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/text.h"

namespace brume::policy {
namespace {

using Type = Operator::Type;
using Comparison = Operator::Comparison;
using Quantifier = Operator::Quantifier;

struct OperatorName {
  std::string_view name;
  Type type;
  Comparison comparison = Comparison::equal;
  bool negated = false;
};

constexpr OperatorName kOperators[] = {
    {"StringEquals", Type::string},
    {"StringNotEquals", Type::string, Comparison::equal, true},
    {"StringEqualsIgnoreCase", Type::string_ignoring_case},
    {"StringNotEqualsIgnoreCase", Type::string_ignoring_case, Comparison::equal, true},
    {"StringLike", Type::like},
    {"StringNotLike", Type::like, Comparison::equal, true},
    {"ArnLike", Type::arn},
    {"ArnEquals", Type::arn},
    {"ArnNotLike", Type::arn, Comparison::equal, true},
    {"ArnNotEquals", Type::arn, Comparison::equal, true},
    {"NumericEquals", Type::numeric},
    {"NumericNotEquals", Type::numeric, Comparison::equal, true},
    {"NumericLessThan", Type::numeric, Comparison::less},
    {"NumericLessThanEquals", Type::numeric, Comparison::less_or_equal},
    {"NumericGreaterThan", Type::numeric, Comparison::greater},
    {"NumericGreaterThanEquals", Type::numeric, Comparison::greater_or_equal},
    {"DateEquals", Type::date},
    {"DateNotEquals", Type::date, Comparison::equal, true},
    {"DateLessThan", Type::date, Comparison::less},
    {"DateLessThanEquals", Type::date, Comparison::less_or_equal},
    {"DateGreaterThan", Type::date, Comparison::greater},
    {"DateGreaterThanEquals", Type::date, Comparison::greater_or_equal},
    {"Bool", Type::boolean},
    {"BinaryEquals", Type::binary},
    {"IpAddress", Type::address},
    {"NotIpAddress", Type::address, Comparison::equal, true},
    {"Null", Type::null},
};

template <class T>
bool compare(T given, Comparison comparison, T wanted) {
  switch (comparison) {
    case Comparison::equal:
      return given == wanted;
    case Comparison::less:
      return given < wanted;
    case Comparison::less_or_equal:
      return given <= wanted;
    case Comparison::greater:
      return given > wanted;
    case Comparison::greater_or_equal:
      return given >= wanted;
  }
  return false;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<bool> parse_bool(std::string_view text) {
  if (equals_ignoring_case(text, "true")) return true;
  if (equals_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

// "a null data set, such as an empty string": a set operator sees no values in it.
bool is_null_set(const Keys::Values& values) {
  return values.all([](std::string_view value) { return value.empty(); });
}

}  // namespace

std::optional<Operator> parse_operator(std::string_view name) {
  std::string lower_text = to_lower(name);
  std::string_view lower = lower_text;
  Operator op;
  if (lower.starts_with("forallvalues:")) {
    op.quantifier = Quantifier::for_all_values;
    lower.remove_prefix(13);
  } else if (lower.starts_with("foranyvalue:")) {
    op.quantifier = Quantifier::for_any_value;
    lower.remove_prefix(12);
  }
  if (lower.ends_with("ifexists")) {
    op.if_exists = true;
    lower.remove_suffix(8);
  }
  for (const OperatorName& known : kOperators) {
    if (!equals_ignoring_case(known.name, lower)) continue;
    if (known.type == Type::null && op.if_exists) return std::nullopt;
    op.type = known.type;
    op.comparison = known.comparison;
    op.negated = known.negated;
    return op;
  }
  return std::nullopt;
}

std::string operator_name(const Operator& op) {
  std::string name;
  if (op.quantifier == Quantifier::for_all_values) name = "ForAllValues:";
  if (op.quantifier == Quantifier::for_any_value) name = "ForAnyValue:";
  for (const OperatorName& known : kOperators)
    if (known.type == op.type && known.comparison == op.comparison && known.negated == op.negated) {
      name += known.name;
      break;
    }
  return op.if_exists ? name + "IfExists" : name;
}

bool AddressRange::contains(const AddressRange& single) const {
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (std::memcmp(address.data(), single.address.data(), whole) != 0) return false;
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  const int shift = 8 - rest;
  return (address[whole] >> shift) == (single.address[whole] >> shift);
}

std::optional<AddressRange> parse_address_range(std::string_view text) {
  AddressRange range;
  std::optional<std::int64_t> bits;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    std::int64_t value = 0;
    if (!all_digits(text.substr(slash + 1)) || !parse_int(text.substr(slash + 1), value)) return std::nullopt;
    bits = value;
    text = text.substr(0, slash);
  }
  const std::string address(text);
  std::uint8_t* bytes = range.address.data();
  if (inet_pton(AF_INET, address.c_str(), bytes + 12) == 1) {
    if (bits.value_or(32) > 32) return std::nullopt;
    bytes[10] = bytes[11] = 0xFF;
    range.prefix_bits = 96 + static_cast<int>(bits.value_or(32));
    return range;
  }
  if (inet_pton(AF_INET6, address.c_str(), bytes) != 1 || bits.value_or(128) > 128) return std::nullopt;
  range.prefix_bits = static_cast<int>(bits.value_or(128));
  return range;
}

std::optional<Time> parse_policy_date(std::string_view text) {
  if (all_digits(text) && text.size() != 4) {
    std::int64_t value = 0;
    if (text.size() > 12 || !parse_int(text, value)) return std::nullopt;
    return Time{value * 1000};
  }
  std::string full(text);
  if (text.size() == 4) full += "-01-01T00:00:00Z";
  if (text.size() == 7) full += "-01T00:00:00Z";
  if (text.size() == 10) full += "T00:00:00Z";
  // Hours and minutes without seconds, and a time without its zone, which is UTC.
  if (full.size() >= 16 && full[10] == 'T' && (full.size() == 16 || full[16] != ':')) full.insert(16, ":00");
  if (full.size() >= 19 && full.find_first_of("Zz+-", 19) == std::string::npos) full += 'Z';
  Time time;
  if (!parse_iso8601(full, time)) return std::nullopt;
  return time;
}

std::optional<double> parse_policy_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.find_first_not_of("0123456789.-eE+") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Condition::Value> Condition::compile_value(Operator op, const std::string& text, bool variables) {
  const auto wrap = [](auto parsed) -> std::optional<Value> {
    if (!parsed) return std::nullopt;
    return Value(std::move(*parsed));
  };
  switch (op.type) {
    case Type::string:
      return Pattern(text, {.wildcards = false, .variables = variables});
    case Type::string_ignoring_case:
      return Pattern(text, {.wildcards = false, .variables = variables, .ignore_case = true});
    case Type::like:
      return Pattern(text, {.wildcards = true, .variables = variables});
    case Type::arn:
      return ArnPattern(text, variables);
    case Type::numeric:
      return wrap(parse_policy_number(text));
    case Type::date:
      return wrap(parse_policy_date(text));
    case Type::boolean:
    case Type::null:
      return wrap(parse_bool(text));
    case Type::address:
      return wrap(parse_address_range(text));
    case Type::binary:
      return wrap(from_base64(text));
  }
  return std::nullopt;
}

std::expected<Condition, std::string> Condition::compile(Operator op, std::string_view key,
                                                         const std::vector<std::string>& values, bool variables) {
  Condition condition;
  condition.op_ = op;
  condition.lower_key_ = to_lower(key);
  condition.key_ = std::string(key);
  condition.texts_ = values;
  for (const std::string& text : values) {
    std::optional<Value> value = compile_value(op, text, variables);
    if (!value) return std::unexpected("\"" + text + "\" is no value for the operator of " + std::string(key));
    condition.values_.push_back(std::move(*value));
  }
  return condition;
}

bool Condition::equals_any(std::string_view given, const Keys& keys) const {
  const auto any = [this](auto matches) { return std::ranges::any_of(values_, matches); };
  switch (op_.type) {
    case Type::string:
    case Type::string_ignoring_case:
    case Type::like:
      return any([&](const Value& value) { return std::get<Pattern>(value).matches(given, keys); });
    case Type::arn:
      return any([&](const Value& value) { return std::get<ArnPattern>(value).matches(given, keys); });
    case Type::numeric: {
      const std::optional<double> number = parse_policy_number(given);
      return number &&
             any([&](const Value& value) { return compare(*number, op_.comparison, std::get<double>(value)); });
    }
    case Type::date: {
      const std::optional<Time> time = parse_policy_date(given);
      return time && any([&](const Value& value) { return compare(*time, op_.comparison, std::get<Time>(value)); });
    }
    case Type::boolean: {
      const std::optional<bool> flag = parse_bool(given);
      return flag && any([&](const Value& value) { return std::get<bool>(value) == *flag; });
    }
    case Type::address: {
      const std::optional<AddressRange> address = parse_address_range(given);
      return address && any([&](const Value& value) { return std::get<AddressRange>(value).contains(*address); });
    }
    case Type::binary: {
      const std::optional<std::string> bytes = from_base64(given);
      return bytes && any([&](const Value& value) { return std::get<std::string>(value) == *bytes; });
    }
    case Type::null:
      return false;
  }
  return false;
}

bool Condition::satisfies(std::string_view given, const Keys& keys) const {
  return equals_any(given, keys) != op_.negated;
}

bool Condition::holds(const Keys& keys) const {
  const Keys::Values given = keys.find(lower_key_);
  const bool absent = given.empty();
  if (op_.type == Type::null) {
    return std::ranges::any_of(values_, [&](const Value& value) { return std::get<bool>(value) == absent; });
  }
  if (absent && op_.if_exists) return true;
  const auto each = [&](std::string_view value) { return satisfies(value, keys); };
  switch (op_.quantifier) {
    case Quantifier::for_all_values:
      return absent || is_null_set(given) || given.all(each);
    case Quantifier::for_any_value:
      return !absent && !is_null_set(given) && given.any(each);
    case Quantifier::none:
      break;
  }
  // "If the policy condition requires that the key is not matched … and the right key is not present, the condition is
  // true." Of several values a negated operator lets none match, the others need one.
  if (absent) return op_.negated;
  return op_.negated ? given.all(each) : given.any(each);
}

}  // namespace brume::policy
