#include "services/ec2/render.h"

#include <algorithm>
#include <set>

#include "services/ec2/ec2.h"

namespace brume::ec2 {

namespace {

template <class Record, class Matches>
std::vector<Record> copies(const Table<Record>& table, const Scope& scope, const Matches& matches) {
  std::vector<Record> records;
  for (const Record* record : table.select(scope, matches)) records.push_back(*record);
  return records;
}

template <class Record>
std::set<std::string> ids_of(const std::vector<Record>& records) {
  std::set<std::string> ids;
  for (const Record& record : records) ids.insert(record.id);
  return ids;
}

bool runs(const NatGatewayRecord& gateway) { return gateway.state == "pending" || gateway.state == "available"; }

// The plane names the protocols that have ports or types, and numbers the others.
std::string plane_protocol(const std::string& protocol) {
  if (protocol == "1") return "icmp";
  if (protocol == "6") return "tcp";
  if (protocol == "17") return "udp";
  return protocol;
}

RouteFate fate(const VpcState& state, const std::string& target) {
  const auto has_id = [&](const auto& record) { return record.id == target; };
  if (target.starts_with("igw-")) {
    return state.internet_gateway ? RouteFate::internet_gateway : RouteFate::blackhole;
  }
  if (target.starts_with("nat-")) {
    const auto found = std::ranges::find_if(state.nat_gateways, has_id);
    return found != state.nat_gateways.end() && runs(*found) ? RouteFate::nat_gateway : RouteFate::blackhole;
  }
  const bool exists = std::ranges::any_of(state.interfaces, has_id);
  return exists ? RouteFate::interface : RouteFate::blackhole;
}

network::RouteTable render_route_table(const VpcState& state, const RouteTableRecord& table) {
  using Target = network::Route::Target;
  network::RouteTable out{.id = table.id};
  for (const CidrAssociation& block : state.vpc.cidrs) out.routes.push_back({.cidr = block.cidr});
  for (const RouteRecord& route : table.routes) {
    switch (fate(state, route.target)) {
      case RouteFate::internet_gateway:
        out.routes.push_back({.cidr = route.cidr, .target = Target::internet_gateway});
        break;
      case RouteFate::nat_gateway:
        out.routes.push_back({.cidr = route.cidr, .target = Target::nat_gateway, .target_id = route.target});
        break;
      case RouteFate::interface:
        out.routes.push_back({.cidr = route.cidr, .target = Target::interface, .target_id = route.target});
        break;
      case RouteFate::blackhole:
        out.routes.push_back({.cidr = route.cidr, .target = Target::blackhole});
        break;
    }
  }
  return out;
}

// IPv6 entries and rules match nothing here, since no interface has an IPv6 address; the plane does not see them.
network::Acl render_acl(const AclRecord& acl) {
  network::Acl out{.id = acl.id};
  for (const AclEntryRecord& entry : acl.entries) {
    if (entry.cidr.empty()) continue;
    const bool icmp = entry.protocol == "1";
    out.entries.push_back({.number = static_cast<int>(entry.number),
                           .egress = entry.egress,
                           .allow = entry.allow,
                           .protocol = plane_protocol(entry.protocol),
                           .cidr = entry.cidr,
                           .from_port = static_cast<int>(icmp ? entry.icmp_type : entry.from_port),
                           .to_port = static_cast<int>(icmp ? entry.icmp_code : entry.to_port)});
  }
  return out;
}

network::SecurityGroup render_group(const VpcState& state, const GroupRecord& group) {
  network::SecurityGroup out{.id = group.id};
  for (const GroupRuleRecord& rule : state.rules) {
    if (rule.group != group.id || !rule.cidr6.empty() || rule.protocol == "icmpv6") continue;
    (rule.egress ? out.egress : out.ingress)
        .push_back({.id = rule.id,
                    .protocol = rule.protocol,
                    .from_port = static_cast<int>(rule.from_port),
                    .to_port = static_cast<int>(rule.to_port),
                    .cidr = rule.cidr,
                    .group = rule.peer_group});
  }
  return out;
}

network::Interface render_interface(const VpcState& state, const InterfaceRecord& interface) {
  network::Interface out{.id = interface.id,
                         .subnet = interface.subnet,
                         .sandbox = interface.sandbox,
                         .mac = interface.mac,
                         .addresses = interface.addresses,
                         .groups = interface.groups,
                         .source_dest_check = interface.source_dest_check};
  if (!interface.public_ip.empty()) out.public_addresses[interface.addresses.front()] = interface.public_ip;
  for (const AddressRecord& address : state.addresses) {
    if (address.interface == interface.id) out.public_addresses[address.private_ip] = address.public_ip;
  }
  return out;
}

std::string dashed(std::string address) {
  std::ranges::replace(address, '.', '-');
  return address;
}

}  // namespace

VpcState snapshot(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc) {
  const auto in_vpc = [&](const auto& record) { return record.vpc == vpc.id; };
  VpcState state{.vpc = vpc};
  state.internet_gateway = !ec2.internet_gateways.select(scope, in_vpc).empty();
  state.subnets = copies(ec2.subnets, scope, in_vpc);
  state.route_tables = copies(ec2.route_tables, scope, in_vpc);
  state.acls = copies(ec2.acls, scope, in_vpc);
  state.groups = copies(ec2.groups, scope, in_vpc);
  const std::set<std::string> groups = ids_of(state.groups);
  state.rules =
      copies(ec2.group_rules, scope, [&](const GroupRuleRecord& rule) { return groups.contains(rule.group); });
  state.interfaces = copies(ec2.interfaces, scope, in_vpc);
  state.nat_gateways = copies(ec2.nat_gateways, scope, in_vpc);
  const std::set<std::string> interfaces = ids_of(state.interfaces);
  state.addresses =
      copies(ec2.addresses, scope, [&](const AddressRecord& item) { return interfaces.contains(item.interface); });
  return state;
}

network::Vpc render(const VpcState& state) {
  network::Vpc out{
      .id = state.vpc.id, .dns_support = state.vpc.dns_support, .internet_gateway = state.internet_gateway};
  for (const CidrAssociation& block : state.vpc.cidrs) out.cidrs.push_back(block.cidr);
  for (const SubnetRecord& subnet : state.subnets) {
    out.subnets.push_back({.id = subnet.id,
                           .cidr = subnet.cidr,
                           .route_table = subnet.route_table.empty() ? state.vpc.main_route_table : subnet.route_table,
                           .acl = subnet.acl});
  }
  for (const RouteTableRecord& table : state.route_tables) {
    out.route_tables.push_back(render_route_table(state, table));
  }
  for (const AclRecord& acl : state.acls) out.acls.push_back(render_acl(acl));
  for (const GroupRecord& group : state.groups) out.groups.push_back(render_group(state, group));
  for (const InterfaceRecord& interface : state.interfaces) {
    // A NAT gateway's own interface is part of the gateway.
    if (interface.type != "nat_gateway") out.interfaces.push_back(render_interface(state, interface));
  }
  for (const NatGatewayRecord& gateway : state.nat_gateways) {
    if (!runs(gateway)) continue;
    out.nat_gateways.push_back({.id = gateway.id,
                                .subnet = gateway.subnet,
                                .private_address = gateway.private_ip,
                                .public_address = gateway.public_ip});
  }
  return out;
}

bool needs_network(const network::Vpc& vpc) {
  return !vpc.nat_gateways.empty() ||
         std::ranges::any_of(vpc.interfaces, [](const auto& interface) { return !interface.sandbox.empty(); });
}

RouteFate fate_of(const Ec2& ec2, const Scope& scope, const std::string& vpc_id, const RouteRecord& route) {
  if (route.target.starts_with("igw-")) {
    const InternetGatewayRecord* gateway = ec2.internet_gateways.find(scope, route.target);
    return gateway != nullptr && gateway->vpc == vpc_id ? RouteFate::internet_gateway : RouteFate::blackhole;
  }
  if (route.target.starts_with("nat-")) {
    const NatGatewayRecord* gateway = ec2.nat_gateways.find(scope, route.target);
    return gateway != nullptr && runs(*gateway) ? RouteFate::nat_gateway : RouteFate::blackhole;
  }
  return ec2.interfaces.find(scope, route.target) != nullptr ? RouteFate::interface : RouteFate::blackhole;
}

std::string private_dns_name(const std::string& address, const std::string& region) {
  return "ip-" + dashed(address) + (region == "us-east-1" ? ".ec2.internal" : "." + region + ".compute.internal");
}

std::string public_dns_name(const std::string& address, const std::string& region) {
  const std::string middle = region == "us-east-1" ? ".compute-1." : "." + region + ".compute.";
  return "ec2-" + dashed(address) + middle + std::string(dns_suffix_of(region));
}

PublishedNames names_of(const VpcState& state, const std::string& region) {
  PublishedNames names;
  if (!state.vpc.dns_support || !state.vpc.dns_hostnames) return names;
  for (const InterfaceRecord& record : state.interfaces) {
    const network::Interface interface = render_interface(state, record);
    for (const std::string& address : interface.addresses) {
      names[{state.vpc.id, private_dns_name(address, region)}] = address;
    }
    // A public name answers with the private address inside the VPC, with the public one elsewhere.
    for (const auto& [private_ip, public_ip] : interface.public_addresses) {
      names[{state.vpc.id, public_dns_name(public_ip, region)}] = private_ip;
      names[{"", public_dns_name(public_ip, region)}] = public_ip;
    }
  }
  return names;
}

}  // namespace brume::ec2
