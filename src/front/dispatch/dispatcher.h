// Decides who answers a request: a handler of plain HTTP, a load balancer, or AWS's API. Registered with before the
// server starts, except for listeners, which come and go. I/O thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "aws/http.h"
#include "front/dispatch/environment.h"
#include "front/http/exchange.h"
#include "front/relay.h"

namespace brume::front {

// What a listening socket is for.
struct ListenerRole {
  HttpHandler* handler = nullptr;     // null: AWS's API and everything that is told by host and path
  std::string vpc;                    // the VPC in whose namespace the socket is, if in one
  std::vector<std::string> services;  // that answer there, and nothing else; empty: everything does
};

class Dispatcher final : public http::Application {
 public:
  Dispatcher(std::shared_ptr<Environment> environment, Relay* relay)
      : environment_(std::move(environment)), relay_(relay) {}

  void add(const ServedService& service) { environment_->services.add(service); }
  // Requests whose host name ends with `host_suffix` and whose path starts with `path_prefix`.
  void route(std::string host_suffix, std::string path_prefix, HttpHandler& handler);
  // The container registry: its own host names, and /v2/ on any other that is none of AWS's.
  void set_registry(HttpHandler& handler) { registry_ = &handler; }
  void set_listener(const std::string& label, ListenerRole role);  // thread-safe
  void remove_listener(const std::string& label);                  // thread-safe

  void on_request(std::shared_ptr<http::Exchange> exchange) override;
  HttpReply refusal(const http::HeadProblem& problem) override;

 private:
  struct Route {
    std::string host_suffix, path_prefix;
    HttpHandler* handler = nullptr;
  };
  std::optional<ListenerRole> role_of(const std::string& label) const;
  HttpHandler* find_handler(const http::RequestHead& head, const HostRoute& host) const;

  std::shared_ptr<Environment> environment_;
  Relay* relay_;
  HttpHandler* registry_ = nullptr;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  std::map<std::string, ListenerRole> roles_;
};

}  // namespace brume::front
