#include "services/sts/session_answer.h"
#include "services/sts/session_details.h"
#include "services/sts/sts.h"

namespace brume::sts {
namespace {

// How long a session of the caller may be: "…for AWS account owners are restricted to a maximum of 3,600 seconds".
Duration length_of(const Principal& caller, const opt<std::int64_t>& wanted) {
  const bool root = caller.kind == Principal::Kind::root;
  return seconds(std::min<std::int64_t>(wanted.value_or(root ? 3600 : 43'200), root ? 3600 : 129'600));
}

void check_long_lived(const Principal& caller, const std::string& operation) {
  const bool own = caller.kind == Principal::Kind::user || caller.kind == Principal::Kind::root;
  if (caller.expires.ms != 0 || !own)
    throw AwsError("AccessDenied", "Cannot call " + operation + " with session credentials", 403);
}

}  // namespace

GetSessionTokenOutput get_session_token(Sts& sts, Tx& tx, const Request<GetSessionTokenInput>& request) {
  const GetSessionTokenInput& input = request.input;
  check_long_lived(request.principal, "GetSessionToken");
  SessionRecord session;
  session.mfa = takes_mfa(sts, tx, request, input.serial_number, input.token_code);
  const SessionRecord made =
      open_session(sts, tx, request.principal, length_of(request.principal, input.duration_seconds), std::move(session),
                   static_cast<std::size_t>(input.minimum_session_token_size.value_or(0)));
  GetSessionTokenOutput output;
  output.credentials = shown_credentials(made);
  return output;
}

// A federated user has what both the caller's policies and the session policies allow; without session policies only
// what resources' own policies give it.
GetFederationTokenOutput get_federation_token(Sts& sts, Tx& tx, const Request<GetFederationTokenInput>& request) {
  const GetFederationTokenInput& input = request.input;
  const Principal& caller = request.principal;
  check_long_lived(caller, "GetFederationToken");
  Principal federated;
  federated.kind = Principal::Kind::federated_user;
  federated.account = caller.account;
  federated.id = caller.account + ":" + *input.name;
  federated.arn = make_global_arn(request.scope, "sts", "federated-user/" + *input.name);
  federated.role_arn = caller.arn;
  SessionRecord session;
  add_policies(sts, input.policy, input.policy_arns.get(), caller.account, session);
  add_tags(sts, caller, tags_of(input.tags.get()), {}, session);
  const SessionRecord made =
      open_session(sts, tx, federated, length_of(caller, input.duration_seconds), std::move(session),
                   static_cast<std::size_t>(input.minimum_session_token_size.value_or(0)));
  GetFederationTokenOutput output;
  output.credentials = shown_credentials(made);
  FederatedUser& user = output.federated_user.ensure();
  user.federated_user_id = made.id;
  user.arn = made.arn;
  output.packed_policy_size = packed_size(made);
  return output;
}

}  // namespace brume::sts
