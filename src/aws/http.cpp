#include "aws/http.h"

#include "core/text.h"

namespace brume {

std::string_view header_of(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (equals_ignoring_case(key, name)) return value;
  return {};
}

std::string query_parameter(std::string_view query, std::string_view name) {
  for (std::string_view pair : split(query, '&')) {
    const std::size_t equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    if (equals == std::string_view::npos) return {};
    return percent_decode(pair.substr(equals + 1), true).value_or("");
  }
  return {};
}

std::string_view HttpRequest::header(std::string_view name) const { return header_of(headers, name); }

std::string HttpRequest::parameter(std::string_view name) const { return query_parameter(query, name); }

}  // namespace brume
