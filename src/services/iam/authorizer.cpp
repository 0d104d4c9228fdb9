#include "services/iam/authorizer.h"

#include <algorithm>
#include <utility>

#include "core/arn_view.h"
#include "core/text.h"
#include "services/iam/explanation.h"
#include "services/iam/policy_checks.h"
#include "services/iam/sealed_message.h"

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

constexpr std::string_view kMessagePurpose = "sts:authorization-message";
constexpr std::string_view kEverything =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";

// EC2's tags are put on ids: policies name types. "*/vpc-1" → "vpc/vpc-1".
std::string typed_ec2_resource(Arn arn) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {{"vpc-", "vpc"},
                                                                      {"subnet-", "subnet"},
                                                                      {"sg-", "security-group"},
                                                                      {"sgr-", "security-group-rule"},
                                                                      {"rtb-", "route-table"},
                                                                      {"igw-", "internet-gateway"},
                                                                      {"nat-", "natgateway"},
                                                                      {"eipalloc-", "elastic-ip"},
                                                                      {"eni-", "network-interface"},
                                                                      {"acl-", "network-acl"},
                                                                      {"dopt-", "dhcp-options"}};
  const std::string id = arn.resource.substr(2);
  for (const auto& [prefix, type] : kTypes)
    if (id.starts_with(prefix)) arn.resource = std::string(type) + "/" + id;
  return to_string(arn);
}

std::string_view bool_text(bool value) { return value ? "true" : "false"; }

// Whose the resource is, when it is not of the caller's account: of what is there, an ARN alone says nothing.
std::string foreign_owner(const DecisionRecord& record) {
  const std::string& owner = record.policies.resource_account;
  if (owner.empty() || owner == record.principal.account) return {};
  const std::optional<Arn> arn = parse_arn(record.resource);
  return !record.policies.resource.empty() || (arn && arn->account.empty()) ? owner : std::string();
}

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

void PolicyAuthorizer::gather_user(const UserRecord& user, policy::Policies& policies) const {
  gather_permissions(user.permissions, policies);
  const Scope scope = global(parse_arn(user.arn)->account);
  for (const std::string& name : user.groups)
    if (const GroupRecord* group = iam_.groups.find(scope, key_of(name)))
      gather_permissions(group->permissions, policies);
}

PolicyAuthorizer::Caller PolicyAuthorizer::caller_of(const Principal& principal) const {
  Caller caller{.principal = principal};
  if (principal.kind == Kind::role_session) caller.role = role_of(iam_, principal);
  if (principal.kind == Kind::user) caller.user = user_of(iam_, principal);
  return caller;
}

const policy::Policies& PolicyAuthorizer::own_policies(const Caller& caller) const {
  const std::string& id = caller.role != nullptr ? caller.role->id : caller.user->id;
  Gathered& gathered = gathered_[std::hash<std::string>()(id) % gathered_.size()];
  if (gathered.version == iam_.permissions_version && gathered.id == id) return gathered.policies;
  gathered.policies.clear();
  if (caller.role != nullptr)
    gather_permissions(caller.role->permissions, gathered.policies);
  else
    gather_user(*caller.user, gathered.policies);
  gathered.id = id;
  gathered.version = iam_.permissions_version;
  return gathered.policies;
}

// The first to gather: the lists may hold a former decision's, whose memory is used again.
void PolicyAuthorizer::gather_identity(const Caller& caller, policy::Policies& policies) const {
  const Principal& principal = caller.principal;
  if (caller.role != nullptr || caller.user != nullptr) {
    const policy::Policies& own = own_policies(caller);
    policies.identity = own.identity;
    policies.boundary = own.boundary;
    policies.has_boundary = own.has_boundary;
    return;
  }
  policies.identity.clear();
  policies.boundary.clear();
  policies.has_boundary = false;
  if (principal.kind == Kind::federated_user) {
    // What the user that asked for the token may; the session policies narrow it.
    if (const UserRecord* user = find_user(iam_, principal.role_arn))
      gather_user(*user, policies);
    else if (principal.role_arn.ends_with(":root"))
      policies.identity.push_back(attach("root", kEverything, Grammar::identity));
  }
}

