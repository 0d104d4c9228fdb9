// URI patterns of REST operations: "/{Bucket}/{Key+}?uploads&list-type=2". Pure functions.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::protocols {

// The values of a pattern's labels, still percent-encoded, by label.
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

struct PathMatch {
  int literal_segments = 0;
  bool greedy = false;
};

// Matches the path of a pattern against a raw path; a slash at the end of the path does not matter, unless a greedy
// label takes it. `labels` may be null.
std::optional<PathMatch> match_path(std::string_view pattern, std::string_view path, Labels* labels);

// How many parameters a pattern's query asks for, if `query` (decoded pairs) has them all; nullopt otherwise.
using Parameters = std::vector<std::pair<std::string, std::string>>;
std::optional<int> match_query(std::string_view pattern, const Parameters& query);

}  // namespace brume::protocols
