// What STS needs of others, in its own words; app adapts IAM and the internet namespace to it. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/request.h"
#include "aws/tags.h"

namespace brume {
class Tx;
}

namespace brume::sts {

class Identities {
 public:
  virtual ~Identities() = default;
  struct Role {
    std::string name, id, arn, account;
    std::int64_t max_session_seconds = 3600;
  };
  virtual std::optional<Role> find_role(const std::string& role_arn) const = 0;
  // Whether a managed policy can be passed for a session of this account.
  virtual bool has_policy(const std::string& account, const std::string& policy_arn) const = 0;

  struct Provider {
    std::string arn, url;  // the url without https://
    std::vector<std::string> client_ids, thumbprints;
  };
  // The account's OpenID Connect provider of this issuer, "token.actions.githubusercontent.com".
  virtual std::optional<Provider> find_provider(const std::string& account, const std::string& issuer) const = 0;

  // Whether the code is what the caller's own device shows now. A code is good once.
  virtual bool take_code(Tx& tx, const Principal& principal, const std::string& serial, const std::string& code) = 0;

  // What an encoded authorization message says; nullopt for a text that is none.
  virtual std::optional<std::string> decode_message(const std::string& encoded) const = 0;
};

// Fetches the documents of identity providers over HTTPS, from the internet namespace.
class Issuers {
 public:
  virtual ~Issuers() = default;
  struct Document {
    std::string problem;  // not empty: it could not be reached
    int status = 0;
    std::string body;
    bool trusted = false;                  // the certificate leads to a public authority, or to this cloud's own
    std::vector<std::string> thumbprints;  // SHA-1 of the certificates that the server showed, lower-case hex
  };
  virtual void fetch(const std::string& url, std::function<void(Document)> done) = 0;
};

}  // namespace brume::sts
