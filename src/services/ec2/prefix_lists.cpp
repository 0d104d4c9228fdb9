#include "services/ec2/prefix_lists.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/text.h"
#include "services/ec2/cidr.h"
#include "services/ec2/service_addresses.h"

namespace brume::ec2 {

std::vector<AwsPrefixList> aws_prefix_lists(std::string_view region) {
  std::vector<AwsPrefixList> lists;
  for (const std::string_view service : kGatewayServices) {
    const std::optional<std::string> address = service_address(region, service);
    if (!address) continue;
    const std::string name = endpoint_service_name(region, service);
    // AWS's ids have eight digits; the same name has the same id in every cloud.
    lists.push_back({.id = "pl-" + to_hex(sha256(name)).substr(0, 8),
                     .name = name,
                     .service = std::string(service),
                     .cidr = *address + "/32"});
  }
  return lists;
}

std::optional<PrefixListFacts> find_prefix_list(const Ec2& ec2, const Scope& scope, const std::string& id) {
  for (const AwsPrefixList& list : aws_prefix_lists(scope.region)) {
    if (list.id != id) continue;
    return PrefixListFacts{.id = id, .name = list.name, .cidrs = {list.cidr}, .max_entries = 1, .is_aws = true};
  }
  const PrefixListRecord* record = ec2.prefix_lists.find(scope, id);
  if (record == nullptr) return std::nullopt;
  PrefixListFacts facts{.id = id, .name = record->name, .max_entries = static_cast<std::size_t>(record->max_entries)};
  if (record->family == "IPv4") {
    for (const PrefixListEntryRecord& entry : record->versions.back().entries) facts.cidrs.push_back(entry.cidr);
  }
  return facts;
}

PrefixListFacts get_prefix_list(const Ec2& ec2, const Scope& scope, const std::string& id) {
  if (std::optional<PrefixListFacts> facts = find_prefix_list(ec2, scope, id)) return *std::move(facts);
  check_form(kPrefixListId, id);
  throw not_found(kPrefixListId, id);
}

std::size_t weight_of(const Ec2& ec2, const Scope& scope, const GroupRuleRecord& rule) {
  if (rule.prefix_list.empty()) return 1;
  const std::optional<PrefixListFacts> list = find_prefix_list(ec2, scope, rule.prefix_list);
  return list ? list->max_entries : 1;
}

PrefixListUsers users_of_prefix_list(const Ec2& ec2, const Scope& scope, const std::string& id) {
  PrefixListUsers users;
  std::set<std::string> groups;
  ec2.group_rules.for_each(scope, [&](const GroupRuleRecord& rule) {
    if (rule.prefix_list == id) groups.insert(rule.group);
  });
  for (const std::string& group : groups) users.groups.push_back(ec2.groups.find(scope, group));
  users.route_tables = ec2.route_tables.select(scope, [&](const RouteTableRecord& table) {
    return std::ranges::any_of(table.routes, [&](const RouteRecord& route) { return route.prefix_list == id; });
  });
  return users;
}

}  // namespace brume::ec2