void PolicyAuthorizer::gather_session(const Principal& principal, policy::Policies& policies) const {
  // "If you do not pass a session policy, then the resulting federated user session has no permissions."
  const bool federated = principal.kind == Kind::federated_user;
  if (!federated && principal.session_policy.empty() && principal.session_policy_arns.empty()) return;
  policies.has_session = true;
  if (!principal.session_policy.empty())
    policies.session.push_back(attach("session", principal.session_policy, Grammar::identity));
  for (const std::string& arn : principal.session_policy_arns) policies.session.push_back(attach_managed(arn));
}

// "SCPs affect all users and roles in attached accounts, including the root user", and "do not affect any
// service-linked role".
void PolicyAuthorizer::gather_service_control(const Caller& caller, policy::Policies& policies) const {
  const Principal& principal = caller.principal;
  if (service_control == nullptr || principal.kind == Kind::anonymous || principal.kind == Kind::service) return;
  if (caller.role != nullptr && !caller.role->linked_service.empty()) return;
  for (const auto& level : service_control->levels(principal.account)) {
    std::vector<policy::Attached>& list = policies.service_control.emplace_back();
    for (const ServiceControlPolicies::Policy& scp : level)
      list.push_back(attach(scp.name, scp.document, Grammar::identity));
  }
}

void PolicyAuthorizer::gather_resource(const Ask& ask, const std::string& resource, policy::Policies& policies) const {
  const std::optional<ArnView> arn = view_arn(resource);
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
  const std::optional<ArnView> arn = view_arn(resource);
  if (arn && arn->service == "ec2" && arn->resource.starts_with("*/")) return typed_ec2_resource(*parse_arn(resource));
  // A family stands for one of its revisions.
  if (arn && arn->service == "ecs" && arn->resource.starts_with("task-definition/") &&
      arn->resource.find(':') == std::string_view::npos)
    return resource + ":*";
  if (!arn || arn->service != "iam") return resource;
  if (arn->resource == "user/*" && principal.kind == Kind::user) return principal.arn;
  const std::size_t slash = arn->resource.find('/');
  if (slash == std::string_view::npos || arn->resource.find('/', slash + 1) != std::string_view::npos) return resource;
  const std::string_view type = arn->resource.substr(0, slash);
  const std::string key = key_of(arn->resource.substr(slash + 1));
  if (type == "role")
    if (const RoleRecord* role = iam_.role_names.find(arn->account, key)) return role->arn;
  if (type == "user")
    if (const UserRecord* user = iam_.user_names.find(arn->account, key)) return user->arn;
  if (type == "group")
    if (const GroupRecord* group = iam_.group_names.find(arn->account, key)) return group->arn;
  if (type == "instance-profile")
    if (const ProfileRecord* profile = iam_.profiles.find(global(std::string(arn->account)), key)) return profile->arn;
  return resource;
}

void PolicyAuthorizer::add_caller_keys(const RequestContext& context, const Caller& caller, policy::Keys& keys) const {
  const Principal& principal = caller.principal;
  const auto put = [&keys](std::string_view name, std::string_view value) {
    if (!value.empty()) keys.set(name, value);
  };
  put("aws:PrincipalType", type_name(principal.kind));
  put("aws:PrincipalIsAWSService", bool_text(principal.kind == Kind::service && !principal.id.starts_with("arn:")));
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
    if (caller.user != nullptr) add_tags(keys, caller.user->tags);
  }
  if (caller.role != nullptr) add_tags(keys, caller.role->tags);
  // "The session tag overrides the role tag with the same key."
  add_tags(keys, principal.session_tags);
  put("aws:SourceIdentity", principal.source_identity);
  if (principal.issued.ms != 0) {
    put("aws:TokenIssueTime", iso8601(principal.issued));
    put("aws:MultiFactorAuthPresent", bool_text(principal.mfa));
    if (principal.mfa) put("aws:MultiFactorAuthAge", std::to_string((context.now - principal.issued).ms / 1000));
  }
  if (sessions != nullptr)
    if (const auto* provider_keys = sessions->provider_keys(principal))
      for (const auto& [name, value] : *provider_keys) put(name, value);
}

