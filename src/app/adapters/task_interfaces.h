// ECS's network interfaces are EC2's.
#pragma once

#include "planes/network/network.h"
#include "services/ec2/ec2.h"
#include "services/ecs/needs.h"

namespace brume::app {

class TaskInterfaces final : public ecs::TaskInterfaces {
 public:
  TaskInterfaces(ec2::Ec2& ec2, network::Network& network) : ec2_(ec2), network_(network) {}

  Attached create(Tx& tx, const Scope& scope, const Wanted& wanted) override;
  void remove(Tx& tx, const Scope& scope, const std::string& interface_id) override;
  bool ready(const Scope& scope, const std::string& interface_id) const override;
  void on_ready(std::function<void(const Scope&, const std::string&)> callback) override;
  void check(const Scope& scope, const std::vector<std::string>& subnets,
             const std::vector<std::string>& groups) const override;
  std::string zone_of(const Scope& scope, const std::string& subnet) const override;
  std::string network_namespace(const std::string& sandbox) const override;
  bool reaches_internet(const Scope& scope, const std::string& interface_id) const override;
  std::string resolver_address(const Scope& scope, const std::string& interface_id) const override;

 private:
  ec2::Ec2& ec2_;
  network::Network& network_;
};

}  // namespace brume::app
