#include "services/iam/policy_checks.h"

#include <utility>

#include "aws/policy/document.h"
#include "core/log.h"
#include "core/text.h"
#include "gen/iam.h"

namespace brume::iam {
namespace {

policy::Document parse(const std::string& document, policy::Grammar grammar) {
  auto parsed = policy::parse_document(document, grammar);
  if (parsed) return std::move(*parsed);
  const policy::Problem& problem = parsed.error();
  if (!problem.detail.empty()) log::info("iam", "policy refused: " + problem.message + " (" + problem.detail + ")");
  throw malformed_policy_document_exception(problem.message);
}

// The id of the role or user that has this ARN today; empty when there is none.
std::string unique_id_of(const Iam& iam, const std::string& arn) {
  if (const RoleRecord* role = find_role(iam, arn)) return role->id;
  if (const UserRecord* user = find_user(iam, arn)) return user->id;
  return {};
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

void check_identity_policy(const std::string& document) { parse(document, policy::Grammar::identity); }

void check_managed_policy(const std::string& document) {
  check_identity_policy(document);
  if (policy::counted_size(document) > kManagedPolicySize)
    throw limit_exceeded_exception("Cannot exceed quota for PolicySize: " + std::to_string(kManagedPolicySize));
}

std::map<std::string, std::string> check_trust_policy(const Iam& iam, const std::string& document) {
  const policy::Document parsed = parse(document, policy::Grammar::trust);
  if (policy::counted_size(document) > kTrustPolicySize)
    throw limit_exceeded_exception("Cannot exceed quota for ACLSizePerRole: " + std::to_string(kTrustPolicySize));
  std::map<std::string, std::string> ids;
  for (const policy::Statement& statement : parsed.statements)
    for (const policy::PrincipalPattern& principal : statement.principals) {
      if (principal.kind != policy::PrincipalPattern::Kind::aws) continue;
      const std::optional<Arn> arn = parse_arn(principal.value);
      if (!arn || arn->service != "iam") continue;
      const std::string id = unique_id_of(iam, principal.value);
      if (id.empty())
        throw malformed_policy_document_exception("Invalid principal in policy: \"AWS\":\"" + principal.value + "\"");
      ids[principal.value] = id;
    }
  return ids;
}

std::string effective_trust(const Iam& iam, const RoleRecord& role) {
  std::string document = role.trust;
  for (const auto& [arn, id] : role.trusted_ids)
    if (unique_id_of(iam, arn) != id) document = replace_all(std::move(document), "\"" + arn + "\"", "\"" + id + "\"");
  return document;
}

std::string on_wire(std::string_view document) { return percent_encode(document); }

void check_managed_exists(const Iam& iam, const RequestContext& request, const std::string& arn) {
  if (!parse_arn(arn)) throw invalid_input_exception("ARN " + arn + " is not valid.");
  if (!find_managed(iam, request.scope.account, arn))
    throw no_such_entity_exception("Policy " + arn + " does not exist or is not attachable.");
}

}  // namespace brume::iam
