#include "core/error.h"
#include "planes/balancer/render_parts.h"

namespace brume::balancer {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '/' || c == '.' || c == ':';
}

std::string regex_literal(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/')
    return std::string(1, c);
  return std::string("\\") + c;
}

// The regular expression of a glob; `any` stands for one character that a wildcard may take.
std::string glob_regex(std::string_view pattern, const std::string& any) {
  std::string regex;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size())
      regex += regex_literal(pattern[++i]);
    else if (pattern[i] == '*')
      regex += any + "*";
    else if (pattern[i] == '?')
      regex += any;
    else
      regex += regex_literal(pattern[i]);
  }
  return regex;
}

bool has_no_special(std::string_view text) { return text.find_first_of("*?\\") == std::string_view::npos; }

std::string header_field(const std::string& name) {
  // RFC 9110's token, less what HAProxy's configuration would read as its own.
  if (name.empty() ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!^*+|~$&") !=
          std::string::npos)
    throw PlaneError(PlaneError::Kind::permanent, "not a header name that HAProxy can hold: " + name);
  return quoted("req.fhdr(" + name + ")");
}

// The parameter KEY=VALUE somewhere in the query. Without a key, any parameter's value.
std::string query_regex(const std::string& key, const std::string& value) {
  const std::string any = "[^&]";
  const std::string name = key.empty() ? "[^&=]*" : glob_regex(key, "[^&=]");
  return "(^|&)" + name + "=" + glob_regex(value, any) + "(&|$)";
}

}  // namespace

std::string quoted(std::string_view text) {
  bool plain = !text.empty();
  std::string result = "'";
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      throw PlaneError(PlaneError::Kind::permanent, "a control character in a value of the load balancer");
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
    plain = plain && is_word(c);
  }
  return plain ? std::string(text) : result + "'";
}

std::string escaped_format(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '%') result += '%';
    result += c;
  }
  return result;
}

std::string glob_match(std::string_view pattern, bool ignore_case) {
  const std::string flags = ignore_case ? " -i -m " : " -m ";
  if (has_no_special(pattern)) return flags + "str -- " + quoted(pattern);
  if (pattern.ends_with('*') && has_no_special(pattern.substr(0, pattern.size() - 1)) && pattern.size() > 1)
    return flags + "beg -- " + quoted(pattern.substr(0, pattern.size() - 1));
  if (pattern.starts_with('*') && has_no_special(pattern.substr(1)) && pattern.size() > 1)
    return flags + "end -- " + quoted(pattern.substr(1));
  if (pattern.starts_with('*') && pattern.ends_with('*') && pattern.size() > 2 &&
      has_no_special(pattern.substr(1, pattern.size() - 2)))
    return flags + "sub -- " + quoted(pattern.substr(1, pattern.size() - 2));
  return flags + "reg -- " + quoted("^" + glob_regex(pattern, ".") + "$");
}

std::string render_condition(const std::string& name, const Condition& condition) {
  std::string text;
  const auto line = [&](const std::string& rest) { text += "  acl " + name + " " + rest + "\n"; };
  using Field = Condition::Field;
  if (condition.field == Field::query_string)
    for (const auto& [key, value] : condition.query) line("query -i -m reg -- " + quoted(query_regex(key, value)));
  for (const std::string& value : condition.values) {
    switch (condition.field) {
      case Field::host_header:
        line("req.hdr(host),host_only" + glob_match(value, true));
        break;
      case Field::path_pattern:
        line("path" + glob_match(value, false));
        break;
      case Field::http_header:
        line(header_field(condition.header_name) + glob_match(value, true));
        break;
      case Field::http_request_method:
        line("method -m str -- " + quoted(value));
        break;
      case Field::source_ip:
        line("src " + quoted(value));
        break;
      case Field::query_string:
        break;
    }
  }
  return text;
}

}  // namespace brume::balancer
