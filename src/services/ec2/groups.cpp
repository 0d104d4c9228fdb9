#include "services/ec2/groups.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "services/ec2/cidr.h"
#include "services/ec2/prefix_lists.h"

namespace brume::ec2 {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNamedProtocols{
    {{"1", "icmp"}, {"6", "tcp"}, {"17", "udp"}, {"58", "icmpv6"}}};
constexpr std::int64_t kLastPort = 65535;
constexpr std::int64_t kLastIcmp = 255;

AwsError malformed_permission(std::string message) { return {"InvalidPermission.Malformed", std::move(message)}; }

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// A referenced group: of this account and, since nothing peers here, of this VPC.
std::string peer_group_id(const Ec2& ec2, const Scope& scope, const GroupRecord& group, const UserIdGroupPair& pair) {
  if (pair.vpc_peering_connection_id) throw unsupported("UserIdGroupPair.VpcPeeringConnectionId");
  const std::string& user = pair.user_id.get();
  const bool own = user.empty() || user == scope.account;
  if (pair.group_id && !pair.group_id->empty()) {
    check_form(kGroupId, *pair.group_id);
    const GroupRecord* peer = own ? ec2.groups.find(scope, *pair.group_id) : nullptr;
    if (peer == nullptr || peer->vpc != group.vpc) throw not_found(kGroupId, *pair.group_id);
    return peer->id;
  }
  if (!pair.group_name) throw missing_parameter("groupId");
  const auto named = ec2.groups_by_name.find(scope, name_in_vpc(group.vpc, *pair.group_name));
  if (!own || named.empty()) throw not_found(kGroupId, *pair.group_name);
  return named.front()->id;
}

void add_peers(const Ec2& ec2, const Scope& scope, const GroupRecord& group, const IpPermission& permission,
               const GroupRuleRecord& base, std::vector<GroupRuleRecord>& rules) {
  for (const IpRange& range : permission.ip_ranges.get()) {
    const std::optional<Cidr> block = parse_cidr(range.cidr_ip.get());
    if (!block) {
      throw invalid_parameter("CIDR block " + range.cidr_ip.get() + " is malformed");
    }
    GroupRuleRecord& rule = rules.emplace_back(base);
    rule.cidr = to_string(*block);
    rule.description = range.description.get();
  }
  for (const Ipv6Range& range : permission.ipv6_ranges.get()) {
    const std::optional<std::string> block = canonical_ipv6_cidr(range.cidr_ipv6.get());
    if (!block) {
      throw invalid_parameter("CIDR block " + range.cidr_ipv6.get() + " is malformed");
    }
    GroupRuleRecord& rule = rules.emplace_back(base);
    rule.cidr6 = *block;
    rule.description = range.description.get();
  }
  for (const PrefixListId& list : permission.prefix_list_ids.get()) {
    if (!list.prefix_list_id) throw missing_parameter("prefixListId");
    GroupRuleRecord& rule = rules.emplace_back(base);
    rule.prefix_list = get_prefix_list(ec2, scope, *list.prefix_list_id).id;
    rule.description = list.description.get();
  }
  for (const UserIdGroupPair& pair : permission.user_id_group_pairs.get()) {
    GroupRuleRecord& rule = rules.emplace_back(base);
    rule.peer_group = peer_group_id(ec2, scope, group, pair);
    rule.description = pair.description.get();
  }
}

void insert_rule(Ec2& ec2, Tx& tx, const Scope& scope, GroupRuleRecord rule) {
  rule.id = ec2.new_id(kGroupRuleId);
  const std::string id = rule.id;
  ec2.group_rules.insert(tx, scope, id, std::move(rule));
}

}  // namespace

void insert_default_group(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& vpc_id,
                          const std::string& group_id) {
  ec2.groups.insert(tx, scope, group_id,
                    {.id = group_id, .vpc = vpc_id, .name = "default", .description = "default VPC security group"});
  insert_rule(ec2, tx, scope, {.group = group_id, .protocol = "-1", .peer_group = group_id});
  insert_allow_all_egress(ec2, tx, scope, group_id);
}

