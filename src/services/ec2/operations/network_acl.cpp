// Network ACLs, their entries and associations.
#include <algorithm>
#include <array>
#include <tuple>

#include "core/text.h"
#include "gen/ec2.h"
#include "services/ec2/cidr.h"
#include "services/ec2/describe.h"
#include "services/ec2/tag_specifications.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostAclsPerVpc = 200;
constexpr std::int64_t kLastRuleNumber = 32766;
constexpr std::int64_t kClosingRuleNumber = 32767;
constexpr std::int64_t kMostEntriesPerDirection = 40;

NetworkAclEntry entry_shape(const AclEntryRecord& entry) {
  NetworkAclEntry shape{.egress = entry.egress,
                        .protocol = entry.protocol,
                        .rule_action = entry.allow ? "allow" : "deny",
                        .rule_number = entry.number};
  if (!entry.cidr.empty()) shape.cidr_block = entry.cidr;
  if (!entry.cidr6.empty()) shape.ipv6_cidr_block = entry.cidr6;
  if (entry.protocol == "1" || entry.protocol == "58") {
    shape.icmp_type_code = IcmpTypeCode{.code = entry.icmp_code, .type = entry.icmp_type};
  }
  if (entry.protocol == "6" || entry.protocol == "17") {
    shape.port_range = PortRange{.from = entry.from_port, .to = entry.to_port};
  }
  return shape;
}

NetworkAcl acl_shape(const Ec2& ec2, const Scope& scope, const AclRecord& acl) {
  NetworkAcl shape{.is_default = acl.is_default,
                   .network_acl_id = acl.id,
                   .tags = tags_to<Tag>(acl.tags),
                   .vpc_id = acl.vpc,
                   .owner_id = scope.account};
  auto& associations = shape.associations.ensure();
  for (const SubnetRecord* subnet : subnets_of(ec2, scope, acl.vpc)) {
    if (subnet->acl != acl.id) continue;
    associations.push_back(
        {.network_acl_association_id = subnet->acl_association, .network_acl_id = acl.id, .subnet_id = subnet->id});
  }
  auto& entries = shape.entries.ensure();
  for (const bool egress : {true, false}) {
    for (const AclEntryRecord& entry : acl.entries) {
      if (entry.egress == egress) entries.push_back(entry_shape(entry));
    }
    // Every ACL ends with a deny that cannot be changed.
    entries.push_back(entry_shape(
        {.number = kClosingRuleNumber, .egress = egress, .allow = false, .protocol = "-1", .cidr = "0.0.0.0/0"}));
  }
  return shape;
}

template <class Of>
Values of_entries(const NetworkAcl& acl, const Of& of) {
  return each(acl.entries, of);
}
template <class Of>
Values of_associations(const NetworkAcl& acl, const Of& of) {
  return each(acl.associations, of);
}

