// Security groups. Their rules are in security_group_rule.cpp.
#include <algorithm>
#include <string_view>

#include "core/text.h"
#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/groups.h"
#include "services/ec2/tag_specifications.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostGroups = 2500;

SecurityGroup group_shape(const Ec2& ec2, const Scope& scope, const GroupRecord& group) {
  std::vector<const GroupRuleRecord*> ingress;
  std::vector<const GroupRuleRecord*> egress;
  for (const GroupRuleRecord* rule : rules_of(ec2, scope, group.id)) (rule->egress ? egress : ingress).push_back(rule);
  return {.group_id = group.id,
          .ip_permissions_egress = permissions_from(scope, egress),
          .tags = tags_to<Tag>(group.tags),
          .vpc_id = group.vpc,
          .security_group_arn = make_arn(scope, "ec2", "security-group/" + group.id),
          .owner_id = scope.account,
          .group_name = group.name,
          .description = group.description,
          .ip_permissions = permissions_from(scope, ingress)};
}

const opt<std::vector<IpPermission>>& side(const SecurityGroup& group, bool egress) {
  return egress ? group.ip_permissions_egress : group.ip_permissions;
}
template <bool Egress>
Values from_ports(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) { return number(item.from_port); });
}
template <bool Egress>
Values to_ports(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) { return number(item.to_port); });
}
template <bool Egress>
Values protocols(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) { return one(item.ip_protocol); });
}
template <bool Egress>
Values blocks(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) {
    return each(item.ip_ranges, [](const IpRange& range) { return one(range.cidr_ip); });
  });
}
template <bool Egress>
Values blocks6(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) {
    return each(item.ipv6_ranges, [](const Ipv6Range& range) { return one(range.cidr_ipv6); });
  });
}
template <bool Egress>
Values peer_ids(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) {
    return each(item.user_id_group_pairs, [](const UserIdGroupPair& pair) { return one(pair.group_id); });
  });
}
template <bool Egress>
Values peer_users(const SecurityGroup& group) {
  return each(side(group, Egress), [](const IpPermission& item) {
    return each(item.user_id_group_pairs, [](const UserIdGroupPair& pair) { return one(pair.user_id); });
  });
}

const FilterField<SecurityGroup> kFilters[] = {
    {"description", [](const SecurityGroup& group) { return one(group.description); }},
    {"egress.ip-permission.cidr", blocks<true>},
    {"egress.ip-permission.from-port", from_ports<true>},
    {"egress.ip-permission.group-id", peer_ids<true>},
    {"egress.ip-permission.group-name", none<SecurityGroup>},
    {"egress.ip-permission.ipv6-cidr", blocks6<true>},
    {"egress.ip-permission.prefix-list-id", none<SecurityGroup>},
    {"egress.ip-permission.protocol", protocols<true>},
    {"egress.ip-permission.to-port", to_ports<true>},
    {"egress.ip-permission.user-id", peer_users<true>},
    {"group-id", [](const SecurityGroup& group) { return one(group.group_id); }},
    {"group-name", [](const SecurityGroup& group) { return one(group.group_name); }},
    {"ip-permission.cidr", blocks<false>},
    {"ip-permission.from-port", from_ports<false>},
    {"ip-permission.group-id", peer_ids<false>},
    {"ip-permission.group-name", none<SecurityGroup>},
    {"ip-permission.ipv6-cidr", blocks6<false>},
    {"ip-permission.prefix-list-id", none<SecurityGroup>},
    {"ip-permission.protocol", protocols<false>},
    {"ip-permission.to-port", to_ports<false>},
    {"ip-permission.user-id", peer_users<false>},
    {"owner-id", [](const SecurityGroup& group) { return one(group.owner_id); }},
    {"vpc-id", [](const SecurityGroup& group) { return one(group.vpc_id); }},
};

// "CreateSecurityGroup": the characters of names and descriptions.
void check_text(std::string_view what, const std::string& text) {
  constexpr std::string_view kPunctuation = " ._-:/()#,@[]+=&;{}!$*";
  const bool fits = text.size() <= 255 && std::ranges::all_of(text, [&](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             kPunctuation.find(c) != std::string_view::npos;
                    });
  if (fits && !text.empty()) return;
  throw invalid_parameter("Value (" + text + ") for parameter " + std::string(what) +
                          " is invalid. Character sets beyond ASCII are not supported.");
}

