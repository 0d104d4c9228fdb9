// The key that tests sign with, unless they set another: the example of AWS's documents.
#pragma once

#include "core/error.h"
#include "front/sigv4/verify.h"

namespace brume::sigv4 {

class OneKey final : public Credentials {
 public:
  std::optional<Credential> find(std::string_view access_key_id) const override {
    if (access_key_id != key_id) return std::nullopt;
    return credential;
  }
  std::string key_id = "AKIAIOSFODNN7EXAMPLE";
  Credential credential{.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                        .session_token = {},
                        .principal = {.kind = Principal::Kind::user, .account = "123456789012"}};
};

inline Time at(std::string_view text) {
  Time time;
  BRUME_CHECK(parse_basic_iso8601(text, time));
  return time;
}

}  // namespace brume::sigv4