// aws:ResourceTag, and what IAM's own actions tell of the role or user that they change.
void PolicyAuthorizer::add_resource_keys(const Ask& ask, const std::string& resource, policy::Keys& keys) const {
  const std::string_view service = service_of(ask.action);
  const auto tag = [&](const Tags& tags) {
    for (const auto& [name, value] : tags) {
      keys.set("aws:ResourceTag/" + name, value);
      keys.set(std::string(service) + ":ResourceTag/" + name, value);
    }
  };
  const auto permissions = [&](const Permissions& held) {
    const bool given =
        std::ranges::any_of(ask.keys, [](const auto& key) { return key.first == "iam:PermissionsBoundary"; });
    if (!given && !held.boundary.empty() && service == "iam") keys.set("iam:PermissionsBoundary", held.boundary);
  };
  const bool of_iam = resource.starts_with("arn:") && view_arn(resource).value_or(ArnView{}).service == "iam";
  if (!of_iam) {
    if (resource_tags != nullptr && resource.starts_with("arn:"))
      if (const std::optional<Tags> tags = resource_tags->find(resource)) tag(*tags);
  } else if (const RoleRecord* role = find_role(iam_, resource)) {
    tag(role->tags);
    permissions(role->permissions);
  } else if (const UserRecord* user = find_user(iam_, resource)) {
    tag(user->tags);
    permissions(user->permissions);
  } else if (const PolicyRecord* owned = find_policy(iam_, resource)) {
    tag(owned->tags);
  }
}

void PolicyAuthorizer::fill_keys(const RequestContext& context, const Ask& ask, const Caller& caller,
                                 const std::string& resource, const std::string& resource_account,
                                 policy::Keys& keys) const {
  const auto put = [&keys](std::string_view name, std::string_view value) {
    if (!value.empty()) keys.set(name, value);
  };
  add_caller_keys(context, caller, keys);
  add_resource_keys(ask, resource, keys);
  // "aws:SourceIp is not in the request context when the request comes through a VPC endpoint"; these are.
  if (const auto endpoint = endpoint_of(context, ask)) {
    put("aws:SourceVpc", context.vpc);
    put("aws:SourceVpce", endpoint->endpoint);
    put("aws:VpcSourceIp", context.source_address);
  } else {
    put("aws:SourceIp", context.source_address);
  }
  put("aws:SecureTransport", bool_text(context.secure));
  put("aws:CurrentTime", iso8601(context.now));
  put("aws:EpochTime", std::to_string(context.now.seconds()));
  put("aws:RequestedRegion", context.scope.region);
  put("aws:UserAgent", context.user_agent);
  put("aws:ViaAWSService", "false");
  put("aws:ResourceAccount", resource_account);
  for (const auto& [name, value] : ask.keys) {
    // What the request says of its second factor counts for it, not what the caller's session had.
    if (name.starts_with("aws:MultiFactorAuth"))
      keys.set(name, value);
    else
      keys.add(name, value);
  }
}

void PolicyAuthorizer::note_use(const RequestContext& context, const Ask& ask, const Caller& caller) const {
  const Principal& principal = context.principal;
  const auto note = [&](std::string_view id) {
    iam_.last_uses.note(principal.account, id, context.now, service_of(ask.action), context.scope.region);
  };
  if (principal.access_key_id.starts_with("AKIA")) note(principal.access_key_id);
  // A session may outlive its role, of which nothing is told any more.
  if (caller.role != nullptr) note(caller.role->id);
}

std::optional<EndpointPolicies::Found> PolicyAuthorizer::endpoint_of(const RequestContext& context,
                                                                     const Ask& ask) const {
  if (context.vpc.empty() || endpoint_policies_ == nullptr) return std::nullopt;
  return endpoint_policies_->find(context, std::string(service_of(ask.action)));
}

// The end of AWS's message, when the endpoint's policy does not let the request through. It limits everybody, root too,
// and grants nothing.
std::optional<std::string> PolicyAuthorizer::endpoint_refusal(const RequestContext& context, const Ask& ask,
                                                              const Caller& caller) const {
  const std::optional<EndpointPolicies::Found> endpoint = endpoint_of(context, ask);
  if (!endpoint) return "because the VPC has no endpoint for the service";
  const policy::Attached attached = attach(endpoint->endpoint, endpoint->document, Grammar::own_resource);
  if (!attached.document) return "with an explicit deny in a VPC endpoint policy";
  policy::Keys keys;
  fill_keys(context, ask, caller, ask.resource, context.scope.account, keys);
  const std::string action = to_lower(ask.action);
  bool allowed = false;
  for (const policy::Statement& statement : attached.document->statements) {
    if (policy::grant_for(statement, context.principal) == policy::Grant::none) continue;
    if (!policy::applies(statement, action, ask.resource, keys)) continue;
    if (statement.effect == policy::Effect::deny) return "with an explicit deny in a VPC endpoint policy";
    allowed = true;
  }
  if (allowed) return std::nullopt;
  return "because no VPC endpoint policy allows the " + ask.action + " action";
}

