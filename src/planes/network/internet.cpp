#include "planes/network/internet.h"

#include <fstream>
#include <utility>

#include "core/error.h"
#include "planes/network/kernel.h"
#include "planes/network/netlink.h"
#include "planes/network/sockets.h"

namespace brume::network {
namespace {

constexpr std::uint16_t kDnsPort = 53;

// Without what belongs to VPCs and to the tap.
NamespaceState own_share(NamespaceState state) {
  const auto foreign = [](const std::string& link) { return link.starts_with("vpc-") || link == kTapLink; };
  std::erase_if(state.links, [&](const auto& link) { return foreign(link.first); });
  std::erase_if(state.addresses, [&](const KernelAddress& address) { return foreign(address.link); });
  std::erase_if(state.routes, [&](const auto& route) { return foreign(route.second.link); });
  return state;
}

}  // namespace

Internet::Internet(const Namespaces& namespaces, std::string instance_id, std::size_t transaction_limit_bytes)
    : namespaces_(namespaces),
      instance_id_(std::move(instance_id)),
      table_(namespaces, kInternetNamespace, transaction_limit_bytes),
      endpoints_{{kInternetDns, "udp", kDnsPort}, {kInternetDns, "tcp", kDnsPort}} {}

std::size_t Internet::ensure() {
  if (ensured_) return 0;
  namespaces_.prepare();
  std::size_t changes = 0;
  if (!namespaces_.exists(kInternetNamespace))
    changes += carry_out(namespaces_, {{kInternetNamespace, CreateNamespace{}}});
  const std::string owner = loopback_label(namespaces_, kInternetNamespace);
  if (!owner.empty() && owner != instance_id_)
    throw PlaneError(PlaneError::Kind::permanent,
                     namespaces_.path(kInternetNamespace) + " belongs to the instance " + owner);
  changes += load();
  ensured_ = true;
  return changes;
}

std::size_t Internet::load() {
  NamespaceState desired = render_internet_namespace(instance_id_);
  for (const Ipv4 address : more_addresses_) desired.addresses.insert({"lo", address, 32});
  const NamespaceState observed = own_share(observe(namespaces_, kInternetNamespace));
  std::size_t changes = table_.load(render_internet_table(endpoints_, egress_));
  changes += carry_out(namespaces_, plan({{kInternetNamespace, observed}}, {{kInternetNamespace, desired}}));
  return changes;
}

std::size_t Internet::set_egress(bool allowed) {
  egress_ = allowed;
  return ensured_ ? load() : ensure();
}

std::vector<Listener> Internet::open_listeners() const {
  const Ipv4 address = require_ipv4(kInternetDns);
  Descriptor udp = open_listener(namespaces_, kInternetNamespace, Transport::udp, address, kDnsPort);
  Descriptor tcp = open_listener(namespaces_, kInternetNamespace, Transport::tcp, address, kDnsPort);
  return {{.vpc = "", .service = Service::dns, .udp = udp.release(), .tcp = tcp.release()}};
}

Descriptor Internet::listen(const std::string& address, std::uint16_t port) {
  const Ipv4 wanted = require_ipv4(address);
  if (!contains(require_cidr(kEndpointPool), wanted))
    throw PlaneError(PlaneError::Kind::permanent, address + " is not in the endpoint pool " + kEndpointPool);
  more_addresses_.insert(wanted);
  load();
  Descriptor socket = open_listener(namespaces_, kInternetNamespace, Transport::tcp, wanted, port);
  endpoints_.insert({address, "tcp", port});
  load();
  return socket;
}

void Internet::remove() { namespaces_.remove(kInternetNamespace); }

bool Internet::has_tap() const {
  const Entered entered(namespaces_.open(kInternetNamespace));
  // The route is slirp4netns's last act; being none of ours, it is read from the kernel's text table.
  std::ifstream table("/proc/thread-self/net/route");
  std::string line;
  while (std::getline(table, line))
    if (line.starts_with(std::string(kTapLink) + "\t00000000\t")) return true;
  return false;
}

Descriptor Internet::watch() const {
  const Entered entered(namespaces_.open(kInternetNamespace));
  return watch_links();
}

}  // namespace brume::network
