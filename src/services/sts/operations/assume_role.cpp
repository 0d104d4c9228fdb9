#include <algorithm>
#include <cmath>

#include "aws/policy/document.h"
#include "core/text.h"
#include "gen/sts.h"
#include "services/sts/session_answer.h"
#include "services/sts/sts.h"

namespace brume::sts {
namespace {

constexpr std::int64_t kHour = 3600;
// "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters."
constexpr std::size_t kSessionPolicySize = 2048;

AwsError denied(const RequestContext& request, const Ask& ask, const Verdict& verdict) {
  return AwsError("AccessDenied", denial_message(request.principal, ask, verdict), 403);
}

void check_served(const AssumeRoleInput& input) {
  if (input.serial_number || input.token_code)
    throw AwsError("ValidationError", "SerialNumber and TokenCode are not served by Brume: there are no MFA devices.");
  if (!input.provided_contexts.get().empty())
    throw AwsError("ValidationError", "ProvidedContexts is not served by Brume.");
}

// The condition keys of "Available keys for AWS STS" that the request brings.
Ask assume_ask(const AssumeRoleInput& input, const std::string& source_identity) {
  Ask ask{.action = "sts:AssumeRole", .resource = *input.role_arn};
  ask.keys.emplace("sts:RoleSessionName", *input.role_session_name);
  if (input.external_id) ask.keys.emplace("sts:ExternalId", *input.external_id);
  if (!source_identity.empty()) ask.keys.emplace("sts:SourceIdentity", source_identity);
  for (const Tag& tag : input.tags.get()) {
    ask.keys.emplace("aws:RequestTag/" + tag.key.get(), tag.value.get());
    ask.keys.emplace("aws:TagKeys", tag.key.get());
  }
  for (const std::string& key : input.transitive_tag_keys.get()) ask.keys.emplace("sts:TransitiveTagKeys", key);
  return ask;
}

void authorize(const Sts& sts, const RequestContext& request, Ask ask, std::string action) {
  ask.action = std::move(action);
  const Verdict verdict = sts.authorizer.authorize(request, ask);
  if (!verdict.allowed) throw denied(request, ask, verdict);
}

Duration session_length(const AssumeRoleInput& input, const Principal& caller, const RoleDirectory::Found& role) {
  const std::int64_t wanted = input.duration_seconds.value_or(kHour);
  if (caller.kind == Principal::Kind::role_session && wanted > kHour)
    throw AwsError(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  if (wanted > role.max_session_seconds)
    throw AwsError("ValidationError",
                   "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  return seconds(wanted);
}

void add_policies(const Sts& sts, const AssumeRoleInput& input, const std::string& account, SessionRecord& session) {
  if (input.policy) {
    auto document = policy::parse_document(*input.policy, policy::Grammar::identity);
    if (!document) throw malformed_policy_document_exception(document.error().message);
    session.session_policy = *input.policy;
  }
  std::size_t size = session.session_policy.size();
  for (const PolicyDescriptorType& descriptor : input.policy_arns.get()) {
    const std::string& arn = descriptor.arn.get();
    if (!sts.role_directory.has_policy(account, arn))
      throw AwsError("ValidationError", "The specified policy " + arn + " does not exist or is not attachable.");
    session.session_policy_arns.push_back(arn);
    size += arn.size();
  }
  if (size > kSessionPolicySize)
    throw packed_policy_too_large_exception("Packed size of session policies and tags consumes " +
                                            std::to_string(size * 100 / kSessionPolicySize) +
                                            "% of the allotted space.");
}

// Session tags: those of the request, and the transitive ones of the session that asks ("Passing session tags in AWS
// STS").
void add_tags(const Sts& sts, const Request<AssumeRoleInput>& request, SessionRecord& session) {
  const Tags given = tags_from(request.input.tags.get());
  if (given.size() != request.input.tags.get().size())
    throw AwsError("InvalidParameterValue",
                   "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  if (const std::string problem = tag_problem(given); !problem.empty())
    throw AwsError("InvalidParameterValue", problem);
  session.session_tags = given;
  session.transitive_tag_keys = request.input.transitive_tag_keys.get();
  for (const std::string& key : session.transitive_tag_keys)
    if (!given.contains(key))
      throw AwsError("InvalidParameterValue", "The transitive tag key " + key + " is not among the session's tags.");
  const SessionRecord* caller = sts.sessions.find({request.principal.account, ""}, request.principal.access_key_id);
  if (caller == nullptr) return;
  for (const std::string& key : caller->transitive_tag_keys) {
    const auto inherited = caller->session_tags.find(key);
    if (inherited == caller->session_tags.end()) continue;
    if (given.contains(key))
      throw AwsError("InvalidParameterValue",
                     "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag "
                     "key from the calling session.");
    session.session_tags[key] = inherited->second;
    session.transitive_tag_keys.push_back(key);
  }
}

std::string source_identity_of(const Request<AssumeRoleInput>& request) {
  const std::string& inherited = request.principal.source_identity;
  const std::string given = request.input.source_identity.get();
  // "You cannot change the source identity in a chained session."
  if (!inherited.empty() && !given.empty() && given != inherited)
    throw AwsError(
        "AccessDenied",
        denial_message(request.principal, {.action = "sts:SetSourceIdentity", .resource = *request.input.role_arn}, {}),
        403);
  return given.empty() ? inherited : given;
}

}  // namespace

AssumeRoleOutput assume_role(Sts& sts, Tx& tx, const Request<AssumeRoleInput>& request) {
  const AssumeRoleInput& input = request.input;
  check_served(input);
  if (request.principal.kind == Principal::Kind::root)
    throw AwsError("AccessDenied", "Roles may not be assumed by root accounts.", 403);
  SessionRecord session;
  session.source_identity = source_identity_of(request);
  const Ask ask = assume_ask(input, session.source_identity);
  const std::optional<RoleDirectory::Found> role = sts.role_directory.find(*input.role_arn);
  // A role that does not exist looks like one that may not be assumed.
  if (!role) throw denied(request, ask, {});
  authorize(sts, request, ask, "sts:AssumeRole");
  if (!input.tags.get().empty()) authorize(sts, request, ask, "sts:TagSession");
  if (!session.source_identity.empty()) authorize(sts, request, ask, "sts:SetSourceIdentity");
  const Duration length = session_length(input, request.principal, *role);
  add_policies(sts, input, role->account, session);
  add_tags(sts, request, session);
  const Principal principal = role_session(*role, *input.role_session_name);
  const std::size_t packed = session.session_policy.size();
  const bool packs = input.policy || !input.policy_arns.get().empty() || !input.tags.get().empty();
  const SessionRecord made = open_session(sts, tx, principal, length, session,
                                          static_cast<std::size_t>(input.minimum_session_token_size.value_or(0)));
  AssumeRoleOutput output;
  output.credentials = shown_credentials(made);
  AssumedRoleUser& user = output.assumed_role_user.ensure();
  user.assumed_role_id = made.id;
  user.arn = made.arn;
  if (packs)
    output.packed_policy_size = static_cast<std::int64_t>((packed * 100 + kSessionPolicySize - 1) / kSessionPolicySize);
  if (!made.source_identity.empty()) output.source_identity = made.source_identity;
  return output;
}

}  // namespace brume::sts
