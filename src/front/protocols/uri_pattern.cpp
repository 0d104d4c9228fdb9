#include "front/protocols/uri_pattern.h"

#include <algorithm>
#include <string>

namespace brume::protocols {
namespace {

// Takes the next segment off a path: "/a/b" gives "a" and leaves "/b".
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::string_view without_query(std::string_view pattern) { return pattern.substr(0, pattern.find('?')); }

}  // namespace

std::optional<PathMatch> match_path(std::string_view pattern, std::string_view path, Labels* labels) {
  PathMatch match;
  pattern = without_query(pattern);
  if (pattern == "/") pattern = {};
  while (!pattern.empty()) {
    if (!path.starts_with('/')) return std::nullopt;
    const std::string_view want = next_segment(pattern);
    if (want.starts_with('{') && want.ends_with("+}")) {
      const std::string_view name = want.substr(1, want.size() - 3);
      // What follows a greedy label is as many segments as the pattern still has.
      std::string_view value = path.substr(1);
      for (auto left = std::ranges::count(pattern, '/'); left > 0; --left) {
        const std::size_t slash = value.rfind('/');
        if (slash == std::string_view::npos) return std::nullopt;
        value = value.substr(0, slash);
      }
      if (value.empty()) return std::nullopt;
      match.greedy = true;
      if (labels != nullptr) labels->emplace_back(name, value);
      path.remove_prefix(1 + value.size());
    } else if (want.starts_with('{') && want.ends_with('}')) {
      const std::string_view value = next_segment(path);
      if (value.empty()) return std::nullopt;
      if (labels != nullptr) labels->emplace_back(want.substr(1, want.size() - 2), value);
    } else {
      if (next_segment(path) != want) return std::nullopt;
      ++match.literal_segments;
    }
  }
  if (!path.empty() && path != "/") return std::nullopt;
  return match;
}

std::optional<int> match_query(std::string_view pattern, const Parameters& query) {
  const std::size_t mark = pattern.find('?');
  if (mark == std::string_view::npos) return 0;
  int count = 0;
  // Asked for each operation of the service: no list is made.
  for (std::string_view rest = pattern.substr(mark); !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(part.size());
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    // SDKs send x-id for logs only.
    if (name.empty() || name == "x-id") continue;
    const bool present = std::ranges::any_of(query, [&](const auto& parameter) {
      return parameter.first == name &&
             (equals == std::string_view::npos || parameter.second == part.substr(equals + 1));
    });
    if (!present) return std::nullopt;
    ++count;
  }
  return count;
}

}  // namespace brume::protocols
