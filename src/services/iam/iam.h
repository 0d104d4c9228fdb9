// IAM: its tables, what it works with, and how handlers find things. Made by app; control thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/paging.h"
#include "aws/policy/library.h"
#include "aws/request.h"
#include "core/error.h"
#include "core/random.h"
#include "core/scope.h"
#include "core/time.h"
#include "services/iam/indexes.h"
#include "services/iam/last_uses.h"
#include "services/iam/name_cache.h"
#include "services/iam/needs.h"
#include "services/iam/records.h"
#include "store/table.h"

namespace brume::iam {

struct Iam {
  Iam(Store& store, const Clock& clock, Random& random, AccessKeys& access_keys, PagingTokens paging);
  Iam(const Iam&) = delete;
  Iam& operator=(const Iam&) = delete;

  const Clock& clock;
  Random& random;
  AccessKeys& access_keys;
  const PagingTokens paging;

  Table<RoleRecord> roles;
  Table<UserRecord> users;
  Table<PolicyRecord> policies;
  Table<ProfileRecord> profiles;
  Table<AccessKeyRecord> keys;
  Table<DeletionTaskRecord> deletion_tasks;
  Table<GroupRecord> groups;
  Table<ProviderRecord> providers;
  Table<DeviceRecord> devices;
  Table<AccountRecord> accounts;

  // What would be searched for among all records: kept beside them, by commits.
  Indexes indexes;

  const LinkedRoleUse* linked_role_use = nullptr;  // null: nothing uses service-linked roles

  policy::Library documents;
  LastUses last_uses;

  // Another one after every change of what says who may do what: what was gathered of it before is gathered anew.
  std::uint64_t permissions_version = 1;
  NameCache<RoleRecord> role_names;
  NameCache<UserRecord> user_names;
  NameCache<GroupRecord> group_names;
  NameCache<PolicyRecord> policy_names;
};

// Where an account's records are: IAM is global.
Scope global(const std::string& account);
inline Scope global(const RequestContext& request) { return global(request.scope.account); }

// By name, as handlers are asked; the modelled error when there is none.
const RoleRecord& get_role(const Iam& iam, const RequestContext& request, const std::string& name);
const UserRecord& get_user(const Iam& iam, const RequestContext& request, const std::string& name);
const ProfileRecord& get_profile(const Iam& iam, const RequestContext& request, const std::string& name);
const GroupRecord& get_group(const Iam& iam, const RequestContext& request, const std::string& name);
const ProviderRecord& get_provider(const Iam& iam, const RequestContext& request, const std::string& arn);
const DeviceRecord& get_device(const Iam& iam, const RequestContext& request, const std::string& serial);
// What the account has once; defaults when nothing was set.
AccountRecord account_of(const Iam& iam, const std::string& account);
template <class Change>
void modify_account(Iam& iam, Tx& tx, const std::string& account, Change&& change);
// A customer-managed policy of the caller's account, to change it. AWS's own are refused.
const PolicyRecord& get_own_policy(const Iam& iam, const RequestContext& request, const std::string& action,
                                   const std::string& arn);

// By ARN, of any account; null when it does not exist.
const RoleRecord* find_role(const Iam& iam, std::string_view arn);
const UserRecord* find_user(const Iam& iam, std::string_view arn);
const PolicyRecord* find_policy(const Iam& iam, std::string_view arn);
const GroupRecord* find_group(const Iam& iam, std::string_view arn);

// A managed policy as it can be read, of the account or AWS's own.
struct ManagedView {
  std::string name, path, id, arn, description, default_version;
  bool has_description = false;
  Time created, updated;
  struct Version {
    std::string id;
    std::string_view document;
    Time created;
  };
  std::vector<Version> versions;  // newest first
  const Tags* tags = nullptr;     // null: AWS's own policy
};
// Null for an ARN that is neither AWS's nor one of `account`.
std::optional<ManagedView> find_managed(const Iam& iam, const std::string& account, std::string_view arn);
// The default version's document; empty when there is no such policy.
std::string_view managed_document(const Iam& iam, std::string_view arn);

// The key of a record: its name in lower case.
std::string key_of(std::string_view name);
// "AROA" and seventeen characters of base 32, as AWS's unique ids have.
std::string new_unique_id(Iam& iam, std::string_view prefix);
std::string arn_of(const RequestContext& request, std::string_view type, std::string_view path, std::string_view name);

// What a Marker is good for. The pages of one role's policies are no pages of another's.
template <class Input>
std::string marker_purpose(const Request<Input>& request, std::string_view operation) {
  std::string of;
  if constexpr (requires { request.input.role_name; }) of = request.input.role_name.get();
  if constexpr (requires { request.input.user_name; }) of = request.input.user_name.get();
  if constexpr (requires { request.input.group_name; }) of = request.input.group_name.get();
  if constexpr (requires { request.input.policy_arn; }) of = request.input.policy_arn.get();
  return paging_purpose("iam:" + std::string(operation), global(request), of);
}

// The key after which the page begins; empty: at the beginning.
template <class Input>
std::string marker_position(const Iam& iam, const Request<Input>& request, std::string_view purpose) {
  if (!request.input.marker || request.input.marker->empty()) return {};
  std::optional<std::string> position = iam.paging.open(purpose, *request.input.marker);
  if (!position) throw AwsError("ValidationError", "The specified value for marker is not valid.");
  return *std::move(position);
}

template <class Input>
std::size_t page_size(const Request<Input>& request) {
  return static_cast<std::size_t>(request.input.max_items.value_or(100));
}

// Ends the page that begins the list, and gives the Marker of the next one when there is more.
template <class Input, class Output, class Item, class KeyOf>
void end_page(const Iam& iam, const Request<Input>& request, std::string_view purpose, std::vector<Item>& items,
              const KeyOf& key, Output& output) {
  const std::size_t limit = page_size(request);
  output.is_truncated = limit != 0 && items.size() > limit;
  if (!*output.is_truncated) return;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(limit), items.end());
  output.marker = iam.paging.seal(purpose, std::string(key(items.back())));
}

