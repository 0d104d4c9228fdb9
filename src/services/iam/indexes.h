// What IAM would otherwise search all its records for: who has a policy attached, whose a key is, who is in a
// group, which profiles hold a role. Filled at the start, changed by commits. Owned by Iam; control thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/iam/records.h"
#include "store/tx.h"

namespace brume::iam {

struct Iam;

class Indexes {
 public:
  using Ids = std::set<std::string>;

  // By account and name: "111122223333/key/alice" → ids of keys. What does not exist is empty.
  const Ids& ids(const std::string& account, std::string_view kind, std::string_view name) const;
  void add(const std::string& account, std::string_view kind, std::string_view name, const std::string& id);
  void remove(const std::string& account, std::string_view kind, std::string_view name, const std::string& id);

  // The entities that have a policy attached, and those that have it as their boundary, as entity_of names them.
  struct Uses {
    Ids attached, boundaries;
    bool empty() const { return attached.empty() && boundaries.empty(); }
    bool operator==(const Uses&) const = default;
  };
  const Uses& uses(const std::string& account, const std::string& policy_arn) const;
  // The ARNs of the policies that anything in the account has attached or as its boundary.
  std::vector<std::string> used_policies(const std::string& account) const;
  // An entity's policies were `before` and are `after`.
  void use(const std::string& account, const std::string& entity, const Permissions& before, const Permissions& after);

  bool operator==(const Indexes&) const = default;

 private:
  template <class Change>
  void change_uses(const std::string& account, const Permissions& permissions, const Change& change);
  std::map<std::string, Ids> ids_;
  std::map<std::pair<std::string, std::string>, Uses> uses_;
};

// The kinds: keys of a user, members of a group, profiles of a role.
inline constexpr std::string_view kKeysOf = "key", kMembersOf = "member", kProfilesOf = "profile";

// "group/NAME", "role/NAME", "user/NAME", the names as keys: in the order in which ListEntitiesForPolicy shows them.
std::string entity_of(const GroupRecord& group);
std::string entity_of(const RoleRecord& role);
std::string entity_of(const UserRecord& user);

void fill_indexes(Iam& iam);

// The same at the commit of a transaction.
void index_add(Iam& iam, Tx& tx, const std::string& account, std::string_view kind, const std::string& name,
               const std::string& id);
void index_remove(Iam& iam, Tx& tx, const std::string& account, std::string_view kind, const std::string& name,
                  const std::string& id);
void index_policies(Iam& iam, Tx& tx, const std::string& account, const std::string& entity, const Permissions& before,
                    const Permissions& after);

}  // namespace brume::iam
