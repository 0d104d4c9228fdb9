#include "gen/sts.h"
#include "services/sts/session_answer.h"
#include "services/sts/sts.h"

namespace brume::sts {

GetSessionTokenOutput get_session_token(Sts& sts, Tx& tx, const Request<GetSessionTokenInput>& request) {
  const GetSessionTokenInput& input = request.input;
  const Principal& caller = request.principal;
  if (input.serial_number || input.token_code)
    throw AwsError("ValidationError", "SerialNumber and TokenCode are not served by Brume: there are no MFA devices.");
  const bool long_lived = caller.expires.ms == 0;
  if (!long_lived || (caller.kind != Principal::Kind::user && caller.kind != Principal::Kind::root))
    throw AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
  // "…for AWS account owners are restricted to a maximum of 3,600 seconds (one hour)."
  const bool root = caller.kind == Principal::Kind::root;
  const std::int64_t longest = root ? 3600 : 129'600;
  const std::int64_t wanted = std::min(input.duration_seconds.value_or(root ? 3600 : 43'200), longest);
  const SessionRecord made = open_session(sts, tx, caller, seconds(wanted), {},
                                          static_cast<std::size_t>(input.minimum_session_token_size.value_or(0)));
  GetSessionTokenOutput output;
  output.credentials = shown_credentials(made);
  return output;
}

}  // namespace brume::sts
