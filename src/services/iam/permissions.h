// What roles, users and groups do alike with their policies. Each works on a copy that the caller puts back. Control
// thread.
#pragma once

#include <string>
#include <string_view>

#include "services/iam/iam.h"

namespace brume::iam {

// Only what the index of policies' uses counts.
inline Permissions counted(const Permissions& permissions) {
  return {.inline_policies = {}, .attached = permissions.attached, .boundary = permissions.boundary};
}

// Changes the permissions of the role, user or group that has this key; the index of policies' uses follows.
template <class Record, class Change>
const Record& change_permissions(Iam& iam, Tx& tx, Table<Record>& table, const RequestContext& request,
                                 const std::string& key, Change&& change) {
  Permissions before, after;
  std::string entity;
  const Record& changed = table.modify(tx, global(request), key, [&](Record& record) {
    entity = entity_of(record);
    before = counted(record.permissions);
    change(record);
    after = counted(record.permissions);
  });
  index_policies(iam, tx, request.scope.account, entity, before, after);
  return changed;
}

// Attaching twice is no error; a tenth policy is the last.
void attach(const Iam& iam, const RequestContext& request, Permissions& permissions, const std::string& arn,
            std::string_view quota);
void detach(Permissions& permissions, const std::string& arn);
// `owner` is how the quota's sentence names the role or user: "role NAME".
void put_inline(Permissions& permissions, const std::string& name, const std::string& document, std::size_t limit,
                const std::string& owner);
// `kind` is "role", "user" or "group".
const std::string& get_inline(const Permissions& permissions, const std::string& name, std::string_view kind);
void delete_inline(Permissions& permissions, const std::string& name, std::string_view kind);
std::vector<std::string> inline_names(const Permissions& permissions);

// DeleteConflict unless nothing is attached and no inline policy is left.
void check_no_policies(const Permissions& permissions);

}  // namespace brume::iam
