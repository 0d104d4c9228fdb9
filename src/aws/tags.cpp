#include "aws/tags.h"

#include <algorithm>

#include "core/text.h"

namespace brume {
namespace {

// AWS counts Unicode characters, not bytes.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string tag_problem(const Tags& tags) {
  if (tags.size() > 50) return "A resource can have at most 50 tags.";
  for (const auto& [key, value] : tags) {
    if (key.empty()) return "Tag keys must not be empty.";
    if (characters(key) > 128) return "Tag keys can have at most 128 characters: " + key;
    if (characters(value) > 256) return "Tag values can have at most 256 characters: the value of " + key;
    if (equals_ignoring_case(std::string_view(key).substr(0, 4), "aws:")) {
      return "Tag keys starting with 'aws:' are reserved for system use: " + key;
    }
  }
  return {};
}

}  // namespace brume
