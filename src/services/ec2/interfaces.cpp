#include "services/ec2/interfaces.h"

#include <algorithm>
#include <set>

#include "services/ec2/addresses.h"
#include "services/ec2/groups.h"
#include "services/ec2/render.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

// A locally administered unicast address that no other interface of the VPC has.
std::string new_mac(Ec2& ec2, const Scope& scope, const std::string& vpc_id) {
  while (true) {
    const std::string digits = ec2.random.hex(10);
    std::string mac = "0a";
    for (std::size_t i = 0; i < digits.size(); i += 2) mac += ":" + digits.substr(i, 2);
    const std::vector<const InterfaceRecord*> others = ec2.interfaces_by_value.find(scope, mac);
    if (std::ranges::none_of(others, [&](const InterfaceRecord* other) { return other->vpc == vpc_id; })) return mac;
  }
}

bool is_used(const Ec2& ec2, const Scope& scope, const std::string& subnet_id, const std::string& address) {
  return std::ranges::any_of(ec2.interfaces_by_value.find(scope, address),
                             [&](const InterfaceRecord* interface) { return interface->subnet == subnet_id; });
}

std::vector<std::string> settle_addresses(Ec2& ec2, const Scope& scope, const SubnetRecord& subnet,
                                          const NewInterface& wanted) {
  std::vector<std::string> addresses = wanted.addresses;
  for (const std::string& address : addresses) check_address(ec2, scope, subnet, address);
  if (std::set<std::string>(addresses.begin(), addresses.end()).size() != addresses.size()) {
    throw invalid_parameter("The same private IP address must not appear multiple times");
  }
  const std::size_t more = wanted.more_addresses + (addresses.empty() ? 1 : 0);
  for (std::string& address : choose_addresses(ec2, scope, subnet, more, addresses)) {
    addresses.push_back(std::move(address));
  }
  if (addresses.size() > kMostAddressesPerInterface) {
    throw AwsError("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.");
  }
  return addresses;
}

NetworkInterfaceAssociation association_shape(const VpcRecord& vpc, const Scope& scope, const std::string& public_ip,
                                              const std::string& owner) {
  NetworkInterfaceAssociation shape{.ip_owner_id = owner, .public_ip = public_ip};
  shape.public_dns_name = vpc.dns_hostnames ? public_dns_name(public_ip, scope.region) : "";
  return shape;
}

opt<NetworkInterfaceAssociation> association_of(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc,
                                                const InterfaceRecord& interface, const std::string& private_ip) {
  if (const AddressRecord* address = elastic_ip_of(ec2, scope, interface.id, private_ip)) {
    NetworkInterfaceAssociation shape = association_shape(vpc, scope, address->public_ip, scope.account);
    shape.allocation_id = address->id;
    shape.association_id = address->association;
    return shape;
  }
  if (interface.public_ip.empty() || private_ip != interface.addresses.front()) return kNothing;
  return association_shape(vpc, scope, interface.public_ip, interface.public_owner);
}

NetworkInterfaceAttachment attachment_shape(const InterfaceRecord& interface) {
  return {.attach_time = interface.attached,
          .attachment_id = interface.attachment,
          .delete_on_termination = false,
          .device_index = 1,
          .network_card_index = 0,
          .instance_owner_id = interface.instance_owner,
          .status = interface.plugged || interface.sandbox.empty() ? "attached" : "attaching"};
}

}  // namespace

std::vector<std::string> choose_addresses(Ec2& ec2, const Scope& scope, const SubnetRecord& subnet, std::size_t count,
                                          const std::vector<std::string>& taken) {
  const Cidr block = parse_cidr(subnet.cidr).value();
  std::vector<std::string> chosen;
  const std::uint64_t start = ec2.random.below(block.size());
  for (std::uint64_t i = 0; i < block.size() && chosen.size() < count; ++i) {
    const IpAddress address = block.first() + static_cast<IpAddress>((start + i) % block.size());
    if (is_reserved_in_subnet(block, address)) continue;
    std::string text = address_text(address);
    if (std::ranges::find(taken, text) == taken.end() && !is_used(ec2, scope, subnet.id, text))
      chosen.push_back(std::move(text));
  }
  if (chosen.size() < count) {
    throw AwsError("InsufficientFreeAddressesInSubnet",
                   "The specified subnet does not have enough free addresses to satisfy the request.");
  }
  return chosen;
}

void check_address(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet, const std::string& address) {
  const Cidr block = parse_cidr(subnet.cidr).value();
  const std::optional<IpAddress> wanted = parse_address(address);
  if (!wanted) throw invalid_parameter("Invalid IP address: " + address);
  if (!block.contains(*wanted)) {
    throw invalid_parameter("Address " + address + " does not fall within the subnet's address range");
  }
  if (is_reserved_in_subnet(block, *wanted)) {
    throw invalid_parameter("Address " + address + " is in subnet's reserved address range");
  }
  if (is_used(ec2, scope, subnet.id, address_text(*wanted))) {
    throw AwsError("InvalidIPAddress.InUse", "Address " + address + " is in use.");
  }
}

