#include "services/iam/permissions.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"
#include "services/iam/service_linked.h"

namespace brume::iam {
namespace {

template <class Change>
void modify_permissions(Iam& iam, Tx& tx, const RequestContext& request, const std::string& name, Change&& change) {
  const RoleRecord& role = get_role(iam, request, name);
  check_modifiable(role);
  change_permissions(iam, tx, iam.roles, request, key_of(role.name),
                     [&](RoleRecord& record) { change(record.permissions); });
}

}  // namespace

PutRolePolicyOutput put_role_policy(Iam& iam, Tx& tx, const Request<PutRolePolicyInput>& request) {
  const std::string& name = *request.input.role_name;
  modify_permissions(iam, tx, request, name, [&](Permissions& permissions) {
    put_inline(permissions, *request.input.policy_name, *request.input.policy_document, kRoleInlineSize,
               "role " + name);
  });
  return {};
}

GetRolePolicyOutput get_role_policy(Iam& iam, Tx&, const Request<GetRolePolicyInput>& request) {
  const RoleRecord& role = get_role(iam, request, *request.input.role_name);
  GetRolePolicyOutput output;
  output.role_name = role.name;
  output.policy_name = *request.input.policy_name;
  output.policy_document = on_wire(get_inline(role.permissions, *request.input.policy_name, "role"));
  return output;
}

DeleteRolePolicyOutput delete_role_policy(Iam& iam, Tx& tx, const Request<DeleteRolePolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.role_name,
                     [&](Permissions& permissions) { delete_inline(permissions, *request.input.policy_name, "role"); });
  return {};
}

ListRolePoliciesOutput list_role_policies(Iam& iam, Tx&, const Request<ListRolePoliciesInput>& request) {
  auto names = inline_names(get_role(iam, request, *request.input.role_name).permissions);
  ListRolePoliciesOutput output;
  cut(iam, request, "ListRolePolicies", names, [](const std::string& name) { return name; }, output);
  output.policy_names = std::move(names);
  return output;
}

AttachRolePolicyOutput attach_role_policy(Iam& iam, Tx& tx, const Request<AttachRolePolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.role_name, [&](Permissions& permissions) {
    attach(iam, request, permissions, *request.input.policy_arn, "PoliciesPerRole");
  });
  return {};
}

DetachRolePolicyOutput detach_role_policy(Iam& iam, Tx& tx, const Request<DetachRolePolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.role_name,
                     [&](Permissions& permissions) { detach(permissions, *request.input.policy_arn); });
  return {};
}

ListAttachedRolePoliciesOutput list_attached_role_policies(Iam& iam, Tx&,
                                                           const Request<ListAttachedRolePoliciesInput>& request) {
  auto attached = render_attached(get_role(iam, request, *request.input.role_name).permissions);
  keep_path(attached, request.input.path_prefix.value_or("/"));
  ListAttachedRolePoliciesOutput output;
  cut(
      iam, request, "ListAttachedRolePolicies", attached, [](const AttachedPolicy& one) { return *one.policy_arn; },
      output);
  output.attached_policies = std::move(attached);
  return output;
}

}  // namespace brume::iam
