// Managed prefix lists: customers' own, in versions, and AWS's.
#include <algorithm>
#include <set>

#include "gen/ec2.h"
#include "services/ec2/cidr.h"
#include "services/ec2/describe.h"
#include "services/ec2/prefix_lists.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

// "Amazon VPC quotas: customer-managed prefix lists".
constexpr std::size_t kMostLists = 100;
constexpr std::int64_t kMostEntries = 1000;
constexpr std::size_t kMostVersions = 1000;
constexpr std::size_t kMostChangesPerRequest = 100;

ManagedPrefixList list_shape(const Scope& scope, const PrefixListRecord& list) {
  ManagedPrefixList shape{.prefix_list_id = list.id,
                          .address_family = list.family,
                          .state = list.state,
                          .prefix_list_name = list.name,
                          .max_entries = list.max_entries,
                          .version = list.versions.back().version,
                          .owner_id = scope.account};
  shape.prefix_list_arn = make_arn(scope, "ec2", "prefix-list/" + list.id);
  shape.tags = tags_to<Tag>(list.tags);
  return shape;
}

ManagedPrefixList list_shape(const Scope& scope, const AwsPrefixList& list) {
  ManagedPrefixList shape{.prefix_list_id = list.id,
                          .address_family = "IPv4",
                          .state = "create-complete",
                          .prefix_list_name = list.name,
                          .owner_id = "AWS"};
  shape.prefix_list_arn = make_arn({"aws", scope.region}, "ec2", "prefix-list/" + list.id);
  shape.tags.ensure();
  return shape;
}

const FilterField<ManagedPrefixList> kManagedFilters[] = {
    {"owner-id", [](const ManagedPrefixList& list) { return one(list.owner_id); }},
    {"prefix-list-id", [](const ManagedPrefixList& list) { return one(list.prefix_list_id); }},
    {"prefix-list-name", [](const ManagedPrefixList& list) { return one(list.prefix_list_name); }},
};
const FilterField<PrefixList> kAwsFilters[] = {
    {"prefix-list-id", [](const PrefixList& list) { return one(list.prefix_list_id); }},
    {"prefix-list-name", [](const PrefixList& list) { return one(list.prefix_list_name); }},
};

std::string canonical_entry(const std::string& family, const std::string& text) {
  std::optional<std::string> block;
  if (family == "IPv6") {
    block = canonical_ipv6_cidr(text);
  } else if (const std::optional<Cidr> cidr = parse_cidr(text)) {
    block = to_string(*cidr);
  }
  if (!block) throw invalid_parameter("The CIDR (" + text + ") is not a valid " + family + " CIDR block.");
  return *block;
}

void add_entries(const std::string& family, const std::vector<AddPrefixListEntry>& added,
                 std::vector<PrefixListEntryRecord>& entries) {
  if (added.size() > kMostChangesPerRequest) {
    throw invalid_parameter("At most 100 entries can be added in one request.");
  }
  std::set<std::string> seen;
  for (const AddPrefixListEntry& entry : added) {
    const std::string cidr = canonical_entry(family, entry.cidr.get());
    if (!seen.insert(cidr).second) throw invalid_parameter("The CIDR " + cidr + " appears more than once.");
    // The same block again changes its description.
    const auto found = std::ranges::find(entries, cidr, &PrefixListEntryRecord::cidr);
    if (found != entries.end()) {
      found->description = entry.description.get();
    } else {
      entries.push_back({.cidr = cidr, .description = entry.description.get()});
    }
  }
}

void remove_entries(const PrefixListRecord& list, const std::vector<RemovePrefixListEntry>& removed,
                    std::vector<PrefixListEntryRecord>& entries) {
  for (const RemovePrefixListEntry& entry : removed) {
    const std::string cidr = canonical_entry(list.family, entry.cidr.get());
    if (std::erase_if(entries, [&](const PrefixListEntryRecord& other) { return other.cidr == cidr; }) == 0) {
      throw invalid_parameter("The CIDR " + cidr + " is not an entry of the prefix list " + list.id + ".");
    }
  }
}

void check_size(std::int64_t max_entries, std::size_t entries) {
  if (max_entries < 1 || max_entries > kMostEntries) {
    throw invalid_parameter("The maximum number of entries must be between 1 and 1000.");
  }
  if (entries > static_cast<std::size_t>(max_entries)) {
    throw AwsError("PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.");
  }
}