// Makes a page of the list, whose keys ascend, by Marker and MaxItems.
template <class Input, class Output, class Item, class KeyOf>
void cut(const Iam& iam, const Request<Input>& request, std::string_view operation, std::vector<Item>& items,
         const KeyOf& key, Output& output) {
  const std::string purpose = marker_purpose(request, operation);
  const std::string position = marker_position(iam, request, purpose);
  if (!position.empty()) {
    const auto first = std::partition_point(items.begin(), items.end(),
                                            [&](const Item& item) { return std::string(key(item)) <= position; });
    items.erase(items.begin(), first);
  }
  end_page(iam, request, purpose, items, key, output);
}

// The first `limit` records whose keys, made of their names, come after `after`: what is before is not looked at.
template <class Record, class Matches>
std::vector<const Record*> records_after(const Table<Record>& table, const Scope& scope, const std::string& after,
                                         std::size_t limit, const Matches& matches) {
  std::vector<const Record*> found;
  table.visit_from(scope, after, [&](const Record& record) {
    if (found.size() == limit) return false;
    if (matches(record) && (after.empty() || key_of(record.name) != after)) found.push_back(&record);
    return true;
  });
  return found;
}

// A page of a table whose records' ids are their names' keys.
template <class Record, class Input, class Output, class Matches>
std::vector<const Record*> page_of(const Iam& iam, const Table<Record>& table, const Request<Input>& request,
                                   std::string_view operation, const Matches& matches, Output& output) {
  const std::string purpose = marker_purpose(request, operation);
  auto found =
      records_after(table, global(request), marker_position(iam, request, purpose), page_size(request) + 1, matches);
  end_page(iam, request, purpose, found, [](const Record* record) { return key_of(record->name); }, output);
  return found;
}

template <class Change>
void modify_account(Iam& iam, Tx& tx, const std::string& account, Change&& change) {
  AccountRecord record = account_of(iam, account);
  change(record);
  iam.accounts.put(tx, global(account), "account", std::move(record));
}

// InvalidInput when a resource may not have these tags.
void check_tags(const Tags& tags);
[[noreturn]] void refuse_duplicate_tags();
// A request's tags, no key of which may be there twice.
template <class TagList>
Tags read_tags(const TagList& list) {
  Tags tags = tags_from(list);
  if (tags.size() != list.size()) refuse_duplicate_tags();
  check_tags(tags);
  return tags;
}
void put_tags(Tags& tags, const Tags& more);
void remove_tags(Tags& tags, const std::vector<std::string>& keys);

}  // namespace brume::iam
