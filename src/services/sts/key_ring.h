// Every access key that is valid, for the front door: root's conventions, IAM's long-lived keys and STS's sessions.
// Made by app before IAM and STS, which fill it; read on the I/O thread, written on the control thread.
#pragma once

#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aws/authorization.h"
#include "core/random.h"

namespace brume::sts {

class KeyRing final : public ::brume::Credentials {
 public:
  // "test" with the secret "test" is the root user of 000000000000, twelve digits with that secret the root user of
  // that account; every other key must have been issued.
  std::optional<Credential> find(std::string_view access_key_id) const override;

  void put(const std::string& access_key_id, Credential credential);
  void remove(const std::string& access_key_id);
  std::size_t size() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Credential, Hash, std::equal_to<>> issued_;
};

// An access key's id as AWS makes them: the prefix ("AKIA", "ASIA") and sixteen characters of base 32 whose first bits
// are the account.
std::string new_access_key_id(std::string_view prefix, std::string_view account, Random& random);
// The account in an id, of root's conventions too; empty for anything else.
std::string account_of_access_key(std::string_view access_key_id);

}  // namespace brume::sts
