#include "gen/sts.h"
#include "services/sts/sts.h"

namespace brume::sts {

GetCallerIdentityOutput get_caller_identity(Sts&, Tx&, const Request<GetCallerIdentityInput>& request) {
  GetCallerIdentityOutput output;
  output.user_id = request.principal.id;
  output.account = request.principal.account;
  output.arn = request.principal.arn;
  return output;
}

GetAccessKeyInfoOutput get_access_key_info(Sts&, Tx&, const Request<GetAccessKeyInfoInput>& request) {
  // "This operation does not indicate the state of the access key": the account is read from the id.
  const std::string account = account_of_access_key(*request.input.access_key_id);
  if (account.empty())
    throw AwsError("InvalidParameterValue",
                   "The access key id does not carry an account: " + *request.input.access_key_id);
  GetAccessKeyInfoOutput output;
  output.account = account;
  return output;
}

}  // namespace brume::sts
