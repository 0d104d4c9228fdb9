#include "services/iam/permissions.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

template <class Change>
void modify_permissions(Iam& iam, Tx& tx, const RequestContext& request, const std::string& name, Change&& change) {
  const UserRecord& user = get_user(iam, request, name);
  change_permissions(iam, tx, iam.users, request, key_of(user.name),
                     [&](UserRecord& record) { change(record.permissions); });
}

}  // namespace

PutUserPolicyOutput put_user_policy(Iam& iam, Tx& tx, const Request<PutUserPolicyInput>& request) {
  const std::string& name = *request.input.user_name;
  modify_permissions(iam, tx, request, name, [&](Permissions& permissions) {
    put_inline(permissions, *request.input.policy_name, *request.input.policy_document, kUserInlineSize,
               "user " + name);
  });
  return {};
}

GetUserPolicyOutput get_user_policy(Iam& iam, Tx&, const Request<GetUserPolicyInput>& request) {
  const UserRecord& user = get_user(iam, request, *request.input.user_name);
  GetUserPolicyOutput output;
  output.user_name = user.name;
  output.policy_name = *request.input.policy_name;
  output.policy_document = on_wire(get_inline(user.permissions, *request.input.policy_name, "user"));
  return output;
}

DeleteUserPolicyOutput delete_user_policy(Iam& iam, Tx& tx, const Request<DeleteUserPolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.user_name,
                     [&](Permissions& permissions) { delete_inline(permissions, *request.input.policy_name, "user"); });
  return {};
}

ListUserPoliciesOutput list_user_policies(Iam& iam, Tx&, const Request<ListUserPoliciesInput>& request) {
  auto names = inline_names(get_user(iam, request, *request.input.user_name).permissions);
  ListUserPoliciesOutput output;
  cut(iam, request, "ListUserPolicies", names, [](const std::string& name) { return name; }, output);
  output.policy_names = std::move(names);
  return output;
}

AttachUserPolicyOutput attach_user_policy(Iam& iam, Tx& tx, const Request<AttachUserPolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.user_name, [&](Permissions& permissions) {
    attach(iam, request, permissions, *request.input.policy_arn, "PoliciesPerUser");
  });
  return {};
}

DetachUserPolicyOutput detach_user_policy(Iam& iam, Tx& tx, const Request<DetachUserPolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.user_name,
                     [&](Permissions& permissions) { detach(permissions, *request.input.policy_arn); });
  return {};
}

ListAttachedUserPoliciesOutput list_attached_user_policies(Iam& iam, Tx&,
                                                           const Request<ListAttachedUserPoliciesInput>& request) {
  auto attached = render_attached(get_user(iam, request, *request.input.user_name).permissions);
  keep_path(attached, request.input.path_prefix.value_or("/"));
  ListAttachedUserPoliciesOutput output;
  cut(
      iam, request, "ListAttachedUserPolicies", attached, [](const AttachedPolicy& one) { return *one.policy_arn; },
      output);
  output.attached_policies = std::move(attached);
  return output;
}

}  // namespace brume::iam
