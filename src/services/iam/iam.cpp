#include "services/iam/iam.h"

#include <algorithm>
#include <utility>

#include "aws/authorization.h"
#include "core/arn_view.h"
#include "core/text.h"
#include "gen/iam.h"
#include "services/iam/access_keys.h"
#include "services/iam/managed_policies.h"

namespace brume::iam {
namespace {

template <class Record>
const Record* find_by_arn(const NameCache<Record>& names, std::string_view text, std::string_view type) {
  const std::optional<ArnView> arn = view_arn(text);
  if (!arn || arn->service != "iam" || !arn->resource.starts_with(type)) return nullptr;
  // The name stands behind type and path.
  const std::string_view name = arn->resource.substr(arn->resource.rfind('/') + 1);
  const Record* record = names.find(arn->account, key_of(name));
  return record != nullptr && record->arn == text ? record : nullptr;
}

std::string version_id(std::int64_t number) { return "v" + std::to_string(number); }

ManagedView view_of(const PolicyRecord& record) {
  ManagedView view{.name = record.name,
                   .path = record.path,
                   .id = record.id,
                   .arn = record.arn,
                   .description = record.description,
                   .default_version = version_id(record.default_version),
                   .has_description = record.has_description,
                   .created = record.created,
                   .updated = record.updated,
                   .tags = &record.tags};
  for (auto version = record.versions.rbegin(); version != record.versions.rend(); ++version)
    view.versions.push_back({version_id(version->number), version->document, version->created});
  return view;
}

ManagedView view_of(const AwsManagedPolicy& policy) {
  return {.name = std::string(policy.name),
          .path = std::string(policy.path),
          .id = std::string(policy.id),
          .arn = policy.arn(),
          .default_version = std::string(policy.version),
          .created = policy.created,
          .updated = policy.updated,
          .versions = {{std::string(policy.version), policy.document, policy.updated}}};
}

}  // namespace

Iam::Iam(Store& store, const Clock& clock_given, Random& random_given, AccessKeys& access_keys_given,
         PagingTokens paging_given)
    : clock(clock_given),
      random(random_given),
      access_keys(access_keys_given),
      paging(std::move(paging_given)),
      roles(store, {"iam.role", 1}),
      users(store, {"iam.user", 1}),
      policies(store, {"iam.policy", 1}),
      profiles(store, {"iam.instance-profile", 1}),
      keys(store, {"iam.access-key", 1}),
      deletion_tasks(store, {"iam.deletion-task", 1}),
      groups(store, {"iam.group", 1}),
      providers(store, {"iam.oidc-provider", 1}),
      devices(store, {"iam.mfa-device", 1}),
      accounts(store, {"iam.account", 1}),
      last_uses(store),
      role_names(roles),
      user_names(users),
      group_names(groups),
      policy_names(policies) {
  const auto changed = [this](const Scope&, std::string_view) { ++permissions_version; };
  roles.observe(changed);
  users.observe(changed);
  groups.observe(changed);
  policies.observe(changed);
  fill_indexes(*this);
  keys.for_all([this](const Scope& scope, std::string_view, const AccessKeyRecord& key) {
    access_keys.put(key.id, credential_of(*this, scope.account, key));
  });
}

Scope global(const std::string& account) { return {account, ""}; }

std::string key_of(std::string_view name) { return to_lower(name); }

std::string new_unique_id(Iam& iam, std::string_view prefix) {
  return std::string(prefix) + iam.random.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17);
}

std::string arn_of(const RequestContext& request, std::string_view type, std::string_view path, std::string_view name) {
  return make_global_arn(request.scope, "iam", std::string(type) + std::string(path) + std::string(name));
}

const RoleRecord& get_role(const Iam& iam, const RequestContext& request, const std::string& name) {
  const RoleRecord* role = iam.role_names.find(request.scope.account, key_of(name));
  if (role == nullptr) throw no_such_entity_exception("The role with name " + name + " cannot be found.");
  return *role;
}

const UserRecord& get_user(const Iam& iam, const RequestContext& request, const std::string& name) {
  const UserRecord* user = iam.user_names.find(request.scope.account, key_of(name));
  if (user == nullptr) throw no_such_entity_exception("The user with name " + name + " cannot be found.");
  return *user;
}

const ProfileRecord& get_profile(const Iam& iam, const RequestContext& request, const std::string& name) {
  const ProfileRecord* profile = iam.profiles.find(global(request), key_of(name));
  if (profile == nullptr) throw no_such_entity_exception("Instance Profile " + name + " cannot be found.");
  return *profile;
}

