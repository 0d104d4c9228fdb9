// Records as answers show them. Pure.
#pragma once

#include "gen/iam.h"
#include "services/iam/iam.h"

namespace brume::iam {

// With everything that GetRole has. Lists leave out tags, boundary and last use, as AWS's do.
Role render_role(const Iam& iam, const std::string& account, const RoleRecord& record);
Role render_role_in_list(const Iam& iam, const RoleRecord& record);
User render_user(const UserRecord& record);
User render_user_in_list(const UserRecord& record);
Policy render_policy(const Iam& iam, const std::string& account, const ManagedView& view);
Group render_group(const GroupRecord& record);
InstanceProfile render_profile(const Iam& iam, const std::string& account, const ProfileRecord& record);
std::vector<AttachedPolicy> render_attached(const Permissions& permissions);
// Drops those whose path does not start with the prefix.
void keep_path(std::vector<AttachedPolicy>& list, const std::string& prefix);

}  // namespace brume::iam
