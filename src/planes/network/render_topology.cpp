// Namespaces, links, addresses and routes of a VPC.
#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "planes/network/render.h"
#include "planes/network/vpc_index.h"

namespace brume::network {
namespace {

// "Network maximum transmission unit (MTU) for your EC2 instance": 9001 within a VPC.
constexpr int kMtu = 9001;
constexpr std::uint32_t kRulePriority = 100;
constexpr std::uint32_t kSandboxTable = 1000;
// After every route that has a real target.
constexpr std::uint32_t kLastMetric = 0xFFFFFFFF;

constexpr Cidr kEverywhere{};

std::string short_name(std::string_view prefix, std::string_view id) {
  return std::string(prefix) + to_hex(sha256(id)).substr(0, 11);
}

KernelRoute to_nowhere(KernelRoute::Type type) { return {.type = type}; }

Ipv4 router_address(const IndexedInterface& interface) { return interface.subnet_cidr.network + 1; }

void add_router(const VpcIndex& index, NamespaceState& router) {
  const Vpc& vpc = index.vpc();
  // A later daemon finds the resolver's address there, before it is told the VPC again.
  router.links["lo"] = {.label = to_string(resolver_address(vpc))};
  for (const char* address : {kLinkLocalDns, kMetadata, kCredentials})
    router.addresses.insert({"lo", require_ipv4(address), 32});
  router.addresses.insert({"lo", resolver_address(vpc), 32});
  // "Subnet CIDR blocks": the first four addresses are reserved; .1 is the VPC router's.
  for (const Subnet& subnet : vpc.subnets) router.addresses.insert({"lo", require_cidr(subnet.cidr).network + 1, 32});
  // What no interface has never leaves by another route. AWS drops it without a word, and so does a blackhole.
  for (const Cidr cidr : index.cidrs()) router.routes[{kMainTable, cidr, 0}] = to_nowhere(KernelRoute::Type::blackhole);
}

KernelRoute kernel_route(const VpcIndex& index, const Route& route) {
  switch (index.exit_of(route)) {
    case Exit::internet_gateway:
      return {.link = kGatewayLink, .gateway = kGatewayFar};
    case Exit::nat_gateway:
      return {.link = kGatewayLink, .gateway = index.next_hop(route.target_id)};
    case Exit::interface: {
      const IndexedInterface& target = *index.find_interface(route.target_id);
      return {.link = target.link, .gateway = target.addresses.front()};
    }
    case Exit::endpoint:
      return {.type = KernelRoute::Type::local, .link = "lo"};
    case Exit::blackhole:
      break;
  }
  return to_nowhere(KernelRoute::Type::blackhole);
}

// A packet given to a NAT gateway goes on by the route table of the gateway's own subnet. Where that one is more
// specific than the route to the gateway, the subnet behind it has the same distinctions: as routes to the gateway, for
// which it is then asked whether they lead out.
std::vector<Route> routes_behind_nat(const VpcIndex& index, const RouteTable& table) {
  std::vector<Route> more;
  for (const Route& route : table.routes) {
    const NatGateway* gateway = index.find_nat_gateway(route.target_id);
    if (route.target != Route::Target::nat_gateway || !gateway) continue;
    const Cidr to_gateway = require_cidr(route.cidr);
    for (const Route& next : index.route_table(index.subnet(gateway->subnet).route_table).routes) {
      if (is_ipv6_cidr(next.cidr)) continue;
      const Cidr inner = require_cidr(next.cidr);
      // What the table itself distinguishes is decided before the gateway sees it.
      const bool decided = std::ranges::any_of(table.routes, [&](const Route& own) {
        return !is_ipv6_cidr(own.cidr) && require_cidr(own.cidr).prefix > to_gateway.prefix &&
               contains(require_cidr(own.cidr), inner);
      });
      if (!decided && inner.prefix > to_gateway.prefix && contains(to_gateway, inner))
        more.push_back({.cidr = next.cidr, .target = Route::Target::nat_gateway, .target_id = route.target_id});
    }
  }
  return more;
}

void add_route_tables(const VpcIndex& index, NamespaceState& router) {
  for (const RouteTable& table : index.vpc().route_tables) {
    if (!index.is_used(table.id)) continue;
    const std::uint32_t number = index.table_number(table.id);
    router.rules.insert({.priority = kRulePriority, .mark = number, .table = number});
    // What no route is for is dropped.
    router.routes[{number, kEverywhere, kLastMetric}] = to_nowhere(KernelRoute::Type::blackhole);
    for (const Route& route : routes_behind_nat(index, table))
      router.routes[{number, require_cidr(route.cidr), 0}] = kernel_route(index, route);
    for (const Route& route : table.routes) {
      if (route.target == Route::Target::local || is_ipv6_cidr(route.cidr)) continue;
      router.routes[{number, require_cidr(route.cidr), 0}] = kernel_route(index, route);
    }
    // The local route: on to the main table, where each interface has its own. It wins over an equal destination
    // ("Route tables: local routes cannot be replaced by …"); a more specific one wins over it.
    for (const Cidr cidr : index.cidrs()) router.routes[{number, cidr, 0}] = to_nowhere(KernelRoute::Type::throw_);
  }
}

void add_public_address(const std::string& address, const std::string& link, NamespaceState& internet) {
  internet.routes[{kMainTable, host(require_ipv4(address)), 0}] = {
      .link = link, .gateway = kGatewayNear, .source = require_ipv4(kInternetClient)};
}

void add_gateway(const VpcIndex& index, NamespaceState& router, NamespaceState& internet) {
  const Vpc& vpc = index.vpc();
  const std::string far = internet_link(vpc.id);
  router.addresses.insert({"lo", kGatewayNear, 32});
  router.links[kGatewayLink] = {
      .label = vpc.id, .mtu = kMtu, .peer_namespace = kInternetNamespace, .peer = far, .router_end = true};
  internet.links[far] = {
      .label = vpc.id, .mtu = kMtu, .peer_namespace = router_namespace(vpc.id), .peer = kGatewayLink};
  for (const Interface& interface : vpc.interfaces)
    for (const auto& [inside, outside] : interface.public_addresses) add_public_address(outside, far, internet);
  for (const NatGateway& gateway : vpc.nat_gateways)
    if (!gateway.public_address.empty()) add_public_address(gateway.public_address, far, internet);
}

void add_sandbox_link(const IndexedInterface& interface, const std::string& device, const std::string& router,
                      NamespaceState& sandbox) {
  const Interface& wanted = *interface.interface;
  sandbox.links[device] = {
      .label = wanted.id, .mac = to_lower(wanted.mac), .mtu = kMtu, .peer_namespace = router, .peer = interface.link};
  // Only the primary address brings the subnet along; the others may come and go (floating addresses).
  int prefix = interface.subnet_cidr.prefix;
  for (const Ipv4 address : interface.addresses) {
    sandbox.addresses.insert({device, address, prefix});
    prefix = 32;
  }
}

// A sandbox with interfaces in several subnets answers from the address it was asked at: a table per interface.
void add_sandbox_routes(const IndexedInterface& interface, const std::string& device, std::uint32_t ordinal, bool alone,
                        NamespaceState& sandbox) {
  const KernelRoute out = {.link = device, .gateway = router_address(interface), .source = interface.addresses.front()};
  if (ordinal == 0) sandbox.routes[{kMainTable, kEverywhere, 0}] = out;
  if (alone) return;
  const std::uint32_t table = kSandboxTable + ordinal;
  sandbox.routes[{table, kEverywhere, 0}] = out;
  for (const Ipv4 address : interface.addresses)
    sandbox.rules.insert({.priority = kRulePriority, .from = address, .table = table});
}

std::string free_device(const std::set<std::string>& taken) {
  for (int i = 0;; ++i) {
    std::string name = "eth" + std::to_string(i);
    if (!taken.contains(name)) return name;
  }
}

using Sandboxes = std::map<std::string, std::vector<const IndexedInterface*>>;

void add_sandbox(const std::string& name, const std::vector<const IndexedInterface*>& interfaces,
                 const DeviceNames& device_names, const std::string& vpc_id, Topology& topology) {
  const std::string router_name = router_namespace(vpc_id);
  NamespaceState& router = topology[router_name];
  NamespaceState& sandbox = topology[name];
  sandbox.links["lo"] = {.label = vpc_id};
  std::set<std::string> taken;
  for (const IndexedInterface* interface : interfaces)
    if (const auto old = device_names.find({name, interface->interface->id}); old != device_names.end())
      taken.insert(old->second);
  std::uint32_t ordinal = 0;
  for (const IndexedInterface* interface : interfaces) {
    const auto old = device_names.find({name, interface->interface->id});
    const std::string device = old == device_names.end() ? free_device(taken) : old->second;
    taken.insert(device);
    add_sandbox_link(*interface, device, router_name, sandbox);
    add_sandbox_routes(*interface, device, ordinal++, interfaces.size() == 1, sandbox);
    router.links[interface->link] = {
        .label = interface->interface->id, .mtu = kMtu, .peer_namespace = name, .peer = device, .router_end = true};
    for (const Ipv4 address : interface->addresses)
      router.routes[{kMainTable, host(address), 0}] = {.link = interface->link, .source = router_address(*interface)};
  }
}

}  // namespace

std::string router_namespace(std::string_view vpc_id) { return "router." + std::string(vpc_id); }

std::string sandbox_namespace(std::string_view sandbox) {
  // Longer names would not fit a file name; a digest is as good.
  const std::string encoded = percent_encode(sandbox);
  return "sandbox." + (encoded.size() <= 200 ? encoded : to_hex(sha256(sandbox)));
}

std::string interface_link(std::string_view interface_id) { return short_name("eni-", interface_id); }
std::string internet_link(std::string_view vpc_id) { return short_name("vpc-", vpc_id); }

Ipv4 resolver_address(const Vpc& vpc) {
  BRUME_CHECK(!vpc.cidrs.empty());
  return require_cidr(vpc.cidrs.front()).network + 2;
}

Topology render_topology(const Vpc& vpc, const DeviceNames& device_names) {
  const VpcIndex index(vpc);
  Topology topology;
  NamespaceState& internet = topology[kInternetNamespace];  // its share in the VPC, which may be nothing
  NamespaceState& router = topology[router_namespace(vpc.id)];
  add_router(index, router);
  add_route_tables(index, router);
  if (vpc.internet_gateway) add_gateway(index, router, internet);
  Sandboxes sandboxes;
  for (const IndexedInterface& interface : index.interfaces())
    if (interface.plugged()) sandboxes[sandbox_namespace(interface.interface->sandbox)].push_back(&interface);
  for (const auto& [name, interfaces] : sandboxes) add_sandbox(name, interfaces, device_names, vpc.id, topology);
  return topology;
}

NamespaceState render_internet_namespace(const std::string& instance_id) {
  NamespaceState internet;
  internet.links["lo"] = {.label = instance_id};
  for (const char* address : {kInternetDns, kInternetEndpoint, kInternetClient})
    internet.addresses.insert({"lo", require_ipv4(address), 32});
  // The next hops that routers know: every one is this namespace.
  for (const Cidr far : {host(kGatewayFar), kNatNextHops})
    internet.routes[{kLocalTable, far, 0}] = {.type = KernelRoute::Type::local, .link = "lo"};
  // The services' own addresses are this namespace's, without being put on a link one by one.
  internet.routes[{kLocalTable, require_cidr(kServicePool), 0}] = {
      .type = KernelRoute::Type::local, .link = "lo", .source = require_ipv4(kInternetClient)};
  for (const char* pool : {kEndpointPool, kPublicPool})
    internet.routes[{kMainTable, require_cidr(pool), 0}] = to_nowhere(KernelRoute::Type::unreachable);
  internet.routes[{kMainTable, kEverywhere, kLastMetric}] = to_nowhere(KernelRoute::Type::unreachable);
  return internet;
}

}  // namespace brume::network
