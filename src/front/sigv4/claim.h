// What a request says about its signature, read from the Authorization header or the query string. Pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "front/sigv4/auth_errors.h"
#include "front/sigv4/canonical.h"

namespace brume::sigv4 {

struct Claim {
  bool presigned = false;
  std::string access_key_id;
  CredentialScope scope;
  std::vector<std::string> signed_headers;
  std::string signature;  // as sent, hex
  std::string timestamp;  // "20260301T120000Z"
  Time time;
  std::int64_t expires_s = 0;  // presigned: from `time`
  std::string session_token;
};

// The region and service of the credential, whatever else may be wrong: requests are routed by it before the service,
// and with it the wording of errors, is known. nullopt: none is given.
std::optional<CredentialScope> peek_scope(const SignedRequest& request);

// nullopt: the request is not signed. An error when it is, but cannot be understood.
std::expected<std::optional<Claim>, AwsError> read_claim(const SignedRequest& request, Style style);

}  // namespace brume::sigv4
