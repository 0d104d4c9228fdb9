#include "services/iam/permissions.h"

#include <algorithm>

#include "aws/policy/document.h"
#include "gen/iam.h"
#include "services/iam/policy_checks.h"

namespace brume::iam {
namespace {

AwsError no_inline_policy(const std::string& name, std::string_view kind) {
  return no_such_entity_exception("The " + std::string(kind) + " policy with name " + name + " cannot be found.");
}

}  // namespace

void attach(const Iam& iam, const RequestContext& request, Permissions& permissions, const std::string& arn,
            std::string_view quota) {
  check_managed_exists(iam, request, arn);
  if (std::ranges::find(permissions.attached, arn) != permissions.attached.end()) return;
  if (permissions.attached.size() >= kAttachedPolicies)
    throw limit_exceeded_exception("Cannot exceed quota for " + std::string(quota) + ": " +
                                   std::to_string(kAttachedPolicies));
  permissions.attached.push_back(arn);
}

void detach(Permissions& permissions, const std::string& arn) {
  if (std::erase(permissions.attached, arn) == 0) throw no_such_entity_exception("Policy " + arn + " was not found.");
}

void put_inline(Permissions& permissions, const std::string& name, const std::string& document, std::size_t limit,
                const std::string& owner) {
  check_identity_policy(document);
  std::size_t size = policy::counted_size(document);
  for (const auto& [other, text] : permissions.inline_policies)
    if (other != name) size += policy::counted_size(text);
  if (size > limit)
    throw limit_exceeded_exception("Maximum policy size of " + std::to_string(limit) + " bytes exceeded for " + owner);
  permissions.inline_policies[name] = document;
}

const std::string& get_inline(const Permissions& permissions, const std::string& name, std::string_view kind) {
  const auto found = permissions.inline_policies.find(name);
  if (found == permissions.inline_policies.end()) throw no_inline_policy(name, kind);
  return found->second;
}

void delete_inline(Permissions& permissions, const std::string& name, std::string_view kind) {
  if (permissions.inline_policies.erase(name) == 0) throw no_inline_policy(name, kind);
}

std::vector<std::string> inline_names(const Permissions& permissions) {
  std::vector<std::string> names;
  for (const auto& [name, document] : permissions.inline_policies) names.push_back(name);
  return names;
}

void check_no_policies(const Permissions& permissions) {
  if (!permissions.attached.empty())
    throw delete_conflict_exception("Cannot delete entity, must detach all policies first.");
  if (!permissions.inline_policies.empty())
    throw delete_conflict_exception("Cannot delete entity, must delete policies first.");
}

}  // namespace brume::iam
