#include "gen/sts.h"
#include "services/sts/sts.h"

namespace brume::sts {

DecodeAuthorizationMessageOutput decode_authorization_message(Sts& sts, Tx&,
                                                              const Request<DecodeAuthorizationMessageInput>& request) {
  std::optional<std::string> message = sts.identities.decode_message(*request.input.encoded_message);
  if (!message) throw invalid_authorization_message_exception("Message is not valid");
  DecodeAuthorizationMessageOutput output;
  output.decoded_message = std::move(*message);
  return output;
}

}  // namespace brume::sts