std::vector<const GroupRecord*> groups_named(const Ec2& ec2, const Scope& scope, const std::string& vpc,
                                             const std::string& name) {
  return ec2.groups_by_name.find(scope, name_in_vpc(vpc, name));
}

void check_deletable(const Ec2& ec2, const Scope& scope, const GroupRecord& group) {
  if (group.name == "default") {
    throw AwsError("CannotDelete",
                   "the specified group: \"" + group.id + "\" name: \"default\" cannot be deleted by a user");
  }
  const bool worn = ec2.interfaces_by_group.find_first(scope, group.id) != nullptr;
  const bool referred_to = std::ranges::any_of(ec2.rules_by_peer.find(scope, group.id),
                                               [&](const auto* rule) { return rule->group != group.id; });
  if (worn || referred_to) {
    throw dependency_violation("resource " + group.id + " has a dependent object");
  }
}

std::vector<const GroupRecord*> meant_groups(const Ec2& ec2, const Scope& scope, const std::vector<std::string>& ids,
                                             const Filters& filters) {
  return candidates<GroupRecord>(
      ec2.groups, scope, kGroupId, ids, filters,
      {{"group-id",
        [&](const std::string& id) {
          const GroupRecord* group = ec2.groups.find(scope, id);
          return group == nullptr ? std::vector<const GroupRecord*>() : std::vector{group};
        }},
       {"group-name", [&](const std::string& name) { return ec2.groups_by_name.find(scope, name_in_vpc({}, name)); }},
       {"vpc-id", [&](const std::string& vpc) { return ec2.groups_by_vpc.find(scope, vpc); }}});
}

// The group named by id, else by name in the default VPC.
const GroupRecord& group_to_delete(const Ec2& ec2, const Scope& scope, const DeleteSecurityGroupInput& input) {
  if (input.group_id) return get(ec2.groups, scope, kGroupId, *input.group_id);
  if (!input.group_name) throw missing_parameter("groupId");
  const VpcRecord* vpc = find_default_vpc(ec2, scope);
  const auto found =
      vpc == nullptr ? std::vector<const GroupRecord*>{} : groups_named(ec2, scope, vpc->id, *input.group_name);
  if (found.empty()) throw not_found(kGroupId, *input.group_name);
  return *found.front();
}

}  // namespace

CreateSecurityGroupOutput create_security_group(Ec2& ec2, Tx& tx, const Request<CreateSecurityGroupInput>& request) {
  begin(ec2, tx, request);
  const CreateSecurityGroupInput& input = request.input;
  const std::string& name = input.group_name.get();
  const VpcRecord* vpc = nullptr;
  if (input.vpc_id) {
    vpc = &get(ec2.vpcs, request.scope, kVpcId, *input.vpc_id);
  } else {
    vpc = find_default_vpc(ec2, request.scope);
    if (vpc == nullptr) throw AwsError("VPCIdNotSpecified", "No default VPC for this user");
  }
  check_text("GroupName", name);
  check_text("GroupDescription", input.description.get());
  if (name.starts_with("sg-")) {
    throw invalid_parameter("Value (" + name +
                            ") for parameter GroupName is invalid. Group names may not be in the "
                            "format sg-*.");
  }
  if (to_lower(name) == "default") {
    throw AwsError("InvalidParameterValue", "Cannot use reserved security group name: " + name);
  }
  if (!groups_named(ec2, request.scope, vpc->id, name).empty()) {
    throw AwsError("InvalidGroup.Duplicate",
                   "The security group '" + name + "' already exists for VPC '" + vpc->id + "'");
  }
  Tags tags = tags_for(input.tag_specifications.get(), "security-group");
  if (ec2.groups.count(request.scope) >= kMostGroups) {
    throw AwsError("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached.");
  }
  const std::string id = ec2.new_id(kGroupId);
  const GroupRecord& group = ec2.groups.insert(
      tx, request.scope, id,
      {.id = id, .vpc = vpc->id, .name = name, .description = input.description.get(), .tags = std::move(tags)});
  insert_allow_all_egress(ec2, tx, request.scope, id);
  ec2.touch(tx, request.scope, vpc->id);
  return {.group_id = id,
          .tags = tags_to<Tag>(group.tags),
          .security_group_arn = make_arn(request.scope, "ec2", "security-group/" + id)};
}

