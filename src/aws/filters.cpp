#include "aws/filters.h"

#include <algorithm>

#include "core/error.h"

namespace brume {

namespace {

constexpr std::string_view kTagPrefix = "tag:";
constexpr std::string_view kTagKey = "tag-key";
// "Using filters": a request takes at most 200 filter values.
constexpr std::size_t kMostValues = 200;

// One step of a pattern: a literal character, `?` or `*`.
struct Step {
  enum class Kind { literal, one, many };
  Kind kind = Kind::literal;
  char character = 0;
};

std::vector<Step> compile(std::string_view pattern) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      steps.push_back({Step::Kind::literal, pattern[++i]});
    } else if (c == '*') {
      steps.push_back({Step::Kind::many});
    } else if (c == '?') {
      steps.push_back({Step::Kind::one});
    } else {
      steps.push_back({Step::Kind::literal, c});
    }
  }
  return steps;
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) {
  // Greedy with a single point of return (the last `*`), so that no pattern takes more than pattern × text steps.
  const std::vector<Step> steps = compile(pattern);
  std::size_t step = 0;
  std::size_t at = 0;
  std::size_t star = steps.size();
  std::size_t star_at = 0;
  while (at < text.size()) {
    if (step < steps.size() && steps[step].kind == Step::Kind::many) {
      star = step++;
      star_at = at;
    } else if (step < steps.size() && (steps[step].kind == Step::Kind::one || steps[step].character == text[at])) {
      ++step;
      ++at;
    } else if (star < steps.size()) {
      step = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  while (step < steps.size() && steps[step].kind == Step::Kind::many) ++step;
  return step == steps.size();
}

void check_filters(const Filters& filters, std::span<const std::string_view> names, bool has_tags) {
  std::size_t values = 0;
  for (const Filter& filter : filters) {
    const std::string_view name = filter.name;
    const bool known = std::ranges::find(names, name) != names.end() ||
                       (has_tags && (name == kTagKey || (name.starts_with(kTagPrefix) && name != kTagPrefix)));
    if (!known) {
      throw AwsError("InvalidParameterValue",
                     "The filter '" + (name.empty() ? std::string("null") : filter.name) + "' is invalid");
    }
    if (filter.values.empty()) {
      throw AwsError("InvalidParameterValue", "The filter '" + filter.name + "' has no values");
    }
    values += filter.values.size();
  }
  if (values > kMostValues) {
    throw AwsError("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200");
  }
}

bool any_value_matches(const Filter& filter, std::span<const std::string> values) {
  return std::ranges::any_of(filter.values, [&](const std::string& pattern) {
    return std::ranges::any_of(values, [&](const std::string& value) { return matches_wildcard(pattern, value); });
  });
}

bool is_tag_filter(const Filter& filter, const Tags& tags, bool& holds) {
  if (filter.name == kTagKey) {
    holds = std::ranges::any_of(
        tags, [&](const auto& tag) { return any_value_matches(filter, std::span<const std::string>(&tag.first, 1)); });
    return true;
  }
  if (!filter.name.starts_with(kTagPrefix)) return false;
  const auto found = tags.find(filter.name.substr(kTagPrefix.size()));
  holds = found != tags.end() && any_value_matches(filter, std::span<const std::string>(&found->second, 1));
  return true;
}

}  // namespace brume
