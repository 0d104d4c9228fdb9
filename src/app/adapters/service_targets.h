// ECS's targets are ELBv2's.
#pragma once

#include "services/ecs/needs.h"
#include "services/elbv2/elbv2.h"

namespace brume::app {

class ServiceTargets final : public ecs::ServiceTargets {
 public:
  explicit ServiceTargets(elbv2::Elbv2& elbv2) : elbv2_(elbv2) {}
  std::string problem(const Scope& scope, const std::string& target_group) const override;
  void add(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address, int port) override;
  void remove(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
              int port) override;
  Health health(const Scope& scope, const std::string& target_group, const std::string& address,
                int port) const override;
  void on_change(std::function<void(const Scope&, const std::string&)> callback) override;

 private:
  const elbv2::TargetGroupRecord* find(const Scope& scope, const std::string& target_group) const;
  elbv2::Elbv2& elbv2_;
};

}  // namespace brume::app
