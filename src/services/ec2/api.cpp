#include "services/ec2/api.h"

#include "services/ec2/addresses.h"
#include "services/ec2/ec2.h"
#include "services/ec2/endpoints.h"
#include "services/ec2/groups.h"
#include "services/ec2/interfaces.h"
#include "services/ec2/render.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

InterfaceFacts facts_of(const Ec2& ec2, const Scope& scope, const InterfaceRecord& interface) {
  InterfaceFacts facts{.id = interface.id,
                       .vpc = interface.vpc,
                       .subnet = interface.subnet,
                       .zone = interface.zone,
                       .mac = interface.mac,
                       .private_ip = interface.addresses.front(),
                       .public_ip = interface.public_ip,
                       .attachment = interface.attachment,
                       .sandbox = interface.sandbox,
                       .groups = interface.groups};
  if (const AddressRecord* elastic = elastic_ip_of(ec2, scope, interface.id, facts.private_ip)) {
    facts.public_ip = elastic->public_ip;
  }
  if (const SubnetRecord* subnet = ec2.subnets.find(scope, interface.subnet)) facts.subnet_cidr = subnet->cidr;
  const VpcRecord* vpc = ec2.vpcs.find(scope, interface.vpc);
  if (vpc != nullptr && vpc->dns_hostnames) facts.private_dns_name = private_dns_name(facts.private_ip, scope.region);
  return facts;
}

SubnetFacts subnet_facts(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet) {
  SubnetFacts facts{.id = subnet.id,
                    .vpc = subnet.vpc,
                    .zone = subnet.zone,
                    .cidr = subnet.cidr,
                    .available_addresses = available_addresses(ec2, scope, subnet),
                    .is_default = subnet.default_for_az,
                    .map_public_ip_on_launch = subnet.map_public_ip_on_launch};
  for (const Zone& zone : zones_of(scope.region)) {
    if (zone.name == subnet.zone) facts.zone_id = zone.id;
  }
  return facts;
}

const VpcRecord* find_vpc_anywhere(const Ec2& ec2, const std::string& vpc_id, Scope* scope_out) {
  const VpcRecord* found = nullptr;
  ec2.vpcs.for_all([&](const Scope& scope, std::string_view id, const VpcRecord& vpc) {
    if (id != vpc_id) return;
    found = &vpc;
    if (scope_out != nullptr) *scope_out = scope;
  });
  return found;
}

}  // namespace

InterfaceFacts create_service_interface(Ec2& ec2, Tx& tx, const Scope& scope, const ServiceInterface& wanted) {
  BRUME_CHECK(!wanted.requester.empty());
  enter_region(ec2, tx, scope);
  NewInterface interface{.subnet = wanted.subnet,
                         .groups = wanted.groups,
                         .description = wanted.description,
                         .type = wanted.type,
                         .requester = wanted.requester,
                         .instance_owner = wanted.instance_owner.empty() ? wanted.requester : wanted.instance_owner,
                         .sandbox = wanted.sandbox,
                         .public_owner = wanted.requester == "amazon-elb" ? wanted.requester : "amazon",
                         .source_dest_check = wanted.source_dest_check,
                         .assign_public_ip = wanted.assign_public_ip,
                         .tags = wanted.tags};
  if (!wanted.private_ip.empty()) interface.addresses.push_back(wanted.private_ip);
  return facts_of(ec2, scope, create_interface(ec2, tx, scope, std::move(interface)));
}

void delete_service_interface(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id) {
  const InterfaceRecord* interface = ec2.interfaces.find(scope, id);
  if (interface != nullptr) erase_interface(ec2, tx, scope, InterfaceRecord(*interface));
}

void set_service_interface_groups(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id,
                                  const std::vector<std::string>& groups) {
  const InterfaceRecord& interface = get(ec2.interfaces, scope, kInterfaceId, id);
  check_interface_groups(ec2, scope, *ec2.subnets.find(scope, interface.subnet), groups);
  ec2.touch(tx, scope, interface.vpc);
  ec2.interfaces.modify(tx, scope, id, [&](InterfaceRecord& record) { record.groups = groups; });
}

std::optional<InterfaceFacts> find_interface(const Ec2& ec2, const Scope& scope, const std::string& id) {
  const InterfaceRecord* interface = ec2.interfaces.find(scope, id);
  if (interface == nullptr) return std::nullopt;
  return facts_of(ec2, scope, *interface);
}

std::vector<InterfaceFacts> interfaces_of_sandbox(const Ec2& ec2, const Scope& scope, const std::string& sandbox) {
  std::vector<InterfaceFacts> facts;
  for (const InterfaceRecord* interface : ec2.interfaces_by_value.find(scope, sandbox)) {
    if (interface->sandbox == sandbox) facts.push_back(facts_of(ec2, scope, *interface));
  }
  return facts;
}

bool is_ready(const Ec2& ec2, const std::string& interface_id) { return ec2.reconciler.is_ready(interface_id); }

void on_ready(Ec2& ec2, std::function<void(const Scope&, const std::string&)> callback) {
  ec2.reconciler.on_ready(std::move(callback));
}

SubnetFacts get_subnet(const Ec2& ec2, const Scope& scope, const std::string& id) {
  return subnet_facts(ec2, scope, get(ec2.subnets, scope, kSubnetId, id));
}

