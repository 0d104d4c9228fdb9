// JSON web tokens of identity providers and the keys that sign them: reading and verifying (RFC 7515, 7517, 7519).
// What is read comes from strangers: everything is bounded. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/tags.h"

namespace brume::sts {

struct WebToken {
  std::string algorithm, key_id;
  std::string signing_input, signature;  // the two encoded parts with their dot; raw bytes
  std::string issuer, subject, authorized_party;
  std::vector<std::string> audiences, methods;  // aud, amr
  std::optional<std::int64_t> issued, expires, not_before;
  std::map<std::string, std::string> claims;  // every claim that is a text, a number or a boolean
  // What AWS reads out of its own claims ("Passing session tags using AssumeRoleWithWebIdentity").
  Tags principal_tags;
  std::vector<std::string> transitive_tag_keys;
  std::string source_identity;
};
// The token, its signature unchecked, or why it is none.
std::expected<WebToken, std::string> read_web_token(std::string_view text);

// A public key of a JSON web key set.
struct WebKey {
  std::string id, type, algorithm;  // type: "RSA" or "EC"; algorithm: empty if the set does not say
  std::string modulus, exponent;    // of RSA, big-endian
  std::string curve, x, y;          // of EC
};
// At most 200 keys; those that are not for signatures, or of other types, are left out. Nullopt: no key set.
std::optional<std::vector<WebKey>> read_key_set(std::string_view text);

// RS256, RS384, RS512, ES256, ES384, ES512: what AWS takes. "none" and the HMACs are none of them.
bool is_served_algorithm(std::string_view algorithm);
bool verify(const WebToken& token, const WebKey& key);

}  // namespace brume::sts
