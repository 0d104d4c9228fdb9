#include "planes/network/router.h"

#include <utility>

#include "core/error.h"
#include "planes/network/kernel.h"
#include "planes/network/sockets.h"

namespace brume::network {
namespace {

constexpr std::uint16_t kDnsPort = 53, kHttpPort = 80, kHttpsPort = 443;

// The VPC's link in the internet namespace and what goes over it; the rest is none of this VPC's.
NamespaceState share_of(const NamespaceState& internet, const std::string& vpc_id) {
  const std::string name = internet_link(vpc_id);
  NamespaceState share;
  if (const auto link = internet.links.find(name); link != internet.links.end()) share.links.insert(*link);
  for (const KernelAddress& address : internet.addresses)
    if (address.link == name) share.addresses.insert(address);
  for (const auto& route : internet.routes)
    if (route.second.link == name) share.routes.insert(route);
  return share;
}

DeviceNames device_names(const Topology& observed) {
  DeviceNames names;
  for (const auto& [name, state] : observed) {
    if (kind_of(name) != NamespaceKind::sandbox) continue;
    for (const auto& [device, link] : state.links)
      if (device != "lo") names[{name, link.label}] = device;
  }
  return names;
}

}  // namespace

Router::Router(const Namespaces& namespaces, std::string vpc_id, std::size_t transaction_limit_bytes)
    : namespaces_(namespaces),
      vpc_id_(std::move(vpc_id)),
      table_(namespaces, router_namespace(vpc_id_), transaction_limit_bytes) {}

std::size_t Router::apply(const Vpc& vpc) {
  BRUME_CHECK(vpc.id == vpc_id_);
  if (applied_ == vpc) return 0;
  const NftTable table = render_table(vpc);
  Topology observed = observed_ ? *observed_ : observe_all();
  const Topology desired = render_topology(vpc, device_names(observed));
  check_sandboxes(observed, desired);
  applied_.reset();
  observed_.reset();
  std::size_t changes = 0;
  const std::string name = router_namespace(vpc_id_);
  if (!observed.contains(name)) {
    changes += carry_out(namespaces_, {{name, CreateNamespace{}}});
    observed[name];
  }
  // The table first: an interface is never there without its rules.
  changes += table_.load(table);
  changes += carry_out(namespaces_, plan(observed, desired));
  observed_ = desired;
  applied_ = vpc;
  return changes;
}

void Router::remove() {
  const Topology observed = observe_all();
  applied_.reset();
  observed_.reset();
  carry_out(namespaces_, plan(observed, {{kInternetNamespace, {}}}));
}

Counters Router::counters() { return read_counters(table_.counters()); }

// What was let through is listed after what was seen: a packet on its way is never taken for a rejected one.
Flows Router::flows() {
  if (!applied_ || applied_->flow_logged.empty()) return {};
  const FlowListing seen = table_.flows(flow_sets(false));
  const FlowListing passed = table_.flows(flow_sets(true));
  std::map<std::string, std::string> interfaces;
  for (const std::string& id : applied_->flow_logged) interfaces[interface_link(id)] = id;
  return meter_.read(seen, passed, interfaces);
}

std::vector<Listener> Router::open_endpoint(const std::string& address) const {
  std::vector<Descriptor> opened;
  for (const std::uint16_t port : {kHttpPort, kHttpsPort})
    opened.push_back(open_transparent_listener(namespaces_, router_namespace(vpc_id_), require_ipv4(address), port));
  std::vector<Listener> listeners;
  for (Descriptor& each : opened)
    listeners.push_back({.vpc = vpc_id_, .service = Service::endpoint, .tcp = each.release()});
  return listeners;
}

std::vector<Listener> Router::open_listeners() const {
  const std::string name = router_namespace(vpc_id_);
  const Ipv4 resolver = require_ipv4(loopback_label(namespaces_, name));
  const auto open = [&](Transport transport, Ipv4 address, std::uint16_t port) {
    return open_listener(namespaces_, name, transport, address, port);
  };
  struct Opened {
    Service service;
    Descriptor udp, tcp;
  };
  // All or none: a failure closes those opened before.
  std::vector<Opened> opened;
  for (const Ipv4 address : {resolver, require_ipv4(kLinkLocalDns)})
    opened.push_back({Service::dns, open(Transport::udp, address, kDnsPort), open(Transport::tcp, address, kDnsPort)});
  opened.push_back({Service::metadata, {}, open(Transport::tcp, require_ipv4(kMetadata), kHttpPort)});
  opened.push_back({Service::credentials, {}, open(Transport::tcp, require_ipv4(kCredentials), kHttpPort)});
  std::vector<Listener> listeners;
  for (Opened& each : opened)
    listeners.push_back(
        {.vpc = vpc_id_, .service = each.service, .udp = each.udp.release(), .tcp = each.tcp.release()});
  return listeners;
}

Topology Router::observe_all() const {
  const std::string router = router_namespace(vpc_id_);
  Topology topology;
  NamespaceState& share = topology[kInternetNamespace];
  // It may be gone when everything is being removed.
  if (namespaces_.exists(kInternetNamespace)) share = share_of(observe(namespaces_, kInternetNamespace), vpc_id_);
  for (const std::string& name : namespaces_.list())
    if (name == router || (kind_of(name) == NamespaceKind::sandbox && loopback_label(namespaces_, name) == vpc_id_))
      topology[name] = observe(namespaces_, name);
  pair_links(topology, router);
  return topology;
}

void Router::check_sandboxes(const Topology& observed, const Topology& desired) const {
  for (const auto& [name, state] : desired) {
    if (kind_of(name) != NamespaceKind::sandbox || observed.contains(name) || !namespaces_.exists(name)) continue;
    const std::string owner = loopback_label(namespaces_, name);
    if (!owner.empty() && owner != vpc_id_)
      throw PlaneError(PlaneError::Kind::permanent, name + " belongs to " + owner);
  }
}

}  // namespace brume::network
