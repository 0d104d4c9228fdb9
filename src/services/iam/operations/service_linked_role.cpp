#include "services/iam/service_linked.h"

#include "services/iam/render.h"

namespace brume::iam {

CreateServiceLinkedRoleOutput create_service_linked_role(Iam& iam, Tx& tx,
                                                         const Request<CreateServiceLinkedRoleInput>& request) {
  const CreateServiceLinkedRoleInput& input = request.input;
  const LinkedService* linked = find_linked_service(*input.aws_service_name);
  if (linked == nullptr)
    throw invalid_input_exception("Service-linked roles of " + *input.aws_service_name + " are not served by Brume.");
  if (input.custom_suffix && !linked->custom_suffix)
    throw invalid_input_exception("Custom suffix is not allowed for " + *input.aws_service_name);
  const std::string suffix = input.custom_suffix.get(), name = linked_role_name(*linked, suffix);
  if (iam.roles.find(global(request), key_of(name)) != nullptr)
    throw invalid_input_exception("Service role name " + name +
                                  " has been taken in this account, please try a different suffix.");
  ensure_linked_role(iam, tx, request.scope, linked->service, suffix);
  const std::string key = key_of(name);
  CreateServiceLinkedRoleOutput output;
  const RoleRecord& role = iam.roles.modify(tx, global(request), key, [&](RoleRecord& record) {
    if (!input.description) return;
    record.description = *input.description;
    record.has_description = true;
  });
  output.role = render_role(iam, request.scope.account, role);
  return output;
}

DeleteServiceLinkedRoleOutput delete_service_linked_role(Iam& iam, Tx& tx,
                                                         const Request<DeleteServiceLinkedRoleInput>& request) {
  const RoleRecord& role = get_role(iam, request, *request.input.role_name);
  if (role.linked_service.empty())
    throw invalid_input_exception("The role " + role.name + " is not a service-linked role.");
  DeletionTaskRecord task;
  task.id = "task" + role.path + role.name + "/" + iam.random.uuid();
  if (iam.linked_role_use != nullptr)
    task.resources = iam.linked_role_use->resources(request.scope.account, role.linked_service);
  task.role_name = role.name;
  iam.deletion_tasks.insert(tx, global(request), task.id, task);
  if (task.resources.empty()) {
    index_policies(iam, tx, request.scope.account, entity_of(role), role.permissions, {});
    iam.last_uses.erase(tx, request.scope.account, role.id);
    iam.roles.erase(tx, global(request), key_of(task.role_name));
  }
  DeleteServiceLinkedRoleOutput output;
  output.deletion_task_id = task.id;
  return output;
}

GetServiceLinkedRoleDeletionStatusOutput get_service_linked_role_deletion_status(
    Iam& iam, Tx&, const Request<GetServiceLinkedRoleDeletionStatusInput>& request) {
  const DeletionTaskRecord* task = iam.deletion_tasks.find(global(request), *request.input.deletion_task_id);
  if (task == nullptr)
    throw no_such_entity_exception("Deletion task " + *request.input.deletion_task_id + " was not found.");
  GetServiceLinkedRoleDeletionStatusOutput output;
  output.status = task->resources.empty() ? "SUCCEEDED" : "FAILED";
  if (!task->resources.empty()) {
    DeletionTaskFailureReasonType& reason = output.reason.ensure();
    reason.reason = "A service-linked role is required for the resources that use it: delete them first.";
    reason.role_usage_list.ensure().push_back({.resources = task->resources});
  }
  return output;
}

}  // namespace brume::iam
