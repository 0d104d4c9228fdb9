// The place of Smithy's RPC v2 CBOR protocol. No served service needs it yet; a request that speaks it is refused.
#include "front/protocols/codec.h"

namespace brume::protocols {

[[noreturn]] void decode_rpc_v2_cbor(Decoding& decoding) {
  throw AwsError("UnknownOperationException",
                 "Brume does not speak the protocol smithy-rpc-v2-cbor for " + std::string(decoding.service.id) +
                     "; an SDK that speaks JSON or query to it is served.",
                 501);
}

}  // namespace brume::protocols