void check_name(const std::string& name) {
  if (name.empty() || name.size() > 255 || name.starts_with("com.amazonaws")) {
    throw invalid_parameter("The name " + name + " is not valid for a prefix list.");
  }
}

void check_version(const PrefixListRecord& list, const opt<std::int64_t>& current) {
  if (!current || *current == list.versions.back().version) return;
  throw AwsError("PrefixListVersionMismatch", "The prefix list has the incorrect version number.");
}

void put_version(PrefixListRecord& list, std::vector<PrefixListEntryRecord> entries) {
  list.versions.push_back({.version = list.versions.back().version + 1, .entries = std::move(entries)});
  if (list.versions.size() > kMostVersions) list.versions.erase(list.versions.begin());
}

// Customers cannot change AWS's lists.
const PrefixListRecord& get_own(const Ec2& ec2, const Scope& scope, const std::string& id) {
  if (const PrefixListRecord* list = ec2.prefix_lists.find(scope, id)) return *list;
  if (get_prefix_list(ec2, scope, id).is_aws) {
    throw AwsError("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
  }
  throw not_found(kPrefixListId, id);
}

void touch_users(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id) {
  const PrefixListUsers users = users_of_prefix_list(ec2, scope, id);
  std::set<std::string> vpcs;
  for (const GroupRecord* group : users.groups) vpcs.insert(group->vpc);
  for (const RouteTableRecord* table : users.route_tables) vpcs.insert(table->vpc);
  for (const std::string& vpc : vpcs) ec2.touch(tx, scope, vpc);
}

// "If any of the resources that reference the prefix list cannot support the new maximum size, the modify operation
// fails."
void check_users(const Ec2& ec2, const Scope& scope, const PrefixListRecord& list, std::int64_t max_entries) {
  constexpr std::size_t kMostRules = 60;
  std::map<std::pair<std::string, bool>, std::size_t> weights;
  std::set<std::string> using_it;
  ec2.group_rules.for_each(scope, [&](const GroupRuleRecord& rule) {
    const bool uses = rule.prefix_list == list.id;
    if (uses) using_it.insert(rule.group);
    weights[{rule.group, rule.egress}] += uses ? static_cast<std::size_t>(max_entries) : weight_of(ec2, scope, rule);
  });
  for (const auto& [direction, weight] : weights) {
    if (weight <= kMostRules || !using_it.contains(direction.first)) continue;
    throw AwsError("RulesPerSecurityGroupLimitExceeded",
                   "The following resources do not support the new maximum size: " + direction.first);
  }
}

}  // namespace

CreateManagedPrefixListOutput create_managed_prefix_list(Ec2& ec2, Tx& tx,
                                                         const Request<CreateManagedPrefixListInput>& request) {
  begin(ec2, tx, request);
  const CreateManagedPrefixListInput& input = request.input;
  const std::string& family = input.address_family.get();
  if (family != "IPv4" && family != "IPv6") {
    throw invalid_parameter("Value (" + family + ") for parameter AddressFamily is invalid.");
  }
  check_name(input.prefix_list_name.get());
  PrefixListRecord list{.id = ec2.new_id(kPrefixListId),
                        .name = input.prefix_list_name.get(),
                        .family = family,
                        .max_entries = input.max_entries.get(),
                        .client_token = input.client_token.get(),
                        .tags = tags_for(input.tag_specifications.get(), "prefix-list")};
  std::vector<PrefixListEntryRecord> entries;
  add_entries(family, input.entries.get(), entries);
  check_size(list.max_entries, entries.size());
  const auto same = [&](const PrefixListRecord& other) { return other.name == list.name && other.family == family; };
  if (const PrefixListRecord* made = find_by_token(ec2.prefix_lists, request.scope, input.client_token, same)) {
    return {.prefix_list = list_shape(request.scope, *made)};
  }
  if (ec2.prefix_lists.count(request.scope) >= kMostLists) {
    throw AwsError("PrefixListLimitExceeded", "You've reached the maximum number of prefix lists.");
  }
  list.versions.push_back({.version = 1, .entries = std::move(entries)});
  const std::string id = list.id;
  return {.prefix_list = list_shape(request.scope, ec2.prefix_lists.insert(tx, request.scope, id, std::move(list)))};
}

