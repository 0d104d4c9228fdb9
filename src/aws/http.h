// Plain HTTP for what is not one of AWS's API protocols: the container registry, instance and task metadata, the admin
// socket.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/request.h"
#include "core/file_body.h"

namespace brume {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, case ignored; empty if absent.
std::string_view header_of(const Headers& headers, std::string_view name);
// The decoded value of a parameter of a query string (without '?'); empty if absent.
std::string query_parameter(std::string_view query, std::string_view name);

struct HttpRequest {
  std::string method;
  std::string path;        // as sent, still percent-encoded, without the query
  std::string query;       // as sent, without '?'
  Headers headers;         // in order, names as sent
  Body body;               // received whole: in memory up to 64 KiB, else spooled, digests computed
  RequestContext context;  // principal is anonymous unless the request was signed; a wrong signature is refused
  std::string listener;    // the label given to listen(): "metadata/vpc-…"
  std::string peer_address;

  // The first header of that name, case ignored; empty if absent.
  std::string_view header(std::string_view name) const;
  // The decoded value of a query parameter; empty if absent.
  std::string parameter(std::string_view name) const;
};

struct HttpReply {
  int status = 200;
  Headers headers;  // Content-Length, Date and Connection are the front's
  Body body;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Control thread. `done` is called once, there, now or later.
  virtual void handle(HttpRequest request, std::function<void(HttpReply)> done) = 0;
  // Asked on the I/O thread before a body is read: its largest size in bytes, else 413.
  virtual std::uint64_t largest_body(std::string_view, std::string_view) const { return 1 << 20; }
  // Asked on the control thread before a body is read that does not fit into memory: the answer to a caller who may not
  // send it; nullopt: it is read. The request has no body and no principal yet.
  virtual std::optional<HttpReply> refuse(const HttpRequest&) { return std::nullopt; }
};

}  // namespace brume
