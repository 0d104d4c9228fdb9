#include "front/http/reply.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace brume::http {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};
constexpr std::array kReasons = std::to_array<Reason>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
});

bool is_ours(std::string_view name) {
  return equals_ignoring_case(name, "content-length") || equals_ignoring_case(name, "date") ||
         equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "transfer-encoding");
}

// A header's value may come from a user's metadata: it must not be able to end the line.
void append_value(std::string& out, std::string_view value) {
  if (is_header_value(value)) {
    out += value;
    return;
  }
  for (const char c : value) out += is_header_value({&c, 1}) ? c : ' ';
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto* found =
      std::find_if(kReasons.begin(), kReasons.end(), [status](const Reason& r) { return r.status == status; });
  return found == kReasons.end() ? std::string_view("Status") : found->phrase;
}

bool reply_has_body(const HttpReply& reply, const RequestHead& request) {
  return request.method != "HEAD" && reply.status >= 200 && reply.status != 204 && reply.status != 304;
}

std::string render_reply_head(const HttpReply& reply, const RequestHead& request, bool keep_alive, Time now,
                              bool streamed) {
  std::string head;
  head.reserve(512);
  head.append("HTTP/1.1 ").append(std::to_string(reply.status)).append(" ").append(reason_phrase(reply.status));
  head += "\r\n";
  for (const auto& [name, value] : reply.headers) {
    if (is_ours(name) || !is_token(name)) continue;
    head.append(name).append(": ");
    append_value(head, value);
    head += "\r\n";
  }
  head.append("Date: ").append(http_date(now)).append("\r\n");
  const std::string_view own_length = header_of(reply.headers, "content-length");
  if (request.method == "HEAD" && !own_length.empty()) {
    head.append("Content-Length: ");
    append_value(head, own_length);
    head += "\r\n";
  } else if (streamed) {
    if (!request.http_1_0) head += "Transfer-Encoding: chunked\r\n";
  } else if (reply.status >= 200 && reply.status != 204 && reply.status != 304) {
    head.append("Content-Length: ").append(std::to_string(reply.body.size)).append("\r\n");
  }
  if (!keep_alive) {
    head += "Connection: close\r\n";
  } else if (request.http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  return head;
}

}  // namespace brume::http
