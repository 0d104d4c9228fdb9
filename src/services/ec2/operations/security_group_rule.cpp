// The rules of security groups, in both API styles: as permissions of their group and as resources of their own.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/cidr.h"
#include "services/ec2/describe.h"
#include "services/ec2/groups.h"
#include "services/ec2/prefix_lists.h"
#include "services/ec2/tag_specifications.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

// The group by id, or for ingress by its name in the default VPC.
template <class Input>
const GroupRecord& group_of(const Ec2& ec2, const Scope& scope, const Input& input) {
  if (input.group_id) return get(ec2.groups, scope, kGroupId, *input.group_id);
  if constexpr (requires { input.group_name; }) {
    if (input.group_name) {
      const VpcRecord* vpc = find_default_vpc(ec2, scope);
      const GroupRecord* found =
          vpc == nullptr ? nullptr : ec2.groups_by_name.find_first(scope, name_in_vpc(vpc->id, *input.group_name));
      if (found == nullptr) throw not_found(kGroupId, *input.group_name);
      return *found;
    }
  }
  throw missing_parameter("groupId");
}

// The permissions of a request: the list, or the one spelt out in the request's own members.
template <class Input>
std::vector<IpPermission> permissions_of(const Input& input) {
  const bool spelt = input.ip_protocol || input.from_port || input.to_port || input.cidr_ip ||
                     input.source_security_group_name || input.source_security_group_owner_id;
  const std::vector<IpPermission>& list = input.ip_permissions.get();
  if (spelt && !list.empty()) {
    throw AwsError("InvalidParameterCombination",
                   "The parameter 'ipPermissions' may not be used in combination with 'ipProtocol'");
  }
  if (!spelt) return list;
  IpPermission permission{.ip_protocol = input.ip_protocol, .from_port = input.from_port, .to_port = input.to_port};
  if (input.cidr_ip) permission.ip_ranges.ensure().push_back({.cidr_ip = input.cidr_ip});
  if (input.source_security_group_name) {
    // "AuthorizeSecurityGroupIngress": a source group allows all protocols and ports.
    if (!permission.ip_protocol) permission.ip_protocol = "-1";
    permission.user_id_group_pairs.ensure().push_back(
        {.user_id = input.source_security_group_owner_id, .group_name = input.source_security_group_name});
  }
  return {std::move(permission)};
}

const GroupRuleRecord* find_same(const Ec2& ec2, const Scope& scope, const GroupRuleRecord& wanted) {
  const std::vector<const GroupRuleRecord*> rules = rules_of(ec2, scope, wanted.group);
  const auto found = std::ranges::find_if(rules, [&](const auto* rule) { return same_rule(*rule, wanted); });
  return found == rules.end() ? nullptr : *found;
}

void check_new_rules(const Ec2& ec2, const Scope& scope, const GroupRecord& group, bool egress,
                     const std::vector<GroupRuleRecord>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same_rule(rules[i], rules[j])) {
        throw invalid_parameter("The same permission must not appear multiple times");
      }
    }
    if (find_same(ec2, scope, rules[i]) != nullptr) {
      throw AwsError("InvalidPermission.Duplicate",
                     "the specified rule \"" + rule_text(rules[i]) + "\" already exists");
    }
  }
  const std::vector<const GroupRuleRecord*> present = rules_of(ec2, scope, group.id);
  // "Managed prefix lists: rules and considerations": a list counts as many rules as it may have entries.
  std::size_t weight = 0;
  for (const GroupRuleRecord* rule : present) weight += rule->egress == egress ? weight_of(ec2, scope, *rule) : 0;
  for (const GroupRuleRecord& rule : rules) weight += weight_of(ec2, scope, rule);
  if (weight > kMostRulesPerDirection) {
    throw AwsError("RulesPerSecurityGroupLimitExceeded",
                   "The maximum number of rules per security group has been "
                   "reached.");
  }
}

template <class Output, class Input>
Output authorize(Ec2& ec2, Tx& tx, const Request<Input>& request, bool egress) {
  begin(ec2, tx, request);
  const GroupRecord& group = group_of(ec2, request.scope, request.input);
  std::vector<GroupRuleRecord> rules = rules_from(ec2, request.scope, group, egress, permissions_of(request.input));
  if (rules.empty()) throw missing_parameter("ipPermissions");
  const Tags tags = tags_for(request.input.tag_specifications.get(), "security-group-rule");
  check_new_rules(ec2, request.scope, group, egress, rules);
  Output output{.return_ = true};
  for (GroupRuleRecord& rule : rules) {
    rule.id = ec2.new_id(kGroupRuleId);
    rule.tags = tags;
    const std::string id = rule.id;
    output.security_group_rules.ensure().push_back(
        rule_shape(request.scope, ec2, ec2.group_rules.insert(tx, request.scope, id, std::move(rule))));
  }
  ec2.touch(tx, request.scope, group.vpc);
  return output;
}

