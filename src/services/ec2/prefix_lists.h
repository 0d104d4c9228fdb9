// Prefix lists: customers' own and those AWS manages for the services that have gateway endpoints. Control thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "services/ec2/ec2.h"

namespace brume::ec2 {

// "Available AWS-managed prefix lists": S3's and DynamoDB's addresses in a region.
struct AwsPrefixList {
  std::string id, name, service;  // "pl-…", "com.amazonaws.eu-west-1.s3", "s3"
  std::string cidr;
};
std::vector<AwsPrefixList> aws_prefix_lists(std::string_view region);

// Either kind, as rules and routes use it.
struct PrefixListFacts {
  std::string id, name;
  std::vector<std::string> cidrs;  // IPv4 blocks in force; none for an IPv6 list
  std::size_t max_entries = 0;
  bool is_aws = false;
};
std::optional<PrefixListFacts> find_prefix_list(const Ec2& ec2, const Scope& scope, const std::string& id);
// Throws InvalidPrefixListID.NotFound or .Malformed.
PrefixListFacts get_prefix_list(const Ec2& ec2, const Scope& scope, const std::string& id);

// How many rules of its group the rule counts as.
std::size_t weight_of(const Ec2& ec2, const Scope& scope, const GroupRuleRecord& rule);

// The groups and route tables that name the list.
struct PrefixListUsers {
  std::vector<const GroupRecord*> groups;
  std::vector<const RouteTableRecord*> route_tables;
};
PrefixListUsers users_of_prefix_list(const Ec2& ec2, const Scope& scope, const std::string& id);

}  // namespace brume::ec2
