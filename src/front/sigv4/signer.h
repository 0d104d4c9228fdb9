// Signs requests: links that services hand out (presigned S3 URLs), Brume's own calls to its API, and tests. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/http.h"
#include "core/time.h"
#include "front/sigv4/canonical.h"

namespace brume::sigv4 {

struct SigningKeys {
  std::string access_key_id, secret, session_token;
};

struct UnsignedRequest {
  std::string method = "GET";
  std::string path = "/";  // percent-encoded
  std::string query;       // percent-encoded
  Headers headers;         // Host among them
};

// Adds X-Amz-Date, X-Amz-Security-Token (with a token), X-Amz-Content-Sha256 (for S3) and Authorization.
// `payload_hash` is the body's SHA-256 in hex or one of S3's words.
void sign(UnsignedRequest& request, const SigningKeys& keys, std::string_view region, std::string_view service,
          std::string_view payload_hash, Time now);

// Adds the X-Amz-… parameters of a presigned URL to the query. Every header given is signed.
void presign(UnsignedRequest& request, const SigningKeys& keys, std::string_view region, std::string_view service,
             std::int64_t expires_s, Time now);

}  // namespace brume::sigv4
