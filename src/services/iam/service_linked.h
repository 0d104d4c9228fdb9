// Service-linked roles: which services have one, and how it is made. Follows "Using service-linked roles". Control
// thread.
#pragma once

#include <string>
#include <string_view>

#include "services/iam/iam.h"

namespace brume::iam {

struct LinkedService {
  std::string_view service;     // "ecs.amazonaws.com"
  std::string_view role_name;   // "AWSServiceRoleForECS"
  std::string_view policy_arn;  // AWS's own, always attached
  std::string_view description;
  bool custom_suffix = false;
};
// Null for a service whose role is not served here.
const LinkedService* find_linked_service(std::string_view service);

// For services: makes the account's role of the service when it is not there yet, and returns its ARN.
std::string ensure_linked_role(Iam& iam, Tx& tx, const Scope& scope, std::string_view service,
                               const std::string& suffix = {});
// The role's name: the service's, and behind an underscore the suffix of those that take one.
std::string linked_role_name(const LinkedService& linked, const std::string& suffix);

// UnmodifiableEntity for a service-linked role: only AWS changes it.
void check_modifiable(const RoleRecord& role);

}  // namespace brume::iam