const GroupRecord& get_group(const Iam& iam, const RequestContext& request, const std::string& name) {
  const GroupRecord* group = iam.group_names.find(request.scope.account, key_of(name));
  if (group == nullptr) throw no_such_entity_exception("The group with name " + name + " cannot be found.");
  return *group;
}

const ProviderRecord& get_provider(const Iam& iam, const RequestContext& request, const std::string& arn) {
  const std::optional<Arn> parsed = parse_arn(arn);
  constexpr std::string_view kType = "oidc-provider/";
  const ProviderRecord* provider =
      parsed && parsed->account == request.scope.account && parsed->resource.starts_with(kType)
          ? iam.providers.find(global(request), parsed->resource.substr(kType.size()))
          : nullptr;
  if (provider == nullptr) throw no_such_entity_exception("OpenIDConnect Provider not found for arn " + arn);
  return *provider;
}

const DeviceRecord& get_device(const Iam& iam, const RequestContext& request, const std::string& serial) {
  const DeviceRecord* device = iam.devices.find(global(request), serial);
  if (device == nullptr)
    throw no_such_entity_exception("VirtualMFADevice with serial number " + serial + " doesn't exist.");
  return *device;
}

AccountRecord account_of(const Iam& iam, const std::string& account) {
  const AccountRecord* record = iam.accounts.find(global(account), "account");
  return record == nullptr ? AccountRecord() : *record;
}

const PolicyRecord& get_own_policy(const Iam& iam, const RequestContext& request, const std::string& action,
                                   const std::string& arn) {
  // AWS's managed policies are nobody's to change, root's neither.
  if (find_aws_managed_policy(arn) != nullptr)
    throw AwsError("AccessDenied", denial_message(request.principal, {.action = action, .resource = arn}, {}), 403);
  const PolicyRecord* found = find_policy(iam, arn);
  const std::optional<Arn> parsed = parse_arn(arn);
  if (found == nullptr || parsed->account != request.scope.account)
    throw no_such_entity_exception("Policy " + arn + " was not found.");
  return *found;
}

const RoleRecord* find_role(const Iam& iam, std::string_view arn) { return find_by_arn(iam.role_names, arn, "role/"); }
const UserRecord* find_user(const Iam& iam, std::string_view arn) { return find_by_arn(iam.user_names, arn, "user/"); }
const GroupRecord* find_group(const Iam& iam, std::string_view arn) {
  return find_by_arn(iam.group_names, arn, "group/");
}
const PolicyRecord* find_policy(const Iam& iam, std::string_view arn) {
  return find_by_arn(iam.policy_names, arn, "policy/");
}

std::optional<ManagedView> find_managed(const Iam& iam, const std::string& account, std::string_view arn) {
  if (const AwsManagedPolicy* policy = find_aws_managed_policy(arn)) return view_of(*policy);
  const PolicyRecord* record = find_policy(iam, arn);
  if (record == nullptr || parse_arn(arn)->account != account) return std::nullopt;
  return view_of(*record);
}

std::string_view managed_document(const Iam& iam, std::string_view arn) {
  if (const AwsManagedPolicy* policy = find_aws_managed_policy(arn)) return policy->document;
  const PolicyRecord* record = find_policy(iam, arn);
  if (record == nullptr) return {};
  for (const PolicyVersionRecord& version : record->versions)
    if (version.number == record->default_version) return version.document;
  return {};
}

void check_tags(const Tags& tags) {
  if (const std::string problem = tag_problem(tags); !problem.empty()) throw invalid_input_exception(problem);
  // "Tag keys are not case sensitive": Project and project cannot both be there.
  for (auto tag = tags.begin(); tag != tags.end(); ++tag)
    if (std::any_of(tags.begin(), tag,
                    [&](const auto& other) { return equals_ignoring_case(other.first, tag->first); }))
      refuse_duplicate_tags();
}

void refuse_duplicate_tags() {
  throw invalid_input_exception("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
}

void put_tags(Tags& tags, const Tags& more) {
  for (const auto& [key, value] : more) {
    // A key keeps the spelling of the first time, and its value is the newest.
    const auto same = std::ranges::find_if(tags, [&](const auto& tag) { return equals_ignoring_case(tag.first, key); });
    if (same != tags.end())
      same->second = value;
    else
      tags[key] = value;
  }
  check_tags(tags);
}

void remove_tags(Tags& tags, const std::vector<std::string>& keys) {
  for (const std::string& key : keys)
    std::erase_if(tags, [&](const auto& tag) { return equals_ignoring_case(tag.first, key); });
}

}  // namespace brume::iam
