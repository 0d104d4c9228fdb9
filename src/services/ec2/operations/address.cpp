// Elastic IP addresses.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/addresses.h"
#include "services/ec2/cidr.h"
#include "services/ec2/describe.h"
#include "services/ec2/interfaces.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostAddresses = 100;

Address address_shape(const Ec2& ec2, const Scope& scope, const AddressRecord& address) {
  Address shape{.allocation_id = address.id,
                .domain = "vpc",
                .tags = tags_to<Tag>(address.tags),
                .public_ipv4_pool = "amazon",
                .network_border_group = scope.region,
                .public_ip = address.public_ip};
  if (address.association.empty()) return shape;
  shape.association_id = address.association;
  shape.network_interface_id = address.interface;
  shape.private_ip_address = address.private_ip;
  if (const InterfaceRecord* interface = ec2.interfaces.find(scope, address.interface)) {
    shape.network_interface_owner_id = scope.account;
    shape.subnet_id = interface->subnet;
  }
  return shape;
}

const FilterField<Address> kFilters[] = {
    {"allocation-id", [](const Address& address) { return one(address.allocation_id); }},
    {"association-id", [](const Address& address) { return one(address.association_id); }},
    {"domain", [](const Address& address) { return one(address.domain); }},
    {"instance-id", none<Address>},
    {"network-border-group", [](const Address& address) { return one(address.network_border_group); }},
    {"network-interface-id", [](const Address& address) { return one(address.network_interface_id); }},
    {"network-interface-owner-id", [](const Address& address) { return one(address.network_interface_owner_id); }},
    {"private-ip-address", [](const Address& address) { return one(address.private_ip_address); }},
    {"public-ip", [](const Address& address) { return one(address.public_ip); }},
};

const AddressRecord* find_by_public_ip(const Ec2& ec2, const Scope& scope, const std::string& ip) {
  const auto found = ec2.addresses.select(scope, [&](const AddressRecord& address) { return address.public_ip == ip; });
  return found.empty() ? nullptr : found.front();
}

AwsError address_not_found(const std::string& ip) {
  if (!parse_address(ip)) return invalid_parameter("Invalid value '" + ip + "' for address. Invalid address");
  return {"InvalidAddress.NotFound", "Address '" + ip + "' not found."};
}

// By allocation id, else by the public address.
template <class Input>
const AddressRecord& address_of(const Ec2& ec2, const Scope& scope, const Input& input) {
  if (input.allocation_id) return get(ec2.addresses, scope, kAllocationId, *input.allocation_id);
  if (!input.public_ip) throw missing_parameter("allocationId");
  const AddressRecord* address = find_by_public_ip(ec2, scope, *input.public_ip);
  if (address == nullptr) throw address_not_found(*input.public_ip);
  return *address;
}

void check_border_group(const Scope& scope, const opt<std::string>& group) {
  if (group && *group != scope.region) {
    throw invalid_parameter("Network border group " + *group + " is not valid in " + scope.region + ".");
  }
}

// The elastic IP of a NAT gateway stays with it until the gateway is deleted.
void check_not_held_by_service(const Ec2& ec2, const Scope& scope, const AddressRecord& address) {
  if (const InterfaceRecord* interface = ec2.interfaces.find(scope, address.interface)) check_not_managed(*interface);
}

void check_attached_gateway(const Ec2& ec2, const Scope& scope, const std::string& vpc) {
  const auto attached = [&](const InternetGatewayRecord& gateway) { return gateway.vpc == vpc; };
  if (ec2.internet_gateways.select(scope, attached).empty()) {
    throw AwsError("Gateway.NotAttached", "Network " + vpc + " is not attached to any internet gateway");
  }
}

}  // namespace

AllocateAddressOutput allocate_address(Ec2& ec2, Tx& tx, const Request<AllocateAddressInput>& request) {
  begin(ec2, tx, request);
  const AllocateAddressInput& input = request.input;
  if (input.domain.value_or("vpc") != "vpc") {
    throw invalid_parameter("Value (" + *input.domain + ") for parameter domain is invalid. EC2-Classic is retired.");
  }
  if (input.address) throw unsupported("Address");
  if (input.customer_owned_ipv4_pool) throw unsupported("CustomerOwnedIpv4Pool");
  if (input.ipam_pool_id) throw unsupported("IpamPoolId");
  if (input.public_ipv4_pool.value_or("amazon") != "amazon") throw unsupported("PublicIpv4Pool");
  check_border_group(request.scope, input.network_border_group);
  Tags tags = tags_for(input.tag_specifications.get(), "elastic-ip");
  if (ec2.addresses.count(request.scope) >= kMostAddresses) {
    throw AwsError("AddressLimitExceeded", "The maximum number of addresses has been reached.");
  }
  const std::string id = ec2.new_id(kAllocationId);
  const std::string ip = take_public_address(ec2, tx, request.scope, id);
  ec2.addresses.insert(tx, request.scope, id, {.id = id, .public_ip = ip, .tags = std::move(tags)});
  return {.allocation_id = id,
          .public_ipv4_pool = "amazon",
          .network_border_group = request.scope.region,
          .domain = "vpc",
          .public_ip = ip};
}

