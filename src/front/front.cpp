#include "front/front.h"

#include <utility>

#include "core/error.h"
#include "front/dispatch/dispatcher.h"
#include "front/http/server.h"
#include "front/http/sockets.h"

namespace brume {

struct Front::Parts {
  Parts(FrontOptions options, const FrontNeeds& needs)
      // Shared with the requests that are on the control thread when the door closes.
      : environment(new front::Environment{.clock = needs.clock,
                                           .random = needs.random,
                                           .control = needs.control,
                                           .store = needs.store,
                                           .credentials = needs.credentials,
                                           .authorizer = needs.authorizer,
                                           .audit = needs.audit,
                                           .cross_origin = needs.cross_origin,
                                           .turns = needs.turns,
                                           .backlog = needs.backlog,
                                           .default_region = std::move(options.default_region),
                                           .limits = options.limits,
                                           .request_ids = front::RequestIds(needs.random)}),
        dispatcher(environment, needs.relay),
        server(options.limits, std::move(options.spool_directory), dispatcher, needs.clock, needs.certificates) {}

  std::shared_ptr<front::Environment> environment;
  front::Dispatcher dispatcher;
  http::Server server;
};

Front::Front(FrontOptions options, const FrontNeeds& needs)
    : parts_(std::make_unique<Parts>(std::move(options), needs)) {}
Front::~Front() { stop(); }

void Front::add(const model::Handlers& handlers, void* service) {
  BRUME_CHECK(handlers.handlers.size() == handlers.service->operations.size());
  parts_->dispatcher.add({.model = handlers.service, .handlers = handlers, .object = service});
}

void Front::route(std::string host_suffix, std::string path_prefix, HttpHandler& handler) {
  parts_->dispatcher.route(std::move(host_suffix), std::move(path_prefix), handler);
}

void Front::set_registry(HttpHandler& handler) { parts_->dispatcher.set_registry(handler); }

void Front::start() { parts_->server.start(); }
void Front::stop() { parts_->server.stop(); }

std::uint16_t Front::listen_loopback(std::uint16_t port) {
  http::LoopbackSockets sockets = http::listen_loopback(port);
  adopt(sockets.v4.release(), {.label = "loopback", .tls = true});
  if (sockets.v6) adopt(sockets.v6.release(), {.label = "loopback", .tls = true});
  return sockets.port;
}

void Front::adopt(int listening_socket, Listening listening) {
  parts_->dispatcher.set_listener(
      listening.label,
      {.handler = listening.handler, .vpc = std::move(listening.vpc), .services = std::move(listening.services)});
  parts_->server.listen(
      listening_socket,
      {.label = std::move(listening.label), .tls = listening.tls, .connections = listening.connections});
}

void Front::listen_unix(const std::string& path, uid_t owner, const std::string& label, HttpHandler& handler) {
  http::Fd socket = http::listen_unix(path);
  parts_->dispatcher.set_listener(label, {.handler = &handler, .vpc = {}, .services = {}});
  parts_->server.listen(socket.release(), {.label = label, .only_user = owner});
}

void Front::stop_listening(const std::string& label) {
  parts_->server.close_listener(label);
  parts_->dispatcher.remove_listener(label);
}

FrontCounts Front::counts() const { return parts_->environment->statistics.read(); }

}  // namespace brume
