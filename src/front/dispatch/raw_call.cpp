#include "front/dispatch/raw_call.h"

#include <exception>
#include <utility>

#include "core/log.h"

namespace brume::front {
namespace {

HttpRequest make_request(Environment& environment, const http::Exchange& exchange, const HostRoute& host,
                         const std::string& vpc) {
  const http::RequestHead& head = exchange.head();
  const http::Peer& peer = exchange.peer();
  HttpRequest request;
  request.method = head.method;
  request.path = head.path;
  request.query = head.query;
  request.headers = head.headers;
  request.listener = peer.listener;
  request.peer_address = peer.address;
  RequestContext& context = request.context;
  context.scope = {host.account, host.region.empty() ? environment.default_region : host.region};
  context.request_id = environment.request_ids.uuid();
  context.now = environment.clock.now();
  context.source_address = peer.address;
  context.user_agent = head.header("user-agent");
  context.host = head.host;
  context.secure = peer.secure;
  context.vpc = vpc;
  context.endpoint = (peer.secure ? "https://" : "http://") + head.host;
  return request;
}

void handle(HttpHandler& handler, HttpRequest request, const std::shared_ptr<http::Exchange>& exchange) {
  const std::string id = request.context.request_id;
  const std::string what = request.method + " " + request.path;
  try {
    handler.handle(std::move(request), [exchange](HttpReply reply) { exchange->reply(std::move(reply)); });
  } catch (const std::exception& failure) {
    log::error("front", "Request " + id + " (" + what + ") failed: " + failure.what());
    exchange->reply({.status = 500});
  }
}

}  // namespace

void call_handler(std::shared_ptr<Environment> environment, HttpHandler& handler,
                  std::shared_ptr<http::Exchange> exchange, const HostRoute& host, const std::string& vpc) {
  const http::RequestHead& head = exchange->head();
  http::BodyPlan plan{.limit = handler.largest_body(head.method, head.path), .digests = {DigestKind::sha256}};
  auto request = std::make_unique<HttpRequest>(make_request(*environment, *exchange, host, vpc));
  auto received = [environment = std::move(environment), &handler, exchange,
                   request = std::move(request)](std::expected<http::ReceivedBody, AwsError> body) mutable {
    if (!body) {
      exchange->reply({.status = body.error().status,
                       .headers = {{"Content-Type", "text/plain"}},
                       .body = Body::of(body.error().message + "\n")});
      return;
    }
    request->body = std::move(body->body);
    environment->control.post(
        [&handler, exchange, request = std::move(request)] { handle(handler, std::move(*request), exchange); });
  };
  exchange->receive_body(std::move(plan), std::move(received));
}

}  // namespace brume::front
