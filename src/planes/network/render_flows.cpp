// The counting of packets by flow, for the interfaces whose flows are logged.
//
// A packet is counted when it is seen to leave or reach an interface, and again when the interface's groups and its
// subnet's ACL have let it pass: the difference was rejected there. The counts live in sets that the packets themselves
// fill, so nothing is sampled and nothing leaves the kernel until somebody reads.
#include <algorithm>
#include <array>

#include "planes/network/render.h"
#include "planes/network/vpc_index.h"

namespace brume::network {
namespace {

// Between the chains of render_table.cpp: before the ACLs; after the sender's groups; after the receiver's.
constexpr int kSeen = -31, kLeft = -16, kAclIn = -15, kArrived = -5;
constexpr const char* kPorts = "flow_ports";

std::string base(const char* hook, int priority) {
  return std::string("type filter hook ") + hook + " priority " + std::to_string(priority) + " ; policy accept ;";
}

// `link`: "iifname" for what an interface sends, "oifname" for what it is sent.
void add_counting(const std::string& stage, const std::string& link, NftTable& table) {
  const std::string name = "flow." + stage;
  const std::string addresses = link + " . ip saddr . ip daddr . ";
  const std::string of = link + " @" + kPorts + " ";
  NftChain& chain = table.chains["count." + stage];
  for (const char* protocol : {"tcp", "udp"}) {
    const std::string set = name + "." + protocol;
    table.sets[set] = {.type = "ifname . ipv4_addr . ipv4_addr . inet_service . inet_service", .dynamic = true};
    chain.rules.push_back(of + "meta l4proto " + protocol + " update @" + set + " { " + addresses + protocol +
                          " sport . " + protocol + " dport counter }");
  }
  table.sets[name + ".other"] = {.type = "ifname . ipv4_addr . ipv4_addr . inet_proto", .dynamic = true};
  chain.rules.push_back(of + "meta l4proto != { tcp, udp } update @" + name + ".other { " + addresses +
                        "meta l4proto counter }");
}

void add_flags(NftTable& table) {
  const std::pair<const char*, const char*> flags[] = {
      {"fin", "fin == fin"}, {"rst", "rst == rst"}, {"syn", "(syn|ack) == syn"}, {"synack", "(syn|ack) == (syn|ack)"}};
  NftChain& chain = table.chains["count.flags"];
  for (const auto& [name, match] : flags) {
    const std::string set = std::string("flow.") + name;
    table.sets[set] = {.type = "ipv4_addr . ipv4_addr . inet_service . inet_service", .dynamic = true};
    chain.rules.push_back(std::string("tcp flags & ") + match + " update @" + set +
                          " { ip saddr . ip daddr . tcp sport . tcp dport }");
  }
}

// The receiver's ACL is asked after the sender's groups, so that what it refuses counts as sent.
void move_receivers_acl(NftTable& table) {
  const std::string rule = "oifname vmap @acl_in";
  std::erase(table.chains["check_acl"].rules, rule);
  table.chains["check_acl_in"] = {base("forward", kAclIn), {rule}};
}

}  // namespace

void add_flow_counting(const VpcIndex& index, NftTable& table) {
  const std::vector<std::string>& logged = index.vpc().flow_logged;
  if (logged.empty()) return;
  NftSet& ports = table.sets[kPorts] = {.type = "ifname"};
  for (const std::string& id : logged)
    if (const IndexedInterface* interface = index.find_interface(id); interface && interface->plugged())
      ports.elements.insert('"' + interface->link + '"');
  add_counting("out_seen", "iifname", table);
  add_counting("out_passed", "iifname", table);
  add_counting("in_seen", "oifname", table);
  add_counting("in_passed", "oifname", table);
  add_flags(table);
  move_receivers_acl(table);
  table.chains["flow_seen"] = {base("forward", kSeen), {"jump count.out_seen", "jump count.flags"}};
  table.chains["flow_left"] = {base("forward", kLeft), {"jump count.out_passed", "jump count.in_seen"}};
  table.chains["flow_arrived"] = {base("forward", kArrived), {"jump count.in_passed"}};
  if (index.vpc().service_addresses.empty()) return;
  const std::string to = "ip daddr @service_addresses jump count.", from = "ip saddr @service_addresses jump count.";
  table.chains["flow_asked"] = {base("input", kSeen), {to + "out_seen", to + "flags"}};
  table.chains["flow_admitted"] = {base("input", kLeft), {to + "out_passed"}};
  table.chains["flow_answered"] = {base("output", kSeen), {from + "in_seen", from + "flags"}};
  table.chains["flow_returned"] = {base("output", kArrived), {from + "in_passed"}};
}

}  // namespace brume::network
