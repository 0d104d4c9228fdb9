// Gateway endpoints: the router answers at a service's address for those subnets whose route tables lead there.
//
// Such packets are delivered to the router itself, so they do not meet the forward hook: what holds there for a packet
// that leaves an interface, its subnet's ACL and its groups, is asked in the input and output hooks.
#include "planes/network/render.h"
#include "planes/network/vpc_index.h"

namespace brume::network {

void add_service_endpoints(const VpcIndex& index, NftTable& table) {
  if (index.vpc().service_addresses.empty()) return;
  NftSet& addresses = table.sets["service_addresses"] = {.type = "ipv4_addr"};
  for (const std::string& address : index.vpc().service_addresses)
    addresses.elements.insert(to_string(require_ipv4(address)));
  const std::string asked = "ip daddr @service_addresses ", answered = "ip saddr @service_addresses ";
  table.chains["check_endpoint_acl"] = {"type filter hook input priority -30 ; policy accept ;",
                                        {asked + "iifname vmap @acl_out"}};
  table.chains["check_endpoint"] = {"type filter hook input priority -20 ; policy accept ;",
                                    {"ct state established,related accept", asked + "iifname vmap @eni_out"}};
  table.chains["check_endpoint_answer"] = {"type filter hook output priority -30 ; policy accept ;",
                                           {answered + "oifname vmap @acl_in"}};
  table.chains["answer"].rules.push_back("iifname \"eni-*\" " + asked + "tcp dport { 80, 443 } accept");
}

}  // namespace brume::network
