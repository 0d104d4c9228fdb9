// The service control policies that `brume up --service-control-policy FILE` was given, as IAM asks for them: each file
// is a level of an organization that every account is in. Read once, at the start.
#pragma once

#include <string>
#include <vector>

#include "services/iam/needs.h"

namespace brume::app {

class ServiceControlPolicies final : public iam::ServiceControlPolicies {
 public:
  // Throws std::runtime_error for a file that is not there or is no policy.
  explicit ServiceControlPolicies(const std::vector<std::string>& files);
  const std::vector<std::vector<Policy>>& levels(const std::string&) const override { return levels_; }

 private:
  std::vector<std::vector<Policy>> levels_;
};

}  // namespace brume::app
