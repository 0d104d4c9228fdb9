// ELBv2's network is EC2's.
#pragma once

#include "planes/network/network.h"
#include "services/ec2/ec2.h"
#include "services/elbv2/needs.h"

namespace brume::app {

class BalancerInterfaces final : public elbv2::BalancerNetwork {
 public:
  BalancerInterfaces(ec2::Ec2& ec2, network::Network& network) : ec2_(ec2), network_(network) {}

  std::optional<Subnet> find_subnet(const Scope& scope, const std::string& id) const override;
  bool vpc_exists(const Scope& scope, const std::string& vpc) const override;
  std::vector<std::string> vpc_cidrs(const Scope& scope, const std::string& vpc) const override;
  bool has_internet_gateway(const Scope& scope, const std::string& vpc) const override;
  std::optional<std::string> vpc_of_group(const Scope& scope, const std::string& group) const override;
  std::string default_group(const Scope& scope, const std::string& vpc) const override;
  std::string zone_of_address(const Scope& scope, const std::string& vpc, const std::string& address) const override;
  Attached create(Tx& tx, const Scope& scope, const Wanted& wanted) override;
  void remove(Tx& tx, const Scope& scope, const std::string& interface) override;
  void set_groups(Tx& tx, const Scope& scope, const std::string& interface,
                  const std::vector<std::string>& groups) override;
  bool ready(const Scope& scope, const std::string& interface) const override;
  void on_ready(std::function<void(const Scope&, const std::string&)> callback) override;
  std::string network_namespace(const std::string& sandbox) const override;

 private:
  ec2::Ec2& ec2_;
  network::Network& network_;
};

}  // namespace brume::app
