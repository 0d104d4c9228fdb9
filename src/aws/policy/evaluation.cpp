#include "aws/policy/evaluation.h"

#include <algorithm>

#include "core/text.h"

namespace brume::policy {
namespace {

using Kind = Principal::Kind;

bool any_matches(const std::vector<Pattern>& patterns, std::string_view value, const Keys& keys) {
  return std::ranges::any_of(patterns, [&](const Pattern& pattern) { return pattern.matches(value, keys); });
}

// The unique id that policies may hold in a principal's place: AROA… of "AROA…:session".
std::string_view unique_id(const Principal& principal) {
  return std::string_view(principal.id).substr(0, principal.id.find(':'));
}

Grant named(const PrincipalPattern& pattern, const Principal& principal) {
  switch (pattern.kind) {
    case PrincipalPattern::Kind::everyone:
      return Grant::direct;
    case PrincipalPattern::Kind::account:
      if (principal.kind == Kind::anonymous || principal.kind == Kind::service || principal.account != pattern.value)
        return Grant::none;
      return principal.kind == Kind::root ? Grant::direct : Grant::delegated;
    case PrincipalPattern::Kind::aws:
      if (principal.kind == Kind::anonymous || principal.kind == Kind::service) return Grant::none;
      if (pattern.value == principal.arn) return Grant::direct;
      if (principal.kind == Kind::role_session &&
          (pattern.value == principal.role_arn || pattern.value == unique_id(principal)))
        return Grant::role;
      if (principal.kind == Kind::user && pattern.value == principal.id) return Grant::direct;
      return Grant::none;
    case PrincipalPattern::Kind::service:
      return principal.kind == Kind::service && pattern.value == principal.id ? Grant::direct : Grant::none;
    case PrincipalPattern::Kind::federated:
      // Who holds a token of a provider is that provider, and no principal of AWS's: see sts's web_identity.cpp.
      return principal.kind == Kind::service && pattern.value == principal.id ? Grant::direct : Grant::none;
  }
  return Grant::none;
}

// "When you use NotPrincipal with Deny, you must also specify the account ARN of the not-denied principal", and for a
// session its role: only a caller that is listed with its account escapes the deny. An Allow spares everyone who is
// listed in any way.
bool excepted(const Statement& statement, const Principal& principal) {
  bool account = principal.account.empty() || principal.kind == Kind::service, self = false, any = false;
  for (const PrincipalPattern& pattern : statement.principals) {
    if (pattern.kind == PrincipalPattern::Kind::everyone) return true;
    const Grant grant = named(pattern, principal);
    any = any || grant != Grant::none;
    if (pattern.kind == PrincipalPattern::Kind::account) account = account || grant != Grant::none;
    // A session that is listed without its role is no exception, one whose role is listed is.
    const bool role_missing = principal.kind == Kind::role_session && grant == Grant::direct;
    if (grant == Grant::direct || grant == Grant::role) self = self || !role_missing;
  }
  return statement.effect == Effect::deny ? account && self : any;
}

struct Finding {
  bool denied = false;
  bool allowed = false;
  Grant grant = Grant::none;
};

class Evaluation {
 public:
  Evaluation(const Question& question, const Policies& policies)
      : question_(question), policies_(policies), lower_action_(to_lower(question.action)) {}

  Decision run();

 private:
  Finding scan(const std::vector<Attached>& list, PolicyKind kind);
  bool deny(bool denied, std::string_view with);
  void because(std::string_view policy);
  bool identity_side();
  void within_account();
  void across_accounts();

