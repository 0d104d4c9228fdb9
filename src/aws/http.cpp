#include "aws/http.h"

#include <algorithm>

#include "core/text.h"

namespace brume {

std::string_view header_of(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (equals_ignoring_case(key, name)) return value;
  return {};
}

std::string query_parameter(std::string_view query, std::string_view name) {
  // Asked many times of each request: nothing is decoded or kept that is not the answer.
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const bool encoded = key.find_first_of("%+") != std::string_view::npos;
    if (encoded ? percent_decode(key, true) != name : key != name) continue;
    if (equals == std::string_view::npos) return {};
    return percent_decode(pair.substr(equals + 1), true).value_or("");
  }
  return {};
}

std::string_view HttpRequest::header(std::string_view name) const { return header_of(headers, name); }

std::string HttpRequest::parameter(std::string_view name) const { return query_parameter(query, name); }

}  // namespace brume
