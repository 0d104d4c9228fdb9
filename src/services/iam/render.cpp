#include "services/iam/render.h"

#include <algorithm>

#include "services/iam/policy_checks.h"

namespace brume::iam {
namespace {

opt<AttachedPermissionsBoundary> boundary(const Permissions& permissions) {
  if (permissions.boundary.empty()) return kNothing;
  AttachedPermissionsBoundary shown;
  // "Policy", not "PermissionsBoundaryPolicy": the value that AWS returns, whatever the model's enumeration says.
  shown.permissions_boundary_type = "Policy";
  shown.permissions_boundary_arn = permissions.boundary;
  return shown;
}

opt<std::vector<Tag>> shown_tags(const Tags& tags) {
  if (tags.empty()) return kNothing;
  return tags_to<Tag>(tags);
}

}  // namespace

Role render_role_in_list(const Iam& iam, const RoleRecord& record) {
  Role role;
  role.path = record.path;
  role.role_name = record.name;
  role.role_id = record.id;
  role.arn = record.arn;
  role.create_date = record.created;
  role.assume_role_policy_document = on_wire(effective_trust(iam, record));
  if (record.has_description) role.description = record.description;
  role.max_session_duration = record.max_session_seconds;
  return role;
}

Role render_role(const Iam& iam, const std::string& account, const RoleRecord& record) {
  Role role = render_role_in_list(iam, record);
  role.permissions_boundary = boundary(record.permissions);
  role.tags = shown_tags(record.tags);
  RoleLastUsed last_used;
  const LastUseRecord* use = iam.last_uses.find(account, record.id);
  // "Activity is only reported for the trailing 400 days."
  if (use != nullptr && iam.clock.now() - use->time <= hours(24 * 400)) {
    last_used.last_used_date = use->time;
    last_used.region = use->region;
  }
  role.role_last_used = last_used;
  return role;
}

User render_user_in_list(const UserRecord& record) {
  User user;
  user.path = record.path;
  user.user_name = record.name;
  user.user_id = record.id;
  user.arn = record.arn;
  user.create_date = record.created;
  return user;
}

User render_user(const UserRecord& record) {
  User user = render_user_in_list(record);
  user.permissions_boundary = boundary(record.permissions);
  user.tags = shown_tags(record.tags);
  return user;
}

Policy render_policy(const Iam& iam, const std::string& account, const ManagedView& view) {
  Policy shown;
  shown.policy_name = view.name;
  shown.policy_id = view.id;
  shown.arn = view.arn;
  shown.path = view.path;
  shown.default_version_id = view.default_version;
  const Indexes::Uses& uses = iam.indexes.uses(account, view.arn);
  shown.attachment_count = static_cast<std::int64_t>(uses.attached.size());
  shown.permissions_boundary_usage_count = static_cast<std::int64_t>(uses.boundaries.size());
  shown.is_attachable = true;
  if (view.has_description) shown.description = view.description;
  shown.create_date = view.created;
  shown.update_date = view.updated;
  return shown;
}

InstanceProfile render_profile(const Iam& iam, const std::string& account, const ProfileRecord& record) {
  InstanceProfile profile;
  profile.path = record.path;
  profile.instance_profile_name = record.name;
  profile.instance_profile_id = record.id;
  profile.arn = record.arn;
  profile.create_date = record.created;
  profile.roles.emplace();
  if (const RoleRecord* role = iam.roles.find(global(account), key_of(record.role)))
    profile.roles->push_back(render_role_in_list(iam, *role));
  profile.tags = tags_to<Tag>(record.tags);
  return profile;
}

std::vector<AttachedPolicy> render_attached(const Permissions& permissions) {
  std::vector<AttachedPolicy> list;
  for (const std::string& arn : permissions.attached) {
    AttachedPolicy attached;
    attached.policy_arn = arn;
    attached.policy_name = arn.substr(arn.rfind('/') + 1);
    list.push_back(std::move(attached));
  }
  std::ranges::sort(list, {}, [](const AttachedPolicy& attached) { return *attached.policy_arn; });
  return list;
}

void keep_path(std::vector<AttachedPolicy>& list, const std::string& prefix) {
  std::erase_if(list, [&](const AttachedPolicy& attached) {
    const std::string& arn = *attached.policy_arn;
    return !std::string_view(arn).substr(arn.find('/')).starts_with(prefix);
  });
}

Group render_group(const GroupRecord& record) {
  Group group;
  group.path = record.path;
  group.group_name = record.name;
  group.group_id = record.id;
  group.arn = record.arn;
  group.create_date = record.created;
  return group;
}

}  // namespace brume::iam