void insert_allow_all_egress(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& group_id) {
  insert_rule(ec2, tx, scope, {.group = group_id, .egress = true, .protocol = "-1", .cidr = "0.0.0.0/0"});
}

std::vector<const GroupRuleRecord*> rules_of(const Ec2& ec2, const Scope& scope, const std::string& group_id) {
  return ec2.rules_by_group.find(scope, group_id);
}

void check_interface_groups(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet,
                            const std::vector<std::string>& group_ids) {
  for (const std::string& id : group_ids) {
    const GroupRecord& group = get(ec2.groups, scope, kGroupId, id);
    if (group.vpc != subnet.vpc) {
      throw AwsError("InvalidParameter",
                     "Security group " + id + " and subnet " + subnet.id + " belong to different networks.");
    }
  }
  if (group_ids.size() > kMostGroupsPerInterface) {
    throw AwsError("SecurityGroupsPerInterfaceLimitExceeded",
                   "The maximum number of security groups per interface has been reached.");
  }
}

std::string canonical_protocol(const std::string& protocol) {
  const std::string lower = to_lower(protocol);
  if (lower == "-1" || lower == "all") return "-1";
  for (const auto& [number, name] : kNamedProtocols) {
    if (lower == number || lower == name) return std::string(name);
  }
  std::int64_t number = 0;
  if (parse_int(lower, number) && number >= 0 && number <= 255) return std::to_string(number);
  throw invalid_parameter("Invalid value '" + protocol + "' for IP protocol. Unknown protocol.");
}