const FilterField<NetworkAcl> kFilters[] = {
    {"association.association-id",
     [](const NetworkAcl& acl) {
       return of_associations(acl, [](const auto& item) { return one(item.network_acl_association_id); });
     }},
    {"association.network-acl-id",
     [](const NetworkAcl& acl) {
       return of_associations(acl, [](const auto& item) { return one(item.network_acl_id); });
     }},
    {"association.subnet-id",
     [](const NetworkAcl& acl) { return of_associations(acl, [](const auto& item) { return one(item.subnet_id); }); }},
    {"default", [](const NetworkAcl& acl) { return flag(acl.is_default); }},
    {"entry.cidr",
     [](const NetworkAcl& acl) { return of_entries(acl, [](const auto& item) { return one(item.cidr_block); }); }},
    {"entry.egress",
     [](const NetworkAcl& acl) { return of_entries(acl, [](const auto& item) { return flag(item.egress); }); }},
    {"entry.icmp.code",
     [](const NetworkAcl& acl) {
       return of_entries(
           acl, [](const auto& item) { return item.icmp_type_code ? number(item.icmp_type_code->code) : Values{}; });
     }},
    {"entry.icmp.type",
     [](const NetworkAcl& acl) {
       return of_entries(
           acl, [](const auto& item) { return item.icmp_type_code ? number(item.icmp_type_code->type) : Values{}; });
     }},
    {"entry.ipv6-cidr",
     [](const NetworkAcl& acl) { return of_entries(acl, [](const auto& item) { return one(item.ipv6_cidr_block); }); }},
    {"entry.port-range.from",
     [](const NetworkAcl& acl) {
       return of_entries(acl,
                         [](const auto& item) { return item.port_range ? number(item.port_range->from) : Values{}; });
     }},
    {"entry.port-range.to",
     [](const NetworkAcl& acl) {
       return of_entries(acl,
                         [](const auto& item) { return item.port_range ? number(item.port_range->to) : Values{}; });
     }},
    {"entry.protocol",
     [](const NetworkAcl& acl) { return of_entries(acl, [](const auto& item) { return one(item.protocol); }); }},
    {"entry.rule-action",
     [](const NetworkAcl& acl) { return of_entries(acl, [](const auto& item) { return one(item.rule_action); }); }},
    {"entry.rule-number",
     [](const NetworkAcl& acl) { return of_entries(acl, [](const auto& item) { return number(item.rule_number); }); }},
    {"network-acl-id", [](const NetworkAcl& acl) { return one(acl.network_acl_id); }},
    {"owner-id", [](const NetworkAcl& acl) { return one(acl.owner_id); }},
    {"vpc-id", [](const NetworkAcl& acl) { return one(acl.vpc_id); }},
};

std::string protocol_number(const std::string& protocol) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames{
      {{"all", "-1"}, {"icmp", "1"}, {"tcp", "6"}, {"udp", "17"}, {"icmpv6", "58"}}};
  const std::string lower = to_lower(protocol);
  for (const auto& [name, number] : kNames) {
    if (lower == name) return std::string(number);
  }
  std::int64_t number = 0;
  if (!parse_int(lower, number) || number < -1 || number > 255) {
    throw invalid_parameter("Invalid value '" + protocol + "' for IP protocol. Unknown protocol.");
  }
  return std::to_string(number);
}

template <class Input>
void read_ports(const Input& input, AclEntryRecord& entry) {
  if (entry.protocol == "6" || entry.protocol == "17") {
    if (!input.port_range) throw missing_parameter("portRange");
    entry.from_port = input.port_range->from.value_or(-1);
    entry.to_port = input.port_range->to.value_or(-1);
    if (entry.from_port < 0 || entry.to_port > 65535 || entry.from_port > entry.to_port) {
      throw invalid_parameter("Invalid port range: " + std::to_string(entry.from_port) + "-" +
                              std::to_string(entry.to_port));
    }
  } else if (entry.protocol == "1" || entry.protocol == "58") {
    if (!input.icmp_type_code) throw missing_parameter("icmpTypeCode");
    entry.icmp_type = input.icmp_type_code->type.value_or(-1);
    entry.icmp_code = input.icmp_type_code->code.value_or(-1);
    if (entry.icmp_type < -1 || entry.icmp_type > 255 || entry.icmp_code < -1 || entry.icmp_code > 255) {
      throw invalid_parameter("ICMP type and code must be between -1 and 255");
    }
  }
}

