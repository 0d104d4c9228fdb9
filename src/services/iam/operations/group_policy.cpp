#include "services/iam/permissions.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

template <class Change>
void modify_permissions(Iam& iam, Tx& tx, const RequestContext& request, const std::string& name, Change&& change) {
  const GroupRecord& group = get_group(iam, request, name);
  change_permissions(iam, tx, iam.groups, request, key_of(group.name),
                     [&](GroupRecord& record) { change(record.permissions); });
}

}  // namespace

PutGroupPolicyOutput put_group_policy(Iam& iam, Tx& tx, const Request<PutGroupPolicyInput>& request) {
  const std::string& name = *request.input.group_name;
  modify_permissions(iam, tx, request, name, [&](Permissions& permissions) {
    put_inline(permissions, *request.input.policy_name, *request.input.policy_document, kGroupInlineSize,
               "group " + name);
  });
  return {};
}

GetGroupPolicyOutput get_group_policy(Iam& iam, Tx&, const Request<GetGroupPolicyInput>& request) {
  const GroupRecord& group = get_group(iam, request, *request.input.group_name);
  GetGroupPolicyOutput output;
  output.group_name = group.name;
  output.policy_name = *request.input.policy_name;
  output.policy_document = on_wire(get_inline(group.permissions, *request.input.policy_name, "group"));
  return output;
}

DeleteGroupPolicyOutput delete_group_policy(Iam& iam, Tx& tx, const Request<DeleteGroupPolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.group_name, [&](Permissions& permissions) {
    delete_inline(permissions, *request.input.policy_name, "group");
  });
  return {};
}

ListGroupPoliciesOutput list_group_policies(Iam& iam, Tx&, const Request<ListGroupPoliciesInput>& request) {
  auto names = inline_names(get_group(iam, request, *request.input.group_name).permissions);
  ListGroupPoliciesOutput output;
  cut(iam, request, "ListGroupPolicies", names, [](const std::string& name) { return name; }, output);
  output.policy_names = std::move(names);
  return output;
}

AttachGroupPolicyOutput attach_group_policy(Iam& iam, Tx& tx, const Request<AttachGroupPolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.group_name, [&](Permissions& permissions) {
    attach(iam, request, permissions, *request.input.policy_arn, "PoliciesPerGroup");
  });
  return {};
}

DetachGroupPolicyOutput detach_group_policy(Iam& iam, Tx& tx, const Request<DetachGroupPolicyInput>& request) {
  modify_permissions(iam, tx, request, *request.input.group_name,
                     [&](Permissions& permissions) { detach(permissions, *request.input.policy_arn); });
  return {};
}

ListAttachedGroupPoliciesOutput list_attached_group_policies(Iam& iam, Tx&,
                                                             const Request<ListAttachedGroupPoliciesInput>& request) {
  auto attached = render_attached(get_group(iam, request, *request.input.group_name).permissions);
  keep_path(attached, request.input.path_prefix.value_or("/"));
  ListAttachedGroupPoliciesOutput output;
  cut(
      iam, request, "ListAttachedGroupPolicies", attached, [](const AttachedPolicy& one) { return *one.policy_arn; },
      output);
  output.attached_policies = std::move(attached);
  return output;
}

}  // namespace brume::iam
