// Roles that services act as: what ECS asks for its tasks. Implements brume::Roles over STS; made by app; control
// thread.
#pragma once

#include "aws/authorization.h"
#include "services/sts/sts.h"

namespace brume::sts {

class ServiceRoles final : public Roles {
 public:
  explicit ServiceRoles(Sts& sts) : sts_(sts) {}
  std::optional<Principal> assume(const std::string& role_arn, const std::string& service,
                                  const std::string& session_name, std::string& why_not) const override;
  std::optional<SessionKeys> issue(Tx& tx, const std::string& role_arn, const std::string& service,
                                   const std::string& session_name, std::string& why_not) override;

 private:
  Sts& sts_;
};

}  // namespace brume::sts
