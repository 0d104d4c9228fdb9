// The canonical request, string to sign and derived keys of Signature Version 4: "Create a signed AWS API request" of
// the IAM user guide. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/http.h"

namespace brume::sigv4 {

// What a signature covers, as the request has it on the wire.
struct SignedRequest {
  std::string_view method;
  std::string_view path;   // percent-encoded, as sent
  std::string_view query;  // as sent, without '?'
  const Headers* headers = nullptr;
};

// S3 encodes the path once and leaves it as it is; every other service encodes the sent path again and removes "." and
// ".." segments and repeated slashes.
enum class PathRule { s3, others };

// `signed_headers` are lower-case names in the order of SignedHeaders. The query's X-Amz-Signature is left out.
std::string canonical_request(const SignedRequest& request, PathRule path_rule,
                              const std::vector<std::string>& signed_headers, std::string_view payload_hash);
std::string canonical_path(std::string_view path, PathRule path_rule);
std::string canonical_query(std::string_view query);

struct CredentialScope {
  std::string date;  // YYYYMMDD
  std::string region;
  std::string service;
  bool operator==(const CredentialScope&) const = default;
  std::string text() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

std::string string_to_sign(std::string_view timestamp, const CredentialScope& scope, std::string_view canonical);

// HMAC-SHA-256 with one key, whose pads are computed once.
class SigningKey {
 public:
  explicit SigningKey(std::string_view key);
  std::string sign(std::string_view text) const;  // 32 raw bytes
  // Whether `signature` is the text's, in hex; in constant time.
  bool matches(std::string_view text, std::string_view signature) const;

 private:
  // Shared and never changed: keys are copied out of the cache into the chunk verifiers of running uploads.
  struct Pads;
  std::shared_ptr<const Pads> pads_;
};

SigningKey derive_key(std::string_view secret, const CredentialScope& scope);

}  // namespace brume::sigv4
