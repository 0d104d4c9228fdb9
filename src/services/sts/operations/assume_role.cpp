#include <algorithm>

#include "services/sts/session_answer.h"
#include "services/sts/session_details.h"
#include "services/sts/sts.h"

namespace brume::sts {
namespace {

constexpr std::int64_t kHour = 3600;

// The condition keys of "Available keys for AWS STS" that the request brings.
Ask assume_ask(const AssumeRoleInput& input, const Tags& tags, const std::string& source_identity, bool mfa) {
  Ask ask{.action = "sts:AssumeRole", .resource = *input.role_arn};
  ask.keys.emplace("sts:RoleSessionName", *input.role_session_name);
  if (input.external_id) ask.keys.emplace("sts:ExternalId", *input.external_id);
  if (!source_identity.empty()) ask.keys.emplace("sts:SourceIdentity", source_identity);
  if (mfa) {
    ask.keys.emplace("aws:MultiFactorAuthPresent", "true");
    ask.keys.emplace("aws:MultiFactorAuthAge", "0");
  }
  add_tag_keys(tags, input.transitive_tag_keys.get(), ask);
  return ask;
}

Duration session_length(const AssumeRoleInput& input, const Principal& caller, const Identities::Role& role) {
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

// True when the request brings a code of the caller's device, which must be right.
bool takes_mfa(Sts& sts, Tx& tx, const RequestContext& request, const opt<std::string>& serial,
               const opt<std::string>& code) {
  if (!serial && !code) return false;
  if (!serial || !code || !sts.identities.take_code(tx, request.principal, *serial, *code))
    throw AwsError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", 403);
  return true;
}

AssumeRoleOutput assume_role(Sts& sts, Tx& tx, const Request<AssumeRoleInput>& request) {
  const AssumeRoleInput& input = request.input;
  if (!input.provided_contexts.get().empty())
    throw AwsError("ValidationError", "ProvidedContexts is not served by Brume.");
  if (request.principal.kind == Principal::Kind::root)
    throw AwsError("AccessDenied", "Roles may not be assumed by root accounts.", 403);
  SessionRecord session;
  session.mfa = takes_mfa(sts, tx, request, input.serial_number, input.token_code);
  session.source_identity = source_identity_of(request);
  const Tags tags = tags_of(input.tags.get());
  Ask ask = assume_ask(input, tags, session.source_identity, session.mfa);
  const std::optional<Identities::Role> role = sts.identities.find_role(*input.role_arn);
  // A role that does not exist looks like one that may not be assumed.
  if (!role) throw AwsError("AccessDenied", denial_message(request.principal, ask, {}), 403);
  require(sts, request, ask);
  const auto also = [&](const char* action) {
    ask.action = action;
    require(sts, request, ask);
  };
  if (!tags.empty()) also("sts:TagSession");
  if (!session.source_identity.empty()) also("sts:SetSourceIdentity");
  const Duration length = session_length(input, request.principal, *role);
  add_policies(sts, input.policy, input.policy_arns.get(), role->account, session);
  add_tags(sts, request.principal, tags, input.transitive_tag_keys.get(), session);
  const SessionRecord made =
      open_session(sts, tx, role_session(*role, *input.role_session_name), length, std::move(session),
                   static_cast<std::size_t>(input.minimum_session_token_size.value_or(0)));
  AssumeRoleOutput output;
  output.credentials = shown_credentials(made);
  AssumedRoleUser& user = output.assumed_role_user.ensure();
  user.assumed_role_id = made.id;
  user.arn = made.arn;
  output.packed_policy_size = packed_size(made);
  if (!made.source_identity.empty()) output.source_identity = made.source_identity;
  return output;
}

}  // namespace brume::sts