ModifyManagedPrefixListOutput modify_managed_prefix_list(Ec2& ec2, Tx& tx,
                                                         const Request<ModifyManagedPrefixListInput>& request) {
  begin(ec2, tx, request);
  const ModifyManagedPrefixListInput& input = request.input;
  PrefixListRecord list = get_own(ec2, request.scope, input.prefix_list_id.get());
  if (input.ipam_prefix_list_resolver_sync_enabled) throw unsupported("IpamPrefixListResolverSyncEnabled");
  const bool changes_entries = !input.add_entries.get().empty() || !input.remove_entries.get().empty();
  if (changes_entries && input.max_entries) {
    throw AwsError("InvalidParameterCombination", "You cannot modify the entries and the size at the same time.");
  }
  check_version(list, input.current_version);
  if (input.prefix_list_name) {
    check_name(*input.prefix_list_name);
    list.name = *input.prefix_list_name;
  }
  if (input.max_entries) {
    check_size(*input.max_entries, list.versions.back().entries.size());
    check_users(ec2, request.scope, list, *input.max_entries);
    list.max_entries = *input.max_entries;
  }
  if (changes_entries) {
    if (!input.current_version) throw missing_parameter("CurrentVersion");
    std::vector<PrefixListEntryRecord> entries = list.versions.back().entries;
    remove_entries(list, input.remove_entries.get(), entries);
    add_entries(list.family, input.add_entries.get(), entries);
    check_size(list.max_entries, entries.size());
    put_version(list, std::move(entries));
    touch_users(ec2, tx, request.scope, list.id);
  }
  list.state = "modify-complete";
  const std::string id = list.id;
  return {.prefix_list = list_shape(request.scope, ec2.prefix_lists.put(tx, request.scope, id, std::move(list)))};
}

RestoreManagedPrefixListVersionOutput restore_managed_prefix_list_version(
    Ec2& ec2, Tx& tx, const Request<RestoreManagedPrefixListVersionInput>& request) {
  begin(ec2, tx, request);
  PrefixListRecord list = get_own(ec2, request.scope, request.input.prefix_list_id.get());
  check_version(list, request.input.current_version);
  const auto found =
      std::ranges::find(list.versions, request.input.previous_version.get(), &PrefixListVersionRecord::version);
  if (found == list.versions.end()) throw invalid_parameter("The prefix list has no such version.");
  std::vector<PrefixListEntryRecord> entries = found->entries;
  check_size(list.max_entries, entries.size());
  put_version(list, std::move(entries));
  list.state = "restore-complete";
  touch_users(ec2, tx, request.scope, list.id);
  const std::string id = list.id;
  return {.prefix_list = list_shape(request.scope, ec2.prefix_lists.put(tx, request.scope, id, std::move(list)))};
}

DeleteManagedPrefixListOutput delete_managed_prefix_list(Ec2& ec2, Tx& tx,
                                                         const Request<DeleteManagedPrefixListInput>& request) {
  begin(ec2, tx, request);
  PrefixListRecord list = get_own(ec2, request.scope, request.input.prefix_list_id.get());
  const PrefixListUsers users = users_of_prefix_list(ec2, request.scope, list.id);
  if (!users.groups.empty() || !users.route_tables.empty()) {
    throw dependency_violation("The prefix list " + list.id + " is in use by " +
                               (users.groups.empty() ? users.route_tables.front()->id : users.groups.front()->id));
  }
  ec2.prefix_lists.erase(tx, request.scope, list.id);
  list.state = "delete-complete";
  return {.prefix_list = list_shape(request.scope, list)};
}

DescribeManagedPrefixListsOutput describe_managed_prefix_lists(
    Ec2& ec2, Tx& tx, const Request<DescribeManagedPrefixListsInput>& request) {
  begin(ec2, tx, request);
  std::vector<ManagedPrefixList> all;
  for (const AwsPrefixList& list : aws_prefix_lists(request.scope.region))
    all.push_back(list_shape(request.scope, list));
  ec2.prefix_lists.for_each(request.scope,
                            [&](const PrefixListRecord& list) { all.push_back(list_shape(request.scope, list)); });
  DescribeManagedPrefixListsOutput output;
  auto& lists = output.prefix_lists.ensure();
  const std::vector<std::string>& ids = request.input.prefix_list_ids.get();
  for (const std::string& id : ids) get_prefix_list(ec2, request.scope, id);
  std::ranges::copy_if(all, std::back_inserter(lists), [&](const ManagedPrefixList& list) {
    return ids.empty() || std::ranges::find(ids, *list.prefix_list_id) != ids.end();
  });
  std::ranges::sort(lists, {}, [](const ManagedPrefixList& list) { return *list.prefix_list_id; });
  apply_filters<ManagedPrefixList>(filters_from(request.input.filters.get()), kManagedFilters, lists);
  output.next_token = page(ec2, request, "DescribeManagedPrefixLists", lists,
                           [](const ManagedPrefixList& list) { return *list.prefix_list_id; });
  return output;
}

