#include "planes/network/topology.h"

#include <algorithm>

namespace brume::network {
namespace {

// The changes in the one order that the kernel accepts: what goes, goes first, since a link's name or an address may be
// taken again by what comes. Removals and settings are grouped by namespace, so that each is entered once.
struct Plan {
  std::vector<Change> delete_links, removals, create_namespaces, create_links, settings, remove_namespaces;

  std::vector<Change> in_order() {
    std::vector<Change> all;
    for (std::vector<Change>* part :
         {&delete_links, &removals, &create_namespaces, &create_links, &settings, &remove_namespaces})
      std::ranges::move(*part, std::back_inserter(all));
    return all;
  }
};

bool is_loopback(const std::string& name) { return name == "lo"; }

bool same_pair(const KernelLink& observed, const KernelLink& desired) {
  return observed.peer_namespace == desired.peer_namespace && observed.peer == desired.peer;
}

bool same_settings(const KernelLink& observed, const KernelLink& desired) {
  return observed.label == desired.label && (desired.mac.empty() || desired.mac == observed.mac) &&
         (desired.mtu == 0 || desired.mtu == observed.mtu);
}

const KernelLink* find_link(const Topology& topology, const std::string& name_space, const std::string& name) {
  const auto state = topology.find(name_space);
  if (state == topology.end()) return nullptr;
  const auto link = state->second.links.find(name);
  return link == state->second.links.end() ? nullptr : &link->second;
}

// The kernel takes a link's addresses and routes away with it.
void forget_link(Topology& topology, const std::string& name_space, const std::string& name) {
  const auto state = topology.find(name_space);
  if (state == topology.end()) return;
  state->second.links.erase(name);
  std::erase_if(state->second.addresses, [&](const KernelAddress& address) { return address.link == name; });
  std::erase_if(state->second.routes, [&](const auto& route) { return route.second.link == name; });
}

void plan_deleted_links(Plan& out, Topology& observed, const Topology& desired) {
  std::vector<std::pair<std::string, std::string>> deleted;
  for (const auto& [name_space, state] : observed)
    for (const auto& [name, link] : state.links) {
      if (is_loopback(name)) continue;
      const KernelLink* wanted = find_link(desired, name_space, name);
      // Deleting one end deletes the other: the router's end is the one named, unless this end has lost its peer.
      if (wanted && same_pair(link, *wanted)) continue;
      if (link.router_end || !find_link(observed, link.peer_namespace, link.peer))
        deleted.emplace_back(name_space, name);
    }
  for (const auto& [name_space, name] : deleted) {
    const KernelLink link = *find_link(observed, name_space, name);
    out.delete_links.push_back({name_space, DeleteLink{name}});
    forget_link(observed, name_space, name);
    forget_link(observed, link.peer_namespace, link.peer);
  }
}

// Deletes what the namespace has too much of and forgets what the kernel takes away along with that.
void plan_removals(Plan& out, const std::string& name_space, NamespaceState& have, const NamespaceState& want) {
  for (const KernelRule& rule : have.rules)
    if (!want.rules.contains(rule)) out.removals.push_back({name_space, RemoveRule{rule}});
  for (const auto& [key, route] : have.routes)
    if (!want.routes.contains(key)) out.removals.push_back({name_space, RemoveRoute{key, route}});
  for (const KernelAddress& address : have.addresses) {
    if (want.addresses.contains(address)) continue;
    out.removals.push_back({name_space, RemoveAddress{address}});
    // A route that prefers this source goes with the address.
    std::erase_if(have.routes, [&](const auto& route) { return route.second.source == address.address; });
  }
}

void plan_additions(Plan& out, const std::string& name_space, const NamespaceState& have, const NamespaceState& want,
                    const Topology& desired) {
  for (const auto& [name, link] : want.links) {
    const auto existing = have.links.find(name);
    const bool exists = existing != have.links.end();
    if (!exists && link.router_end) {
      const KernelLink* peer = find_link(desired, link.peer_namespace, link.peer);
      out.create_links.push_back({name_space, CreateLink{name, link, peer ? peer->mac : ""}});
    }
    if (!exists || !same_settings(existing->second, link)) out.settings.push_back({name_space, SetLink{name, link}});
  }
  for (const KernelAddress& address : want.addresses)
    if (!have.addresses.contains(address)) out.settings.push_back({name_space, AddAddress{address}});
  for (const auto& [key, route] : want.routes) {
    const auto existing = have.routes.find(key);
    if (existing == have.routes.end() || existing->second != route)
      out.settings.push_back({name_space, PutRoute{key, route}});
  }
  for (const KernelRule& rule : want.rules)
    if (!have.rules.contains(rule)) out.settings.push_back({name_space, AddRule{rule}});
}

std::string to_text(const KernelAddress& address) {
  return network::to_string(address.address) + "/" + std::to_string(address.prefix) + " dev " + address.link;
}

std::string to_text(const RouteKey& key, const KernelRoute& route) {
  static constexpr const char* kTypes[] = {"", "local ", "blackhole ", "unreachable ", "throw "};
  std::string text = kTypes[static_cast<int>(route.type)] + to_string(key.destination);
  if (route.gateway) text += " via " + to_string(*route.gateway);
  if (!route.link.empty()) text += " dev " + route.link;
  if (route.source) text += " src " + to_string(*route.source);
  if (key.metric != 0) text += " metric " + std::to_string(key.metric);
  if (key.table == kMainTable) return text + " table main";
  if (key.table == kLocalTable) return text + " table local";
  return text + " table " + std::to_string(key.table);
}

std::string to_text(const KernelRule& rule) {
  std::string text = "pref " + std::to_string(rule.priority);
  if (rule.from) text += " from " + to_string(*rule.from);
  if (rule.mark != 0) text += " fwmark " + std::to_string(rule.mark);
  return text + " lookup " + std::to_string(rule.table);
}

std::string to_text(const std::string& name, const KernelLink& link) {
  std::string text = name;
  if (!link.peer.empty()) text += " peer " + link.peer + " in " + link.peer_namespace;
  if (!link.mac.empty()) text += " mac " + link.mac;
  if (link.mtu != 0) text += " mtu " + std::to_string(link.mtu);
  if (!link.label.empty()) text += " label " + link.label;
  return text;
}

struct Describe {
  std::string operator()(const CreateNamespace&) const { return "create namespace"; }
  std::string operator()(const RemoveNamespace&) const { return "remove namespace"; }
  std::string operator()(const CreateLink& o) const {
    return "create link " + to_text(o.name, o.link) + (o.peer_mac.empty() ? "" : " peer mac " + o.peer_mac);
  }
  std::string operator()(const SetLink& o) const { return "set link " + to_text(o.name, o.link); }
  std::string operator()(const DeleteLink& o) const { return "delete link " + o.name; }
  std::string operator()(const AddAddress& o) const { return "add address " + to_text(o.address); }
  std::string operator()(const RemoveAddress& o) const { return "remove address " + to_text(o.address); }
  std::string operator()(const PutRoute& o) const { return "put route " + to_text(o.key, o.route); }
  std::string operator()(const RemoveRoute& o) const { return "remove route " + to_text(o.key, o.route); }
  std::string operator()(const AddRule& o) const { return "add rule " + to_text(o.rule); }
  std::string operator()(const RemoveRule& o) const { return "remove rule " + to_text(o.rule); }
};

}  // namespace

std::vector<Change> plan(const Topology& observed, const Topology& desired) {
  Plan out;
  Topology have = observed;
  plan_deleted_links(out, have, desired);
  for (auto& [name_space, state] : have) {
    const auto want = desired.find(name_space);
    if (want == desired.end())
      out.remove_namespaces.push_back({name_space, RemoveNamespace{}});
    else
      plan_removals(out, name_space, state, want->second);
  }
  static const NamespaceState kNothing;
  for (const auto& [name_space, want] : desired) {
    const auto state = have.find(name_space);
    if (state == have.end()) out.create_namespaces.push_back({name_space, CreateNamespace{}});
    plan_additions(out, name_space, state == have.end() ? kNothing : state->second, want, desired);
  }
  return out.in_order();
}

std::string to_text(const Topology& topology) {
  std::string text;
  for (const auto& [name, state] : topology) {
    text += "namespace " + name + "\n";
    for (const auto& [link_name, link] : state.links) text += "  link " + to_text(link_name, link) + "\n";
    for (const KernelAddress& address : state.addresses) text += "  address " + to_text(address) + "\n";
    for (const auto& [key, route] : state.routes) text += "  route " + to_text(key, route) + "\n";
    for (const KernelRule& rule : state.rules) text += "  rule " + to_text(rule) + "\n";
  }
  return text;
}

std::string to_text(const Change& change) {
  return change.name_space + ": " + std::visit(Describe{}, change.operation);
}

}  // namespace brume::network
