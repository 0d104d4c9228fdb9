#include "services/iam/indexes.h"

#include "services/iam/iam.h"

namespace brume::iam {
namespace {

std::string place(const std::string& account, std::string_view kind, std::string_view name) {
  return account + "/" + std::string(kind) + "/" + key_of(name);
}

}  // namespace

const Indexes::Ids& Indexes::ids(const std::string& account, std::string_view kind, std::string_view name) const {
  static const Ids kNone;
  const auto found = ids_.find(place(account, kind, name));
  return found == ids_.end() ? kNone : found->second;
}

void Indexes::add(const std::string& account, std::string_view kind, std::string_view name, const std::string& id) {
  ids_[place(account, kind, name)].insert(id);
}

void Indexes::remove(const std::string& account, std::string_view kind, std::string_view name, const std::string& id) {
  const auto found = ids_.find(place(account, kind, name));
  if (found == ids_.end()) return;
  found->second.erase(id);
  if (found->second.empty()) ids_.erase(found);
}

const Indexes::Uses& Indexes::uses(const std::string& account, const std::string& policy_arn) const {
  static const Uses kUnused;
  const auto found = uses_.find({account, policy_arn});
  return found == uses_.end() ? kUnused : found->second;
}

std::vector<std::string> Indexes::used_policies(const std::string& account) const {
  std::vector<std::string> arns;
  for (auto use = uses_.lower_bound({account, ""}); use != uses_.end() && use->first.first == account; ++use)
    arns.push_back(use->first.second);
  return arns;
}

template <class Change>
void Indexes::change_uses(const std::string& account, const Permissions& permissions, const Change& change) {
  const auto change_one = [&](const std::string& arn, Ids Uses::* member) {
    const auto uses = uses_.try_emplace({account, arn}).first;
    change(uses->second.*member);
    if (uses->second.empty()) uses_.erase(uses);
  };
  for (const std::string& arn : permissions.attached) change_one(arn, &Uses::attached);
  if (!permissions.boundary.empty()) change_one(permissions.boundary, &Uses::boundaries);
}

void Indexes::use(const std::string& account, const std::string& entity, const Permissions& before,
                  const Permissions& after) {
  change_uses(account, before, [&](Ids& ids) { ids.erase(entity); });
  change_uses(account, after, [&](Ids& ids) { ids.insert(entity); });
}

std::string entity_of(const GroupRecord& group) { return "group/" + key_of(group.name); }
std::string entity_of(const RoleRecord& role) { return "role/" + key_of(role.name); }
std::string entity_of(const UserRecord& user) { return "user/" + key_of(user.name); }

void fill_indexes(Iam& iam) {
  Indexes& indexes = iam.indexes;
  const auto policies = [&](const Scope& scope, std::string_view, const auto& record) {
    indexes.use(scope.account, entity_of(record), {}, record.permissions);
  };
  iam.roles.for_all(policies);
  iam.users.for_all(policies);
  iam.groups.for_all(policies);
  iam.keys.for_all([&](const Scope& scope, std::string_view, const AccessKeyRecord& key) {
    indexes.add(scope.account, kKeysOf, key.user, key.id);
  });
  iam.users.for_all([&](const Scope& scope, std::string_view, const UserRecord& user) {
    for (const std::string& group : user.groups) indexes.add(scope.account, kMembersOf, group, key_of(user.name));
  });
  iam.profiles.for_all([&](const Scope& scope, std::string_view, const ProfileRecord& profile) {
    if (!profile.role.empty()) indexes.add(scope.account, kProfilesOf, profile.role, key_of(profile.name));
  });
}

void index_add(Iam& iam, Tx& tx, const std::string& account, std::string_view kind, const std::string& name,
               const std::string& id) {
  tx.on_commit([&iam, account, kind, name, id] { iam.indexes.add(account, kind, name, id); });
}

void index_remove(Iam& iam, Tx& tx, const std::string& account, std::string_view kind, const std::string& name,
                  const std::string& id) {
  tx.on_commit([&iam, account, kind, name, id] { iam.indexes.remove(account, kind, name, id); });
}

void index_policies(Iam& iam, Tx& tx, const std::string& account, const std::string& entity, const Permissions& before,
                    const Permissions& after) {
  if (before.attached == after.attached && before.boundary == after.boundary) return;
  tx.on_commit([&iam, account, entity, before, after] { iam.indexes.use(account, entity, before, after); });
}

}  // namespace brume::iam
