// The nftables table of the internet namespace: what VPCs may reach in it, and what may leave it for the real internet.
#include "planes/network/render.h"

namespace brume::network {
namespace {

// Never reachable over the tap: the host's own networks, its cloud's metadata, and Brume's pools (DECISIONS 10; "IANA
// IPv4 Special-Purpose Address Registry"). The documentation ranges are no host's network, the tap's own apart: some
// sites give them to their package mirrors.
const std::set<std::string>& special_ranges() {
  static const std::set<std::string> ranges = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
                                               "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.0.2.0/24",
                                               "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4",   "240.0.0.0/4"};
  return ranges;
}

constexpr const char* kRefuse = "reject with icmp type admin-prohibited";

std::string counted(const std::string& name) { return "counter name \"" + name + "\" "; }

}  // namespace

NftTable render_internet_table(const Endpoints& endpoints, bool egress) {
  const std::string from_vpc = "iifname \"vpc-*\" ";
  const std::string to_tap = std::string("oifname \"") + kTapLink + "\" ";
  NftTable table;
  table.sets["special"] = {.type = "ipv4_addr", .interval = true, .elements = special_ranges()};
  table.sets["endpoints"] = {.type = "ipv4_addr . inet_proto . inet_service"};
  for (const auto& [address, protocol, port] : endpoints)
    table.sets["endpoints"].elements.insert(to_string(require_ipv4(address)) + " . " + protocol + " . " +
                                            std::to_string(port));
  table.chains["check_source"] = {
      "type filter hook prerouting priority -300 ; policy accept ;",
      {"meta nfproto ipv6 drop",
       // A VPC may send only from public addresses that are routed to it. (The kernel's own
       // check, rp_filter, would drop the routers' ARP requests too.)
       from_vpc + "fib saddr . iif oif missing drop", from_vpc + "ip saddr != " + kPublicPool + " drop"}};
  table.chains["check_forward"] = {
      "type filter hook forward priority 0 ; policy drop ;",
      {"ct state established,related accept", from_vpc + "oifname \"vpc-*\" accept", from_vpc + to_tap + "jump leave"}};
  // A rehearsal must not charge a real card: workloads stay inside unless `brume up --egress allow`.
  table.counters = {"leave.special", "leave.closed", "leave.passed", "tools.special"};
  table.chains["leave"] = {"",
                           {"ip daddr @special " + counted("leave.special") + kRefuse,
                            egress ? counted("leave.passed") + "accept" : counted("leave.closed") + kRefuse}};
  // Services with addresses of their own are served where all others are, for VPCs and for tools in `exec` alike.
  const std::string to_endpoint = std::string("ip daddr ") + kServicePool + " dnat ip to " + kInternetEndpoint;
  table.chains["translate_in"] = {"type nat hook prerouting priority -100 ; policy accept ;", {to_endpoint}};
  table.chains["translate_own"] = {"type nat hook output priority -100 ; policy accept ;", {to_endpoint}};
  table.chains["check_input"] = {
      "type filter hook input priority 0 ; policy drop ;",
      {"iifname \"lo\" accept", "ct state established,related accept",
       from_vpc + "ip daddr . meta l4proto . th dport @endpoints accept", from_vpc + "icmp type echo-request accept"}};
  table.chains["check_output"] = {"type filter hook output priority 0 ; policy accept ;",
                                  {to_tap + "ip daddr @special " + counted("tools.special") + kRefuse,
                                   // A VPC is not told that nobody has a public address; a tool in here is.
                                   "oifname \"vpc-*\" icmp type destination-unreachable icmp code { 0, 1 } drop"}};
  table.chains["translate_out"] = {"type nat hook postrouting priority 100 ; policy accept ;", {to_tap + "masquerade"}};
  table.chains[revision(table)] = {};
  return table;
}

}  // namespace brume::network
