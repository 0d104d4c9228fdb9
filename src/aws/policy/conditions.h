// One line of a Condition element, compiled when the document is parsed, and its evaluation. Follows "IAM JSON policy
// elements: Condition operators" and "Creating a condition with multiple keys or values". Values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aws/policy/keys.h"
#include "aws/policy/pattern.h"
#include "core/time.h"

namespace brume::policy {

// What an operator's name means, its set prefix and IfExists suffix taken off.
struct Operator {
  enum class Type { string, string_ignoring_case, like, arn, numeric, date, boolean, address, binary, null };
  enum class Comparison { equal, less, less_or_equal, greater, greater_or_equal };
  enum class Quantifier { none, for_all_values, for_any_value };
  Type type = Type::string;
  Comparison comparison = Comparison::equal;
  bool negated = false;
  bool if_exists = false;
  Quantifier quantifier = Quantifier::none;
  bool operator==(const Operator&) const = default;
};
// Nullopt for a name that AWS does not have.
std::optional<Operator> parse_operator(std::string_view name);
// The name as AWS writes it: "ForAllValues:StringNotLikeIfExists".
std::string operator_name(const Operator& op);

// An address range: IPv4 as its IPv4-mapped IPv6 form.
struct AddressRange {
  std::array<std::uint8_t, 16> address{};
  int prefix_bits = 128;
  bool contains(const AddressRange& single) const;
};
std::optional<AddressRange> parse_address_range(std::string_view text);

// The W3C forms of ISO 8601 ("2026", "2026-03", … "2026-03-01T12:00:00.5+01:00") or epoch seconds.
std::optional<Time> parse_policy_date(std::string_view text);
// An integer or decimal number, whole text.
std::optional<double> parse_policy_number(std::string_view text);

class Condition {
 public:
  // The reason why a value does not fit the operator, or the compiled condition.
  static std::expected<Condition, std::string> compile(Operator op, std::string_view key,
                                                       const std::vector<std::string>& values, bool variables);
  bool holds(const Keys& keys) const;
  const std::string& lower_key() const { return lower_key_; }
  const Operator& op() const { return op_; }
  // As they were written, for whoever explains.
  const std::string& key() const { return key_; }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  using Value = std::variant<Pattern, ArnPattern, double, Time, bool, AddressRange, std::string>;
  static std::optional<Value> compile_value(Operator op, const std::string& text, bool variables);
  bool satisfies(std::string_view given, const Keys& keys) const;
  bool equals_any(std::string_view given, const Keys& keys) const;

  Operator op_;
  std::string lower_key_, key_;
  std::vector<Value> values_;
  std::vector<std::string> texts_;
};

}  // namespace brume::policy
