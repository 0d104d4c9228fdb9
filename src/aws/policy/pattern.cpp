#include "aws/policy/pattern.h"

#include <algorithm>

#include "core/text.h"

namespace brume::policy {
namespace {

char16_t byte(char c) { return static_cast<unsigned char>(c); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The first byte after the character that starts at `at`: a wildcard ? stands for a character, not for a byte.
std::size_t next_character(std::string_view value, std::size_t at) {
  ++at;
  while (at < value.size() && (static_cast<unsigned char>(value[at]) & 0xC0) == 0x80) ++at;
  return at;
}

// Where the first five colons outside variables are, so that "${aws:username}" does not split an ARN.
std::vector<std::string_view> split_arn(std::string_view text, bool variables) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size() && parts.size() < 5; ++i) {
    if (variables && text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') inside = true;
    if (inside && text[i] == '}') inside = false;
    if (text[i] != ':' || inside) continue;
    parts.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

}  // namespace

Pattern::Pattern(std::string_view text, Rules rules) : text_(text), ignore_case_(rules.ignore_case) {
  everything_ = rules.wildcards && text == "*";
  int colons = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (rules.variables && c == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      const std::size_t end = add_variable(text, i);
      if (end != i) {
        i = end;
        continue;
      }
    }
    if (rules.wildcards && (c == '*' || c == '?')) {
      add_wildcard(c, i + 1 == text.size() || text[i + 1] == ':', rules, colons);
    } else {
      if (c == ':') ++colons;
      tokens_.push_back(byte(ignore_case_ ? lower(c) : c));
    }
    ++i;
  }
  if (rules.lower)
    for (char16_t& token : tokens_)
      if (token < 0x100) token = byte(lower(static_cast<char>(token)));
  const auto plain = std::ranges::find_if(tokens_, [](char16_t token) { return token >= 0x100; }) - tokens_.begin();
  for (char16_t token : Tokens(tokens_, 0, static_cast<std::size_t>(plain))) start_.push_back(static_cast<char>(token));
  ends_in_run_ = tokens_.size() == start_.size() + 1 && tokens_.back() == kRun;
  if (literal_) tokens_.clear();
}

void Pattern::add_wildcard(char wildcard, bool ends_segment, Rules rules, int colons) {
  literal_ = false;
  const bool bounded = rules.resource && colons < 5 && !everything_;
  if (wildcard == '?') {
    tokens_.push_back(bounded ? kSegmentOne : kOne);
  } else if (bounded && !ends_segment) {
    tokens_.push_back(kSegmentRun);
    segmented_ = true;
  } else {
    tokens_.push_back(kRun);
  }
}

// Reads "${…}" at `start`; returns the end, or `start` when it is no variable and stands for itself.
std::size_t Pattern::add_variable(std::string_view text, std::size_t start) {
  const std::size_t close = text.find('}', start);
  if (close == std::string_view::npos) return start;
  std::string_view inner = text.substr(start + 2, close - start - 2);
  if (inner == "*" || inner == "?" || inner == "$") {
    tokens_.push_back(byte(inner[0]));
    return close + 1;
  }
  Variable variable;
  if (const std::size_t comma = inner.find(','); comma != std::string_view::npos) {
    std::string_view fallback = trim(inner.substr(comma + 1));
    if (fallback.size() < 2 || fallback.front() != '\'' || fallback.back() != '\'') return start;
    variable.fallback = std::string(fallback.substr(1, fallback.size() - 2));
    inner = inner.substr(0, comma);
  }
  inner = trim(inner);
  if (inner.empty()) return start;
  variable.lower_name = to_lower(inner);
  literal_ = false;
  tokens_.push_back(static_cast<char16_t>(kFirstVariable + variables_.size()));
  variables_.push_back(std::move(variable));
  return close + 1;
}

bool Pattern::expand(const Keys& keys, Tokens& out) const {
  for (char16_t token : tokens_) {
    if (token < kFirstVariable) {
      out.push_back(token);
      continue;
    }
    const Variable& variable = variables_[static_cast<std::size_t>(token - kFirstVariable)];
    const Keys::Values values = keys.find(variable.lower_name);
    // A multivalued key has no single value to stand in the variable's place.
    const bool single = values.size() == 1;
    if (!single && !variable.fallback) return false;
    // What a variable brings is literal: a tag value of "*" widens nothing.
    for (char c : single ? values[0] : std::string_view(*variable.fallback))
      out.push_back(byte(ignore_case_ ? lower(c) : c));
  }
  return true;
}

bool Pattern::matches(std::string_view value, const Keys& keys) const {
  if (everything_) return true;
  if (literal_) return ignore_case_ ? equals_ignoring_case(value, start_) : value == start_;
  // Most patterns that do not match say so in what stands before their first wildcard.
  const std::string_view start = value.substr(0, start_.size());
  if (ignore_case_ ? !equals_ignoring_case(start, start_) : start != start_) return false;
  if (ends_in_run_) return true;
  std::string folded;
  if (ignore_case_) {
    folded = to_lower(value);
    value = folded;
  }
  if (variables_.empty()) return segmented_ ? match_segmented(tokens_, value) : match(tokens_, value);
  Tokens tokens;
  tokens.reserve(tokens_.size() + 32);
  if (!expand(keys, tokens)) return false;
  return segmented_ ? match_segmented(tokens, value) : match(tokens, value);
}

std::vector<std::string> Pattern::variable_names() const {
  std::vector<std::string> names;
  for (const Variable& variable : variables_)
    if (!variable.fallback) names.push_back(variable.lower_name);
  return names;
}

// Greedy with one point of return: as every run may hold anything, only the last one ever needs to grow.
bool Pattern::match(const Tokens& tokens, std::string_view value) {
  std::size_t t = 0, v = 0;
  std::size_t run = std::string::npos, run_start = 0;
  while (v < value.size()) {
    const char16_t token = t < tokens.size() ? tokens[t] : char16_t{0};
    if (t < tokens.size() && token == kRun) {
      run = t++;
      run_start = v;
    } else if (t < tokens.size() && (token == kOne || (token == kSegmentOne && value[v] != ':'))) {
      ++t;
      v = next_character(value, v);
    } else if (t < tokens.size() && token == byte(value[v])) {
      ++t;
      ++v;
    } else if (run != std::string::npos) {
      t = run + 1;
      v = ++run_start;
    } else {
      return false;
    }
  }
  while (t < tokens.size() && tokens[t] == kRun) ++t;
  return t == tokens.size();
}

// Runs that may not cross a colon need every point of return: which tokens can have been matched so far is kept as a
// row over the value's positions, so the time stays within pattern length times value length.
bool Pattern::match_segmented(const Tokens& tokens, std::string_view value) {
  std::vector<char> row(value.size() + 1, 0), next(value.size() + 1, 0);
  row[0] = 1;
  for (char16_t token : tokens) {
    next.assign(value.size() + 1, 0);
    for (std::size_t v = 0; v <= value.size(); ++v) {
      if (token == kRun || token == kSegmentRun) {
        if (row[v] != 0) next[v] = 1;
        if (v > 0 && next[v - 1] != 0 && (token == kRun || value[v - 1] != ':')) next[v] = 1;
      } else if (row[v] != 0 && v < value.size()) {
        if (token == kOne || (token == kSegmentOne && value[v] != ':')) next[next_character(value, v)] = 1;
        if (token == byte(value[v])) next[v + 1] = 1;
      }
    }
    row.swap(next);
  }
  return row[value.size()] != 0;
}

ArnPattern::ArnPattern(std::string_view text, bool variables) : everything_(text == "*") {
  for (std::string_view part : split_arn(text, variables))
    parts_.emplace_back(part, Pattern::Rules{.variables = variables});
}

bool ArnPattern::matches(std::string_view value, const Keys& keys) const {
  const std::vector<std::string_view> parts = split_arn(value, false);
  if (parts.size() != 6) return false;
  if (everything_) return true;
  if (parts_.size() != 6) return false;
  for (std::size_t i = 0; i < 6; ++i)
    if (!parts_[i].matches(parts[i], keys)) return false;
  return true;
}

}  // namespace brume::policy
