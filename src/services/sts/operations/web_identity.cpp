// AssumeRoleWithWebIdentity: a token is read, its issuer found among the account's providers, the issuer's keys are
// fetched, the signature verified, and then the role's trust policy decides. Follows "AssumeRoleWithWebIdentity",
// "OIDC federation" and "Available keys for AWS OIDC federation".
#include <algorithm>
#include <utility>

#include "core/text.h"
#include "services/sts/issuer_keys.h"
#include "services/sts/session_answer.h"
#include "services/sts/session_details.h"
#include "services/sts/sts.h"
#include "services/sts/web_token.h"

namespace brume::sts {
namespace {

using Input = AssumeRoleWithWebIdentityInput;
using Output = AssumeRoleWithWebIdentityOutput;

// What is known of a request while its issuer's keys are fetched.
struct Attempt {
  RequestContext context;
  Input input;
  WebToken token;
  Identities::Role role;
  Identities::Provider provider;
};

// AWS tells strangers no more about a role than this.
AwsError not_authorized() { return {"AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403}; }

std::string without_scheme(const std::string& issuer) {
  return issuer.starts_with("https://") ? issuer.substr(8) : issuer;
}

// Issuers that AWS knows by itself: their keys are at Google and Amazon, of which there is none here.
void check_issuer(const Input& input, const std::string& issuer) {
  const bool built_in = issuer == "accounts.google.com" || issuer == "https://accounts.google.com" ||
                        issuer == "https://cognito-identity.amazonaws.com" || input.provider_id.has_value();
  if (!built_in) return;
  throw AwsError("NotImplemented",
                 "AssumeRoleWithWebIdentity with the identity provider " + input.provider_id.value_or(issuer) +
                     " is not served by Brume: its tokens cannot be verified here.",
                 501);
}

void check_times(const WebToken& token, Time now) {
  constexpr std::int64_t kSkewSeconds = 300;
  if (!token.expires) throw invalid_identity_token_exception("Missing a required claim: exp");
  if (!token.issued) throw invalid_identity_token_exception("Missing a required claim: iat");
  if (*token.expires <= now.seconds())
    throw expired_token_exception("Token expired: current date/time " + std::to_string(now.seconds()) +
                                  " must be before the expiration date/time" + std::to_string(*token.expires));
  if (token.not_before.value_or(0) > now.seconds() + kSkewSeconds || *token.issued > now.seconds() + kSkewSeconds)
    throw invalid_identity_token_exception("The token is not valid yet");
}

// "aud": the authorized party when the token has one, else its audiences.
std::vector<std::string> audiences_of(const WebToken& token) {
  if (!token.authorized_party.empty()) return {token.authorized_party};
  return token.audiences;
}

std::string check_audience(const WebToken& token, const Identities::Provider& provider) {
  for (const std::string& audience : audiences_of(token))
    if (std::ranges::find(provider.client_ids, audience) != provider.client_ids.end()) return audience;
  throw invalid_identity_token_exception("Incorrect token audience");
}

Attempt begin(const Sts& sts, const Request<Input>& request) {
  auto token = read_web_token(*request.input.web_identity_token);
  if (!token) throw invalid_identity_token_exception(token.error());
  check_issuer(request.input, token->issuer);
  if (token->issuer.empty() || token->subject.empty())
    throw invalid_identity_token_exception("Missing a required claim: " +
                                           std::string(token->issuer.empty() ? "iss" : "sub"));
  if (!is_served_algorithm(token->algorithm))
    throw invalid_identity_token_exception("The token's signature algorithm \"" + token->algorithm +
                                           "\" is not supported");
  std::optional<Identities::Role> role = sts.identities.find_role(*request.input.role_arn);
  if (!role) throw not_authorized();
  auto provider = sts.identities.find_provider(role->account, without_scheme(token->issuer));
  if (!provider || !token->issuer.starts_with("https://"))
    throw invalid_identity_token_exception("No OpenIDConnect provider found in your account for " + token->issuer);
  check_times(*token, request.now);
  check_audience(*token, *provider);
  return {request, request.input, std::move(*token), std::move(*role), std::move(*provider)};
}

// Claims that AWS makes condition keys, beside those of every provider.
constexpr std::string_view kGitHubClaims[] = {"actor",      "actor_id",      "job_workflow_ref",
                                              "repository", "repository_id", "workflow",
                                              "ref",        "environment",   "enterprise_id"};

Ask ask_of(const Attempt& attempt) {
  const WebToken& token = attempt.token;
  const std::string prefix = attempt.provider.url + ":";
  Ask ask{.action = "sts:AssumeRoleWithWebIdentity", .resource = attempt.role.arn};
  ask.keys.emplace("sts:RoleSessionName", *attempt.input.role_session_name);
  ask.keys.emplace("aws:FederatedProvider", attempt.provider.arn);
  ask.keys.emplace(prefix + "sub", token.subject);
  for (const std::string& audience : audiences_of(token)) ask.keys.emplace(prefix + "aud", audience);
  if (!token.authorized_party.empty())
    for (const std::string& audience : token.audiences) ask.keys.emplace(prefix + "oaud", audience);
  for (const std::string& method : token.methods) ask.keys.emplace(prefix + "amr", method);
  if (attempt.provider.url == "token.actions.githubusercontent.com")
    for (const std::string_view claim : kGitHubClaims)
      if (const auto found = token.claims.find(std::string(claim)); found != token.claims.end())
        ask.keys.emplace(prefix + found->first, found->second);
  if (!token.source_identity.empty()) ask.keys.emplace("sts:SourceIdentity", token.source_identity);
  add_tag_keys(token.principal_tags, token.transitive_tag_keys, ask);
  return ask;
}

void authorize(const Sts& sts, const Attempt& attempt) {
  RequestContext context = attempt.context;
  // Who holds the token has no identity of AWS's: the provider is the principal that the trust policy names.
  context.principal = {};
  context.principal.kind = Principal::Kind::service;
  context.principal.id = context.principal.arn = attempt.provider.arn;
  context.scope.account = attempt.role.account;
  Ask ask = ask_of(attempt);
  const auto asked = [&](const char* action) {
    ask.action = action;
    if (!sts.authorizer.authorize(context, ask).allowed) throw not_authorized();
  };
  asked("sts:AssumeRoleWithWebIdentity");
  if (!attempt.token.principal_tags.empty()) asked("sts:TagSession");
  if (!attempt.token.source_identity.empty()) asked("sts:SetSourceIdentity");
}

Output finish(Sts& sts, const Attempt& attempt) {
  const Input& input = attempt.input;
  authorize(sts, attempt);
  const std::int64_t wanted = input.duration_seconds.value_or(3600);
  if (wanted > attempt.role.max_session_seconds)
    throw AwsError("ValidationError",
                   "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  SessionRecord session;
  session.source_identity = attempt.token.source_identity;
  session.federated_provider = attempt.provider.arn;
  session.provider_keys[attempt.provider.url + ":sub"] = attempt.token.subject;
  const std::string audience = check_audience(attempt.token, attempt.provider);
  session.provider_keys[attempt.provider.url + ":aud"] = audience;
  add_policies(sts, input.policy, input.policy_arns.get(), attempt.role.account, session);
  add_tags(sts, {}, attempt.token.principal_tags, attempt.token.transitive_tag_keys, session);
  Tx tx(sts.store);
  const SessionRecord made =
      open_session(sts, tx, role_session(attempt.role, *input.role_session_name), seconds(wanted), std::move(session),
                   static_cast<std::size_t>(input.minimum_session_token_size.value_or(0)));
  tx.commit();
  Output output;
  output.credentials = shown_credentials(made);
  output.subject_from_web_identity_token = attempt.token.subject;
  AssumedRoleUser& user = output.assumed_role_user.ensure();
  user.assumed_role_id = made.id;
  user.arn = made.arn;
  output.packed_policy_size = packed_size(made);
  output.provider = attempt.provider.arn;
  output.audience = audience;
  if (!made.source_identity.empty()) output.source_identity = made.source_identity;
  return output;
}

}  // namespace

void assume_role_with_web_identity(Sts& sts, Tx&, const Request<Input>& request, Deferred<Output> answer) {
  auto attempt = std::make_shared<Attempt>(begin(sts, request));  // shared by the callback that is kept and called
  sts.issuer_keys.find(attempt->provider.url, attempt->provider.thumbprints, attempt->token,
                       [&sts, attempt, answer](const std::optional<AwsError>& problem) {
                         if (problem) return answer.fail(*problem);
                         try {
                           answer.succeed(finish(sts, *attempt));
                         } catch (const AwsError& error) {
                           answer.fail(error);
                         }
                       });
}

}  // namespace brume::sts
