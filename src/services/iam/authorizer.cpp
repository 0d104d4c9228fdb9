#include "services/iam/authorizer.h"

#include <utility>

#include "services/iam/policy_checks.h"

namespace brume::iam {
namespace {

using Kind = Principal::Kind;
using policy::Grammar;

std::string_view service_of(std::string_view action) { return action.substr(0, action.find(':')); }

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::anonymous:
      return "Anonymous";
    case Kind::root:
      return "Account";
    case Kind::user:
      return "User";
    case Kind::role_session:
      return "AssumedRole";
    case Kind::federated_user:
      return "FederatedUser";
    case Kind::service:
      return "Service";
  }
  return "Anonymous";
}

// The role of the session, if it is still the one that was assumed.
const RoleRecord* role_of(const Iam& iam, const Principal& principal) {
  const RoleRecord* role = find_role(iam, principal.role_arn);
  if (role == nullptr || !principal.id.starts_with(role->id + ":")) return nullptr;
  return role;
}

const UserRecord* user_of(const Iam& iam, const Principal& principal) {
  const UserRecord* user = find_user(iam, principal.arn);
  return user != nullptr && user->id == principal.id ? user : nullptr;
}

bool is_account_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view bool_text(bool value) { return value ? "true" : "false"; }

void add_tags(policy::Keys& keys, const Tags& tags) {
  for (const auto& [key, value] : tags) keys.set("aws:PrincipalTag/" + key, value);
}

}  // namespace

void PolicyAuthorizer::add_resource_policies(std::string service, const ResourcePolicies& policies) {
  resource_policies_[std::move(service)] = &policies;
}

policy::Attached PolicyAuthorizer::attach(std::string name, std::string_view text, Grammar grammar) const {
  return {std::move(name), iam_.documents.get(text, grammar)};
}

policy::Attached PolicyAuthorizer::attach_managed(const std::string& arn) const {
  const std::string_view document = managed_document(iam_, arn);
  // A policy that is gone neither allows nor denies; one that cannot be read denies.
  static const auto kNothing_allowed = std::make_shared<const policy::Document>();
  if (document.empty()) return {arn, kNothing_allowed};
  return attach(arn, document, Grammar::identity);
}

void PolicyAuthorizer::gather_permissions(const Permissions& permissions, policy::Policies& policies) const {
  for (const auto& [name, document] : permissions.inline_policies)
    policies.identity.push_back(attach(name, document, Grammar::identity));
  for (const std::string& arn : permissions.attached) policies.identity.push_back(attach_managed(arn));
  if (permissions.boundary.empty()) return;
  policies.has_boundary = true;
  policies.boundary.push_back(attach_managed(permissions.boundary));
}

void PolicyAuthorizer::gather_identity(const Principal& principal, policy::Policies& policies) const {
  if (principal.kind == Kind::user) {
    if (const UserRecord* user = user_of(iam_, principal)) gather_permissions(user->permissions, policies);
  } else if (principal.kind == Kind::role_session) {
    if (const RoleRecord* role = role_of(iam_, principal)) gather_permissions(role->permissions, policies);
  }
}

void PolicyAuthorizer::gather_session(const Principal& principal, policy::Policies& policies) const {
  if (principal.session_policy.empty() && principal.session_policy_arns.empty()) return;
  policies.has_session = true;
  if (!principal.session_policy.empty())
    policies.session.push_back(attach("session", principal.session_policy, Grammar::identity));
  for (const std::string& arn : principal.session_policy_arns) policies.session.push_back(attach_managed(arn));
}

void PolicyAuthorizer::gather_resource(const Ask& ask, const std::string& resource, policy::Policies& policies) const {
  const std::optional<Arn> arn = parse_arn(resource);
  if (!arn) return;
  // AWS's own managed policies are of the account "aws" and everybody's to read.
  if (is_account_id(arn->account)) policies.resource_account = arn->account;
  if (arn->service == "iam" && service_of(ask.action) == "sts") {
    // A role's resource-based policy is its trust policy.
    policies.resource_is_trust = true;
    if (const RoleRecord* role = find_role(iam_, resource))
      policies.resource.push_back(attach(resource, effective_trust(iam_, *role), Grammar::trust));
    return;
  }
  // What is to be made has no policy yet: a name that somebody else took is the service's to say.
  if (ask.action == "s3:CreateBucket") return;
  const auto source = resource_policies_.find(arn->service);
  if (source == resource_policies_.end()) return;
  const std::optional<ResourcePolicies::Found> found = source->second->find(resource);
  if (!found) return;
  policies.resource_account = found->owner_account;
  if (!found->document.empty()) policies.resource.push_back(attach(resource, found->document, Grammar::own_resource));
}

