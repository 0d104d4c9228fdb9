#include "front/dispatch/dispatcher.h"

#include <utility>

#include "core/text.h"
#include "front/dispatch/api_call.h"
#include "front/dispatch/raw_call.h"
#include "front/dispatch/relay_call.h"

namespace brume::front {
namespace {

std::string_view code_of(int status) {
  switch (status) {
    case 408:
      return "RequestTimeout";
    case 414:
      return "RequestURITooLong";
    case 417:
      return "ExpectationFailed";
    case 431:
      return "RequestHeaderSectionTooLarge";
    case 501:
      return "NotImplemented";
    case 505:
      return "HttpVersionNotSupported";
    default:
      return "BadRequest";
  }
}

}  // namespace

void Dispatcher::route(std::string host_suffix, std::string path_prefix, HttpHandler& handler) {
  routes_.push_back({std::move(host_suffix), std::move(path_prefix), &handler});
}

void Dispatcher::set_listener(const std::string& label, ListenerRole role) {
  const std::lock_guard lock(mutex_);
  roles_[label] = std::move(role);
}

void Dispatcher::remove_listener(const std::string& label) {
  const std::lock_guard lock(mutex_);
  roles_.erase(label);
}

std::optional<ListenerRole> Dispatcher::role_of(const std::string& label) const {
  const std::lock_guard lock(mutex_);
  const auto found = roles_.find(label);
  if (found == roles_.end()) return std::nullopt;
  return found->second;
}

HttpHandler* Dispatcher::find_handler(const http::RequestHead& head, const HostRoute& host) const {
  for (const Route& route : routes_)
    if (host.name.ends_with(route.host_suffix) && head.path.starts_with(route.path_prefix)) return route.handler;
  if (host.kind == HostRoute::Kind::registry) return registry_;
  // A bucket may be called "v2": requests that AWS's clients sign are never the registry's.
  const bool registry_path = head.path == "/v2" || head.path.starts_with("/v2/");
  if (host.kind == HostRoute::Kind::other && registry_path && !is_signed_for_aws(head)) return registry_;
  return nullptr;
}

void Dispatcher::on_request(std::shared_ptr<http::Exchange> exchange) {
  environment_->statistics.count_request();
  const http::RequestHead& head = exchange->head();
  std::optional<ListenerRole> role = role_of(exchange->peer().listener);
  // The socket was given up a moment ago: its connections are being closed, and are nobody's any more.
  if (!role) return exchange->reply({.status = 503});
  HostRoute host = parse_host(head.host);
  if (!role->services.empty())
    return std::make_shared<ApiCall>(environment_, std::move(exchange), std::move(host), *std::move(role))->start();
  HttpHandler* handler = role->handler != nullptr ? role->handler : find_handler(head, host);
  if (handler != nullptr) return call_handler(environment_, *handler, std::move(exchange), host, role->vpc);
  if (host.kind == HostRoute::Kind::load_balancer && relay_ != nullptr)
    return relay_request(*relay_, std::move(exchange), host);
  std::make_shared<ApiCall>(environment_, std::move(exchange), std::move(host), *std::move(role))->start();
}

HttpReply Dispatcher::refusal(const http::HeadProblem& problem) {
  environment_->statistics.count_malformed();
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" +
                     std::string(code_of(problem.status)) + "</Code><Message>";
  // The message may quote a header's name, which is a token: of XML's characters it can only have an ampersand.
  for (const char c : problem.message) text += c == '&' ? std::string("&amp;") : std::string(1, c);
  text += "</Message><RequestId>" + environment_->request_ids.uuid() + "</RequestId></Error>";
  return {
      .status = problem.status, .headers = {{"Content-Type", "application/xml"}}, .body = Body::of(std::move(text))};
}

}  // namespace brume::front
