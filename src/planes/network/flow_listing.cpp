#include "planes/network/flow_listing.h"

#include <algorithm>
#include <string_view>

#include "core/text.h"

namespace brume::network {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::uint64_t number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return 0;
  const std::size_t start = at + word.size(), end = std::min(text.find(' ', start), text.size());
  std::int64_t number = 0;
  parse_int(text.substr(start, end - start), number);
  return static_cast<std::uint64_t>(number);
}

// `"eni-0a1b" . 10.0.1.5 . 10.0.2.6 . 40000 . 443 counter packets 4 bytes 216 expires 9m59s`
void read_element(std::string_view text, std::map<FlowKey, std::pair<std::uint64_t, std::uint64_t>>& into) {
  std::string_view key = text;
  for (const std::string_view end : {" counter ", " expires ", " timeout "}) key = key.substr(0, key.find(end));
  FlowKey parts;
  while (true) {
    const std::size_t dot = key.find(" . ");
    std::string_view part = trimmed(key.substr(0, dot));
    if (part.starts_with('"')) part = part.substr(1, part.size() - 2);
    parts.emplace_back(part);
    if (dot == std::string_view::npos) break;
    key.remove_prefix(dot + 3);
  }
  into[std::move(parts)] = {number_after(text, "packets "), number_after(text, "bytes ")};
}

}  // namespace

FlowListing parse_flows(const std::string& listing) {
  FlowListing sets;
  const std::string_view text = listing;
  for (std::size_t at = text.find("set "); at != std::string_view::npos; at = text.find("set ", at)) {
    at += 4;
    const std::size_t name_end = text.find(' ', at);
    if (name_end == std::string_view::npos) break;
    auto& elements = sets[std::string(text.substr(at, name_end - at))];
    const std::size_t next = text.find("\tset ", at), open = text.find("elements = {", at);
    if (open == std::string_view::npos || open > next) continue;
    const std::size_t close = text.find('}', open), begin = open + std::string_view("elements = {").size();
    std::string_view list = text.substr(begin, std::min(close, text.size()) - begin);
    while (!trimmed(list).empty()) {
      const std::size_t comma = list.find(',');
      read_element(trimmed(list.substr(0, comma)), elements);
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
    at = std::min(close, text.size());
  }
  return sets;
}

}  // namespace brume::network
