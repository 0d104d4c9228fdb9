// Network interfaces that users make, and those of services as users see them.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/addresses.h"
#include "services/ec2/describe.h"
#include "services/ec2/groups.h"
#include "services/ec2/interfaces.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostInterfaces = 5000;

template <class Of>
Values of_association(const NetworkInterface& item, const Of& of) {
  return item.association ? of(*item.association) : Values{};
}
template <class Of>
Values of_attachment(const NetworkInterface& item, const Of& of) {
  return item.attachment ? of(*item.attachment) : Values{};
}
template <class Of>
Values of_addresses(const NetworkInterface& item, const Of& of) {
  return each(item.private_ip_addresses, of);
}

const FilterField<NetworkInterface> kFilters[] = {
    {"addresses.association.owner-id",
     [](const NetworkInterface& item) {
       return of_addresses(item, [](const auto& address) {
         return address.association ? one(address.association->ip_owner_id) : Values{};
       });
     }},
    {"addresses.association.public-ip",
     [](const NetworkInterface& item) {
       return of_addresses(item, [](const auto& address) {
         return address.association ? one(address.association->public_ip) : Values{};
       });
     }},
    {"addresses.primary",
     [](const NetworkInterface& item) {
       return of_addresses(item, [](const auto& address) { return flag(address.primary); });
     }},
    {"addresses.private-ip-address",
     [](const NetworkInterface& item) {
       return of_addresses(item, [](const auto& address) { return one(address.private_ip_address); });
     }},
    {"association.allocation-id",
     [](const NetworkInterface& item) {
       return of_association(item, [](const auto& association) { return one(association.allocation_id); });
     }},
    {"association.association-id",
     [](const NetworkInterface& item) {
       return of_association(item, [](const auto& association) { return one(association.association_id); });
     }},
    {"association.ip-owner-id",
     [](const NetworkInterface& item) {
       return of_association(item, [](const auto& association) { return one(association.ip_owner_id); });
     }},
    {"association.public-dns-name",
     [](const NetworkInterface& item) {
       return of_association(item, [](const auto& association) { return one(association.public_dns_name); });
     }},
    {"association.public-ip",
     [](const NetworkInterface& item) {
       return of_association(item, [](const auto& association) { return one(association.public_ip); });
     }},
    {"attachment.attach-time",
     [](const NetworkInterface& item) {
       return of_attachment(item,
                            [](const auto& attachment) { return Values{iso8601(attachment.attach_time.get(), true)}; });
     }},
    {"attachment.attachment-id",
     [](const NetworkInterface& item) {
       return of_attachment(item, [](const auto& attachment) { return one(attachment.attachment_id); });
     }},
    {"attachment.delete-on-termination",
     [](const NetworkInterface& item) {
       return of_attachment(item, [](const auto& attachment) { return flag(attachment.delete_on_termination); });
     }},
    {"attachment.device-index",
     [](const NetworkInterface& item) {
       return of_attachment(item, [](const auto& attachment) { return number(attachment.device_index); });
     }},
    {"attachment.instance-id", none<NetworkInterface>},
    {"attachment.instance-owner-id",
     [](const NetworkInterface& item) {
       return of_attachment(item, [](const auto& attachment) { return one(attachment.instance_owner_id); });
     }},
    {"attachment.status",
     [](const NetworkInterface& item) {
       return of_attachment(item, [](const auto& attachment) { return one(attachment.status); });
     }},
    {"availability-zone", [](const NetworkInterface& item) { return one(item.availability_zone); }},
    {"availability-zone-id", [](const NetworkInterface& item) { return one(item.availability_zone_id); }},
    {"description", [](const NetworkInterface& item) { return one(item.description); }},
    {"group-id",
     [](const NetworkInterface& item) {
       return each(item.groups, [](const auto& group) { return one(group.group_id); });
     }},
    {"group-name",
     [](const NetworkInterface& item) {
       return each(item.groups, [](const auto& group) { return one(group.group_name); });
     }},
    {"interface-type", [](const NetworkInterface& item) { return one(item.interface_type); }},
    {"ipv6-addresses.ipv6-address", none<NetworkInterface>},
    {"mac-address", [](const NetworkInterface& item) { return one(item.mac_address); }},
    {"network-interface-id", [](const NetworkInterface& item) { return one(item.network_interface_id); }},
    {"owner-id", [](const NetworkInterface& item) { return one(item.owner_id); }},
    {"private-dns-name", [](const NetworkInterface& item) { return one(item.private_dns_name); }},
    {"private-ip-address", [](const NetworkInterface& item) { return one(item.private_ip_address); }},
    {"requester-id", [](const NetworkInterface& item) { return one(item.requester_id); }},
    {"requester-managed", [](const NetworkInterface& item) { return flag(item.requester_managed); }},
    {"source-dest-check", [](const NetworkInterface& item) { return flag(item.source_dest_check); }},
    {"status", [](const NetworkInterface& item) { return one(item.status); }},
    {"subnet-id", [](const NetworkInterface& item) { return one(item.subnet_id); }},
    {"vpc-id", [](const NetworkInterface& item) { return one(item.vpc_id); }},
};