// Fills the record, whose memory is a former decision's: what fits into it is not allocated again.
void PolicyAuthorizer::judge(const RequestContext& context, const Ask& ask, const Caller& caller,
                             DecisionRecord& record) const {
  policy::Policies& policies = record.policies;
  policies.clear_but_own();
  record.resource = true_resource(context.principal, ask.resource);
  gather_identity(caller, policies);
  gather_session(context.principal, policies);
  gather_service_control(caller, policies);
  gather_resource(ask, record.resource, policies);
  fill_keys(context, ask, caller, record.resource,
            policies.resource_account.empty() ? context.scope.account : policies.resource_account, record.keys);
  record.decision = policy::decide({context.principal, ask.action, record.resource, record.keys}, policies);
}

PolicyAuthorizer::Explained PolicyAuthorizer::explain(const RequestContext& context, const Ask& ask) const {
  DecisionRecord record;
  judge(context, ask, caller_of(context.principal), record);
  return {.decision = std::move(record.decision),
          .policies = std::move(record.policies),
          .keys = std::move(record.keys),
          .resource = std::move(record.resource)};
}

DecisionRecord& PolicyAuthorizer::begin_record(const RequestContext& context, const Ask& ask) const {
  DecisionRecord& record = decisions_.next();
  record.request_id = context.request_id;
  record.time = context.now;
  record.principal = context.principal;
  record.action = ask.action;
  record.resource = ask.resource;
  record.keys.clear();
  record.decision = {};
  record.root_shortcut = false;
  return record;
}

// What nearly every request of a rehearsal is: root in its own account, and no policy on the resource.
bool PolicyAuthorizer::root_needs_no_policy(const Ask& ask, const Caller& caller) const {
  policy::Policies policies;
  gather_resource(ask, ask.resource, policies);
  gather_service_control(caller, policies);
  const std::string& owner = policies.resource_account;
  return policies.resource.empty() && policies.service_control.empty() && !policies.resource_is_trust &&
         (owner.empty() || owner == caller.principal.account);
}

Verdict PolicyAuthorizer::authorize(const RequestContext& context, const Ask& ask) const {
  const Caller caller = caller_of(context.principal);
  note_use(context, ask, caller);
  DecisionRecord& record = begin_record(context, ask);
  if (!context.vpc.empty() && endpoint_policies_ != nullptr) {
    if (std::optional<std::string> refusal = endpoint_refusal(context, ask, caller)) {
      judge(context, ask, caller, record);
      if (const auto endpoint = endpoint_of(context, ask))
        record.policies.endpoint.push_back(attach(endpoint->endpoint, endpoint->document, Grammar::own_resource));
      record.decision.allowed = false;
      record.decision.explicit_deny = refusal->starts_with("with");
      record.decision.reason = *refusal;
      return {.allowed = false, .reason = *std::move(refusal), .resource_account = {}};
    }
  }
  if (context.principal.kind == Kind::root && root_needs_no_policy(ask, caller)) {
    record.policies.clear();
    record.decision.allowed = true;
    record.root_shortcut = true;
    return {.allowed = true, .reason = {}, .resource_account = {}};
  }
  judge(context, ask, caller, record);
  Verdict verdict{.allowed = record.decision.allowed, .reason = record.decision.reason, .resource_account = {}};
  verdict.resource_account = foreign_owner(record);
  // EC2 alone has its denials followed by what DecodeAuthorizationMessage reads, and only where a resource is named.
  if (!verdict.allowed && ask.action.starts_with("ec2:") && ask.resource != "*")
    verdict.reason +=
        ". Encoded authorization failure message: " + seal_message(message_secret(), authorization_message(record));
  return verdict;
}

// A text that only this cloud's paging secret makes.
std::string PolicyAuthorizer::message_secret() const { return iam_.paging.seal(kMessagePurpose, {}); }

std::optional<std::string> PolicyAuthorizer::decode_message(const std::string& encoded) const {
  return open_message(message_secret(), encoded);
}

}  // namespace brume::iam
