#include "services/sts/roles.h"

namespace brume::sts {

std::optional<Principal> ServiceRoles::assume(const std::string& role_arn, const std::string& service,
                                              const std::string& session_name, std::string& why_not) const {
  const std::optional<Identities::Role> role = sts_.identities.find_role(role_arn);
  if (!role) {
    why_not = "The role " + role_arn + " does not exist.";
    return std::nullopt;
  }
  RequestContext context;
  context.scope = {role->account, "us-east-1"};
  context.principal.kind = Principal::Kind::service;
  context.principal.id = service;
  context.principal.arn = service;
  context.now = sts_.clock.now();
  context.secure = true;
  Ask ask{.action = "sts:AssumeRole", .resource = role->arn};
  ask.keys.emplace("sts:RoleSessionName", session_name);
  // "The confused deputy problem": the service acts for the role's own account.
  ask.keys.emplace("aws:SourceAccount", role->account);
  const Verdict verdict = sts_.authorizer.authorize(context, ask);
  if (!verdict.allowed) {
    why_not = "The trust policy of " + role_arn + " does not allow " + service + " to assume it.";
    return std::nullopt;
  }
  Principal principal = role_session(*role, session_name);
  principal.issued = sts_.clock.now();
  return principal;
}

std::optional<Roles::SessionKeys> ServiceRoles::issue(Tx& tx, const std::string& role_arn, const std::string& service,
                                                      const std::string& session_name, std::string& why_not) {
  const std::optional<Principal> principal = assume(role_arn, service, session_name, why_not);
  if (!principal) return std::nullopt;
  const SessionRecord session = open_session(sts_, tx, *principal, hours(6));
  return SessionKeys{session.access_key_id, session.secret, session.token, role_arn, session.expires};
}

}  // namespace brume::sts
