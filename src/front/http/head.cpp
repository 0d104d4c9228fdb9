#include "front/http/head.h"

#include <array>
#include <utility>

#include "core/plain_text.h"
#include "core/text.h"

namespace brume::http {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = make_token_table();

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

HeadResult refused(int status, std::string message) {
  return {.state = HeadResult::State::refused, .problem = {status, std::move(message)}};
}

// What one line of the head can be refused for; nullopt: it is well-formed.
using Refusal = std::optional<HeadProblem>;

bool is_target(std::string_view target) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c <= ' ' || c > '~' || c == '#') return false;
    if (c == '%' && (i + 2 >= target.size() || !is_hex_digit(target[i + 1]) || !is_hex_digit(target[i + 2])))
      return false;
  }
  return true;
}

bool is_host(std::string_view host) {
  for (const char c : host) {
    const bool name = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!name && std::string_view("-._~!$&'()*+,;=:[]%").find(c) == std::string_view::npos) return false;
  }
  return true;
}

// Splits the target into path and query. An absolute target ("http://host/path") must name the host that Host names.
Refusal read_target(std::string_view target, std::string_view& authority, RequestHead& head) {
  if (target.empty() || !is_target(target))
    return HeadProblem{400, "The request target is empty or has a character that is not allowed."};
  if (target == "*") {
    head.path = "*";
    return std::nullopt;
  }
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(target.find("//") + 2);
    const std::size_t end = target.find_first_of("/?");
    authority = target.substr(0, end);
    target = end == std::string_view::npos ? "/" : target.substr(end);
    if (authority.empty()) return HeadProblem{400, "The request target names no host."};
  }
  const std::size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  if (mark != std::string_view::npos) head.query = target.substr(mark + 1);
  if (head.path.empty()) head.path = "/";
  if (head.path.front() != '/') return HeadProblem{400, "The request target is not a path."};
  return std::nullopt;
}

Refusal read_request_line(std::string_view line, const HeadLimits& limits, std::string_view& authority,
                          RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return HeadProblem{400, "The request line is not 'METHOD TARGET HTTP/1.1'."};
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32) return HeadProblem{400, "The request's method is malformed."};
  if (version == "HTTP/1.0") {
    head.http_1_0 = true;
    head.keep_alive = false;
  } else if (version != "HTTP/1.1") {
    return HeadProblem{version.starts_with("HTTP/") ? 505 : 400, "Only HTTP/1.1 is served."};
  }
  if (target.size() > limits.target_bytes)
    return HeadProblem{414, "The request's URI is longer than " + std::to_string(limits.target_bytes) + " bytes."};
  head.method = method;
  return read_target(target, authority, head);
}

Refusal read_header(std::string_view line, const HeadLimits& limits, RequestHead& head) {
  if (line.front() == ' ' || line.front() == '\t')
    return HeadProblem{400, "A header is folded over several lines, which is obsolete."};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return HeadProblem{400, "A header has no colon."};
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return HeadProblem{400, "A header's name is malformed."};
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (!is_header_value(value))
    return HeadProblem{400, "The header '" + std::string(name) + "' has a control character."};
  if (head.headers.size() >= limits.headers)
    return HeadProblem{431, "The request has more than " + std::to_string(limits.headers) + " headers."};
  head.headers.emplace_back(name, value);
  return std::nullopt;
}

Refusal read_content_length(std::string_view value, RequestHead& head) {
  if (head.content_length) return HeadProblem{400, "There is more than one Content-Length."};
  std::uint64_t length = 0;
  if (value.empty() || value.size() > 18) return HeadProblem{400, "The Content-Length is malformed."};
  for (const char c : value) {
    if (c < '0' || c > '9') return HeadProblem{400, "The Content-Length is malformed."};
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  head.content_length = length;
  return std::nullopt;
}

void read_connection(std::string_view value, RequestHead& head) {
  for (std::string_view option : split(value, ',')) {
    option = trim(option);
    if (equals_ignoring_case(option, "close")) head.keep_alive = false;
    if (equals_ignoring_case(option, "keep-alive") && head.http_1_0) head.keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) head.upgrade = true;
  }
}