// Requests name a role or user, policies its ARN with the path: "arn:aws:iam::…:role/NAME" becomes the ARN it has, and
// a user who names nobody means itself.
std::string PolicyAuthorizer::true_resource(const Principal& principal, const std::string& resource) const {
  const std::optional<Arn> arn = parse_arn(resource);
  if (!arn || arn->service != "iam") return resource;
  if (arn->resource == "user/*" && principal.kind == Kind::user) return principal.arn;
  const std::size_t slash = arn->resource.find('/');
  if (slash == std::string::npos || arn->resource.find('/', slash + 1) != std::string::npos) return resource;
  const std::string type = arn->resource.substr(0, slash), key = key_of(arn->resource.substr(slash + 1));
  const Scope scope = global(arn->account);
  if (type == "role")
    if (const RoleRecord* role = iam_.roles.find(scope, key)) return role->arn;
  if (type == "user")
    if (const UserRecord* user = iam_.users.find(scope, key)) return user->arn;
  if (type == "instance-profile")
    if (const ProfileRecord* profile = iam_.profiles.find(scope, key)) return profile->arn;
  return resource;
}

policy::Keys PolicyAuthorizer::keys_for(const RequestContext& context, const Ask& ask,
                                        const std::string& resource_account) const {
  const Principal& principal = context.principal;
  policy::Keys keys;
  const auto put = [&keys](std::string_view name, std::string_view value) {
    if (!value.empty()) keys.set(name, std::string(value));
  };
  put("aws:PrincipalType", type_name(principal.kind));
  put("aws:PrincipalIsAWSService", bool_text(principal.kind == Kind::service));
  put("aws:userid", principal.kind == Kind::anonymous ? "anonymous" : std::string_view(principal.id));
  if (principal.kind == Kind::service) {
    put("aws:PrincipalServiceName", principal.id);
  } else {
    put("aws:PrincipalAccount", principal.account);
    // For a session it is the role's ARN, which a policy can name, not the session's.
    put("aws:PrincipalArn", principal.kind == Kind::role_session ? principal.role_arn : principal.arn);
  }
  if (principal.kind == Kind::user) {
    put("aws:username", std::string_view(principal.arn).substr(principal.arn.rfind('/') + 1));
    if (const UserRecord* user = user_of(iam_, principal)) add_tags(keys, user->tags);
  }
  if (principal.kind == Kind::role_session)
    if (const RoleRecord* role = role_of(iam_, principal)) add_tags(keys, role->tags);
  // "The session tag overrides the role tag with the same key."
  add_tags(keys, principal.session_tags);
  put("aws:SourceIdentity", principal.source_identity);
  if (principal.issued.ms != 0) {
    put("aws:TokenIssueTime", iso8601(principal.issued));
    put("aws:MultiFactorAuthPresent", bool_text(principal.mfa));
  }
  put("aws:SourceIp", context.source_address);
  put("aws:SecureTransport", bool_text(context.secure));
  put("aws:CurrentTime", iso8601(context.now));
  put("aws:EpochTime", std::to_string(context.now.seconds()));
  put("aws:RequestedRegion", context.scope.region);
  put("aws:UserAgent", context.user_agent);
  put("aws:ViaAWSService", "false");
  put("aws:ResourceAccount", resource_account);
  for (const auto& [name, value] : ask.keys) keys.add(name, value);
  return keys;
}

void PolicyAuthorizer::note_use(const RequestContext& context, const Ask& ask) const {
  const Principal& principal = context.principal;
  const LastUse use{context.now, std::string(service_of(ask.action)), context.scope.region};
  if (principal.access_key_id.starts_with("AKIA")) iam_.key_uses.insert_or_assign(principal.access_key_id, use);
  if (principal.kind == Kind::role_session)
    iam_.role_uses.insert_or_assign(principal.id.substr(0, principal.id.find(':')), use);
}

PolicyAuthorizer::Explained PolicyAuthorizer::explain(const RequestContext& context, const Ask& ask) const {
  Explained explained;
  policy::Policies& policies = explained.policies;
  const std::string resource = true_resource(context.principal, ask.resource);
  gather_identity(context.principal, policies);
  gather_session(context.principal, policies);
  gather_resource(ask, resource, policies);
  const policy::Keys keys =
      keys_for(context, ask, policies.resource_account.empty() ? context.scope.account : policies.resource_account);
  explained.decision = policy::decide({context.principal, ask.action, resource, keys}, policies);
  return explained;
}

Verdict PolicyAuthorizer::authorize(const RequestContext& context, const Ask& ask) const {
  note_use(context, ask);
  if (context.principal.kind == Kind::root) {
    // What nearly every request of a rehearsal is: root in its own account, and no policy on the resource.
    policy::Policies policies;
    gather_resource(ask, ask.resource, policies);
    const std::string& owner = policies.resource_account;
    if (policies.resource.empty() && !policies.resource_is_trust &&
        (owner.empty() || owner == context.principal.account))
      return {true, {}};
  }
  policy::Decision decision = explain(context, ask).decision;
  return {decision.allowed, std::move(decision.reason)};
}

}  // namespace brume::iam
