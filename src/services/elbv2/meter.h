// The metrics of load balancers ("CloudWatch metrics for your Application Load Balancer"): access lines summed per
// minute, response times as they come, host counts once a minute. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

class Meter {
 public:
  explicit Meter(Elbv2& elbv2) : elbv2_(elbv2) {}
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void start();
  // A load balancer was made: minutes are counted while there is one.
  void wake();
  void count(const balancer::Balancer::Access& access);
  // Publishes what was counted since the last time, and the host counts.
  void flush();

 private:
  using Dimensions = std::vector<std::pair<std::string, std::string>>;
  struct Place {
    Scope scope;
    Dimensions balancer;
    std::map<std::string, Dimensions> groups;  // by the group's id
  };
  const Place* find_place(const std::string& balancer_id);
  void add(const Place& place, const Dimensions& dimensions, const std::string& name, double value);
  void count_for_balancer(const Place& place, const balancer::Balancer::Access& access);
  void count_for_group(const Place& place, const Dimensions& dimensions, const balancer::Balancer::Access& access);
  void put_host_counts();
  bool is_ticking_ = false;

  Elbv2& elbv2_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the timer holds it weakly
  std::map<std::string, Place> places_;                         // by the load balancer's id; made anew each minute
  std::map<std::pair<Scope, Dimensions>, std::map<std::string, double>> sums_;
};

}  // namespace brume::elbv2