// Create and Replace take the same members.
template <class Input>
AclEntryRecord entry_from(const Input& input) {
  AclEntryRecord entry{.number = input.rule_number.get(), .egress = input.egress.get()};
  if (entry.number < 1 || entry.number > kLastRuleNumber) {
    throw invalid_parameter("Value (" + std::to_string(entry.number) +
                            ") for parameter ruleNumber is invalid. Rule numbers are between 1 and 32766.");
  }
  const std::string& action = input.rule_action.get();
  if (action != "allow" && action != "deny") {
    throw invalid_parameter("Value (" + action + ") for parameter ruleAction is invalid.");
  }
  entry.allow = action == "allow";
  entry.protocol = protocol_number(input.protocol.get());
  if (input.cidr_block.has_value() == input.ipv6_cidr_block.has_value()) {
    throw AwsError("InvalidParameterCombination", "Exactly one of cidrBlock and ipv6CidrBlock must be specified");
  }
  const std::string& text = input.cidr_block ? *input.cidr_block : *input.ipv6_cidr_block;
  if (const std::optional<Cidr> cidr = input.cidr_block ? parse_cidr(text) : std::nullopt) {
    entry.cidr = to_string(*cidr);
  } else if (const auto cidr6 = input.cidr_block ? std::nullopt : canonical_ipv6_cidr(text)) {
    entry.cidr6 = *cidr6;
  } else {
    throw invalid_parameter("Value (" + text + ") for parameter " + (input.cidr_block ? "cidrBlock" : "ipv6CidrBlock") +
                            " is invalid. This is not a valid CIDR block.");
  }
  read_ports(input, entry);
  return entry;
}

auto find_entry(const AclRecord& acl, std::int64_t number, bool egress) {
  return std::ranges::find_if(
      acl.entries, [&](const AclEntryRecord& entry) { return entry.number == number && entry.egress == egress; });
}

// Puts the entry, in place of the one with its number and direction, and touches the VPC.
void put_entry(Ec2& ec2, Tx& tx, const Scope& scope, const AclRecord& acl, const AclEntryRecord& entry) {
  ec2.touch(tx, scope, acl.vpc);
  ec2.acls.modify(tx, scope, std::string(acl.id), [&](AclRecord& record) {
    std::erase_if(record.entries, [&](const AclEntryRecord& other) {
      return other.number == entry.number && other.egress == entry.egress;
    });
    record.entries.push_back(entry);
    std::ranges::sort(record.entries, {},
                      [](const AclEntryRecord& item) { return std::tie(item.egress, item.number); });
  });
}

AwsError entry_not_found(std::int64_t number) {
  return {"InvalidNetworkAclEntry.NotFound",
          "The network acl entry identified by " + std::to_string(number) + " does not exist."};
}

}  // namespace

CreateNetworkAclOutput create_network_acl(Ec2& ec2, Tx& tx, const Request<CreateNetworkAclInput>& request) {
  begin(ec2, tx, request);
  const CreateNetworkAclInput& input = request.input;
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, input.vpc_id.get());
  Tags tags = tags_for(input.tag_specifications.get(), "network-acl");
  const auto in_vpc = [&](const AclRecord& other) { return other.vpc == vpc.id; };
  if (const AclRecord* made = find_by_token(ec2.acls, request.scope, input.client_token, in_vpc)) {
    return {.network_acl = acl_shape(ec2, request.scope, *made), .client_token = input.client_token};
  }
  if (ec2.acls.select(request.scope, in_vpc).size() >= kMostAclsPerVpc) {
    throw AwsError("NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached.");
  }
  const std::string id = ec2.new_id(kAclId);
  const AclRecord& acl =
      ec2.acls.insert(tx, request.scope, id,
                      {.id = id, .vpc = vpc.id, .client_token = input.client_token.get(), .tags = std::move(tags)});
  ec2.touch(tx, request.scope, vpc.id);
  return {.network_acl = acl_shape(ec2, request.scope, acl), .client_token = input.client_token};
}

DeleteNetworkAclOutput delete_network_acl(Ec2& ec2, Tx& tx, const Request<DeleteNetworkAclInput>& request) {
  begin(ec2, tx, request);
  const AclRecord acl = get(ec2.acls, request.scope, kAclId, request.input.network_acl_id.get());
  if (acl.is_default) throw invalid_parameter("cannot delete default network ACL " + acl.id);
  const auto uses = [&](const SubnetRecord& subnet) { return subnet.acl == acl.id; };
  if (!ec2.subnets.select(request.scope, uses).empty()) {
    throw dependency_violation("The networkAcl '" + acl.id + "' has dependencies and cannot be deleted.");
  }
  ec2.acls.erase(tx, request.scope, acl.id);
  ec2.touch(tx, request.scope, acl.vpc);
  return {};
}