// The headers that frame the message or steer the connection.
Refusal read_framing(RequestHead& head) {
  bool has_host = false;
  for (const auto& [name, value] : head.headers) {
    Refusal refusal;
    if (equals_ignoring_case(name, "content-length")) {
      refusal = read_content_length(value, head);
    } else if (equals_ignoring_case(name, "transfer-encoding")) {
      if (head.chunked) return HeadProblem{400, "There is more than one Transfer-Encoding."};
      if (!equals_ignoring_case(value, "chunked"))
        return HeadProblem{501, "The only Transfer-Encoding served is 'chunked'."};
      head.chunked = true;
    } else if (equals_ignoring_case(name, "host")) {
      if (has_host) return HeadProblem{400, "There is more than one Host header."};
      if (!is_host(value)) return HeadProblem{400, "The Host header is malformed."};
      has_host = true;
      head.host = value;
    } else if (equals_ignoring_case(name, "connection")) {
      read_connection(value, head);
    } else if (equals_ignoring_case(name, "expect")) {
      if (!equals_ignoring_case(value, "100-continue"))
        return HeadProblem{417, "The only Expect served is '100-continue'."};
      head.expects_continue = !head.http_1_0;
    }
    if (refusal) return refusal;
  }
  if (!has_host && !head.http_1_0) return HeadProblem{400, "The Host header is missing."};
  if (head.chunked && head.content_length)
    return HeadProblem{400, "There are both a Content-Length and a Transfer-Encoding."};
  if (head.chunked && head.http_1_0) return HeadProblem{400, "HTTP/1.0 has no Transfer-Encoding."};
  return std::nullopt;
}

// What can be refused before the head has ended, so that a broken client is not kept waiting.
HeadResult judge_incomplete(std::string_view bytes, std::size_t searched, const HeadLimits& limits) {
  for (std::size_t i = bytes.find('\n', searched); i != std::string_view::npos; i = bytes.find('\n', i + 1))
    if (i == 0 || bytes[i - 1] != '\r') return refused(400, "A line of the head ends without a carriage return.");
  if (bytes.find('\0', searched) != std::string_view::npos) return refused(400, "The head has a NUL character.");
  if (bytes.size() > limits.target_bytes + 64 && bytes.substr(0, limits.target_bytes + 64).find('\n') == bytes.npos)
    return refused(414, "The request's URI is longer than " + std::to_string(limits.target_bytes) + " bytes.");
  if (bytes.size() >= limits.head_bytes)
    return refused(431, "The request's head is larger than " + std::to_string(limits.head_bytes) + " bytes.");
  return {};
}

}  // namespace

bool is_token(std::string_view text) {
  for (const char c : text)
    if (!kToken[static_cast<unsigned char>(c)]) return false;
  return !text.empty();
}

bool is_header_value(std::string_view text) {
  const auto may_have_control = [](std::uint64_t bytes) { return any_below(bytes, ' ') | any_equal(bytes, 0x7f); };
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && byte != '\t') || byte == 0x7f;
  };
  return find_special(text, 0, may_have_control, is_control) == text.size();
}

std::string_view RequestHead::header(std::string_view name) const { return header_of(headers, name); }

bool RequestHead::has_header(std::string_view name) const {
  for (const auto& header : headers)
    if (equals_ignoring_case(header.first, name)) return true;
  return false;
}

HeadResult parse_head(std::string_view bytes, std::size_t searched, const HeadLimits& limits, RequestHead& head) {
  // RFC 9112 section 2.2: an empty line before the request line is ignored. One, not any number.
  const std::size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  const std::string_view text = bytes.substr(skipped);
  const std::size_t from = searched > skipped + 3 ? searched - skipped - 3 : 0;
  const std::size_t end = text.find("\r\n\r\n", from);
  if (end == std::string_view::npos) return judge_incomplete(text, from, limits);
  if (end + 4 > limits.head_bytes)
    return refused(431, "The request's head is larger than " + std::to_string(limits.head_bytes) + " bytes.");

  head = RequestHead{};
  head.headers.reserve(16);
  std::string_view authority;
  std::string_view rest = text.substr(0, end + 2);
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t line_end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end + 2);
    const Refusal refusal = first ? read_request_line(line, limits, authority, head) : read_header(line, limits, head);
    if (!refusal) continue;
    // Refused in any case: no part of a line may have one of these. It is the reason that is told first.
    if (line.find('\r') != line.npos || line.find('\n') != line.npos || line.find('\0') != line.npos)
      return refused(400, "A line of the head has a bare carriage return, a bare line feed or a NUL character.");
    return refused(refusal->status, refusal->message);
  }
  if (const Refusal refusal = read_framing(head)) return refused(refusal->status, refusal->message);
  if (!authority.empty() && !equals_ignoring_case(authority, head.host))
    return refused(400, "The request target names another host than the Host header.");
  return {.state = HeadResult::State::complete, .size = skipped + end + 4};
}

}  // namespace brume::http