void refuse_unserved(const CreateNetworkInterfaceInput& input) {
  if (!input.ipv4_prefixes.get().empty() || input.ipv4_prefix_count.get() != 0) throw unsupported("Ipv4Prefixes");
  if (!input.ipv6_prefixes.get().empty() || input.ipv6_prefix_count.get() != 0) throw unsupported("Ipv6Prefixes");
  if (!input.ipv6_addresses.get().empty()) throw unsupported("Ipv6Addresses");
  if (input.ipv6_address_count.get() != 0) throw unsupported("Ipv6AddressCount");
  if (input.enable_primary_ipv6.get()) throw unsupported("EnablePrimaryIpv6");
  if (input.interface_type && *input.interface_type != "interface") throw unsupported("InterfaceType");
  if (input.connection_tracking_specification) throw unsupported("ConnectionTrackingSpecification");
  if (input.operator_) throw unsupported("Operator");
}

// The addresses that the request names, the primary first.
std::vector<std::string> addresses_of(const CreateNetworkInterfaceInput& input) {
  std::vector<std::string> addresses;
  if (input.private_ip_address) addresses.push_back(*input.private_ip_address);
  bool has_primary = input.private_ip_address.has_value();
  for (const PrivateIpAddressSpecification& item : input.private_ip_addresses.get()) {
    const std::string& address = item.private_ip_address.get();
    if (!item.primary.get()) {
      addresses.push_back(address);
    } else if (has_primary) {
      throw AwsError("InvalidParameterCombination", "Only one primary private IP address can be specified");
    } else {
      addresses.insert(addresses.begin(), address);
      has_primary = true;
    }
  }
  if (!addresses.empty() && !has_primary) {
    throw invalid_parameter("One of the private IP addresses must be designated as primary");
  }
  return addresses;
}

// The interface, which must be the user's own.
const InterfaceRecord& own_interface(const Ec2& ec2, const Scope& scope, const std::string& id) {
  const InterfaceRecord& interface = get(ec2.interfaces, scope, kInterfaceId, id);
  check_not_managed(interface);
  return interface;
}

std::int64_t count_of(const opt<std::int64_t>& count) {
  if (count.get() < 0) throw invalid_parameter("Invalid value for secondaryPrivateIpAddressCount");
  return count.get();
}

}  // namespace

CreateNetworkInterfaceOutput create_network_interface(Ec2& ec2, Tx& tx,
                                                      const Request<CreateNetworkInterfaceInput>& request) {
  begin(ec2, tx, request);
  const CreateNetworkInterfaceInput& input = request.input;
  refuse_unserved(input);
  NewInterface wanted{.subnet = input.subnet_id.get(),
                      .groups = input.groups.get(),
                      .addresses = addresses_of(input),
                      .more_addresses = static_cast<std::size_t>(count_of(input.secondary_private_ip_address_count)),
                      .description = input.description.get(),
                      .client_token = input.client_token.get(),
                      .tags = tags_for(input.tag_specifications.get(), "network-interface")};
  if (wanted.addresses.size() + wanted.more_addresses > kMostAddressesPerInterface) {
    throw AwsError("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.");
  }
  const auto same = [&](const InterfaceRecord& other) {
    return other.subnet == wanted.subnet && other.description == wanted.description;
  };
  if (const InterfaceRecord* made = find_by_token(ec2.interfaces_by_token, request.scope, input.client_token, same)) {
    return {.network_interface = interface_shape(ec2, request.scope, *made), .client_token = input.client_token};
  }
  if (ec2.interfaces.count(request.scope) >= kMostInterfaces) {
    throw AwsError("NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached.");
  }
  const InterfaceRecord& interface = create_interface(ec2, tx, request.scope, std::move(wanted));
  return {.network_interface = interface_shape(ec2, request.scope, interface), .client_token = input.client_token};
}

DeleteNetworkInterfaceOutput delete_network_interface(Ec2& ec2, Tx& tx,
                                                      const Request<DeleteNetworkInterfaceInput>& request) {
  begin(ec2, tx, request);
  const InterfaceRecord& interface =
      get(ec2.interfaces, request.scope, kInterfaceId, request.input.network_interface_id.get());
  if (is_managed(interface)) {
    throw invalid_parameter("Network interface '" + interface.id + "' is currently in use.");
  }
  erase_interface(ec2, tx, request.scope, InterfaceRecord(interface));
  return {};
}

