#include "app/relay.h"

#include <algorithm>
#include <optional>

#include "core/text.h"
#include "services/elbv2/api.h"

namespace brume::app {
namespace {

constexpr std::string_view kLocal = ".elb.localhost";
constexpr int kHttpPort = 80;

// What was asked for: "NAME.elb.localhost", "8080.NAME.elb.localhost" (a listener's port before the name), or a load
// balancer's DNS name.
struct Asked {
  std::string name;
  int port = 0;  // 0: none in particular
};

Asked parse_asked(const std::string& host) {
  if (!host.ends_with(kLocal)) return {host, 0};
  Asked asked{host.substr(0, host.size() - kLocal.size()), 0};
  const std::size_t dot = asked.name.find('.');
  std::int64_t port = 0;
  if (dot == std::string::npos || !parse_int(asked.name.substr(0, dot), port)) return asked;
  return {asked.name.substr(dot + 1), static_cast<int>(port)};
}

// The listener's port: the one asked for, else 80, else the lowest.
std::optional<int> port_of(const elbv2::LoadBalancerFacts& balancer, int asked) {
  const std::vector<int>& ports = balancer.http_ports;
  if (asked != 0) return std::ranges::find(ports, asked) != ports.end() ? std::optional(asked) : std::nullopt;
  if (std::ranges::find(ports, kHttpPort) != ports.end()) return kHttpPort;
  return ports.empty() ? std::nullopt : std::optional(*std::ranges::min_element(ports));
}

}  // namespace

void LoadBalancerRelay::dial(const std::string& host, std::function<void(Result)> done) {
  control_.post([this, host, done = std::move(done)] { dial_on_control(host, done); });
}

void LoadBalancerRelay::dial_on_control(const std::string& host, const std::function<void(Result)>& done) {
  const Asked asked = parse_asked(host);
  const std::optional<elbv2::LoadBalancerFacts> balancer = elbv2::find_load_balancer(elbv2_, asked.name);
  if (!balancer || balancer->private_addresses.empty())
    return done({.status = 503, .error = "there is no load balancer, or more than one, named " + asked.name});
  if (balancer->state != "active")
    return done({.status = 503, .error = "the load balancer " + asked.name + " is " + balancer->state});
  const std::optional<int> port = port_of(*balancer, asked.port);
  if (!port) return done({.status = 503, .error = "the load balancer " + asked.name + " has no such HTTP listener"});
  // An internet-facing load balancer is reached at its public address, an internal one inside its VPC.
  const bool is_public = !balancer->public_addresses.empty();
  const std::string& address = is_public ? balancer->public_addresses.front() : balancer->private_addresses.front();
  network_.dial(is_public ? "" : balancer->vpc, address, *port,
                [done, asked, port = *port](int fd, const std::string& error) {
                  const std::string at = asked.name + " does not answer on port " + std::to_string(port);
                  done({.fd = fd, .error = fd >= 0 ? "" : "the load balancer " + at + ": " + error});
                });
}

}  // namespace brume::app
