#include "app/relay.h"

namespace brume::app {
namespace {

constexpr std::string_view kLocal = ".elb.localhost";

// An internet-facing load balancer is reached at its public address, an internal one inside its VPC.
struct Place {
  std::string vpc, address;
};

}  // namespace

void LoadBalancerRelay::dial(const std::string& host, std::function<void(Result)> done) {
  control_.post([this, host, done = std::move(done)] { dial_on_control(host, done); });
}

void LoadBalancerRelay::dial_on_control(const std::string& host, const std::function<void(Result)>& done) {
  std::optional<Place> place;
  std::string state;
  elbv2_.balancers.for_all([&](const Scope&, std::string_view, const elbv2::LoadBalancerRecord& balancer) {
    const bool named = host.ends_with(kLocal) ? balancer.name == host.substr(0, host.size() - kLocal.size())
                                              : balancer.dns_name == host;
    if (!named || balancer.deleting || balancer.zones.empty()) return;
    state = balancer.state;
    const elbv2::ZoneRecord& zone = balancer.zones.front();
    place = zone.public_address.empty() ? Place{balancer.vpc, zone.private_address} : Place{"", zone.public_address};
  });
  if (!place) return done({.status = 503, .error = "there is no load balancer named " + host});
  if (state != "active") return done({.status = 503, .error = "the load balancer " + host + " is " + state});
  network_.dial(place->vpc, place->address, 80, [done, host](int fd, const std::string& error) {
    done({.fd = fd, .error = fd >= 0 ? "" : "the load balancer " + host + " does not answer on port 80: " + error});
  });
}

}  // namespace brume::app