std::optional<SubnetFacts> find_subnet(const Ec2& ec2, const Scope& scope, const std::string& id) {
  const SubnetRecord* subnet = ec2.subnets.find(scope, id);
  if (subnet == nullptr) return std::nullopt;
  return subnet_facts(ec2, scope, *subnet);
}

bool vpc_exists(const Ec2& ec2, const Scope& scope, const std::string& vpc_id) {
  return ec2.vpcs.find(scope, vpc_id) != nullptr;
}

std::vector<std::string> vpc_cidrs(const Ec2& ec2, const Scope& scope, const std::string& vpc_id) {
  std::vector<std::string> cidrs;
  if (const VpcRecord* vpc = ec2.vpcs.find(scope, vpc_id)) {
    for (const CidrAssociation& block : vpc->cidrs) cidrs.push_back(block.cidr);
  }
  return cidrs;
}

std::optional<std::string> default_group_of(const Ec2& ec2, const Scope& scope, const std::string& vpc_id) {
  const VpcRecord* vpc = ec2.vpcs.find(scope, vpc_id);
  if (vpc == nullptr) return std::nullopt;
  return vpc->default_group;
}

std::optional<std::string> vpc_of_group(const Ec2& ec2, const Scope& scope, const std::string& group_id) {
  const GroupRecord* group = ec2.groups.find(scope, group_id);
  if (group == nullptr) return std::nullopt;
  return group->vpc;
}

std::string default_vpc(Ec2& ec2, Tx& tx, const Scope& scope) {
  enter_region(ec2, tx, scope);
  const VpcRecord* vpc = find_default_vpc(ec2, scope);
  return vpc == nullptr ? "" : vpc->id;
}

Outbound outbound_of(const Ec2& ec2, const Scope& scope, const std::string& subnet_id) {
  const SubnetRecord* subnet = ec2.subnets.find(scope, subnet_id);
  if (subnet == nullptr) return Outbound::none;
  const VpcRecord& vpc = *ec2.vpcs.find(scope, subnet->vpc);
  const RouteTableRecord* table =
      ec2.route_tables.find(scope, subnet->route_table.empty() ? vpc.main_route_table : subnet->route_table);
  for (const RouteRecord& route : table->routes) {
    if (route.cidr != "0.0.0.0/0") continue;
    switch (fate_of(ec2, scope, vpc.id, route)) {
      case RouteFate::internet_gateway:
        return Outbound::internet_gateway;
      case RouteFate::nat_gateway:
        // A gateway that is still pending forwards nothing yet.
        if (ec2.nat_gateways.find(scope, route.target)->state == "available") return Outbound::nat_gateway;
        break;
      case RouteFate::interface:
      case RouteFate::endpoint:
      case RouteFate::blackhole:
        break;
    }
  }
  return Outbound::none;
}

bool reaches_internet(const Ec2& ec2, const Scope& scope, const std::string& interface_id) {
  const std::optional<InterfaceFacts> interface = find_interface(ec2, scope, interface_id);
  if (!interface) return false;
  const Outbound outbound = outbound_of(ec2, scope, interface->subnet);
  return outbound == Outbound::nat_gateway || (outbound == Outbound::internet_gateway && !interface->public_ip.empty());
}

std::optional<Resident> resident_at(const Ec2& ec2, const std::string& vpc_id, const std::string& private_address) {
  const std::optional<Scope> scope = scope_of_vpc(ec2, vpc_id);
  if (!scope) return std::nullopt;
  for (const InterfaceRecord* interface : ec2.interfaces_by_value.find(*scope, private_address))
    if (interface->vpc == vpc_id) return Resident{*scope, facts_of(ec2, *scope, *interface)};
  return std::nullopt;
}

std::optional<Resident> resident_at_public(const Ec2& ec2, const std::string& public_address) {
  const PublicAddressRecord* held = find_public_address(ec2, public_address);
  if (held == nullptr) return std::nullopt;
  const Scope scope{held->account, held->region};
  std::string interface = held->holder;
  if (const AddressRecord* elastic = ec2.addresses.find(scope, held->holder)) interface = elastic->interface;
  const std::optional<InterfaceFacts> facts = find_interface(ec2, scope, interface);
  if (!facts) return std::nullopt;
  return Resident{scope, *facts};
}

std::optional<EndpointFacts> endpoint_for(const Ec2& ec2, const std::string& vpc_id, const std::string& private_address,
                                          const std::string& service) {
  const std::optional<Resident> resident = resident_at(ec2, vpc_id, private_address);
  if (!resident) return std::nullopt;
  const EndpointRecord* endpoint = endpoint_of_subnet(ec2, resident->scope, resident->interface.subnet, service);
  if (endpoint == nullptr) return std::nullopt;
  return EndpointFacts{endpoint->id, endpoint->policy.empty() ? std::string(kFullAccess) : endpoint->policy};
}

std::optional<Scope> scope_of_vpc(const Ec2& ec2, const std::string& vpc_id) {
  Scope scope;
  if (find_vpc_anywhere(ec2, vpc_id, &scope) == nullptr) return std::nullopt;
  return scope;
}

bool dns_support(const Ec2& ec2, const std::string& vpc_id) {
  const VpcRecord* vpc = find_vpc_anywhere(ec2, vpc_id, nullptr);
  return vpc != nullptr && vpc->dns_support;
}

}  // namespace brume::ec2
