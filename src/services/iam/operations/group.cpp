#include <algorithm>

#include "services/iam/permissions.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

void check_name_is_free(const Iam& iam, const RequestContext& request, const std::string& name) {
  if (iam.groups.find(global(request), key_of(name)) != nullptr)
    throw entity_already_exists_exception("Group with name " + name + " already exists.");
}

template <class Output>
void show_groups(const std::vector<const GroupRecord*>& found, Output& output) {
  output.groups.emplace();
  for (const GroupRecord* group : found) output.groups->push_back(render_group(*group));
}

}  // namespace

CreateGroupOutput create_group(Iam& iam, Tx& tx, const Request<CreateGroupInput>& request) {
  GroupRecord group;
  group.name = *request.input.group_name;
  check_name_is_free(iam, request, group.name);
  group.path = request.input.path.value_or("/");
  group.id = new_unique_id(iam, "AGPA");
  group.arn = arn_of(request, "group", group.path, group.name);
  group.created = iam.clock.now();
  CreateGroupOutput output;
  output.group = render_group(iam.groups.insert(tx, global(request), key_of(group.name), group));
  return output;
}

GetGroupOutput get_group(Iam& iam, Tx&, const Request<GetGroupInput>& request) {
  const GroupRecord& group = get_group(iam, request, *request.input.group_name);
  const Indexes::Ids& ids = iam.indexes.ids(request.scope.account, kMembersOf, group.name);
  std::vector<std::string> members(ids.begin(), ids.end());
  GetGroupOutput output;
  cut(iam, request, "GetGroup", members, [](const std::string& key) { return key; }, output);
  output.group = render_group(group);
  output.users.emplace();
  for (const std::string& key : members)
    output.users->push_back(render_user_in_list(*iam.users.find(global(request), key)));
  return output;
}

ListGroupsOutput list_groups(Iam& iam, Tx&, const Request<ListGroupsInput>& request) {
  const std::string prefix = request.input.path_prefix.value_or("/");
  ListGroupsOutput output;
  const auto found = page_of(
      iam, iam.groups, request, "ListGroups", [&](const GroupRecord& group) { return group.path.starts_with(prefix); },
      output);
  show_groups(found, output);
  return output;
}

ListGroupsForUserOutput list_groups_for_user(Iam& iam, Tx&, const Request<ListGroupsForUserInput>& request) {
  const UserRecord& user = get_user(iam, request, *request.input.user_name);
  std::vector<const GroupRecord*> found;
  for (const std::string& name : user.groups) found.push_back(iam.groups.find(global(request), key_of(name)));
  std::ranges::sort(found, {}, [](const GroupRecord* group) { return key_of(group->name); });
  ListGroupsForUserOutput output;
  cut(iam, request, "ListGroupsForUser", found, [](const GroupRecord* group) { return key_of(group->name); }, output);
  show_groups(found, output);
  return output;
}

UpdateGroupOutput update_group(Iam& iam, Tx& tx, const Request<UpdateGroupInput>& request) {
  const GroupRecord old = get_group(iam, request, *request.input.group_name);
  GroupRecord group = old;
  group.name = request.input.new_group_name.value_or(old.name);
  group.path = request.input.new_path.value_or(old.path);
  if (key_of(group.name) != key_of(old.name)) check_name_is_free(iam, request, group.name);
  group.arn = arn_of(request, "group", group.path, group.name);
  const std::string& account = request.scope.account;
  const Indexes::Ids members = iam.indexes.ids(account, kMembersOf, old.name);
  iam.groups.erase(tx, global(request), key_of(old.name));
  iam.groups.put(tx, global(request), key_of(group.name), group);
  index_policies(iam, tx, account, entity_of(old), counted(old.permissions), {});
  index_policies(iam, tx, account, entity_of(group), {}, counted(group.permissions));
  for (const std::string& key : members) {
    iam.users.modify(tx, global(request), key,
                     [&](UserRecord& user) { std::ranges::replace(user.groups, old.name, group.name); });
    index_remove(iam, tx, account, kMembersOf, old.name, key);
    index_add(iam, tx, account, kMembersOf, group.name, key);
  }
  return {};
}

DeleteGroupOutput delete_group(Iam& iam, Tx& tx, const Request<DeleteGroupInput>& request) {
  const GroupRecord& group = get_group(iam, request, *request.input.group_name);
  if (!iam.indexes.ids(request.scope.account, kMembersOf, group.name).empty())
    throw delete_conflict_exception("Cannot delete entity, must remove users from group first.");
  check_no_policies(group.permissions);
  iam.groups.erase(tx, global(request), key_of(group.name));
  return {};
}

AddUserToGroupOutput add_user_to_group(Iam& iam, Tx& tx, const Request<AddUserToGroupInput>& request) {
  const UserRecord& found = get_user(iam, request, *request.input.user_name);
  const GroupRecord& group = get_group(iam, request, *request.input.group_name);
  if (std::ranges::find(found.groups, group.name) != found.groups.end()) return {};
  if (found.groups.size() >= kGroupsPerUser)
    throw limit_exceeded_exception("Cannot exceed quota for GroupsPerUser: " + std::to_string(kGroupsPerUser));
  iam.users.modify(tx, global(request), key_of(found.name),
                   [&](UserRecord& user) { user.groups.push_back(group.name); });
  index_add(iam, tx, request.scope.account, kMembersOf, group.name, key_of(found.name));
  return {};
}

RemoveUserFromGroupOutput remove_user_from_group(Iam& iam, Tx& tx, const Request<RemoveUserFromGroupInput>& request) {
  const GroupRecord& group = get_group(iam, request, *request.input.group_name);
  const UserRecord& found = get_user(iam, request, *request.input.user_name);
  if (std::ranges::find(found.groups, group.name) == found.groups.end())
    throw no_such_entity_exception("User " + found.name + " is not in group " + group.name + ".");
  iam.users.modify(tx, global(request), key_of(found.name),
                   [&](UserRecord& user) { std::erase(user.groups, group.name); });
  index_remove(iam, tx, request.scope.account, kMembersOf, group.name, key_of(found.name));
  return {};
}

}  // namespace brume::iam
