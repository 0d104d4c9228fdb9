// The nftables table of a VPC's router namespace.
//
// A packet from one interface to another meets, in the forward hook: the network ACLs of the subnets it leaves and
// enters (stateless), the groups of the interface it comes from, the groups of the interface it goes to. The last two
// are base chains of their own, since an accept ends only the chain it is in: both must accept. Translation happens
// before and after, so that all of them see private addresses, as in AWS.
#include <algorithm>

#include "core/error.h"
#include "planes/network/match.h"
#include "planes/network/render.h"
#include "planes/network/vpc_index.h"

namespace brume::network {
namespace {

// Its first packet passed both groups.
constexpr const char* kAccepted = "4";
// "Untracked connections": the group of the end that opened it, or of the end it was opened to, lets all of the world
// in and all answers out. Such an end asks its rules for every packet.
constexpr const char* kUntrackedOpener = "1";
constexpr const char* kUntrackedAnswerer = "2";

std::string quoted(const std::string& link) { return '"' + link + '"'; }
std::string through_gateway(const char* direction) { return std::string(direction) + " \"" + kGatewayLink + "\" "; }

NftChain base(const char* hook, const char* type, int priority, const char* policy) {
  return {.hook = std::string("type ") + type + " hook " + hook + " priority " + std::to_string(priority) +
                  " ; policy " + policy + " ;",
          .rules = {}};
}

std::optional<std::string> match_peer(const VpcIndex& index, const GroupRule& rule, const char* direction) {
  if (rule.group.empty()) return match_cidr(direction, rule.cidr);
  // A group of another VPC or a deleted one has no members here.
  if (!index.find_group(rule.group)) return std::nullopt;
  return std::string("ip ") + direction + " @group." + rule.group + " ";
}

void add_group_rules(const VpcIndex& index, const std::vector<GroupRule>& rules, const char* direction,
                     const std::string& chain_name, NftTable& table) {
  NftChain& chain = table.chains[chain_name];
  for (const GroupRule& rule : rules) {
    const std::string counter = "rule." + rule.id;
    table.counters.insert(counter);
    const std::optional<std::string> peer = match_peer(index, rule, direction);
    const std::optional<std::string> protocol = match_protocol(rule.protocol, rule.from_port, rule.to_port);
    if (peer && protocol) chain.rules.push_back(*peer + *protocol + "counter name \"" + counter + "\" accept");
  }
}

void add_groups(const VpcIndex& index, NftTable& table) {
  for (const SecurityGroup& group : index.vpc().groups) {
    table.sets["group." + group.id] = {.type = "ipv4_addr"};
    add_group_rules(index, group.ingress, "saddr", "group_in." + group.id, table);
    add_group_rules(index, group.egress, "daddr", "group_out." + group.id, table);
  }
  for (const IndexedInterface& interface : index.interfaces())
    for (const std::string& group : interface.interface->groups) {
      const auto members = table.sets.find("group." + group);
      if (members == table.sets.end())
        throw PlaneError(PlaneError::Kind::permanent, interface.interface->id + " lacks its security group " + group);
      for (const Ipv4 address : interface.addresses) members->second.elements.insert(to_string(address));
    }
}

// What none of an interface's groups accepts is counted and dropped.
void add_interface_chain(const IndexedInterface& interface, const std::string& direction, NftTable& table) {
  const std::string& id = interface.interface->id;
  const std::string name = "eni_" + direction + "." + id;
  const std::string counter = direction + "." + id;
  table.counters.insert(counter);
  NftChain& chain = table.chains[name];
  for (const std::string& group : interface.interface->groups)
    chain.rules.push_back("jump group_" + direction + "." + group);
  chain.rules.push_back("counter name \"" + counter + "\" drop");
  table.maps["eni_" + direction].elements[quoted(interface.link)] = "jump " + name;
}

void add_interfaces(const VpcIndex& index, NftTable& table) {
  table.maps["eni_in"] = {.type = "ifname : verdict"};
  table.maps["eni_out"] = {.type = "ifname : verdict"};
  table.maps["route_mark"] = {.type = "ifname : mark"};
  table.sets["checked"] = {.type = "ifname"};
  table.sets["own_addresses"] = {.type = "ifname . ipv4_addr"};
  for (const IndexedInterface& interface : index.interfaces()) {
    if (!interface.plugged()) continue;
    add_interface_chain(interface, "in", table);
    add_interface_chain(interface, "out", table);
    const std::string link = quoted(interface.link);
    table.maps["route_mark"].elements[link] = std::to_string(index.table_number(interface.subnet->route_table));
    if (interface.interface->source_dest_check) table.sets["checked"].elements.insert(link);
    for (const Ipv4 address : interface.addresses)
      table.sets["own_addresses"].elements.insert(link + " . " + to_string(address));
  }
}

bool is_open_to_all(const GroupRule& rule, const std::string& protocol) {
  return rule.cidr == "0.0.0.0/0" && (rule.protocol == "-1" || rule.protocol == protocol);
}

// Whether a rule lets everything of a protocol to or from everywhere: "any port (0-65535)".
bool permits_all_answers(const GroupRule& rule, const std::string& protocol) {
  const bool all_ports = rule.protocol == "-1" || (rule.from_port == -1 && rule.to_port == -1) ||
                         (rule.from_port == 0 && rule.to_port == 65535);
  return is_open_to_all(rule, protocol) && all_ports;
}

// Marks connections of `protocol` that one of the group's open rules lets begin. A group without one has no chain.
void add_open_chain(const std::vector<GroupRule>& rules, const std::string& protocol, const char* mark,
                    const std::string& name, NftTable& table) {
  for (const GroupRule& rule : rules) {
    if (!is_open_to_all(rule, protocol)) continue;
    table.chains[name].rules.push_back(*match_protocol(protocol, rule.from_port, rule.to_port) +
                                       "ct mark set ct mark | " + mark);
  }
}

void visit_open_chains(const Interface& interface, const std::string& link, const std::string& protocol,
                       const std::string& direction, NftTable& table) {
  const std::string name = "untracked_" + direction + "_" + protocol + "." + interface.id;
  for (const std::string& group : interface.groups)
    if (const std::string open = "open_" + direction + "_" + protocol + "." + group; table.chains.contains(open))
      table.chains[name].rules.push_back("jump " + open);
  if (table.chains.contains(name))
    table.maps["untracked_" + direction].elements[link + " . " + protocol] = "jump " + name;
}

// An interface's connections of a protocol are untracked where its groups, taken together, let all answers through.
void add_untracked_interface(const VpcIndex& index, const Interface& interface, const std::string& link,
                             NftTable& table) {
  const auto all_answers = [&](std::vector<GroupRule> SecurityGroup::* rules, const std::string& protocol) {
    return std::ranges::any_of(interface.groups, [&](const std::string& id) {
      return std::ranges::any_of(index.find_group(id)->*rules,
                                 [&](const GroupRule& rule) { return permits_all_answers(rule, protocol); });
    });
  };
  for (const std::string protocol : {"tcp", "udp"}) {
    if (all_answers(&SecurityGroup::egress, protocol)) visit_open_chains(interface, link, protocol, "in", table);
    if (all_answers(&SecurityGroup::ingress, protocol)) visit_open_chains(interface, link, protocol, "out", table);
  }
}

void add_untracked(const VpcIndex& index, NftTable& table) {
  table.maps["untracked_in"] = {.type = "ifname . inet_proto : verdict"};
  table.maps["untracked_out"] = {.type = "ifname . inet_proto : verdict"};
  for (const SecurityGroup& group : index.vpc().groups)
    for (const std::string protocol : {"tcp", "udp"}) {
      add_open_chain(group.ingress, protocol, kUntrackedAnswerer, "open_in_" + protocol + "." + group.id, table);
      add_open_chain(group.egress, protocol, kUntrackedOpener, "open_out_" + protocol + "." + group.id, table);
    }
  for (const IndexedInterface& interface : index.interfaces())
    if (interface.plugged()) add_untracked_interface(index, *interface.interface, quoted(interface.link), table);
}

void add_acl_chain(const Acl& acl, bool egress, NftTable& table) {
  const std::string counter = "acl." + acl.id;
  NftChain& chain = table.chains[(egress ? "acl_out." : "acl_in.") + acl.id];
  std::vector<AclEntry> entries;
  std::ranges::copy_if(acl.entries, std::back_inserter(entries), [&](const AclEntry& e) { return e.egress == egress; });
  std::ranges::sort(entries, {}, &AclEntry::number);
  // "Network ACL rules": the lowest number that matches decides; the rule "*" denies the rest.
  for (const AclEntry& entry : entries) {
    const std::optional<std::string> peer = match_cidr(egress ? "daddr" : "saddr", entry.cidr);
    const std::optional<std::string> protocol = match_protocol(entry.protocol, entry.from_port, entry.to_port);
    if (peer && protocol)
      chain.rules.push_back(*peer + *protocol + (entry.allow ? "return" : "counter name \"" + counter + "\" drop"));
  }
  chain.rules.push_back("counter name \"" + counter + "\" drop");
}

// A subnet's ACL sees only what crosses the subnet's border: `other` is the link on the other side.
void add_subnet_acl(const Subnet& subnet, NftTable& table) {
  const std::string ports = "@ports." + subnet.id;
  table.chains["subnet_in." + subnet.id].rules = {"iifname " + ports + " return", "jump acl_in." + subnet.acl};
  table.chains["subnet_out." + subnet.id].rules = {"oifname " + ports + " return", "jump acl_out." + subnet.acl};
}

void add_acls(const VpcIndex& index, NftTable& table) {
  for (const Acl& acl : index.vpc().acls) {
    table.counters.insert("acl." + acl.id);
    add_acl_chain(acl, false, table);
    add_acl_chain(acl, true, table);
  }
  table.maps["acl_in"] = {.type = "ifname : verdict"};
  table.maps["acl_out"] = {.type = "ifname : verdict"};
  for (const Subnet& subnet : index.vpc().subnets) {
    table.sets["ports." + subnet.id] = {.type = "ifname"};
    if (!subnet.acl.empty()) add_subnet_acl(subnet, table);
  }
  for (const IndexedInterface& interface : index.interfaces()) {
    if (!interface.plugged()) continue;
    const std::string link = quoted(interface.link);
    table.sets["ports." + interface.subnet->id].elements.insert(link);
    if (interface.subnet->acl.empty()) continue;
    table.maps["acl_in"].elements[link] = "jump subnet_in." + interface.subnet->id;
    table.maps["acl_out"].elements[link] = "jump subnet_out." + interface.subnet->id;
  }
}

// Traffic of another subnet enters and leaves the NAT gateway's subnet on its way, so that subnet's ACL applies too.
void add_nat_acl(const Subnet& subnet, const NatGateway& gateway, NftTable& table) {
  const std::string ports = "@ports." + subnet.id;
  const std::vector<std::string> crossing = {"jump acl_in." + subnet.acl, "jump acl_out." + subnet.acl};
  NftChain& forth = table.chains["nat_forth." + gateway.id];
  NftChain& back = table.chains["nat_back." + gateway.id];
  if (subnet.acl.empty()) return;
  forth.rules = {"iifname " + ports + " return", crossing[0], crossing[1]};
  back.rules = {"oifname " + ports + " return", crossing[0], crossing[1]};
}

void add_nat_gateways(const VpcIndex& index, NftTable& table) {
  table.maps["nat_source"] = {.type = "ipv4_addr : ipv4_addr"};  // next hop : public address
  table.maps["nat_forth"] = {.type = "ipv4_addr : verdict"};     // by next hop
  table.maps["nat_back"] = {.type = "ipv4_addr : verdict"};      // by public address
  table.maps["nat_counted"] = {.type = "ipv4_addr : counter"};   // by public address
  for (const NatGateway& gateway : index.vpc().nat_gateways) {
    table.counters.insert("nat." + gateway.id);
    if (gateway.public_address.empty()) continue;
    const std::string outside = to_string(require_ipv4(gateway.public_address));
    const std::string next_hop = to_string(index.next_hop(gateway.id));
    add_nat_acl(index.subnet(gateway.subnet), gateway, table);
    table.maps["nat_source"].elements[next_hop] = outside;
    table.maps["nat_forth"].elements[next_hop] = "jump nat_forth." + gateway.id;
    table.maps["nat_back"].elements[outside] = "jump nat_back." + gateway.id;
    table.maps["nat_counted"].elements[outside] = "\"nat." + gateway.id + "\"";
  }
}

void add_public_addresses(const VpcIndex& index, NftTable& table) {
  NftMap& to_private = table.maps["public_to_private"] = {.type = "ipv4_addr : ipv4_addr"};
  NftMap& to_public = table.maps["private_to_public"] = {.type = "ipv4_addr : ipv4_addr"};
  for (const IndexedInterface& interface : index.interfaces())
    for (const auto& [inside, outside] : interface.interface->public_addresses) {
      const std::string private_address = to_string(require_ipv4(inside));
      const std::string public_address = to_string(require_ipv4(outside));
      to_private.elements[public_address] = private_address;
      to_public.elements[private_address] = public_address;
    }
}

void add_prerouting(NftTable& table) {
  NftChain check = base("prerouting", "filter", -300, "accept");
  check.rules = {"meta nfproto ipv6 drop", "iifname @checked iifname . ip saddr != @own_addresses drop"};
  // Before routing: the mark chooses the route table of the subnet the packet comes from.
  NftChain mark = base("prerouting", "filter", -150, "accept");
  mark.rules = {"meta mark set iifname map @route_mark"};
  NftChain translate = base("prerouting", "nat", -100, "accept");
  translate.rules = {through_gateway("iifname") + "dnat ip to ip daddr map @public_to_private"};
  table.chains["check_source"] = std::move(check);
  table.chains["mark_route"] = std::move(mark);
  table.chains["translate_in"] = std::move(translate);
}

// What an earlier packet of the connection was allowed to do, its later ones may, from either end: "Security group
// connection tracking". An end that does not track asks its rules again.
std::vector<std::string> tracked(const char* opener, const char* answerer) {
  return {"ct state related accept", std::string("ct mark & 7 == ") + kAccepted + " accept",
          std::string("ct direction original ct mark & ") + kAccepted + " == " + kAccepted + " ct mark & " + opener +
              " == 0 accept",
          std::string("ct direction reply ct mark & ") + kAccepted + " == " + kAccepted + " ct mark & " + answerer +
              " == 0 accept"};
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

void add_forward(NftTable& table) {
  const std::string in = through_gateway("iifname"), out = through_gateway("oifname");
  const std::string through_nat = out + "rt ip nexthop != " + to_string(kGatewayFar) + " ";
  NftChain acl = base("forward", "filter", -30, "accept");
  // Link-local and group addresses mean this network's own, wherever a route leads.
  acl.rules = {"ip daddr { 169.254.0.0/16, 224.0.0.0/3 } drop", "iifname vmap @acl_out",
               out + "rt ip nexthop vmap @nat_forth", in + "ct reply ip daddr vmap @nat_back", "oifname vmap @acl_in"};
  NftChain egress = base("forward", "filter", -20, "drop");
  egress.rules = {"oifname @checked oifname . ip daddr != @own_addresses drop",
                  // A NAT gateway knows no connection that came in by a public address, and drops the answer.
                  through_nat + "ct direction reply drop"};
  append(egress.rules, tracked(kUntrackedOpener, kUntrackedAnswerer));
  // "Automatically tracked connections": those through NAT gateways are, whatever the rules.
  append(egress.rules, {in + "accept", "ct state new iifname . meta l4proto vmap @untracked_out",
                        through_nat + "ct state new ct mark set ct mark & 6", "iifname vmap @eni_out"});
  NftChain ingress = base("forward", "filter", -10, "drop");
  ingress.rules = tracked(kUntrackedAnswerer, kUntrackedOpener);
  append(ingress.rules,
         {out + "accept", "ct state new oifname . meta l4proto vmap @untracked_in", "oifname vmap @eni_in"});
  NftChain remember = base("forward", "filter", 0, "accept");
  remember.rules = {std::string("ct state new ct mark set ct mark | ") + kAccepted};
  table.chains["check_acl"] = std::move(acl);
  table.chains["check_egress"] = std::move(egress);
  table.chains["check_ingress"] = std::move(ingress);
  table.chains["remember"] = std::move(remember);
}

void add_postrouting(NftTable& table) {
  const std::string out = through_gateway("oifname");
  NftChain translate = base("postrouting", "nat", 100, "accept");
  translate.rules = {out + "rt ip nexthop " + to_string(kGatewayFar) + " snat ip to ip saddr map @private_to_public",
                     out + "snat ip to rt ip nexthop map @nat_source"};
  // An interface without a public address does not get through the internet gateway.
  NftChain exit = base("postrouting", "filter", 110, "accept");
  exit.rules = {out + "ip saddr != " + kPublicPool + " drop", out + "counter name ip saddr map @nat_counted"};
  table.chains["translate_out"] = std::move(translate);
  table.chains["check_exit"] = std::move(exit);
}

// "Security groups": traffic to the Amazon DNS server, instance metadata and task metadata is not filtered by them.
void add_input(const Vpc& vpc, NftTable& table) {
  NftChain input = base("input", "filter", 0, "drop");
  // Who asks is known by the address, so the check of it cannot be switched off here.
  input.rules = {"iifname \"lo\" accept", "iifname \"eni-*\" iifname . ip saddr != @own_addresses drop",
                 "ct state established,related accept"};
  if (vpc.dns_support) {
    const std::string resolvers =
        "iifname \"eni-*\" ip daddr { " + to_string(resolver_address(vpc)) + ", " + kLinkLocalDns + " } ";
    input.rules.push_back(resolvers + "udp dport 53 accept");
    input.rules.push_back(resolvers + "tcp dport 53 accept");
  }
  input.rules.push_back(std::string("iifname \"eni-*\" ip daddr { ") + kMetadata + ", " + kCredentials +
                        " } tcp dport 80 accept");
  table.chains["answer"] = std::move(input);
  // What cannot be delivered is dropped in AWS, and nobody is told. (Too big a packet is told: "Path MTU Discovery".)
  table.chains["keep_silent"] = base("output", "filter", 0, "accept");
  table.chains["keep_silent"].rules = {"icmp type destination-unreachable icmp code { 0, 1 } drop"};
}

}  // namespace

NftTable render_table(const Vpc& vpc) {
  const VpcIndex index(vpc);
  NftTable table;
  add_groups(index, table);
  add_interfaces(index, table);
  add_untracked(index, table);
  add_acls(index, table);
  add_nat_gateways(index, table);
  add_public_addresses(index, table);
  add_prerouting(table);
  add_forward(table);
  add_postrouting(table);
  add_input(vpc, table);
  add_service_endpoints(index, table);
  add_flow_counting(index, table);
  table.chains[revision(table)] = {};
  return table;
}

Counters read_counters(const NftCounters& counters) {
  Counters result;
  const std::pair<std::string_view, std::map<std::string, Counter>*> kinds[] = {{"rule.", &result.rules},
                                                                                {"in.", &result.ingress_dropped},
                                                                                {"out.", &result.egress_dropped},
                                                                                {"acl.", &result.acl_dropped},
                                                                                {"nat.", &result.nat}};
  for (const auto& [name, count] : counters)
    for (const auto& [prefix, into] : kinds)
      if (name.starts_with(prefix)) (*into)[name.substr(prefix.size())] = {count.first, count.second};
  return result;
}

}  // namespace brume::network
