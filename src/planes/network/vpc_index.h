// A Vpc with its cross references resolved and checked: what both renderers look things up in. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "planes/network/address.h"
#include "planes/network/network.h"

namespace brume::network {

// Where a route really leads, once gateways that are absent or lead nowhere are taken into account.
enum class Exit { internet_gateway, nat_gateway, interface, endpoint, blackhole };

struct IndexedInterface {
  const Interface* interface = nullptr;
  const Subnet* subnet = nullptr;
  Cidr subnet_cidr;
  std::string link;  // the router's end
  std::vector<Ipv4> addresses;
  bool plugged() const { return !interface->sandbox.empty(); }
};

class VpcIndex {
 public:
  // Throws PlaneError{permanent} for references and texts that cannot be. `vpc` must outlive the index.
  explicit VpcIndex(const Vpc& vpc);

  const Vpc& vpc() const { return vpc_; }
  const std::vector<Cidr>& cidrs() const { return cidrs_; }
  const std::vector<IndexedInterface>& interfaces() const { return interfaces_; }
  const IndexedInterface* find_interface(const std::string& id) const;
  const Subnet& subnet(const std::string& id) const;
  const RouteTable& route_table(const std::string& id) const { return *route_tables_.at(id); }
  const SecurityGroup* find_group(const std::string& id) const;
  const NatGateway* find_nat_gateway(const std::string& id) const;

  // The kernel's number for a route table; also the mark that packets of its subnets carry. It depends on the ids only,
  // so that it stays when other tables come and go.
  std::uint32_t table_number(const std::string& route_table) const { return table_numbers_.at(route_table); }
  // The next hop behind which a NAT gateway translates: the router tells NAT gateways apart by it.
  Ipv4 next_hop(const std::string& nat_gateway) const { return next_hops_.at(nat_gateway); }
  bool is_used(const std::string& route_table) const;
  Exit exit_of(const Route& route) const;

 private:
  bool reaches_internet(const NatGateway& gateway, Cidr destination) const;

  const Vpc& vpc_;
  std::vector<Cidr> cidrs_;
  std::map<std::string, const Subnet*> subnets_;
  std::map<std::string, const RouteTable*> route_tables_;
  std::map<std::string, const SecurityGroup*> groups_;
  std::map<std::string, const NatGateway*> nat_gateways_;
  std::vector<IndexedInterface> interfaces_;
  std::map<std::string, std::uint32_t> table_numbers_;
  std::map<std::string, Ipv4> next_hops_;
};

// The two ends of the way to the internet namespace, the same in every VPC: each router is alone on its link.
inline constexpr Ipv4 kGatewayFar{0xA9FE0001};   // 169.254.0.1, the internet namespace's
inline constexpr Ipv4 kGatewayNear{0xA9FE0002};  // 169.254.0.2, the router's
inline constexpr Cidr kNatNextHops{{0xA9FE4000}, 18};

}  // namespace brume::network
