// ECS's targets are ELBv2's.
#pragma once

#include "services/ecs/needs.h"

namespace brume::elbv2 {
struct Elbv2;
}

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
  elbv2::Elbv2& elbv2_;
};

}  // namespace brume::app
