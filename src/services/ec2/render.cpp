#include "services/ec2/render.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "services/ec2/ec2.h"
#include "services/ec2/endpoints.h"
#include "services/ec2/prefix_lists.h"
#include "services/ec2/service_addresses.h"

namespace brume::ec2 {

namespace {

template <class Record>
std::vector<Record> copies(const std::vector<const Record*>& found) {
  std::vector<Record> records;
  records.reserve(found.size());
  for (const Record* record : found) records.push_back(*record);
  return records;
}

template <class Record, class Matches>
std::vector<Record> copies(const Table<Record>& table, const Scope& scope, const Matches& matches) {
  return copies(table.select(scope, matches));
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
  if (target.starts_with("vpce-")) {
    const bool exists = std::ranges::any_of(state.endpoints, has_id);
    return exists ? RouteFate::endpoint : RouteFate::blackhole;
  }
  const bool exists = std::ranges::any_of(state.interfaces, has_id);
  return exists ? RouteFate::interface : RouteFate::blackhole;
}

network::Route render_route(const VpcState& state, const RouteRecord& route, const std::string& cidr) {
  using Target = network::Route::Target;
  switch (fate(state, route.target)) {
    case RouteFate::internet_gateway:
      return {.cidr = cidr, .target = Target::internet_gateway};
    case RouteFate::nat_gateway:
      return {.cidr = cidr, .target = Target::nat_gateway, .target_id = route.target};
    case RouteFate::interface:
      return {.cidr = cidr, .target = Target::interface, .target_id = route.target};
    case RouteFate::endpoint:
    case RouteFate::blackhole:
      break;
  }
  return {.cidr = cidr, .target = Target::blackhole};
}

std::vector<std::string> blocks_of(const VpcState& state, const std::string& prefix_list) {
  const auto found = state.prefix_lists.find(prefix_list);
  return found == state.prefix_lists.end() ? std::vector<std::string>() : found->second;
}

network::RouteTable render_route_table(const VpcState& state, const RouteTableRecord& table) {
  network::RouteTable out{.id = table.id};
  for (const CidrAssociation& block : state.vpc.cidrs) out.routes.push_back({.cidr = block.cidr});
  // "Route priority": of equal destinations a static route wins over one that a prefix list stands for, so it comes
  // later.
  for (const RouteRecord& route : table.routes) {
    for (const std::string& cidr : blocks_of(state, route.prefix_list)) {
      out.routes.push_back(render_route(state, route, cidr));
    }
  }
  for (const RouteRecord& route : table.routes) {
    if (!route.cidr.empty()) out.routes.push_back(render_route(state, route, route.cidr));
  }
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (std::ranges::find(endpoint.route_tables, table.id) == endpoint.route_tables.end()) continue;
    out.routes.push_back({.cidr = state.service_addresses.at(endpoint.service) + "/32",
                          .target = network::Route::Target::endpoint,
                          .target_id = endpoint.id});
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

void add_rule(const VpcState& state, const GroupRuleRecord& rule, network::SecurityGroup& out) {
  if (!rule.cidr6.empty() || rule.protocol == "icmpv6") return;
  network::GroupRule rendered{.id = rule.id,
                              .protocol = rule.protocol,
                              .from_port = static_cast<int>(rule.from_port),
                              .to_port = static_cast<int>(rule.to_port),
                              .cidr = rule.cidr,
                              .group = rule.peer_group};
  std::vector<network::GroupRule>& rules = rule.egress ? out.egress : out.ingress;
  if (rule.prefix_list.empty()) return rules.push_back(std::move(rendered));
  // A rule per block, all of them counted as the one rule.
  for (const std::string& cidr : blocks_of(state, rule.prefix_list)) {
    rendered.cidr = cidr;
    rules.push_back(rendered);
  }
}

void add_groups(const VpcState& state, network::Vpc& out) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (const GroupRecord& group : state.groups) {
    places[group.id] = out.groups.size();
    out.groups.push_back({.id = group.id});
  }
  for (const GroupRuleRecord& rule : state.rules) {
    if (const auto place = places.find(rule.group); place != places.end())
      add_rule(state, rule, out.groups[place->second]);
  }
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

void add_prefix_lists(const Ec2& ec2, const Scope& scope, VpcState& state) {
  const auto add = [&](const std::string& id) {
    if (id.empty() || state.prefix_lists.contains(id)) return;
    if (const auto list = find_prefix_list(ec2, scope, id)) state.prefix_lists[id] = list->cidrs;
  };
  for (const GroupRuleRecord& rule : state.rules) add(rule.prefix_list);
  for (const RouteTableRecord& table : state.route_tables) {
    for (const RouteRecord& route : table.routes) add(route.prefix_list);
  }
}

}  // namespace

VpcState snapshot_interfaces(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc) {
  VpcState state{.vpc = vpc};
  state.interfaces = copies(ec2.interfaces_by_vpc.find(scope, vpc.id));
  const std::set<std::string> interfaces = ids_of(state.interfaces);
  state.addresses =
      copies(ec2.addresses, scope, [&](const AddressRecord& item) { return interfaces.contains(item.interface); });
  return state;
}

VpcState snapshot(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc) {
  const auto in_vpc = [&](const auto& record) { return record.vpc == vpc.id; };
  VpcState state = snapshot_interfaces(ec2, scope, vpc);
  const std::set<std::string> interfaces = ids_of(state.interfaces);
  state.internet_gateway = !ec2.internet_gateways.select(scope, in_vpc).empty();
  state.subnets = copies(ec2.subnets_by_vpc.find(scope, vpc.id));
  state.route_tables = copies(ec2.route_tables, scope, in_vpc);
  state.acls = copies(ec2.acls, scope, in_vpc);
  state.groups = copies(ec2.groups_by_vpc.find(scope, vpc.id));
  for (const GroupRecord& group : state.groups) {
    for (const GroupRuleRecord* rule : ec2.rules_by_group.find(scope, group.id)) state.rules.push_back(*rule);
  }
  std::ranges::sort(state.rules, {}, &GroupRuleRecord::id);
  state.nat_gateways = copies(ec2.nat_gateways, scope, in_vpc);
  state.endpoints = copies(ec2.endpoints, scope, in_vpc);
  for (const std::string_view service : kGatewayServices) {
    if (const auto address = service_address(scope.region, service)) {
      state.service_addresses[std::string(service)] = *address;
    }
  }
  add_prefix_lists(ec2, scope, state);
  const std::set<std::string> subnets = ids_of(state.subnets);
  state.flow_logs = copies(ec2.flow_logs, scope, [&](const FlowLogRecord& log) {
    return log.resource == vpc.id || subnets.contains(log.resource) || interfaces.contains(log.resource);
  });
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
  if (!state.endpoints.empty()) {
    for (const auto& [service, address] : state.service_addresses) out.service_addresses.push_back(address);
  }
  for (const AclRecord& acl : state.acls) out.acls.push_back(render_acl(acl));
  add_groups(state, out);
  for (const InterfaceRecord& interface : state.interfaces) {
    // A NAT gateway's own interface is part of the gateway.
    if (interface.type == "nat_gateway") continue;
    out.interfaces.push_back(render_interface(state, interface));
    const bool logged = std::ranges::any_of(state.flow_logs, [&](const FlowLogRecord& log) {
      return log.resource == interface.vpc || log.resource == interface.subnet || log.resource == interface.id;
    });
    if (logged && !interface.sandbox.empty()) out.flow_logged.push_back(interface.id);
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

bool needs_network(const Ec2& ec2, const Scope& scope, const std::string& vpc_id) {
  const auto gateway_runs = [&](const NatGatewayRecord& gateway) { return gateway.vpc == vpc_id && runs(gateway); };
  return ec2.interfaces_by_vpc.find_first(scope, running_in(vpc_id)) != nullptr ||
         !ec2.nat_gateways.select(scope, gateway_runs).empty();
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
  if (route.target.starts_with("vpce-")) {
    return ec2.endpoints.find(scope, route.target) != nullptr ? RouteFate::endpoint : RouteFate::blackhole;
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
