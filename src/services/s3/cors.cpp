#include "services/s3/cors.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/text.h"

namespace brume::s3 {
namespace {

constexpr std::array<std::string_view, 5> kMethods = {"GET", "PUT", "POST", "DELETE", "HEAD"};

// "Can contain at most one * wild character".
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && text.starts_with(head) && text.ends_with(tail);
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, text); });
}

bool allows_header(const CORSRule& rule, std::string_view name) {
  const std::string lower = to_lower(name);
  return std::ranges::any_of(rule.allowed_headers.get(),
                             [&](const std::string& pattern) { return matches(to_lower(pattern), lower); });
}

bool applies(const CORSRule& rule, std::string_view origin, std::string_view method) {
  return matches_any(rule.allowed_origins.get(), origin) &&
         std::ranges::find(rule.allowed_methods.get(), method) != rule.allowed_methods.get().end();
}

std::vector<std::string> header_names(std::string_view list) {
  std::vector<std::string> names;
  for (const std::string_view name : split(list, ',')) {
    if (!trim(name).empty()) names.emplace_back(trim(name));
  }
  return names;
}

Headers common_headers(const CORSRule& rule, std::string_view origin) {
  const bool everyone = std::ranges::find(rule.allowed_origins.get(), "*") != rule.allowed_origins.get().end();
  Headers headers;
  headers.emplace_back("Access-Control-Allow-Origin", everyone ? "*" : std::string(origin));
  headers.emplace_back("Access-Control-Allow-Methods", join(rule.allowed_methods.get(), ", "));
  if (!rule.expose_headers.get().empty()) {
    headers.emplace_back("Access-Control-Expose-Headers", join(rule.expose_headers.get(), ", "));
  }
  if (rule.max_age_seconds) headers.emplace_back("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
  if (!everyone) headers.emplace_back("Access-Control-Allow-Credentials", "true");
  headers.emplace_back("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
  return headers;
}

}  // namespace

void validate_cors(const std::vector<CORSRule>& rules) {
  if (rules.empty() || rules.size() > 100) {
    throw AwsError("MalformedXML",
                   "The XML you provided was not well-formed or did not validate against our published schema");
  }
  for (const CORSRule& rule : rules) {
    if (rule.allowed_methods.get().empty() || rule.allowed_origins.get().empty()) {
      throw AwsError("MalformedXML",
                     "The XML you provided was not well-formed or did not validate against our published schema");
    }
    for (const std::string& method : rule.allowed_methods.get()) {
      if (std::ranges::find(kMethods, method) == kMethods.end()) {
        throw AwsError("InvalidRequest",
                       "Found unsupported HTTP method in CORS config. Unsupported method is " + method);
      }
    }
    for (const auto* list : {&rule.allowed_origins.get(), &rule.allowed_headers.get()}) {
      for (const std::string& pattern : *list) {
        if (std::ranges::count(pattern, '*') > 1) {
          throw AwsError("InvalidRequest", (list == &rule.allowed_origins.get() ? "AllowedOrigin" : "AllowedHeader") +
                                               (" \"" + pattern + "\" can not have more than one wildcard."));
        }
      }
    }
  }
}

std::optional<Headers> cors_preflight(const std::vector<CORSRule>& rules, std::string_view origin,
                                      std::string_view method, std::string_view requested_headers) {
  const std::vector<std::string> names = header_names(requested_headers);
  for (const CORSRule& rule : rules) {
    if (!applies(rule, origin, method)) continue;
    if (!std::ranges::all_of(names, [&](const std::string& name) { return allows_header(rule, name); })) continue;
    Headers headers = common_headers(rule, origin);
    if (!names.empty()) headers.emplace_back("Access-Control-Allow-Headers", to_lower(join(names, ", ")));
    return headers;
  }
  return std::nullopt;
}

Headers cors_headers(const std::vector<CORSRule>& rules, std::string_view origin, std::string_view method) {
  for (const CORSRule& rule : rules) {
    if (applies(rule, origin, method)) return common_headers(rule, origin);
  }
  return {};
}

}  // namespace brume::s3
