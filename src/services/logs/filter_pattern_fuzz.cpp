// Fuzz target: filter patterns of CloudWatch Logs over messages. Patterns of terms agree with a plain search for the
// words; in patterns of JSON joining conditions means what logic says. A pattern on the first line, the message behind.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "gen/logs.h"
#include "services/logs/filter_pattern.h"

namespace brume::logs {
namespace {

std::optional<FilterPattern> read(const std::string& text) {
  try {
    return FilterPattern::parse(text);
  } catch (const AwsError& error) {
    BRUME_CHECK(error.code == "InvalidParameterException" && !error.message.empty());
    return std::nullopt;
  }
}

// Words without quotation marks: all plain ones, none of those with a minus, and one of those with a question mark.
bool matches_plainly(const std::string& pattern, const std::string& message) {
  bool any = false, optional = false;
  for (const std::string_view word : split(pattern, ' ')) {
    const bool marked = word.starts_with('-') || word.starts_with('?');
    const std::string term(word.substr(marked ? 1 : 0));
    if (term.empty()) continue;
    const bool found = message.find(term) != std::string::npos;
    if (word.starts_with('?')) {
      optional = true;
      any = any || found;
    } else if (found == word.starts_with('-')) {
      return false;
    }
  }
  return !optional || any;
}

void check_conditions(const std::string& inner, const std::string& message, bool matched) {
  const auto join = [&](const std::string& text) {
    const auto pattern = read("{" + text + "}");
    return pattern && pattern->matches(message);
  };
  // A pattern at the edge of the allowed depth may not be put into parentheses.
  if (!read("{(" + inner + ")}")) return;
  BRUME_CHECK(join("(" + inner + ")") == matched);
  BRUME_CHECK(join("(" + inner + ") && (" + inner + ")") == matched);
  BRUME_CHECK(join("(" + inner + ") || (" + inner + ")") == matched);
  if (!matched) return;
  BRUME_CHECK(join("$.surely-absent EXISTS || (" + inner + ")"));
  BRUME_CHECK(join("$.surely-absent NOT EXISTS && (" + inner + ")"));
  BRUME_CHECK(!join("$.surely-absent EXISTS && (" + inner + ")"));
}

}  // namespace
}  // namespace brume::logs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::logs;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string pattern_text(brume::trim(text.substr(0, line))),
      message = text.substr(std::min(line + 1, text.size()));
  const auto pattern = read(pattern_text);
  if (!pattern) return 0;
  const bool matched = pattern->matches(message);
  BRUME_CHECK(read(pattern_text)->matches(message) == matched);
  if (pattern_text.starts_with('{')) {
    if (message.find("surely-absent") == std::string::npos)
      check_conditions(pattern_text.substr(1, pattern_text.size() - 2), message, matched);
  } else if (pattern_text.find_first_of("\"\t\r\v\f") == std::string::npos) {
    BRUME_CHECK(matched == matches_plainly(pattern_text, message));
  }
  double value = 0;
  std::string found;
  try {
    pattern->value_of(message.substr(0, message.find(' ')), message, value);
    pattern->text_of(pattern_text.substr(pattern_text.find('$') == std::string::npos ? 0 : pattern_text.find('$')),
                     message, found);
  } catch (const brume::AwsError&) {
  }
  return 0;
}
