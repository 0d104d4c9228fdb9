#include "front/dispatch/relay_call.h"

#include <utility>

#include "core/text.h"
#include "front/http/reply.h"

namespace brume::front {
namespace {

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string relayed_head(const http::RequestHead& head) {
  std::string text = head.method + " " + head.path;
  if (!head.query.empty()) text += "?" + head.query;
  text += head.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  for (const auto& [name, value] : head.headers) {
    if (!head.upgrade && (equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive")))
      continue;
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (!head.upgrade) text += "Connection: close\r\n";
  return text + "\r\n";
}

HttpReply relay_failure(const std::string& host, int status, const std::string& error) {
  const std::string title = std::to_string(status) + " " + std::string(http::reason_phrase(status));
  std::string page = "<!doctype html><html><head><meta charset=\"utf-8\"><title>" + title +
                     "</title></head><body><h1>" + title + "</h1><p>Brume cannot pass this request on to <b>" +
                     escape_html(host) + "</b>: " + escape_html(error) + "</p></body></html>\n";
  return {
      .status = status, .headers = {{"Content-Type", "text/html; charset=utf-8"}}, .body = Body::of(std::move(page))};
}

void relay_request(Relay& relay, std::shared_ptr<http::Exchange> exchange, const HostRoute& host) {
  relay.dial(host.name, [exchange = std::move(exchange), name = host.name](Relay::Result result) {
    if (result.fd >= 0)
      exchange->tunnel(result.fd, relayed_head(exchange->head()));
    else
      exchange->reply(relay_failure(name, result.status, result.error));
  });
}

}  // namespace brume::front