const InterfaceRecord& create_interface(Ec2& ec2, Tx& tx, const Scope& scope, NewInterface wanted) {
  const SubnetRecord& subnet = get(ec2.subnets, scope, kSubnetId, wanted.subnet);
  const VpcRecord& vpc = *ec2.vpcs.find(scope, subnet.vpc);
  InterfaceRecord record{.id = ec2.new_id(kInterfaceId), .vpc = vpc.id, .subnet = subnet.id, .zone = subnet.zone};
  check_interface_groups(ec2, scope, subnet, wanted.groups);
  record.addresses = settle_addresses(ec2, scope, subnet, wanted);
  record.groups = std::move(wanted.groups);
  if (record.groups.empty() && wanted.type == "interface") record.groups.push_back(vpc.default_group);
  record.mac = new_mac(ec2, scope, vpc.id);
  record.description = std::move(wanted.description);
  record.type = std::move(wanted.type);
  record.source_dest_check = wanted.source_dest_check;
  record.requester = std::move(wanted.requester);
  record.instance_owner = std::move(wanted.instance_owner);
  record.sandbox = std::move(wanted.sandbox);
  record.client_token = std::move(wanted.client_token);
  record.tags = std::move(wanted.tags);
  if (is_managed(record)) {
    record.attachment = ec2.random.ec2_id(
        record.type == "interface" && record.instance_owner != "amazon-elb" ? "eni-attach-" : "ela-attach-");
    record.attached = ec2.clock.now();
  }
  if (wanted.assign_public_ip) {
    record.public_ip = take_public_address(ec2, tx, scope, record.id);
    record.public_owner = wanted.public_owner.empty() ? "amazon" : wanted.public_owner;
  }
  ec2.touch(tx, scope, vpc.id);
  const std::string id = record.id;
  return ec2.interfaces.insert(tx, scope, id, std::move(record));
}

void erase_interface(Ec2& ec2, Tx& tx, const Scope& scope, const InterfaceRecord& interface) {
  const std::string id = interface.id;
  for (const AddressRecord* address :
       ec2.addresses.select(scope, [&](const AddressRecord& item) { return item.interface == id; })) {
    disassociate(ec2, tx, scope, *address);
  }
  if (!interface.public_ip.empty()) give_back_public_address(ec2, tx, interface.public_ip);
  ec2.touch(tx, scope, interface.vpc);
  ec2.interfaces.erase(tx, scope, id);
}

void check_not_managed(const InterfaceRecord& interface) {
  if (is_managed(interface)) {
    throw AwsError("AuthFailure", "You do not have permission to access the specified resource.");
  }
}

NetworkInterface interface_shape(const Ec2& ec2, const Scope& scope, const InterfaceRecord& interface) {
  const VpcRecord& vpc = *ec2.vpcs.find(scope, interface.vpc);
  NetworkInterface shape{.availability_zone = interface.zone,
                         .description = interface.description,
                         .interface_type = interface.type,
                         .mac_address = interface.mac,
                         .network_interface_id = interface.id,
                         .owner_id = scope.account,
                         .private_ip_address = interface.addresses.front(),
                         .requester_managed = is_managed(interface),
                         .source_dest_check = interface.source_dest_check,
                         .status = interface.attachment.empty() ? "available" : "in-use",
                         .subnet_id = interface.subnet,
                         .tag_set = tags_to<Tag>(interface.tags),
                         .vpc_id = interface.vpc};
  for (const Zone& zone : zones_of(scope.region)) {
    if (zone.name == interface.zone) shape.availability_zone_id = zone.id;
  }
  if (is_managed(interface)) shape.requester_id = interface.requester;
  if (!interface.attachment.empty()) shape.attachment = attachment_shape(interface);
  auto& groups = shape.groups.ensure();
  for (const std::string& id : interface.groups) {
    const GroupRecord* group = ec2.groups.find(scope, id);
    groups.push_back({.group_id = id, .group_name = group == nullptr ? "" : group->name});
  }
  shape.ipv6_addresses.ensure();
  shape.association = association_of(ec2, scope, vpc, interface, interface.addresses.front());
  const auto dns_name = [&](const std::string& address) -> opt<std::string> {
    if (!vpc.dns_hostnames) return kNothing;
    return private_dns_name(address, scope.region);
  };
  shape.private_dns_name = dns_name(interface.addresses.front());
  auto& addresses = shape.private_ip_addresses.ensure();
  for (const std::string& address : interface.addresses) {
    addresses.push_back({.association = association_of(ec2, scope, vpc, interface, address),
                         .primary = address == interface.addresses.front(),
                         .private_dns_name = dns_name(address),
                         .private_ip_address = address});
  }
  return shape;
}

}  // namespace brume::ec2