// The rules that are to go, by id.
template <class Input>
std::vector<GroupRuleRecord> rules_by_id(const Ec2& ec2, const Scope& scope, const GroupRecord& group, bool egress,
                                         const Input& input) {
  std::vector<GroupRuleRecord> rules;
  for (const std::string& id : input.security_group_rule_ids.get()) {
    const GroupRuleRecord& rule = get(ec2.group_rules, scope, kGroupRuleId, id);
    if (rule.group != group.id || rule.egress != egress) throw not_found(kGroupRuleId, id);
    rules.push_back(rule);
  }
  return rules;
}

RevokedSecurityGroupRule revoked_shape(const GroupRuleRecord& rule) {
  RevokedSecurityGroupRule shape{.security_group_rule_id = rule.id,
                                 .group_id = rule.group,
                                 .is_egress = rule.egress,
                                 .ip_protocol = rule.protocol,
                                 .from_port = rule.from_port,
                                 .to_port = rule.to_port};
  if (!rule.cidr.empty()) shape.cidr_ipv4 = rule.cidr;
  if (!rule.cidr6.empty()) shape.cidr_ipv6 = rule.cidr6;
  if (!rule.prefix_list.empty()) shape.prefix_list_id = rule.prefix_list;
  if (!rule.peer_group.empty()) shape.referenced_group_id = rule.peer_group;
  if (!rule.description.empty()) shape.description = rule.description;
  return shape;
}

template <class Output, class Input>
Output revoke(Ec2& ec2, Tx& tx, const Request<Input>& request, bool egress) {
  begin(ec2, tx, request);
  const GroupRecord& group = group_of(ec2, request.scope, request.input);
  std::vector<GroupRuleRecord> rules = rules_by_id(ec2, request.scope, group, egress, request.input);
  std::vector<GroupRuleRecord> unknown;
  for (const GroupRuleRecord& wanted : rules_from(ec2, request.scope, group, egress, permissions_of(request.input))) {
    const GroupRuleRecord* rule = find_same(ec2, request.scope, wanted);
    if (rule != nullptr) {
      rules.push_back(*rule);
    } else {
      unknown.push_back(wanted);
    }
  }
  if (rules.empty() && unknown.empty()) throw missing_parameter("ipPermissions");
  // "RevokeSecurityGroupIngress": an unknown rule is an error, but in the default VPC it is only reported.
  if (!unknown.empty() && !ec2.vpcs.find(request.scope, group.vpc)->is_default) {
    throw AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
  }
  Output output{.return_ = unknown.empty()};
  output.revoked_security_group_rules.ensure();
  for (const GroupRuleRecord& rule : rules) {
    if (!ec2.group_rules.erase(tx, request.scope, rule.id)) continue;  // named twice
    output.revoked_security_group_rules->push_back(revoked_shape(rule));
  }
  std::vector<const GroupRuleRecord*> pointers;
  for (const GroupRuleRecord& rule : unknown) pointers.push_back(&rule);
  if (!pointers.empty()) output.unknown_ip_permissions = permissions_from(request.scope, pointers);
  ec2.touch(tx, request.scope, group.vpc);
  return output;
}

template <class Output, class Input>
Output update_descriptions(Ec2& ec2, Tx& tx, const Request<Input>& request, bool egress) {
  begin(ec2, tx, request);
  const GroupRecord& group = group_of(ec2, request.scope, request.input);
  std::map<std::string, std::string> descriptions;  // by rule
  for (const SecurityGroupRuleDescription& item : request.input.security_group_rule_descriptions.get()) {
    const GroupRuleRecord& rule = get(ec2.group_rules, request.scope, kGroupRuleId, item.security_group_rule_id.get());
    if (rule.group != group.id || rule.egress != egress) throw not_found(kGroupRuleId, rule.id);
    check_rule_description(item.description.get());
    descriptions[rule.id] = item.description.get();
  }
  for (const GroupRuleRecord& wanted :
       rules_from(ec2, request.scope, group, egress, request.input.ip_permissions.get())) {
    const GroupRuleRecord* rule = find_same(ec2, request.scope, wanted);
    if (rule == nullptr) {
      throw AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    }
    descriptions[rule->id] = wanted.description;
  }
  if (descriptions.empty()) throw missing_parameter("ipPermissions");
  for (const auto& [id, text] : descriptions) {
    ec2.group_rules.modify(tx, request.scope, id, [&](GroupRuleRecord& rule) { rule.description = text; });
  }
  return {.return_ = true};
}

