// What IAM and STS need of one another: the key ring's ids and entries for IAM, IAM's roles for STS.
#pragma once

#include "services/iam/iam.h"
#include "services/sts/key_ring.h"
#include "services/sts/needs.h"

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

class RoleDirectory final : public sts::RoleDirectory {
 public:
  explicit RoleDirectory(const iam::Iam& iam) : iam_(iam) {}
  std::optional<Found> find(const std::string& role_arn) const override;
  bool has_policy(const std::string& account, const std::string& policy_arn) const override {
    return iam::find_managed(iam_, account, policy_arn).has_value();
  }

 private:
  const iam::Iam& iam_;
};

}  // namespace brume::app
