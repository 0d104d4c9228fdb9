// From the host to a load balancer: finds it by name and connects inside the namespace where it listens.
#pragma once

#include "core/runtime.h"
#include "front/relay.h"
#include "planes/network/network.h"

namespace brume::elbv2 {
struct Elbv2;
}

namespace brume::app {

class LoadBalancerRelay final : public Relay {
 public:
  LoadBalancerRelay(Control& control, elbv2::Elbv2& elbv2, network::Network& network)
      : control_(control), elbv2_(elbv2), network_(network) {}
  void dial(const std::string& host, std::function<void(Result)> done) override;

 private:
  void dial_on_control(const std::string& host, const std::function<void(Result)>& done);
  Control& control_;
  elbv2::Elbv2& elbv2_;
  network::Network& network_;
};

}  // namespace brume::app