void normalize_ports(GroupRuleRecord& rule, const opt<std::int64_t>& from, const opt<std::int64_t>& to) {
  rule.from_port = from.value_or(-1);
  rule.to_port = to.value_or(-1);
  const std::string range = std::to_string(rule.from_port) + "-" + std::to_string(rule.to_port);
  if (rule.protocol == "tcp" || rule.protocol == "udp") {
    if (!from || !to) {
      throw invalid_parameter("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
    }
    if (rule.from_port < 0 || rule.to_port > kLastPort || rule.from_port > rule.to_port) {
      throw invalid_parameter("Invalid " + upper(rule.protocol) + " port range: " + range);
    }
  } else if (rule.protocol == "icmp" || rule.protocol == "icmpv6") {
    const bool fits = rule.from_port >= -1 && rule.from_port <= kLastIcmp && rule.to_port >= -1 &&
                      rule.to_port <= kLastIcmp && (rule.from_port != -1 || rule.to_port == -1);
    if (!fits) throw invalid_parameter("ICMP type and code are not valid: " + range);
  } else {
    // "AuthorizeSecurityGroupIngress": for any other protocol, traffic on all ports is allowed, whatever is given.
    rule.from_port = rule.to_port = -1;
  }
}

void check_rule_description(const std::string& description) {
  constexpr std::string_view kPunctuation = " ._-:/()#,@[]+=&;{}!$*";
  const bool fits = description.size() <= 255 && std::ranges::all_of(description, [&](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             kPunctuation.find(c) != std::string_view::npos;
                    });
  if (!fits) {
    throw invalid_parameter(
        "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  "
        "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
  }
}

std::vector<GroupRuleRecord> rules_from(const Ec2& ec2, const Scope& scope, const GroupRecord& group, bool egress,
                                        const std::vector<IpPermission>& permissions) {
  std::vector<GroupRuleRecord> rules;
  for (const IpPermission& permission : permissions) {
    if (!permission.ip_protocol) throw missing_parameter("ipProtocol");
    GroupRuleRecord base{.group = group.id, .egress = egress};
    base.protocol = canonical_protocol(*permission.ip_protocol);
    normalize_ports(base, permission.from_port, permission.to_port);
    const std::size_t before = rules.size();
    add_peers(ec2, scope, group, permission, base, rules);
    if (rules.size() == before) {
      throw malformed_permission("The permission names no peer: an IP range or a security group must be specified.");
    }
  }
  for (const GroupRuleRecord& rule : rules) check_rule_description(rule.description);
  return rules;
}

bool same_rule(const GroupRuleRecord& a, const GroupRuleRecord& b) {
  const auto key = [](const GroupRuleRecord& rule) {
    return std::tie(rule.group, rule.egress, rule.protocol, rule.from_port, rule.to_port, rule.cidr, rule.cidr6,
                    rule.peer_group, rule.prefix_list);
  };
  return key(a) == key(b);
}

std::string rule_text(const GroupRuleRecord& rule) {
  std::string text = "peer: " + rule.cidr + rule.cidr6 + rule.peer_group + rule.prefix_list;  // one of them
  if (rule.protocol == "-1") return text + ", ALL, ALLOW";
  const bool icmp = rule.protocol.starts_with("icmp");
  text += ", " + upper(rule.protocol);
  text += (icmp ? ", type: " : ", from port: ") + std::to_string(rule.from_port);
  text += (icmp ? ", code: " : ", to port: ") + std::to_string(rule.to_port);
  return text + ", ALLOW";
}

SecurityGroupRule rule_shape(const Scope& scope, const Ec2& ec2, const GroupRuleRecord& rule) {
  SecurityGroupRule shape{.security_group_rule_id = rule.id,
                          .group_id = rule.group,
                          .group_owner_id = scope.account,
                          .is_egress = rule.egress,
                          .ip_protocol = rule.protocol,
                          .from_port = rule.from_port,
                          .to_port = rule.to_port};
  if (!rule.cidr.empty()) shape.cidr_ipv4 = rule.cidr;
  if (!rule.cidr6.empty()) shape.cidr_ipv6 = rule.cidr6;
  if (!rule.prefix_list.empty()) shape.prefix_list_id = rule.prefix_list;
  if (!rule.peer_group.empty()) {
    shape.referenced_group_info = ReferencedSecurityGroup{.group_id = rule.peer_group, .user_id = scope.account};
    if (const GroupRecord* peer = ec2.groups.find(scope, rule.peer_group)) {
      shape.referenced_group_info->vpc_id = peer->vpc;
    }
  }
  if (!rule.description.empty()) shape.description = rule.description;
  shape.tags = tags_to<Tag>(rule.tags);
  shape.security_group_rule_arn = make_arn(scope, "ec2", "security-group-rule/" + rule.id);
  return shape;
}

std::vector<IpPermission> permissions_from(const Scope& scope, const std::vector<const GroupRuleRecord*>& rules) {
  using Key = std::tuple<std::string, std::int64_t, std::int64_t>;
  std::map<Key, IpPermission> items;
  for (const GroupRuleRecord* rule : rules) {
    IpPermission& item = items[{rule->protocol, rule->from_port, rule->to_port}];
    item.ip_protocol = rule->protocol;
    if (rule->protocol != "-1") {
      item.from_port = rule->from_port;
      item.to_port = rule->to_port;
    }
    opt<std::string> description;
    if (!rule->description.empty()) description = rule->description;
    // Every list is there, empty or not, as in AWS's answers.
    auto& groups = item.user_id_group_pairs.ensure();
    auto& ranges = item.ip_ranges.ensure();
    auto& ranges6 = item.ipv6_ranges.ensure();
    auto& lists = item.prefix_list_ids.ensure();
    if (!rule->cidr.empty()) ranges.push_back({.description = description, .cidr_ip = rule->cidr});
    if (!rule->cidr6.empty()) ranges6.push_back({.description = description, .cidr_ipv6 = rule->cidr6});
    if (!rule->prefix_list.empty()) {
      lists.push_back({.description = description, .prefix_list_id = rule->prefix_list});
    }
    if (!rule->peer_group.empty()) {
      groups.push_back({.description = description, .user_id = scope.account, .group_id = rule->peer_group});
    }
  }
  std::vector<IpPermission> permissions;
  for (auto& [key, item] : items) permissions.push_back(std::move(item));
  return permissions;
}

}  // namespace brume::ec2
