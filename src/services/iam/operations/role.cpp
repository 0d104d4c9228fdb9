#include "services/iam/permissions.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"
#include "services/iam/service_linked.h"

namespace brume::iam {
namespace {

template <class Change>
const RoleRecord& modify(Iam& iam, Tx& tx, const RequestContext& request, const std::string& name, Change&& change) {
  const RoleRecord& role = get_role(iam, request, name);
  check_modifiable(role);
  return change_permissions(iam, tx, iam.roles, request, key_of(role.name), change);
}

void check_session_limit(std::int64_t seconds) {
  if (seconds < 3600 || seconds > 43'200)
    throw AwsError("ValidationError", "The specified MaxSessionDuration must be between 3600 and 43200 seconds.");
}

}  // namespace

CreateRoleOutput create_role(Iam& iam, Tx& tx, const Request<CreateRoleInput>& request) {
  const CreateRoleInput& input = request.input;
  RoleRecord role;
  role.name = *input.role_name;
  role.path = input.path.value_or("/");
  if (role.path.starts_with("/aws-service-role/"))
    throw invalid_input_exception("Invalid path: " + role.path + " is reserved for service-linked roles.");
  if (iam.roles.find(global(request), key_of(role.name)) != nullptr)
    throw entity_already_exists_exception("Role with name " + role.name + " already exists.");
  role.tags = read_tags(input.tags.get());
  check_tags(role.tags);
  role.trust = *input.assume_role_policy_document;
  role.trusted_ids = check_trust_policy(iam, role.trust);
  if (input.permissions_boundary) {
    check_managed_exists(iam, request, *input.permissions_boundary);
    role.permissions.boundary = *input.permissions_boundary;
  }
  role.max_session_seconds = input.max_session_duration.value_or(3600);
  check_session_limit(role.max_session_seconds);
  role.description = input.description.get();
  role.has_description = input.description.has_value();
  role.id = new_unique_id(iam, "AROA");
  role.arn = arn_of(request, "role", role.path, role.name);
  role.created = iam.clock.now();
  const RoleRecord& made = iam.roles.insert(tx, global(request), key_of(role.name), role);
  index_policies(iam, tx, request.scope.account, entity_of(role), {}, counted(role.permissions));
  CreateRoleOutput output;
  output.role = render_role(iam, request.scope.account, made);
  return output;
}

GetRoleOutput get_role(Iam& iam, Tx&, const Request<GetRoleInput>& request) {
  GetRoleOutput output;
  output.role = render_role(iam, request.scope.account, get_role(iam, request, *request.input.role_name));
  return output;
}

ListRolesOutput list_roles(Iam& iam, Tx&, const Request<ListRolesInput>& request) {
  const std::string prefix = request.input.path_prefix.value_or("/");
  ListRolesOutput output;
  const auto found = page_of(
      iam, iam.roles, request, "ListRoles", [&](const RoleRecord& role) { return role.path.starts_with(prefix); },
      output);
  output.roles.emplace();
  for (const RoleRecord* role : found) output.roles->push_back(render_role_in_list(iam, *role));
  return output;
}

UpdateRoleOutput update_role(Iam& iam, Tx& tx, const Request<UpdateRoleInput>& request) {
  modify(iam, tx, request, *request.input.role_name, [&](RoleRecord& role) {
    // "If you do not specify a value for this setting, the default maximum of one hour is applied."
    role.max_session_seconds = request.input.max_session_duration.value_or(3600);
    check_session_limit(role.max_session_seconds);
    if (request.input.description) {
      role.description = *request.input.description;
      role.has_description = true;
    }
  });
  return {};
}

UpdateRoleDescriptionOutput update_role_description(Iam& iam, Tx& tx,
                                                    const Request<UpdateRoleDescriptionInput>& request) {
  const RoleRecord& role = modify(iam, tx, request, *request.input.role_name, [&](RoleRecord& record) {
    record.description = *request.input.description;
    record.has_description = true;
  });
  UpdateRoleDescriptionOutput output;
  output.role = render_role(iam, request.scope.account, role);
  return output;
}

UpdateAssumeRolePolicyOutput update_assume_role_policy(Iam& iam, Tx& tx,
                                                       const Request<UpdateAssumeRolePolicyInput>& request) {
  modify(iam, tx, request, *request.input.role_name, [&](RoleRecord& role) {
    role.trust = *request.input.policy_document;
    role.trusted_ids = check_trust_policy(iam, role.trust);
  });
  return {};
}

DeleteRoleOutput delete_role(Iam& iam, Tx& tx, const Request<DeleteRoleInput>& request) {
  const RoleRecord& role = get_role(iam, request, *request.input.role_name);
  check_modifiable(role);
  check_no_policies(role.permissions);
  if (!iam.indexes.ids(request.scope.account, kProfilesOf, role.name).empty())
    throw delete_conflict_exception("Cannot delete entity, must remove roles from instance profile first.");
  iam.last_uses.erase(tx, request.scope.account, role.id);
  index_policies(iam, tx, request.scope.account, entity_of(role), counted(role.permissions), {});
  iam.roles.erase(tx, global(request), key_of(role.name));
  return {};
}

PutRolePermissionsBoundaryOutput put_role_permissions_boundary(
    Iam& iam, Tx& tx, const Request<PutRolePermissionsBoundaryInput>& request) {
  modify(iam, tx, request, *request.input.role_name, [&](RoleRecord& role) {
    check_managed_exists(iam, request, *request.input.permissions_boundary);
    role.permissions.boundary = *request.input.permissions_boundary;
  });
  return {};
}

DeleteRolePermissionsBoundaryOutput delete_role_permissions_boundary(
    Iam& iam, Tx& tx, const Request<DeleteRolePermissionsBoundaryInput>& request) {
  modify(iam, tx, request, *request.input.role_name, [&](RoleRecord& role) {
    if (role.permissions.boundary.empty())
      throw no_such_entity_exception("Permissions boundary for role " + role.name + " cannot be found.");
    role.permissions.boundary.clear();
  });
  return {};
}

TagRoleOutput tag_role(Iam& iam, Tx& tx, const Request<TagRoleInput>& request) {
  modify(iam, tx, request, *request.input.role_name,
         [&](RoleRecord& role) { put_tags(role.tags, read_tags(request.input.tags.get())); });
  return {};
}

UntagRoleOutput untag_role(Iam& iam, Tx& tx, const Request<UntagRoleInput>& request) {
  modify(iam, tx, request, *request.input.role_name,
         [&](RoleRecord& role) { remove_tags(role.tags, request.input.tag_keys.get()); });
  return {};
}

ListRoleTagsOutput list_role_tags(Iam& iam, Tx&, const Request<ListRoleTagsInput>& request) {
  ListRoleTagsOutput output;
  auto tags = tags_to<Tag>(get_role(iam, request, *request.input.role_name).tags);
  cut(iam, request, "ListRoleTags", tags, [](const Tag& tag) { return *tag.key; }, output);
  output.tags = std::move(tags);
  return output;
}

}  // namespace brume::iam
