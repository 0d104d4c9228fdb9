#include "app/adapters/identity.h"

namespace brume::app {

std::optional<sts::RoleDirectory::Found> RoleDirectory::find(const std::string& role_arn) const {
  const iam::RoleRecord* role = iam::find_role(iam_, role_arn);
  if (role == nullptr) return std::nullopt;
  return Found{.name = role->name,
               .id = role->id,
               .arn = role->arn,
               .account = parse_arn(role->arn)->account,
               .max_session_seconds = role->max_session_seconds};
}

}  // namespace brume::app
