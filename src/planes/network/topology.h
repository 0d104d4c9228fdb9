// Namespaces, links, addresses, routes and rules as values: what the renderer wants, what a dump of the kernel found,
// and the list of changes between the two. Pure; netlink.h carries changes out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "planes/network/address.h"

namespace brume::network {

// One end of a veth pair, or "lo". `label` is kept in the kernel as the link's alias: what it stands for.
struct KernelLink {
  std::string label;
  std::string mac;  // empty: whatever it is
  int mtu = 0;      // 0: whatever it is
  std::string peer_namespace, peer;
  // This end makes the pair and answers ARP for what lies behind the router.
  bool router_end = false;
  bool operator==(const KernelLink&) const = default;
};

struct KernelAddress {
  std::string link;
  Ipv4 address;
  int prefix = 32;
  auto operator<=>(const KernelAddress&) const = default;
};

struct RouteKey {
  std::uint32_t table = 0;
  Cidr destination;
  std::uint32_t metric = 0;
  auto operator<=>(const RouteKey&) const = default;
};
struct KernelRoute {
  enum class Type { unicast, local, blackhole, unreachable, throw_ } type = Type::unicast;
  std::string link;
  std::optional<Ipv4> gateway;  // always onlink: the gateway need not be in a subnet of the link
  std::optional<Ipv4> source;
  bool operator==(const KernelRoute&) const = default;
};

struct KernelRule {
  std::uint32_t priority = 0;
  std::uint32_t mark = 0;    // 0: any
  std::optional<Ipv4> from;  // none: any
  std::uint32_t table = 0;
  auto operator<=>(const KernelRule&) const = default;
};

struct NamespaceState {
  std::map<std::string, KernelLink> links;  // by name
  std::set<KernelAddress> addresses;
  std::map<RouteKey, KernelRoute> routes;
  std::set<KernelRule> rules;
  bool operator==(const NamespaceState&) const = default;
};
// By the namespaces' file names.
using Topology = std::map<std::string, NamespaceState>;

inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kLocalTable = 255;

struct CreateNamespace {
  bool operator==(const CreateNamespace&) const = default;
};
struct RemoveNamespace {
  bool operator==(const RemoveNamespace&) const = default;
};
struct CreateLink {  // the router's end of a pair; the peer goes straight into its namespace
  std::string name;
  KernelLink link;
  std::string peer_mac;
  bool operator==(const CreateLink&) const = default;
};
struct SetLink {  // label, mac, mtu and up
  std::string name;
  KernelLink link;
  bool operator==(const SetLink&) const = default;
};
struct DeleteLink {
  std::string name;
  bool operator==(const DeleteLink&) const = default;
};
struct AddAddress {
  KernelAddress address;
  bool operator==(const AddAddress&) const = default;
};
struct RemoveAddress {
  KernelAddress address;
  bool operator==(const RemoveAddress&) const = default;
};
struct PutRoute {  // replaces the route of the same key in one step
  RouteKey key;
  KernelRoute route;
  bool operator==(const PutRoute&) const = default;
};
struct RemoveRoute {
  RouteKey key;
  KernelRoute route;
  bool operator==(const RemoveRoute&) const = default;
};
struct AddRule {
  KernelRule rule;
  bool operator==(const AddRule&) const = default;
};
struct RemoveRule {
  KernelRule rule;
  bool operator==(const RemoveRule&) const = default;
};

using Operation = std::variant<CreateNamespace, RemoveNamespace, CreateLink, SetLink, DeleteLink, AddAddress,
                               RemoveAddress, PutRoute, RemoveRoute, AddRule, RemoveRule>;
struct Change {
  std::string name_space;
  Operation operation;
  bool operator==(const Change&) const = default;
};

// What turns `observed` into `desired`, in an order that the kernel accepts. Namespaces that `desired` lacks are
// removed.
std::vector<Change> plan(const Topology& observed, const Topology& desired);

std::string to_text(const Topology& topology);
std::string to_text(const Change& change);

}  // namespace brume::network
