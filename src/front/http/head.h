// The head of an HTTP/1.1 request, parsed strictly: whatever two servers could read differently is refused (request
// smuggling). Pure functions over bytes; any thread. RFC 9112 "HTTP/1.1", RFC 9110 "HTTP Semantics".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/http.h"

namespace brume::http {

struct HeadLimits {
  std::size_t head_bytes = 64 * 1024;    // request line and headers together: 431
  std::size_t target_bytes = 16 * 1024;  // 414
  std::size_t headers = 128;             // 431
};

struct RequestHead {
  std::string method;
  std::string path;   // as sent, still percent-encoded: "/bucket/a%20key", or "*"
  std::string query;  // as sent, without '?'
  bool http_1_0 = false;
  Headers headers;   // in order, names as sent, values without surrounding white space
  std::string host;  // the Host header as sent; empty only in HTTP/1.0
  // How the body is framed; neither: there is none.
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool upgrade = false;  // Connection: upgrade

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  std::string_view header(std::string_view name) const;  // the first, case ignored; empty if absent
  bool has_header(std::string_view name) const;
};

// Why a head cannot be served: the HTTP status and a sentence. The connection is closed after such an answer.
struct HeadProblem {
  int status = 400;
  std::string message;
  bool operator==(const HeadProblem&) const = default;
};

struct HeadResult {
  enum class State { incomplete, complete, refused };
  State state = State::incomplete;
  std::size_t size = 0;  // complete: the head's bytes, the empty line included
  HeadProblem problem;   // refused
};

// Parses the head that `bytes` starts with. `searched` is how many bytes earlier calls have seen already (0 first); it
// keeps a head that arrives byte by byte from costing quadratic time.
HeadResult parse_head(std::string_view bytes, std::size_t searched, const HeadLimits& limits, RequestHead& head);

// A header's name: one or more tchar of RFC 9110. Trailers obey the same rules as headers.
bool is_token(std::string_view text);
bool is_header_value(std::string_view text);

}  // namespace brume::http
