// IAM: its tables, what it works with, and how handlers find things. Made by app; control thread.
#pragma once

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
#include "services/iam/needs.h"
#include "services/iam/records.h"
#include "store/table.h"

namespace brume::iam {

// When something was used last, and for what. Told by the authorizer, forgotten at a restart.
struct LastUse {
  Time time;
  std::string service, region;
};

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

  const LinkedRoleUse* linked_role_use = nullptr;  // null: nothing uses service-linked roles

  policy::Library documents;
  std::map<std::string, LastUse, std::less<>> key_uses;   // by access key id
  std::map<std::string, LastUse, std::less<>> role_uses;  // by role id
};

// Where an account's records are: IAM is global.
Scope global(const std::string& account);
inline Scope global(const RequestContext& request) { return global(request.scope.account); }

// By name, as handlers are asked; the modelled error when there is none.
const RoleRecord& get_role(const Iam& iam, const RequestContext& request, const std::string& name);
const UserRecord& get_user(const Iam& iam, const RequestContext& request, const std::string& name);
const ProfileRecord& get_profile(const Iam& iam, const RequestContext& request, const std::string& name);
// A customer-managed policy of the caller's account, to change it. AWS's own are refused.
const PolicyRecord& get_own_policy(const Iam& iam, const RequestContext& request, const std::string& action,
                                   const std::string& arn);

// By ARN, of any account; null when it does not exist.
const RoleRecord* find_role(const Iam& iam, std::string_view arn);
const UserRecord* find_user(const Iam& iam, std::string_view arn);
const PolicyRecord* find_policy(const Iam& iam, std::string_view arn);

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

// Makes a page of the list, whose keys ascend, by Marker and MaxItems.
template <class Input, class Output, class Item, class KeyOf>
void cut(const Iam& iam, const Request<Input>& request, std::string_view operation, std::vector<Item>& items,
         const KeyOf& key, Output& output) {
  const auto limit = static_cast<std::size_t>(request.input.max_items.value_or(100));
  // The pages of one role's policies are no pages of another's.
  std::string of;
  if constexpr (requires { request.input.role_name; }) of = request.input.role_name.get();
  if constexpr (requires { request.input.user_name; }) of = request.input.user_name.get();
  if constexpr (requires { request.input.policy_arn; }) of = request.input.policy_arn.get();
  output.marker =
      cut_page(iam.paging, paging_purpose("iam:" + std::string(operation), global(request), of), request.input.marker,
               limit, items, key, AwsError("ValidationError", "The specified value for marker is not valid."));
  output.is_truncated = output.marker.has_value();
}

// InvalidInput when a resource may not have these tags.
void check_tags(const Tags& tags);
void put_tags(Tags& tags, const Tags& more);
void remove_tags(Tags& tags, const std::vector<std::string>& keys);

}  // namespace brume::iam