// AWS's own lists only.
DescribePrefixListsOutput describe_prefix_lists(Ec2& ec2, Tx& tx, const Request<DescribePrefixListsInput>& request) {
  begin(ec2, tx, request);
  const std::vector<std::string>& ids = request.input.prefix_list_ids.get();
  for (const std::string& id : ids) {
    if (!get_prefix_list(ec2, request.scope, id).is_aws) throw not_found(kPrefixListId, id);
  }
  DescribePrefixListsOutput output;
  auto& lists = output.prefix_lists.ensure();
  for (const AwsPrefixList& list : aws_prefix_lists(request.scope.region)) {
    if (!ids.empty() && std::ranges::find(ids, list.id) == ids.end()) continue;
    PrefixList& shape = lists.emplace_back();
    shape.cidrs.ensure().push_back(list.cidr);
    shape.prefix_list_id = list.id;
    shape.prefix_list_name = list.name;
  }
  std::ranges::sort(lists, {}, [](const PrefixList& list) { return *list.prefix_list_id; });
  apply_filters<PrefixList>(filters_from(request.input.filters.get()), kAwsFilters, lists);
  output.next_token =
      page(ec2, request, "DescribePrefixLists", lists, [](const PrefixList& list) { return *list.prefix_list_id; });
  return output;
}

GetManagedPrefixListEntriesOutput get_managed_prefix_list_entries(
    Ec2& ec2, Tx& tx, const Request<GetManagedPrefixListEntriesInput>& request) {
  begin(ec2, tx, request);
  const std::string& id = request.input.prefix_list_id.get();
  GetManagedPrefixListEntriesOutput output;
  auto& entries = output.entries.ensure();
  if (const PrefixListRecord* list = ec2.prefix_lists.find(request.scope, id)) {
    const std::int64_t version = request.input.target_version.value_or(list->versions.back().version);
    const auto found = std::ranges::find(list->versions, version, &PrefixListVersionRecord::version);
    if (found == list->versions.end()) throw invalid_parameter("The prefix list has no such version.");
    for (const PrefixListEntryRecord& entry : found->entries) {
      PrefixListEntry& shape = entries.emplace_back();
      shape.cidr = entry.cidr;
      shape.description = entry.description;
    }
  } else {
    for (const std::string& cidr : get_prefix_list(ec2, request.scope, id).cidrs) entries.emplace_back().cidr = cidr;
  }
  std::ranges::sort(entries, {}, [](const PrefixListEntry& entry) { return *entry.cidr; });
  output.next_token = page(ec2, request, "GetManagedPrefixListEntries", entries,
                           [](const PrefixListEntry& entry) { return *entry.cidr; });
  return output;
}

GetManagedPrefixListAssociationsOutput get_managed_prefix_list_associations(
    Ec2& ec2, Tx& tx, const Request<GetManagedPrefixListAssociationsInput>& request) {
  begin(ec2, tx, request);
  const PrefixListRecord& list = get_own(ec2, request.scope, request.input.prefix_list_id.get());
  GetManagedPrefixListAssociationsOutput output;
  auto& associations = output.prefix_list_associations.ensure();
  const PrefixListUsers users = users_of_prefix_list(ec2, request.scope, list.id);
  const auto add = [&](const std::string& id) {
    associations.push_back({.resource_id = id, .resource_owner = request.scope.account});
  };
  for (const RouteTableRecord* table : users.route_tables) add(table->id);
  for (const GroupRecord* group : users.groups) add(group->id);
  output.next_token = page(ec2, request, "GetManagedPrefixListAssociations", associations,
                           [](const PrefixListAssociation& item) { return *item.resource_id; });
  return output;
}

}  // namespace brume::ec2