// One rule of ModifySecurityGroupRules: what replaces the rule, which keeps its id, direction and tags.
GroupRuleRecord modified(const Ec2& ec2, const Scope& scope, const GroupRecord& group, const GroupRuleRecord& rule,
                         const SecurityGroupRuleRequest& wanted) {
  const int peers = int{wanted.cidr_ipv4.has_value()} + int{wanted.cidr_ipv6.has_value()} +
                    int{wanted.prefix_list_id.has_value()} + int{wanted.referenced_group_id.has_value()};
  if (peers != 1) {
    throw invalid_parameter("Exactly one of CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupId must be specified");
  }
  IpPermission permission{.ip_protocol = wanted.ip_protocol, .from_port = wanted.from_port, .to_port = wanted.to_port};
  const opt<std::string>& description = wanted.description;
  if (wanted.cidr_ipv4) {
    permission.ip_ranges.ensure().push_back({.description = description, .cidr_ip = wanted.cidr_ipv4});
  } else if (wanted.cidr_ipv6) {
    permission.ipv6_ranges.ensure().push_back({.description = description, .cidr_ipv6 = wanted.cidr_ipv6});
  } else if (wanted.prefix_list_id) {
    permission.prefix_list_ids.ensure().push_back(
        {.description = description, .prefix_list_id = wanted.prefix_list_id});
  } else {
    permission.user_id_group_pairs.ensure().push_back(
        {.description = description, .group_id = wanted.referenced_group_id});
  }
  GroupRuleRecord record = rules_from(ec2, scope, group, rule.egress, {permission}).front();
  record.id = rule.id;
  record.tags = rule.tags;
  return record;
}

const FilterField<SecurityGroupRule> kFilters[] = {
    {"group-id", [](const SecurityGroupRule& rule) { return one(rule.group_id); }},
    {"security-group-rule-id", [](const SecurityGroupRule& rule) { return one(rule.security_group_rule_id); }},
};

}  // namespace

AuthorizeSecurityGroupIngressOutput authorize_security_group_ingress(
    Ec2& ec2, Tx& tx, const Request<AuthorizeSecurityGroupIngressInput>& request) {
  return authorize<AuthorizeSecurityGroupIngressOutput>(ec2, tx, request, false);
}

AuthorizeSecurityGroupEgressOutput authorize_security_group_egress(
    Ec2& ec2, Tx& tx, const Request<AuthorizeSecurityGroupEgressInput>& request) {
  return authorize<AuthorizeSecurityGroupEgressOutput>(ec2, tx, request, true);
}

RevokeSecurityGroupIngressOutput revoke_security_group_ingress(
    Ec2& ec2, Tx& tx, const Request<RevokeSecurityGroupIngressInput>& request) {
  return revoke<RevokeSecurityGroupIngressOutput>(ec2, tx, request, false);
}

RevokeSecurityGroupEgressOutput revoke_security_group_egress(Ec2& ec2, Tx& tx,
                                                             const Request<RevokeSecurityGroupEgressInput>& request) {
  return revoke<RevokeSecurityGroupEgressOutput>(ec2, tx, request, true);
}

UpdateSecurityGroupRuleDescriptionsIngressOutput update_security_group_rule_descriptions_ingress(
    Ec2& ec2, Tx& tx, const Request<UpdateSecurityGroupRuleDescriptionsIngressInput>& request) {
  return update_descriptions<UpdateSecurityGroupRuleDescriptionsIngressOutput>(ec2, tx, request, false);
}

UpdateSecurityGroupRuleDescriptionsEgressOutput update_security_group_rule_descriptions_egress(
    Ec2& ec2, Tx& tx, const Request<UpdateSecurityGroupRuleDescriptionsEgressInput>& request) {
  return update_descriptions<UpdateSecurityGroupRuleDescriptionsEgressOutput>(ec2, tx, request, true);
}

ModifySecurityGroupRulesOutput modify_security_group_rules(Ec2& ec2, Tx& tx,
                                                           const Request<ModifySecurityGroupRulesInput>& request) {
  begin(ec2, tx, request);
  const GroupRecord& group = get(ec2.groups, request.scope, kGroupId, request.input.group_id.get());
  for (const SecurityGroupRuleUpdate& update : request.input.security_group_rules.get()) {
    const GroupRuleRecord rule = get(ec2.group_rules, request.scope, kGroupRuleId, update.security_group_rule_id.get());
    if (rule.group != group.id) throw not_found(kGroupRuleId, rule.id);
    if (!update.security_group_rule) throw missing_parameter("SecurityGroupRule");
    const GroupRuleRecord record = modified(ec2, request.scope, group, rule, *update.security_group_rule);
    const GroupRuleRecord* same = find_same(ec2, request.scope, record);
    if (same != nullptr && same->id != record.id) {
      throw AwsError("InvalidPermission.Duplicate", "the specified rule \"" + rule_text(record) + "\" already exists");
    }
    ec2.group_rules.put(tx, request.scope, rule.id, record);
  }
  ec2.touch(tx, request.scope, group.vpc);
  return {.return_ = true};
}

DescribeSecurityGroupRulesOutput describe_security_group_rules(
    Ec2& ec2, Tx& tx, const Request<DescribeSecurityGroupRulesInput>& request) {
  begin(ec2, tx, request);
  DescribeSecurityGroupRulesOutput output;
  const auto records = candidates<GroupRuleRecord>(
      ec2.group_rules, request.scope, kGroupRuleId, request.input.security_group_rule_ids.get(),
      filters_of(request.input),
      {{"group-id", [&](const std::string& group) { return rules_of(ec2, request.scope, group); }}});
  output.next_token =
      show_page(ec2, request, "DescribeSecurityGroupRules", kFilters, records, output.security_group_rules.ensure(),
                [&](const GroupRuleRecord& rule) { return rule_shape(request.scope, ec2, rule); });
  return output;
}

}  // namespace brume::ec2