DescribeNetworkInterfacesOutput describe_network_interfaces(Ec2& ec2, Tx& tx,
                                                            const Request<DescribeNetworkInterfacesInput>& request) {
  begin(ec2, tx, request);
  const DescribeNetworkInterfacesInput& input = request.input;
  if (!input.network_interface_ids.get().empty() && input.max_results) {
    throw AwsError("InvalidParameterCombination",
                   "The parameter networkInterfaceIds cannot be used with the parameter maxResults");
  }
  DescribeNetworkInterfacesOutput output;
  const Scope& scope = request.scope;
  const auto by_value = [&](const std::string& value) { return ec2.interfaces_by_value.find(scope, value); };
  const auto records = candidates<InterfaceRecord>(
      ec2.interfaces, scope, kInterfaceId, input.network_interface_ids.get(), filters_of(input),
      {{"addresses.private-ip-address", by_value},
       {"private-ip-address", by_value},
       {"mac-address", by_value},
       {"attachment.attachment-id", by_value},
       {"group-id", [&](const std::string& group) { return ec2.interfaces_by_group.find(scope, group); }},
       {"subnet-id", [&](const std::string& subnet) { return ec2.interfaces_by_subnet.find(scope, subnet); }},
       {"vpc-id", [&](const std::string& vpc) { return ec2.interfaces_by_vpc.find(scope, vpc); }}});
  output.next_token =
      show_page(ec2, request, "DescribeNetworkInterfaces", kFilters, records, output.network_interfaces.ensure(),
                [&](const InterfaceRecord& interface) { return interface_shape(ec2, request.scope, interface); });
  return output;
}

DescribeNetworkInterfaceAttributeOutput describe_network_interface_attribute(
    Ec2& ec2, Tx& tx, const Request<DescribeNetworkInterfaceAttributeInput>& request) {
  begin(ec2, tx, request);
  const InterfaceRecord& interface =
      get(ec2.interfaces, request.scope, kInterfaceId, request.input.network_interface_id.get());
  const NetworkInterface shape = interface_shape(ec2, request.scope, interface);
  const std::string& attribute = request.input.attribute.get();
  DescribeNetworkInterfaceAttributeOutput output{.network_interface_id = interface.id};
  if (attribute == "description") {
    output.description = AttributeValue{.value = interface.description};
  } else if (attribute == "groupSet") {
    output.groups = shape.groups;
  } else if (attribute == "sourceDestCheck") {
    output.source_dest_check = AttributeBooleanValue{.value = interface.source_dest_check};
  } else if (attribute == "attachment") {
    output.attachment = shape.attachment;
  } else if (attribute == "associatePublicIpAddress") {
    output.associate_public_ip_address = !interface.public_ip.empty();
  } else {
    throw invalid_parameter("Value (" + attribute + ") for parameter attribute is invalid. Unknown attribute.");
  }
  return output;
}

ModifyNetworkInterfaceAttributeOutput modify_network_interface_attribute(
    Ec2& ec2, Tx& tx, const Request<ModifyNetworkInterfaceAttributeInput>& request) {
  begin(ec2, tx, request);
  const ModifyNetworkInterfaceAttributeInput& input = request.input;
  if (input.ena_srd_specification) throw unsupported("EnaSrdSpecification");
  if (input.enable_primary_ipv6) throw unsupported("EnablePrimaryIpv6");
  if (input.connection_tracking_specification) throw unsupported("ConnectionTrackingSpecification");
  if (input.associate_public_ip_address) throw unsupported("AssociatePublicIpAddress");
  if (!input.associated_subnet_ids.get().empty()) throw unsupported("AssociatedSubnetIds");
  const InterfaceRecord& interface = own_interface(ec2, request.scope, input.network_interface_id.get());
  if (input.attachment) throw not_found(kAttachmentId, input.attachment->attachment_id.get());
  const int given =
      int{input.description.has_value()} + int{input.source_dest_check.has_value()} + int{!input.groups.get().empty()};
  if (given == 0) throw AwsError("InvalidParameterCombination", "No attributes specified.");
  if (given > 1) throw AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified");
  check_interface_groups(ec2, request.scope, *ec2.subnets.find(request.scope, interface.subnet), input.groups.get());
  ec2.touch(tx, request.scope, interface.vpc);
  ec2.interfaces.modify(tx, request.scope, std::string(interface.id), [&](InterfaceRecord& record) {
    if (input.description) record.description = input.description->value.get();
    if (input.source_dest_check) record.source_dest_check = input.source_dest_check->value.get();
    if (!input.groups.get().empty()) record.groups = input.groups.get();
  });
  return {};
}

