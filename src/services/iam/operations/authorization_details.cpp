#include <algorithm>
#include <string_view>
#include <utility>

#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

// One of the four kinds; they make one list of pages in this order.
struct Entity {
  const UserRecord* user = nullptr;
  const GroupRecord* group = nullptr;
  const RoleRecord* role = nullptr;
  std::string policy;  // an ARN

  std::string key() const {
    if (user != nullptr) return "1/" + key_of(user->name);
    if (group != nullptr) return "2/" + key_of(group->name);
    return role != nullptr ? "3/" + key_of(role->name) : "4/" + policy;
  }
};

std::vector<PolicyDetail> inline_details(const Permissions& permissions) {
  std::vector<PolicyDetail> list;
  for (const auto& [name, document] : permissions.inline_policies)
    list.push_back({.policy_name = name, .policy_document = on_wire(document)});
  return list;
}

UserDetail detail_of(const UserRecord& record) {
  const User user = render_user(record);
  UserDetail detail;
  detail.path = user.path;
  detail.user_name = user.user_name;
  detail.user_id = user.user_id;
  detail.arn = user.arn;
  detail.create_date = user.create_date;
  if (!record.permissions.inline_policies.empty()) detail.user_policy_list = inline_details(record.permissions);
  detail.group_list = record.groups;
  detail.attached_managed_policies = render_attached(record.permissions);
  detail.permissions_boundary = user.permissions_boundary;
  detail.tags = tags_to<Tag>(record.tags);
  return detail;
}

GroupDetail detail_of(const GroupRecord& record) {
  const Group group = render_group(record);
  GroupDetail detail;
  detail.path = group.path;
  detail.group_name = group.group_name;
  detail.group_id = group.group_id;
  detail.arn = group.arn;
  detail.create_date = group.create_date;
  detail.group_policy_list = inline_details(record.permissions);
  detail.attached_managed_policies = render_attached(record.permissions);
  return detail;
}

RoleDetail detail_of(const Iam& iam, const std::string& account, const RoleRecord& record) {
  const Role role = render_role(iam, record);
  RoleDetail detail;
  detail.path = role.path;
  detail.role_name = role.role_name;
  detail.role_id = role.role_id;
  detail.arn = role.arn;
  detail.create_date = role.create_date;
  detail.assume_role_policy_document = role.assume_role_policy_document;
  detail.instance_profile_list.emplace();
  for (const std::string& key : iam.indexes.ids(account, kProfilesOf, record.name))
    detail.instance_profile_list->push_back(render_profile(iam, account, *iam.profiles.find(global(account), key)));
  detail.role_policy_list = inline_details(record.permissions);
  detail.attached_managed_policies = render_attached(record.permissions);
  detail.permissions_boundary = role.permissions_boundary;
  detail.tags = tags_to<Tag>(record.tags);
  detail.role_last_used = role.role_last_used;
  return detail;
}

ManagedPolicyDetail detail_of(const Iam& iam, const std::string& account, const std::string& arn) {
  const ManagedView view = *find_managed(iam, account, arn);
  const Policy policy = render_policy(iam, account, view);
  ManagedPolicyDetail detail;
  detail.policy_name = policy.policy_name;
  detail.policy_id = policy.policy_id;
  detail.arn = policy.arn;
  detail.path = policy.path;
  detail.default_version_id = policy.default_version_id;
  detail.attachment_count = policy.attachment_count;
  detail.permissions_boundary_usage_count = policy.permissions_boundary_usage_count;
  detail.is_attachable = true;
  detail.create_date = policy.create_date;
  detail.update_date = policy.update_date;
  detail.policy_version_list.emplace();
  for (const ManagedView::Version& version : view.versions)
    detail.policy_version_list->push_back({.document = on_wire(version.document),
                                           .version_id = version.id,
                                           .is_default_version = version.id == view.default_version,
                                           .create_date = version.created});
  return detail;
}

// AWS's own policies are told only when something has them attached.
std::vector<std::string> policy_arns(const Iam& iam, const std::string& account, bool local, bool managed) {
  std::vector<std::string> arns;
  if (local) iam.policies.for_each(global(account), [&](const PolicyRecord& policy) { arns.push_back(policy.arn); });
  if (managed)
    for (std::string& arn : iam.indexes.used_policies(account))
      if (arn.find(":aws:policy/") != std::string::npos) arns.push_back(std::move(arn));
  std::ranges::sort(arns);
  return arns;
}

}  // namespace

GetAccountAuthorizationDetailsOutput get_account_authorization_details(
    Iam& iam, Tx&, const Request<GetAccountAuthorizationDetailsInput>& request) {
  const std::vector<std::string>& filter = request.input.filter.get();
  const auto wanted = [&](const char* kind) {
    return filter.empty() || std::ranges::find(filter, kind) != filter.end();
  };
  const auto everything = [](const auto&) { return true; };
  const std::string& account = request.scope.account;
  std::vector<Entity> entities;
  if (wanted("User"))
    for (const UserRecord* user : iam.users.select(global(request), everything)) entities.push_back({.user = user});
  if (wanted("Group"))
    for (const GroupRecord* group : iam.groups.select(global(request), everything))
      entities.push_back({.group = group});
  if (wanted("Role"))
    for (const RoleRecord* role : iam.roles.select(global(request), everything)) entities.push_back({.role = role});
  for (std::string& arn : policy_arns(iam, account, wanted("LocalManagedPolicy"), wanted("AWSManagedPolicy")))
    entities.push_back({.policy = std::move(arn)});
  GetAccountAuthorizationDetailsOutput output;
  cut(iam, request, "GetAccountAuthorizationDetails", entities, [](const Entity& one) { return one.key(); }, output);
  auto& users = output.user_detail_list.ensure();
  auto& groups = output.group_detail_list.ensure();
  auto& roles = output.role_detail_list.ensure();
  auto& policies = output.policies.ensure();
  for (const Entity& entity : entities) {
    if (entity.user != nullptr)
      users.push_back(detail_of(*entity.user));
    else if (entity.group != nullptr)
      groups.push_back(detail_of(*entity.group));
    else if (entity.role != nullptr)
      roles.push_back(detail_of(iam, account, *entity.role));
    else
      policies.push_back(detail_of(iam, account, entity.policy));
  }
  return output;
}

}  // namespace brume::iam