DescribeNetworkAclsOutput describe_network_acls(Ec2& ec2, Tx& tx, const Request<DescribeNetworkAclsInput>& request) {
  begin(ec2, tx, request);
  DescribeNetworkAclsOutput output;
  const auto records =
      candidates(ec2.acls, request.scope, kAclId, request.input.network_acl_ids.get(), filters_of(request.input));
  output.next_token = show_page(ec2, request, "DescribeNetworkAcls", kFilters, records, output.network_acls.ensure(),
                                [&](const AclRecord& acl) { return acl_shape(ec2, request.scope, acl); });
  return output;
}

CreateNetworkAclEntryOutput create_network_acl_entry(Ec2& ec2, Tx& tx,
                                                     const Request<CreateNetworkAclEntryInput>& request) {
  begin(ec2, tx, request);
  const AclRecord& acl = get(ec2.acls, request.scope, kAclId, request.input.network_acl_id.get());
  const AclEntryRecord entry = entry_from(request.input);
  if (find_entry(acl, entry.number, entry.egress) != acl.entries.end()) {
    throw AwsError("NetworkAclEntryAlreadyExists",
                   "The network acl entry identified by " + std::to_string(entry.number) + " already exists.");
  }
  if (std::ranges::count(acl.entries, entry.egress, &AclEntryRecord::egress) >= kMostEntriesPerDirection) {
    throw AwsError("NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached.");
  }
  put_entry(ec2, tx, request.scope, acl, entry);
  return {};
}

ReplaceNetworkAclEntryOutput replace_network_acl_entry(Ec2& ec2, Tx& tx,
                                                       const Request<ReplaceNetworkAclEntryInput>& request) {
  begin(ec2, tx, request);
  const AclRecord& acl = get(ec2.acls, request.scope, kAclId, request.input.network_acl_id.get());
  const AclEntryRecord entry = entry_from(request.input);
  if (find_entry(acl, entry.number, entry.egress) == acl.entries.end()) throw entry_not_found(entry.number);
  put_entry(ec2, tx, request.scope, acl, entry);
  return {};
}

DeleteNetworkAclEntryOutput delete_network_acl_entry(Ec2& ec2, Tx& tx,
                                                     const Request<DeleteNetworkAclEntryInput>& request) {
  begin(ec2, tx, request);
  const AclRecord acl = get(ec2.acls, request.scope, kAclId, request.input.network_acl_id.get());
  const std::int64_t number = request.input.rule_number.get();
  const bool egress = request.input.egress.get();
  const auto found = find_entry(acl, number, egress);
  if (found == acl.entries.end()) throw entry_not_found(number);
  const auto index = found - acl.entries.begin();
  ec2.acls.modify(tx, request.scope, acl.id,
                  [&](AclRecord& record) { record.entries.erase(record.entries.begin() + index); });
  ec2.touch(tx, request.scope, acl.vpc);
  return {};
}

ReplaceNetworkAclAssociationOutput replace_network_acl_association(
    Ec2& ec2, Tx& tx, const Request<ReplaceNetworkAclAssociationInput>& request) {
  begin(ec2, tx, request);
  const std::string& association = request.input.association_id.get();
  const auto found = ec2.subnets.select(
      request.scope, [&](const SubnetRecord& subnet) { return subnet.acl_association == association; });
  if (found.empty()) throw not_found(kAssociationId, association);
  const AclRecord& acl = get(ec2.acls, request.scope, kAclId, request.input.network_acl_id.get());
  const std::string subnet = found.front()->id;
  if (acl.vpc != found.front()->vpc) {
    throw invalid_parameter("network ACL " + acl.id + " and subnet " + subnet + " belong to different networks");
  }
  const std::string id = ec2.random.ec2_id("aclassoc-");
  ec2.subnets.modify(tx, request.scope, subnet, [&](SubnetRecord& record) {
    record.acl = acl.id;
    record.acl_association = id;
  });
  ec2.touch(tx, request.scope, acl.vpc);
  return {.new_association_id = id};
}

}  // namespace brume::ec2