ResetNetworkInterfaceAttributeOutput reset_network_interface_attribute(
    Ec2& ec2, Tx& tx, const Request<ResetNetworkInterfaceAttributeInput>& request) {
  begin(ec2, tx, request);
  const InterfaceRecord& interface = own_interface(ec2, request.scope, request.input.network_interface_id.get());
  // The one attribute that can be reset.
  if (request.input.source_dest_check.value_or("sourceDestCheck") != "sourceDestCheck") {
    throw invalid_parameter("Value (" + *request.input.source_dest_check + ") for parameter attribute is invalid.");
  }
  ec2.touch(tx, request.scope, interface.vpc);
  ec2.interfaces.modify(tx, request.scope, std::string(interface.id),
                        [](InterfaceRecord& record) { record.source_dest_check = true; });
  return {};
}

AssignPrivateIpAddressesOutput assign_private_ip_addresses(Ec2& ec2, Tx& tx,
                                                           const Request<AssignPrivateIpAddressesInput>& request) {
  begin(ec2, tx, request);
  const AssignPrivateIpAddressesInput& input = request.input;
  if (!input.ipv4_prefixes.get().empty() || input.ipv4_prefix_count.get() != 0) throw unsupported("Ipv4Prefixes");
  if (input.allow_reassignment.get()) throw unsupported("AllowReassignment");
  const InterfaceRecord& interface = own_interface(ec2, request.scope, input.network_interface_id.get());
  const SubnetRecord& subnet = *ec2.subnets.find(request.scope, interface.subnet);
  std::vector<std::string> added = input.private_ip_addresses.get();
  const auto count = static_cast<std::size_t>(count_of(input.secondary_private_ip_address_count));
  if (added.empty() == (count == 0)) {
    throw AwsError("InvalidParameterCombination",
                   "Exactly one of privateIpAddress and secondaryPrivateIpAddressCount must be specified");
  }
  if (interface.addresses.size() + added.size() + count > kMostAddressesPerInterface) {
    throw AwsError("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.");
  }
  for (std::size_t i = 0; i < added.size(); ++i) {
    check_address(ec2, request.scope, subnet, added[i]);
    if (std::find(added.begin(), added.begin() + static_cast<std::ptrdiff_t>(i), added[i]) !=
        added.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw invalid_parameter("The same private IP address must not appear multiple times");
    }
  }
  if (count > 0) added = choose_addresses(ec2, request.scope, subnet, count, {});
  const std::string id = interface.id;
  ec2.touch(tx, request.scope, interface.vpc);
  ec2.interfaces.modify(tx, request.scope, id, [&](InterfaceRecord& record) {
    record.addresses.insert(record.addresses.end(), added.begin(), added.end());
  });
  AssignPrivateIpAddressesOutput output{.network_interface_id = id};
  for (const std::string& address : added) {
    output.assigned_private_ip_addresses.ensure().push_back({.private_ip_address = address});
  }
  return output;
}

UnassignPrivateIpAddressesOutput unassign_private_ip_addresses(
    Ec2& ec2, Tx& tx, const Request<UnassignPrivateIpAddressesInput>& request) {
  begin(ec2, tx, request);
  const UnassignPrivateIpAddressesInput& input = request.input;
  if (!input.ipv4_prefixes.get().empty()) throw unsupported("Ipv4Prefixes");
  const InterfaceRecord interface = own_interface(ec2, request.scope, input.network_interface_id.get());
  const std::vector<std::string>& gone = input.private_ip_addresses.get();
  if (gone.empty()) throw missing_parameter("privateIpAddress");
  for (const std::string& address : gone) {
    if (std::find(interface.addresses.begin() + 1, interface.addresses.end(), address) == interface.addresses.end()) {
      throw invalid_parameter("Some of the specified addresses are not assigned to interface " + interface.id);
    }
    if (const AddressRecord* elastic = elastic_ip_of(ec2, request.scope, interface.id, address)) {
      disassociate(ec2, tx, request.scope, *elastic);
    }
  }
  ec2.touch(tx, request.scope, interface.vpc);
  ec2.interfaces.modify(tx, request.scope, interface.id, [&](InterfaceRecord& record) {
    std::erase_if(record.addresses,
                  [&](const std::string& address) { return std::ranges::find(gone, address) != gone.end(); });
  });
  return {};
}

// There are no instances to detach from: every attachment is a service's.
DetachNetworkInterfaceOutput detach_network_interface(Ec2& ec2, Tx& tx,
                                                      const Request<DetachNetworkInterfaceInput>& request) {
  begin(ec2, tx, request);
  const std::string& id = request.input.attachment_id.get();
  const auto found = ec2.interfaces_by_value.find(request.scope, id);
  if (found.empty() || found.front()->attachment != id) throw not_found(kAttachmentId, id);
  const bool load_balancer = id.starts_with("ela-attach-");
  if (load_balancer) {
    throw AwsError("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.");
  }
  throw AwsError("AuthFailure", "You do not have permission to access the specified resource.");
}

}  // namespace brume::ec2
