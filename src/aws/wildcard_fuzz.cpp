// Fuzz target: patterns with wildcards, of policies and of EC2's filters, against plain recursion. The first byte
// chooses the rules; then come a pattern and a text, a line each.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/filters.h"
#include "aws/policy/pattern.h"
#include "core/error.h"
#include "core/text.h"

namespace brume {
namespace {

// The pattern as single steps: "c" is a character, "\x01" any run, "\x02" any one. Escaped is what follows a backslash.
std::string steps_of(std::string_view pattern, bool escapes) {
  std::string steps;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (escapes && pattern[i] == '\\' && i + 1 < pattern.size())
      steps += pattern[++i];
    else
      steps += pattern[i] == '*' ? '\x01' : pattern[i] == '?' ? '\x02' : pattern[i];
  }
  return steps;
}

// Every way of cutting the text: seen[p][t] says whether the first p steps match the first t characters.
bool matches_slowly(const std::string& steps, std::string_view text) {
  std::vector<std::vector<bool>> seen(steps.size() + 1, std::vector<bool>(text.size() + 1));
  seen[0][0] = true;
  for (std::size_t p = 0; p < steps.size(); ++p)
    for (std::size_t t = 0; t <= text.size(); ++t) {
      if (!seen[p][t]) continue;
      if (steps[p] == '\x01')
        for (std::size_t end = t; end <= text.size(); ++end) seen[p + 1][end] = true;
      else if (t < text.size() && (steps[p] == '\x02' || steps[p] == text[t]))
        seen[p + 1][t + 1] = true;
    }
  return seen[steps.size()][text.size()];
}

}  // namespace
}  // namespace brume

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  if (size < 2 || size > 200) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t line = rest.find('\n');
  const std::string pattern(rest.substr(0, line));
  const std::string text(line == std::string_view::npos ? std::string_view() : rest.substr(line + 1));
  if (rest.find_first_of("\x01\x02") != std::string_view::npos) return 0;
  // The recursion counts bytes, policies count characters.
  if (std::ranges::any_of(rest, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return 0;
  BRUME_CHECK(matches_wildcard(pattern, text) == matches_slowly(steps_of(pattern, true), text));
  policy::Keys keys;
  keys.add("aws:username", text);
  const bool ignore_case = data[0] % 2 == 1;
  const policy::Pattern plain(ignore_case ? to_lower(pattern) : pattern, {.ignore_case = ignore_case});
  const std::string subject = ignore_case ? to_lower(text) : text;
  const bool expected = matches_slowly(steps_of(plain.text(), false), subject);
  BRUME_CHECK(plain.matches(subject, keys) == expected);
  // A resource's wildcards reach less far than plain ones, and a pattern without any means itself.
  const policy::Pattern resource(pattern, {.resource = true});
  if (resource.matches(text, keys)) BRUME_CHECK(matches_slowly(steps_of(pattern, false), text));
  if (pattern.find_first_of("*?") == std::string::npos) BRUME_CHECK(resource.matches(text, keys) == (pattern == text));
  // The value of a variable is literal, whatever it holds.
  const policy::Pattern variable("${aws:username}", {.variables = true});
  BRUME_CHECK(variable.matches(text, keys) && !variable.matches(text + "x", keys));
  static_cast<void>(policy::Pattern(pattern, {.variables = true}).matches(text, keys));
  static_cast<void>(policy::ArnPattern(pattern, data[0] % 4 > 1).matches(text, keys));
  return 0;
}
