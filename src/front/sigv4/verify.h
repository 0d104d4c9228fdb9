// Is this request signed by whom it says, now, for this service and region? Pure functions over the request, the
// moment and the credentials; only the cache of derived keys remembers anything. I/O thread, or any one thread.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aws/authorization.h"
#include "core/error.h"
#include "core/time.h"
#include "front/http/aws_chunked.h"
#include "front/sigv4/auth_errors.h"
#include "front/sigv4/canonical.h"
#include "front/sigv4/claim.h"

namespace brume::sigv4 {

// What the credential scope must name.
struct Expectation {
  Style style = Style::query;
  std::string_view service;  // the signing name: "elasticloadbalancing"
  std::string_view region;   // of the host that was asked; empty: any region
};

// What the signature says about the body.
struct Payload {
  enum class Kind {
    hash_of_body,     // the canonical request has the hash of the body as received (every service but S3)
    declared_hash,    // S3: x-amz-content-sha256 has it, and the body must fit
    unsigned_body,    // S3: UNSIGNED-PAYLOAD
    unsigned_chunks,  // S3: aws-chunked, its integrity only by a trailing checksum
    signed_chunks     // S3: aws-chunked, each chunk with a signature
  };
  Kind kind = Kind::hash_of_body;
  std::string text;  // what stands in the canonical request, unless it is hash_of_body
  bool trailers = false;
};
std::expected<Payload, AwsError> read_payload(const SignedRequest& request, Style style, bool presigned);

// Derived signing keys, for a day's requests of one key in one region and service. Bounded.
class KeyCache {
 public:
  const SigningKey& key(const std::string& access_key_id, const std::string& secret, const CredentialScope& scope);

 private:
  struct Entry {
    std::string secret;
    SigningKey key;
  };
  std::unordered_map<std::string, Entry> entries_;
};

struct Verified {
  Principal principal;
  SigningKey key;         // for the chunks that follow
  std::string signature;  // of the request: the seed of the chunks' chain
};

// When a request was signed, by the cloud's clock. Tools inside sign by that clock, those outside by the machine's:
// what is possible by either is taken, for a presigned request the later of the two.
Time in_cloud_time(const Claim& claim, const Clock& clock, Time now);

// `payload_hash` is what stands in the canonical request: Payload::text, or the body's SHA-256 in hex.
std::expected<Verified, AwsError> verify(const SignedRequest& request, const Claim& claim,
                                         const Expectation& expectation, std::string_view payload_hash, Time now,
                                         const Credentials& credentials, KeyCache& cache);

// The verifier of a STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER] body.
std::unique_ptr<http::ChunkVerifier> chunk_verifier(const Verified& verified, const Claim& claim);

}  // namespace brume::sigv4