  const Question& question_;
  const Policies& policies_;
  std::string lower_action_;
  Finding identity_, boundary_, session_, resource_;
  Decision decision_;
};

Finding Evaluation::scan(const std::vector<Attached>& list, PolicyKind kind) {
  Finding finding;
  for (const Attached& attached : list) {
    // "If the AWS enforcement code encounters an error at any point during the evaluation, then it generates an
    // exception and closes": what cannot be read might have denied.
    if (!attached.document) {
      finding.denied = true;
      continue;
    }
    const std::vector<Statement>& statements = attached.document->statements;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      const Statement& statement = statements[i];
      const Grant grant = kind == PolicyKind::resource ? grant_for(statement, question_.principal) : Grant::direct;
      if (grant == Grant::none) continue;
      if (!applies(statement, lower_action_, question_.resource, question_.keys)) continue;
      decision_.matches.push_back({kind, &attached, i, statement.effect});
      if (statement.effect == Effect::deny) {
        finding.denied = true;
      } else {
        finding.allowed = true;
        finding.grant = std::max(finding.grant, grant);
      }
    }
  }
  return finding;
}

bool Evaluation::deny(bool denied, std::string_view with) {
  if (!denied) return false;
  decision_.explicit_deny = true;
  decision_.reason = "with an explicit deny in " + std::string(with);
  return true;
}

void Evaluation::because(std::string_view policy) {
  decision_.reason = "because no " + std::string(policy) + " allows the " + std::string(question_.action) + " action";
}

// Identity-based policies, then what limits them.
bool Evaluation::identity_side() {
  if (!identity_.allowed)
    because("identity-based policy");
  else if (!boundary_.allowed)
    because("permissions boundary");
  else if (!session_.allowed)
    because("session policy");
  else
    return true;
  return false;
}

void Evaluation::within_account() {
  const bool trust = policies_.resource_is_trust;
  if (trust && resource_.grant == Grant::none) return because("role trust policy");
  if (resource_.grant == Grant::direct) {
    decision_.allowed = true;
  } else if (resource_.grant == Grant::role) {
    if (!boundary_.allowed)
      because("permissions boundary");
    else if (!session_.allowed)
      because("session policy");
    else
      decision_.allowed = true;
  } else {
    decision_.allowed = identity_side();
  }
}

void Evaluation::across_accounts() {
  if (!identity_side()) return;
  if (resource_.grant == Grant::none)
    because(policies_.resource_is_trust ? "role trust policy" : "resource-based policy");
  else
    decision_.allowed = true;
}

Decision Evaluation::run() {
  const Principal& principal = question_.principal;
  bool controlled = false, control_denies = false;
  for (const auto& level : policies_.service_control) {
    const Finding finding = scan(level, PolicyKind::service_control);
    control_denies = control_denies || finding.denied;
    controlled = controlled || !finding.allowed;
  }
  resource_ = scan(policies_.resource, PolicyKind::resource);
  identity_ = scan(policies_.identity, PolicyKind::identity);
  boundary_ = scan(policies_.boundary, PolicyKind::boundary);
  session_ = scan(policies_.session, PolicyKind::session);
  if (!policies_.has_boundary) boundary_.allowed = true;
  if (!policies_.has_session) session_.allowed = true;
  // The root user has every permission that an identity can have.
  if (principal.kind == Kind::root) identity_.allowed = true;

  if (deny(control_denies, "a service control policy") ||
      deny(resource_.denied, policies_.resource_is_trust ? "the role trust policy" : "a resource-based policy") ||
      deny(identity_.denied, "an identity-based policy") || deny(boundary_.denied, "a permissions boundary") ||
      deny(session_.denied, "a session policy"))
    return std::move(decision_);

  if (controlled) {
    because("service control policy");
  } else if (principal.kind == Kind::service || principal.kind == Kind::anonymous) {
    // These have no policies of their own.
    decision_.allowed = resource_.grant != Grant::none;
    if (!decision_.allowed) because(policies_.resource_is_trust ? "role trust policy" : "resource-based policy");
  } else if (policies_.resource_account.empty() || policies_.resource_account == principal.account) {
    within_account();
  } else {
    across_accounts();
  }
  return std::move(decision_);
}

}  // namespace

bool applies(const Statement& statement, std::string_view lower_action, std::string_view resource, const Keys& keys) {
  if (any_matches(statement.actions, lower_action, keys) == statement.not_actions) return false;
  if (!statement.resources.empty() && any_matches(statement.resources, resource, keys) == statement.not_resources)
    return false;
  return std::ranges::all_of(statement.conditions, [&](const Condition& condition) { return condition.holds(keys); });
}

Grant grant_for(const Statement& statement, const Principal& principal) {
  if (statement.not_principals) {
    // A wildcard's equal: whoever is not excepted is meant.
    return excepted(statement, principal) ? Grant::none : Grant::direct;
  }
  Grant best = Grant::none;
  for (const PrincipalPattern& pattern : statement.principals) best = std::max(best, named(pattern, principal));
  return best;
}

void Policies::clear() {
  clear_but_own();
  identity.clear();
  boundary.clear();
  has_boundary = false;
}

void Policies::clear_but_own() {
  for (std::vector<Attached>* list : {&session, &resource, &endpoint}) list->clear();
  service_control.clear();
  resource_account.clear();
  has_session = resource_is_trust = false;
}

Decision decide(const Question& question, const Policies& policies) { return Evaluation(question, policies).run(); }

}  // namespace brume::policy