DeleteSecurityGroupOutput delete_security_group(Ec2& ec2, Tx& tx, const Request<DeleteSecurityGroupInput>& request) {
  begin(ec2, tx, request);
  const GroupRecord group = group_to_delete(ec2, request.scope, request.input);
  check_deletable(ec2, request.scope, group);
  for (const GroupRuleRecord* rule : rules_of(ec2, request.scope, group.id)) {
    ec2.group_rules.erase(tx, request.scope, std::string(rule->id));
  }
  ec2.groups.erase(tx, request.scope, group.id);
  ec2.touch(tx, request.scope, group.vpc);
  return {.return_ = true, .group_id = group.id};
}

DescribeSecurityGroupsOutput describe_security_groups(Ec2& ec2, Tx& tx,
                                                      const Request<DescribeSecurityGroupsInput>& request) {
  begin(ec2, tx, request);
  auto groups = meant_groups(ec2, request.scope, request.input.group_ids.get(), filters_of(request.input));
  const std::vector<std::string>& names = request.input.group_names.get();
  if (!names.empty()) {
    // "DescribeSecurityGroups": names are those of the default VPC's groups.
    const VpcRecord* vpc = find_default_vpc(ec2, request.scope);
    for (const std::string& name : names) {
      if (vpc == nullptr || groups_named(ec2, request.scope, vpc->id, name).empty()) throw not_found(kGroupId, name);
    }
    std::erase_if(groups, [&](const GroupRecord* group) {
      return group->vpc != vpc->id || std::ranges::find(names, group->name) == names.end();
    });
  }
  DescribeSecurityGroupsOutput output;
  output.next_token =
      show_page(ec2, request, "DescribeSecurityGroups", kFilters, groups, output.security_groups.ensure(),
                [&](const GroupRecord& group) { return group_shape(ec2, request.scope, group); });
  return output;
}

// Groups of other VPCs that refer to these ones: VPCs do not peer here, so there are none.
DescribeSecurityGroupReferencesOutput describe_security_group_references(
    Ec2& ec2, Tx& tx, const Request<DescribeSecurityGroupReferencesInput>& request) {
  begin(ec2, tx, request);
  for (const std::string& id : request.input.group_id.get()) get(ec2.groups, request.scope, kGroupId, id);
  DescribeSecurityGroupReferencesOutput output;
  output.security_group_reference_set.ensure();
  return output;
}

GetSecurityGroupsForVpcOutput get_security_groups_for_vpc(Ec2& ec2, Tx& tx,
                                                          const Request<GetSecurityGroupsForVpcInput>& request) {
  static const FilterField<SecurityGroupForVpc> kFields[] = {
      {"group-id", [](const SecurityGroupForVpc& group) { return one(group.group_id); }},
      {"description", [](const SecurityGroupForVpc& group) { return one(group.description); }},
      {"group-name", [](const SecurityGroupForVpc& group) { return one(group.group_name); }},
      {"owner-id", [](const SecurityGroupForVpc& group) { return one(group.owner_id); }},
      {"primary-vpc-id", [](const SecurityGroupForVpc& group) { return one(group.primary_vpc_id); }},
  };
  begin(ec2, tx, request);
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  GetSecurityGroupsForVpcOutput output;
  auto& groups = output.security_group_for_vpcs.ensure();
  for (const GroupRecord* group : ec2.groups_by_vpc.find(request.scope, vpc.id)) {
    groups.push_back({.description = group->description,
                      .group_name = group->name,
                      .owner_id = request.scope.account,
                      .group_id = group->id,
                      .tags = tags_to<Tag>(group->tags),
                      .primary_vpc_id = group->vpc});
  }
  apply_filters<SecurityGroupForVpc>(filters_from(request.input.filters.get()), kFields, groups);
  output.next_token = page(ec2, request, "GetSecurityGroupsForVpc", groups,
                           [](const SecurityGroupForVpc& group) { return *group.group_id; });
  return output;
}

}  // namespace brume::ec2