ReleaseAddressOutput release_address(Ec2& ec2, Tx& tx, const Request<ReleaseAddressInput>& request) {
  begin(ec2, tx, request);
  const AddressRecord address = address_of(ec2, request.scope, request.input);
  check_border_group(request.scope, request.input.network_border_group);
  if (!address.association.empty()) {
    throw AwsError("InvalidIPAddress.InUse", "Address " + address.public_ip + " is in use.");
  }
  give_back_public_address(ec2, tx, address.public_ip);
  ec2.addresses.erase(tx, request.scope, address.id);
  return {};
}

AssociateAddressOutput associate_address(Ec2& ec2, Tx& tx, const Request<AssociateAddressInput>& request) {
  begin(ec2, tx, request);
  const AssociateAddressInput& input = request.input;
  const AddressRecord address = address_of(ec2, request.scope, input);
  if (input.instance_id) {
    throw AwsError("InvalidInstanceID.NotFound", "The instance ID '" + *input.instance_id + "' does not exist");
  }
  if (!input.network_interface_id) throw missing_parameter("networkInterfaceId");
  const InterfaceRecord& interface = get(ec2.interfaces, request.scope, kInterfaceId, *input.network_interface_id);
  check_not_managed(interface);
  check_not_held_by_service(ec2, request.scope, address);
  const std::string private_ip = input.private_ip_address.value_or(interface.addresses.front());
  if (std::ranges::find(interface.addresses, private_ip) == interface.addresses.end()) {
    throw invalid_parameter("Invalid value '" + private_ip + "' for privateIpAddress. The address is not assigned to " +
                            interface.id);
  }
  check_attached_gateway(ec2, request.scope, interface.vpc);
  // "AssociateAddress": in a VPC reassociation is automatic unless it is denied.
  const bool may_move = input.allow_reassociation.value_or(true);
  if (!address.association.empty() && !may_move) {
    throw AwsError("Resource.AlreadyAssociated",
                   "resource " + address.id + " is already associated with associate-id " + address.association);
  }
  const AddressRecord* other = elastic_ip_of(ec2, request.scope, interface.id, private_ip);
  if (other != nullptr && other->id != address.id) {
    if (!input.allow_reassociation.get()) {
      throw AwsError("Resource.AlreadyAssociated",
                     "resource " + interface.id + " is already associated with associate-id " + other->association);
    }
    disassociate(ec2, tx, request.scope, *other);
  }
  if (!address.association.empty()) disassociate(ec2, tx, request.scope, address);
  const std::string association = ec2.random.ec2_id("eipassoc-");
  ec2.addresses.modify(tx, request.scope, address.id, [&](AddressRecord& record) {
    record.association = association;
    record.interface = interface.id;
    record.private_ip = private_ip;
  });
  ec2.touch(tx, request.scope, interface.vpc);
  return {.association_id = association};
}

DisassociateAddressOutput disassociate_address(Ec2& ec2, Tx& tx, const Request<DisassociateAddressInput>& request) {
  begin(ec2, tx, request);
  const DisassociateAddressInput& input = request.input;
  const AddressRecord* address = nullptr;
  if (input.association_id) {
    const auto found = ec2.addresses.select(request.scope, [&](const AddressRecord& item) {
      return !item.association.empty() && item.association == *input.association_id;
    });
    if (found.empty()) throw not_found(kAssociationId, *input.association_id);
    address = found.front();
  } else if (input.public_ip) {
    address = find_by_public_ip(ec2, request.scope, *input.public_ip);
    if (address == nullptr || address->association.empty()) throw address_not_found(*input.public_ip);
  } else {
    throw missing_parameter("associationId");
  }
  check_not_held_by_service(ec2, request.scope, *address);
  disassociate(ec2, tx, request.scope, *address);
  return {};
}

DescribeAddressesOutput describe_addresses(Ec2& ec2, Tx& tx, const Request<DescribeAddressesInput>& request) {
  begin(ec2, tx, request);
  DescribeAddressesOutput output;
  auto& addresses = output.addresses.ensure();
  const std::vector<std::string>& ips = request.input.public_ips.get();
  for (const std::string& ip : ips) {
    if (find_by_public_ip(ec2, request.scope, ip) == nullptr) throw address_not_found(ip);
  }
  const Filters filters = filters_of(request.input);
  for (const AddressRecord* address :
       candidates(ec2.addresses, request.scope, kAllocationId, request.input.allocation_ids.get(), filters)) {
    if (ips.empty() || std::ranges::find(ips, address->public_ip) != ips.end())
      addresses.push_back(address_shape(ec2, request.scope, *address));
  }
  apply_filters<Address>(filters, kFilters, addresses);
  return output;
}

// Reverse DNS names are not served, so that every address has none: what AWS answers for addresses without one is an
// entry without a record.
DescribeAddressesAttributeOutput describe_addresses_attribute(Ec2& ec2, Tx& tx,
                                                              const Request<DescribeAddressesAttributeInput>& request) {
  begin(ec2, tx, request);
  DescribeAddressesAttributeOutput output;
  const auto records = candidates(ec2.addresses, request.scope, kAllocationId, request.input.allocation_ids.get(), {});
  output.next_token = show_page(ec2, request, "DescribeAddressesAttribute", {}, records, output.addresses.ensure(),
                                [](const AddressRecord& address) {
                                  return AddressAttribute{.public_ip = address.public_ip, .allocation_id = address.id};
                                });
  return output;
}

}  // namespace brume::ec2
