#include "front/dispatch/raw_call.h"

#include <exception>
#include <utility>

#include "core/log.h"
#include "core/text.h"
#include "front/sigv4/claim.h"
#include "front/sigv4/verify.h"

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

void handle(HttpHandler& handler, HttpRequest request, Store& store, const std::shared_ptr<http::Exchange>& exchange) {
  const std::string id = request.context.request_id;
  const std::string what = request.method + " " + request.path;
  try {
    handler.handle(std::move(request), [exchange, &store](HttpReply reply) {
      store.when_durable([exchange, reply = std::move(reply)]() mutable { exchange->reply(std::move(reply)); });
    });
  } catch (const StoreFull& full) {
    // 507 is repeated by no client; 500 and 503 are.
    exchange->reply(
        {.status = 507, .headers = {{"Content-Type", "text/plain"}}, .body = Body::of(full.message + "\n")});
  } catch (const std::exception& failure) {
    log::error("front", "Request " + id + " (" + what + ") failed: " + failure.what());
    exchange->reply({.status = 500});
  }
}

constexpr std::uint64_t kInMemory = 64 * 1024;

// One request on its way to its handler. Shared by the steps that it is passed along.
class RawCall final : public std::enable_shared_from_this<RawCall> {
 public:
  RawCall(std::shared_ptr<Environment> environment, HttpHandler& handler, std::shared_ptr<http::Exchange> exchange,
          HttpRequest request)
      : environment_(std::move(environment)),
        handler_(handler),
        exchange_(std::move(exchange)),
        request_(std::move(request)) {}
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  void start() {
    const http::RequestHead& head = exchange_->head();
    if (!head.chunked && head.content_length.value_or(0) <= kInMemory) return receive();
    environment_->control.post([self = shared_from_this()] { self->ask_first(); });
  }

 private:
  // Control thread.
  void ask_first() {
    std::optional<HttpReply> refusal;
    try {
      refusal = handler_.refuse(request_);
    } catch (const std::exception& failure) {
      log::error("front", "Request " + request_.context.request_id + " failed: " + failure.what());
      refusal = HttpReply{.status = 500};
    }
    if (refusal) return exchange_->reply(*std::move(refusal));
    exchange_->post([self = shared_from_this()] { self->receive(); });
  }

  // I/O thread.
  void receive() {
    http::BodyPlan plan{.limit = handler_.largest_body(request_.method, request_.path),
                        .memory_limit = kInMemory,
                        .digests = {DigestKind::sha256}};
    exchange_->receive_body(
        std::move(plan), [self = shared_from_this()](std::expected<http::ReceivedBody, AwsError> body) {
          if (!body) return self->refuse(body.error());
          self->request_.body = std::move(body->body);
          if (auto wrong = self->authenticate()) return self->refuse(*wrong);
          self->environment_->control.post([self] {
            handle(self->handler_, std::move(self->request_), self->environment_->store, self->exchange_);
          });
        });
  }

  void refuse(const AwsError& error) {
    exchange_->reply(
        {.status = error.status, .headers = {{"Content-Type", "text/plain"}}, .body = Body::of(error.message + "\n")});
  }

  // Whoever signs is who the signature says; whoever does not is nobody.
  std::optional<AwsError> authenticate() {
    const http::RequestHead& head = exchange_->head();
    if (!is_signed_for_aws(head)) return std::nullopt;
    const sigv4::SignedRequest request{head.method, head.path, head.query, &head.headers};
    const auto claim = sigv4::read_claim(request, sigv4::Style::rest_json);
    if (!claim) return claim.error();
    if (!*claim) return std::nullopt;
    // Any service's scope: a handler is no service of its own, and host and path are signed.
    const sigv4::Expectation expectation{
        .style = sigv4::Style::rest_json, .service = (*claim)->scope.service, .region = {}};
    auto verified = sigv4::verify(request, **claim, expectation, to_hex(request_.body.sha256), request_.context.now,
                                  environment_->credentials, environment_->keys);
    if (!verified) return verified.error();
    request_.context.principal = std::move(verified->principal);
    request_.context.principal.access_key_id = (*claim)->access_key_id;
    return std::nullopt;
  }

  std::shared_ptr<Environment> environment_;
  HttpHandler& handler_;
  std::shared_ptr<http::Exchange> exchange_;
  HttpRequest request_;
};

}  // namespace

bool is_signed_for_aws(const http::RequestHead& head) {
  return head.header("authorization").starts_with("AWS") || !query_parameter(head.query, "X-Amz-Algorithm").empty();
}

void call_handler(std::shared_ptr<Environment> environment, HttpHandler& handler,
                  std::shared_ptr<http::Exchange> exchange, const HostRoute& host, const std::string& vpc) {
  HttpRequest request = make_request(*environment, *exchange, host, vpc);
  std::make_shared<RawCall>(std::move(environment), handler, std::move(exchange), std::move(request))->start();
}

}  // namespace brume::front
