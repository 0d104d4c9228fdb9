// For operations that change which target groups a load balancer uses. Control thread.
#pragma once

#include <set>
#include <string>

#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

// Made before listeners or rules are changed; `finish` after: the load balancer is touched, targets of groups that it
// uses from now on start anew, and whoever follows the groups is told.
class UsageChange {
 public:
  UsageChange(Elbv2& elbv2, Tx& tx, const Scope& scope, std::string balancer_key);
  void finish();

 private:
  Elbv2& elbv2_;
  Tx& tx_;
  const Scope scope_;
  const std::string balancer_;
  const std::set<std::string> before_;
};

}  // namespace brume::elbv2
