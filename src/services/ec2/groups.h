// Security groups and their rules, for the handlers of several nouns. Control thread.
#pragma once

#include <string>
#include <vector>

#include "gen/ec2.h"
#include "services/ec2/ec2.h"

namespace brume::ec2 {

// "VPC security group quotas": their defaults.
inline constexpr std::size_t kMostRulesPerDirection = 60;
inline constexpr std::size_t kMostGroupsPerInterface = 5;

// The group named "default": everything from its own members, everything to anywhere.
void insert_default_group(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& vpc_id, const std::string& group_id);
// What a group made by CreateSecurityGroup starts with.
void insert_allow_all_egress(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& group_id);

std::vector<const GroupRuleRecord*> rules_of(const Ec2& ec2, const Scope& scope, const std::string& group_id);

// Throws what AWS answers for groups that an interface of the subnet cannot have.
void check_interface_groups(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet,
                            const std::vector<std::string>& group_ids);

// Rules as a request words them, made exact: protocol names, ports, canonical blocks, groups resolved to ids. They have
// no ids yet. Throws AWS's codes for what cannot be a rule.
std::vector<GroupRuleRecord> rules_from(const Ec2& ec2, const Scope& scope, const GroupRecord& group, bool egress,
                                        const std::vector<IpPermission>& permissions);

// "tcp" for "6" or "TCP"; throws for what is no protocol.
std::string canonical_protocol(const std::string& protocol);
// Brings ports (or ICMP type and code) into their stored form, or throws.
void normalize_ports(GroupRuleRecord& rule, const opt<std::int64_t>& from, const opt<std::int64_t>& to);
// Throws for a description AWS refuses ("Security group rule descriptions").
void check_rule_description(const std::string& description);

// Same protocol, ports and peer: AWS holds such rules for one, whatever their descriptions.
bool same_rule(const GroupRuleRecord& a, const GroupRuleRecord& b);
// "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW"
std::string rule_text(const GroupRuleRecord& rule);

SecurityGroupRule rule_shape(const Scope& scope, const Ec2& ec2, const GroupRuleRecord& rule);
// Rules gathered as DescribeSecurityGroups shows them: one item per protocol and ports, a list per kind of peer.
std::vector<IpPermission> permissions_from(const Scope& scope, const std::vector<const GroupRuleRecord*>& rules);

}  // namespace brume::ec2
