#include "planes/network/vpc_index.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "planes/network/render.h"

namespace brume::network {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw PlaneError(PlaneError::Kind::permanent, message); }

// Ids become parts of nft's names. They are ours (EC2 makes them), but a slip must not become a statement.
void check_id(const std::string& id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (id.empty() || id.size() > 100 || !std::ranges::all_of(id, allowed)) refuse("not a resource id: \"" + id + "\"");
}

template <class Resource>
std::map<std::string, const Resource*> by_id(const std::vector<Resource>& resources) {
  std::map<std::string, const Resource*> map;
  for (const Resource& resource : resources) {
    check_id(resource.id);
    if (!map.emplace(resource.id, &resource).second) refuse("\"" + resource.id + "\" is there twice");
  }
  return map;
}

template <class Resource>
const Resource* find(const std::map<std::string, const Resource*>& map, const std::string& id) {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : found->second;
}

// A number of `bits` bits for each id, from the id's digest; ids that fall together take the next free number.
template <class Resource>
std::map<std::string, std::uint32_t> numbers(const std::map<std::string, const Resource*>& ids, int bits) {
  const std::uint32_t limit = 1U << bits;
  if (ids.size() > limit / 2) refuse("too many route tables or NAT gateways in one VPC");
  std::map<std::string, std::uint32_t> result;
  std::set<std::uint32_t> taken;
  for (const auto& [id, resource] : ids) {
    const std::string digest = sha256(id);
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(digest[i]);
    number &= limit - 1;
    while (!taken.insert(number).second) number = (number + 1) & (limit - 1);
    result[id] = number;
  }
  return result;
}

}  // namespace

VpcIndex::VpcIndex(const Vpc& vpc)
    : vpc_(vpc),
      subnets_(by_id(vpc.subnets)),
      route_tables_(by_id(vpc.route_tables)),
      groups_(by_id(vpc.groups)),
      nat_gateways_(by_id(vpc.nat_gateways)) {
  check_id(vpc.id);
  if (vpc.cidrs.empty()) refuse(vpc.id + " has no CIDR block");
  for (const std::string& cidr : vpc.cidrs) cidrs_.push_back(require_cidr(cidr));
  const auto acls = by_id(vpc.acls);
  for (const Subnet& subnet : vpc.subnets) {
    require_cidr(subnet.cidr);
    if (!find(route_tables_, subnet.route_table)) refuse(subnet.id + " lacks its route table " + subnet.route_table);
    if (!subnet.acl.empty() && !find(acls, subnet.acl)) refuse(subnet.id + " lacks its network ACL " + subnet.acl);
  }
  by_id(vpc.interfaces);
  std::set<std::string> links;
  for (const Interface& interface : vpc.interfaces) {
    const Subnet* in = find(subnets_, interface.subnet);
    if (!in) refuse(interface.id + " lacks its subnet " + interface.subnet);
    if (interface.addresses.empty()) refuse(interface.id + " has no address");
    IndexedInterface indexed{&interface, in, require_cidr(in->cidr), interface_link(interface.id), {}};
    for (const std::string& address : interface.addresses) indexed.addresses.push_back(require_ipv4(address));
    if (!links.insert(indexed.link).second) refuse(interface.id + " has the same link name as another interface");
    interfaces_.push_back(std::move(indexed));
  }
  for (const NatGateway& gateway : vpc.nat_gateways) subnet(gateway.subnet);
  for (const auto& [id, number] : numbers(route_tables_, 24)) table_numbers_[id] = 0x10000000U | number;
  for (const auto& [id, number] : numbers(nat_gateways_, 32 - kNatNextHops.prefix))
    next_hops_[id] = kNatNextHops.network + number;
}

const IndexedInterface* VpcIndex::find_interface(const std::string& id) const {
  const auto found = std::ranges::find(interfaces_, id, [](const IndexedInterface& i) { return i.interface->id; });
  return found == interfaces_.end() ? nullptr : &*found;
}

const Subnet& VpcIndex::subnet(const std::string& id) const {
  const Subnet* found = find(subnets_, id);
  if (!found) refuse(vpc_.id + " lacks the subnet " + id);
  return *found;
}

const SecurityGroup* VpcIndex::find_group(const std::string& id) const { return find(groups_, id); }

const NatGateway* VpcIndex::find_nat_gateway(const std::string& id) const { return find(nat_gateways_, id); }

bool VpcIndex::is_used(const std::string& route_table) const {
  return std::ranges::any_of(vpc_.subnets, [&](const Subnet& s) { return s.route_table == route_table; });
}

Exit VpcIndex::exit_of(const Route& route) const {
  switch (route.target) {
    case Route::Target::internet_gateway:
      return vpc_.internet_gateway ? Exit::internet_gateway : Exit::blackhole;
    case Route::Target::nat_gateway: {
      const NatGateway* gateway = find_nat_gateway(route.target_id);
      if (!gateway || gateway->public_address.empty()) return Exit::blackhole;
      return reaches_internet(*gateway, require_cidr(route.cidr)) ? Exit::nat_gateway : Exit::blackhole;
    }
    case Route::Target::interface: {
      const IndexedInterface* target = find_interface(route.target_id);
      return target && target->plugged() ? Exit::interface : Exit::blackhole;
    }
    case Route::Target::endpoint:
      return Exit::endpoint;
    case Route::Target::local:
    case Route::Target::blackhole:
      break;
  }
  return Exit::blackhole;
}

// A NAT gateway forwards by its own subnet's route table: without a way to the internet gateway there it leads nowhere
// ("NAT gateways: A public NAT gateway … You must route traffic from the NAT gateway to the internet gateway").
bool VpcIndex::reaches_internet(const NatGateway& gateway, Cidr destination) const {
  if (!vpc_.internet_gateway) return false;
  const Route* best = nullptr;
  for (const Route& route : route_tables_.at(subnet(gateway.subnet).route_table)->routes) {
    const std::optional<Cidr> cidr = parse_cidr(route.cidr);
    if (!cidr || !contains(*cidr, destination)) continue;
    if (!best || require_cidr(best->cidr).prefix < cidr->prefix) best = &route;
  }
  return best && best->target == Route::Target::internet_gateway;
}

}  // namespace brume::network
