// A string of a policy as it is matched: literals, wildcards (* and ?) and policy variables, compiled once when the
// document is parsed. Follows "IAM JSON policy elements: Resource", "… Condition operators" and "… Variables and tags".
// Values, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/keys.h"

namespace brume::policy {

class Pattern {
 public:
  struct Rules {
    bool wildcards = true;
    bool variables = false;    // ${name}, ${name, 'default'}, ${*}, ${?}, ${$}: documents of version 2012-10-17
    bool ignore_case = false;  // compared in lower case
    bool lower = false;        // the same, of values that are given in lower case
    // A Resource element: before the fifth colon a wildcard stays within its segment, unless it is a `*` that ends the
    // segment, which reaches over colons.
    bool resource = false;
  };

  Pattern() = default;
  Pattern(std::string_view text, Rules rules);

  // False when a variable without a default has no single value: nothing equals an absent value.
  bool matches(std::string_view value, const Keys& keys) const;
  const std::string& text() const { return text_; }
  bool matches_everything() const { return everything_; }
  bool has_variables() const { return !variables_.empty(); }
  // The lower-case names of the keys that its variables read and that have no default.
  std::vector<std::string> variable_names() const;

 private:
  struct Variable {
    std::string lower_name;
    std::optional<std::string> fallback;
  };
  // Tokens: a byte (below 0x100), a wildcard, or kFirstVariable plus an index into variables_.
  using Tokens = std::u16string;
  static constexpr char16_t kRun = 0x100;         // any characters
  static constexpr char16_t kSegmentRun = 0x101;  // any characters but a colon
  static constexpr char16_t kOne = 0x102;         // one character
  static constexpr char16_t kSegmentOne = 0x103;  // one character but a colon
  static constexpr char16_t kFirstVariable = 0x200;

  std::size_t add_variable(std::string_view text, std::size_t start);
  void add_wildcard(char wildcard, bool ends_segment, Rules rules, int colons);
  bool expand(const Keys& keys, Tokens& out) const;
  static bool match(const Tokens& tokens, std::string_view value);
  static bool match_segmented(const Tokens& tokens, std::string_view value);

  std::string text_;
  Tokens tokens_;
  std::vector<Variable> variables_;
  bool literal_ = true;       // no wildcards, no variables: `start_` is compared
  bool everything_ = false;   // "*"
  bool ends_in_run_ = false;  // after `start_` there is one run, and nothing else
  bool segmented_ = false;    // has kSegmentRun
  bool ignore_case_ = false;
  std::string start_;  // what stands before the first wildcard or variable
};

// The pattern of ArnLike and its kin: each of the six colon-delimited parts of an ARN is matched on its own.
class ArnPattern {
 public:
  ArnPattern() = default;
  ArnPattern(std::string_view text, bool variables);
  bool matches(std::string_view value, const Keys& keys) const;

 private:
  bool everything_ = false;  // "*"
  std::vector<Pattern> parts_;
};

}  // namespace brume::policy
