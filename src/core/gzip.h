// gzip (RFC 1952) of whole texts. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace brume {

std::string gzip(std::string_view text);

enum class GzipProblem {
  damaged,
  ends_early,
  something_follows,
  too_long  // than `limit`, unpacked
};
std::expected<std::string, GzipProblem> gunzip(std::string_view packed, std::size_t limit);

}  // namespace brume
