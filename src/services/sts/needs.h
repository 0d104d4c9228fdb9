// What STS needs of others, in its own words; app adapts IAM to it. Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aws/tags.h"

namespace brume::sts {

class RoleDirectory {
 public:
  virtual ~RoleDirectory() = default;
  struct Found {
    std::string name, id, arn, account;
    std::int64_t max_session_seconds = 3600;
  };
  virtual std::optional<Found> find(const std::string& role_arn) const = 0;
  // Whether a managed policy can be passed for a session of this account.
  virtual bool has_policy(const std::string& account, const std::string& policy_arn) const = 0;
};

}  // namespace brume::sts
