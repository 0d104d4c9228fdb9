// The signing keys of OpenID Connect issuers: found by the issuer's discovery document, kept for some minutes, fetched
// again when a token names a key that is not among them ("OpenID Connect Discovery 1.0"). Owned by Sts; control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "services/sts/needs.h"
#include "services/sts/web_token.h"

namespace brume::sts {

class IssuerKeys {
 public:
  IssuerKeys(const Clock& clock, Issuers& issuers) : clock_(clock), issuers_(issuers) {}
  IssuerKeys(const IssuerKeys&) = delete;
  IssuerKeys& operator=(const IssuerKeys&) = delete;

  // Whether the issuer ("host/path") has signed the token: nothing, or the error to answer. The issuer's certificate
  // must be known, or among the provider's thumbprints.
  using Done = std::function<void(const std::optional<AwsError>& problem)>;
  void find(const std::string& issuer, const std::vector<std::string>& thumbprints, const WebToken& token, Done done);

 private:
  struct Kept {
    std::vector<WebKey> keys;
    std::vector<std::string> thumbprints;  // of the certificates that vouched; empty: a public authority did
    Time fetched;
  };
  struct Search;
  using Searches = std::vector<std::shared_ptr<Search>>;
  void discover(const std::shared_ptr<Search>& search);
  void take_configuration(const std::string& issuer, const Issuers::Document& document);
  void take_keys(const std::string& issuer, const Issuers::Document& document);
  Searches usable(const std::string& issuer, const Issuers::Document& document);
  void end_all(const std::string& issuer, const AwsError& problem);
  bool judge(const std::shared_ptr<Search>& search, const Kept& kept);

  const Clock& clock_;
  Issuers& issuers_;
  std::map<std::string, Kept> kept_;
  // By issuer: who waits for what is being fetched. One fetch for all of them.
  std::map<std::string, Searches> waiting_;
};

}  // namespace brume::sts
