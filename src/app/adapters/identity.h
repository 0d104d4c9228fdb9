// What IAM and STS need of one another: the key ring's ids and entries for IAM, IAM's roles, providers and devices for
// STS, the sessions' keys and other services' tags for the authorizer.
#pragma once

#include "services/iam/authorizer.h"
#include "services/iam/iam.h"
#include "services/sts/key_ring.h"
#include "services/sts/needs.h"
#include "services/sts/sts.h"

namespace brume::app {

class AccessKeys final : public iam::AccessKeys {
 public:
  AccessKeys(sts::KeyRing& ring, Random& random) : ring_(ring), random_(random) {}
  std::string new_id(const std::string& account) override { return sts::new_access_key_id("AKIA", account, random_); }
  std::string account_of(const std::string& id) const override { return sts::account_of_access_key(id); }
  void put(const std::string& id, Credential credential) override { ring_.put(id, std::move(credential)); }
  void remove(const std::string& id) override { ring_.remove(id); }

 private:
  sts::KeyRing& ring_;
  Random& random_;
};

class Identities final : public sts::Identities {
 public:
  Identities(iam::Iam& iam, const iam::PolicyAuthorizer& authorizer) : iam_(iam), authorizer_(authorizer) {}
  std::optional<Role> find_role(const std::string& role_arn) const override;
  bool has_policy(const std::string& account, const std::string& policy_arn) const override {
    return iam::find_managed(iam_, account, policy_arn).has_value();
  }
  std::optional<Provider> find_provider(const std::string& account, const std::string& issuer) const override;
  bool take_code(Tx& tx, const Principal& principal, const std::string& serial, const std::string& code) override;
  std::optional<std::string> decode_message(const std::string& encoded) const override {
    return authorizer_.decode_message(encoded);
  }

 private:
  iam::Iam& iam_;
  const iam::PolicyAuthorizer& authorizer_;
};

class Sessions final : public iam::Sessions {
 public:
  explicit Sessions(const sts::Sts& sts) : sts_(sts) {}
  const std::map<std::string, std::string>* provider_keys(const Principal& principal) const override;

 private:
  const sts::Sts& sts_;
};

}  // namespace brume::app
