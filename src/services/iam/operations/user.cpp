#include "services/iam/access_keys.h"
#include "services/iam/devices.h"
#include "services/iam/permissions.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

template <class Change>
void modify(Iam& iam, Tx& tx, const RequestContext& request, const std::string& name, Change&& change) {
  const UserRecord& user = get_user(iam, request, name);
  change_permissions(iam, tx, iam.users, request, key_of(user.name), change);
}

void check_name_is_free(const Iam& iam, const RequestContext& request, const std::string& name) {
  if (iam.users.find(global(request), key_of(name)) != nullptr)
    throw entity_already_exists_exception("User with name " + name + " already exists.");
}

// Keys, devices, memberships and uses of policies follow their user: its name, and the ARN that a key's bearer has.
void rename_owned(Iam& iam, Tx& tx, const RequestContext& request, const UserRecord& old, const UserRecord& user) {
  const std::string& account = request.scope.account;
  const Indexes::Ids keys = iam.indexes.ids(account, kKeysOf, old.name);
  for (const std::string& id : keys) {
    iam.keys.modify(tx, global(request), id, [&](AccessKeyRecord& key) { key.user = user.name; });
    index_remove(iam, tx, account, kKeysOf, old.name, id);
    index_add(iam, tx, account, kKeysOf, user.name, id);
    publish_key(iam, tx, account, id);
  }
  index_policies(iam, tx, account, entity_of(old), counted(old.permissions), {});
  index_policies(iam, tx, account, entity_of(user), {}, counted(user.permissions));
  for (const std::string& group : user.groups) {
    index_remove(iam, tx, account, kMembersOf, group, key_of(old.name));
    index_add(iam, tx, account, kMembersOf, group, key_of(user.name));
  }
  for (const DeviceRecord* device : devices_of(iam, request, old.name))
    iam.devices.modify(tx, global(request), std::string(device->serial),
                       [&](DeviceRecord& record) { record.user = user.name; });
}

// GetUser without a name: the caller. Root is a user without a name.
User caller_as_user(const Iam& iam, const RequestContext& request) {
  const Principal& principal = request.principal;
  if (principal.kind == Principal::Kind::user) {
    const UserRecord* user = find_user(iam, principal.arn);
    if (user != nullptr) return render_user(*user);
  }
  if (principal.kind != Principal::Kind::root)
    throw AwsError("ValidationError", "Must specify userName when calling with non-User credentials");
  User root;
  root.path = "/";
  root.user_id = principal.account;
  root.arn = principal.arn;
  root.create_date = Time{};
  return root;
}

}  // namespace

CreateUserOutput create_user(Iam& iam, Tx& tx, const Request<CreateUserInput>& request) {
  const CreateUserInput& input = request.input;
  UserRecord user;
  user.name = *input.user_name;
  check_name_is_free(iam, request, user.name);
  user.path = input.path.value_or("/");
  user.tags = read_tags(input.tags.get());
  check_tags(user.tags);
  if (input.permissions_boundary) {
    check_managed_exists(iam, request, *input.permissions_boundary);
    user.permissions.boundary = *input.permissions_boundary;
  }
  user.id = new_unique_id(iam, "AIDA");
  user.arn = arn_of(request, "user", user.path, user.name);
  user.created = iam.clock.now();
  index_policies(iam, tx, request.scope.account, entity_of(user), {}, counted(user.permissions));
  CreateUserOutput output;
  output.user = render_user(iam.users.insert(tx, global(request), key_of(user.name), user));
  return output;
}

GetUserOutput get_user(Iam& iam, Tx&, const Request<GetUserInput>& request) {
  GetUserOutput output;
  output.user = request.input.user_name ? render_user(get_user(iam, request, *request.input.user_name))
                                        : caller_as_user(iam, request);
  return output;
}

ListUsersOutput list_users(Iam& iam, Tx&, const Request<ListUsersInput>& request) {
  const std::string prefix = request.input.path_prefix.value_or("/");
  ListUsersOutput output;
  const auto found = page_of(
      iam, iam.users, request, "ListUsers", [&](const UserRecord& user) { return user.path.starts_with(prefix); },
      output);
  output.users.emplace();
  for (const UserRecord* user : found) output.users->push_back(render_user_in_list(*user));
  return output;
}

UpdateUserOutput update_user(Iam& iam, Tx& tx, const Request<UpdateUserInput>& request) {
  const UserRecord old = get_user(iam, request, *request.input.user_name);
  UserRecord user = old;
  user.name = request.input.new_user_name.value_or(old.name);
  user.path = request.input.new_path.value_or(old.path);
  if (key_of(user.name) != key_of(old.name)) check_name_is_free(iam, request, user.name);
  user.arn = arn_of(request, "user", user.path, user.name);
  iam.users.erase(tx, global(request), key_of(old.name));
  iam.users.put(tx, global(request), key_of(user.name), user);
  rename_owned(iam, tx, request, old, user);
  return {};
}

DeleteUserOutput delete_user(Iam& iam, Tx& tx, const Request<DeleteUserInput>& request) {
  const UserRecord& user = get_user(iam, request, *request.input.user_name);
  check_no_policies(user.permissions);
  const auto conflict = [](bool held, const char* what) {
    if (held) throw delete_conflict_exception(std::string("Cannot delete entity, must ") + what + " first.");
  };
  conflict(!iam.indexes.ids(request.scope.account, kKeysOf, user.name).empty(), "delete access keys");
  conflict(user.has_login, "delete login profile");
  conflict(!user.groups.empty(), "remove users from group");
  conflict(!devices_of(iam, request, user.name).empty(), "delete MFA device");
  index_policies(iam, tx, request.scope.account, entity_of(user), counted(user.permissions), {});
  iam.users.erase(tx, global(request), key_of(user.name));
  return {};
}

PutUserPermissionsBoundaryOutput put_user_permissions_boundary(
    Iam& iam, Tx& tx, const Request<PutUserPermissionsBoundaryInput>& request) {
  modify(iam, tx, request, *request.input.user_name, [&](UserRecord& user) {
    check_managed_exists(iam, request, *request.input.permissions_boundary);
    user.permissions.boundary = *request.input.permissions_boundary;
  });
  return {};
}

DeleteUserPermissionsBoundaryOutput delete_user_permissions_boundary(
    Iam& iam, Tx& tx, const Request<DeleteUserPermissionsBoundaryInput>& request) {
  modify(iam, tx, request, *request.input.user_name, [&](UserRecord& user) {
    if (user.permissions.boundary.empty())
      throw no_such_entity_exception("Permissions boundary for user " + user.name + " cannot be found.");
    user.permissions.boundary.clear();
  });
  return {};
}

TagUserOutput tag_user(Iam& iam, Tx& tx, const Request<TagUserInput>& request) {
  modify(iam, tx, request, *request.input.user_name,
         [&](UserRecord& user) { put_tags(user.tags, read_tags(request.input.tags.get())); });
  return {};
}

UntagUserOutput untag_user(Iam& iam, Tx& tx, const Request<UntagUserInput>& request) {
  modify(iam, tx, request, *request.input.user_name,
         [&](UserRecord& user) { remove_tags(user.tags, request.input.tag_keys.get()); });
  return {};
}

ListUserTagsOutput list_user_tags(Iam& iam, Tx&, const Request<ListUserTagsInput>& request) {
  ListUserTagsOutput output;
  auto tags = tags_to<Tag>(get_user(iam, request, *request.input.user_name).tags);
  cut(iam, request, "ListUserTags", tags, [](const Tag& tag) { return *tag.key; }, output);
  output.tags = std::move(tags);
  return output;
}

}  // namespace brume::iam
