// A balancer plane without processes, for tests of services: the test says which targets answer and looks at what was
// applied. Passes the contract tests of the real one. Control thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime.h"
#include "planes/balancer/balancer.h"

namespace brume::balancer {

class FakeBalancer final : public Balancer {
 public:
  explicit FakeBalancer(Control& control) : control_(control) {}

  // The status that a target's health check gets, by "address:port"; whoever is not here refuses the connection.
  std::map<std::string, int> answers;
  // Every target is checked after each apply; else when the test calls `check`.
  bool checks_at_once = true;
  void check();
  // The next applies fail with these, in order; "" succeeds.
  std::vector<std::string> errors;
  // A request was served.
  void access(const Access& access);

  // What was asked.
  std::map<std::string, LoadBalancer> balancers;
  std::vector<LoadBalancer> applied;  // in order, equal ones included
  int recovered = 0;

  void recover(Done done) override;
  void apply(LoadBalancer balancer, Done done) override;
  void remove(const std::string& id, Done done) override;
  void on_health(std::function<void(const std::string& balancer, const std::string& group, const std::string& target,
                                    const TargetHealth& health)>
                     callback) override {
    health_callback_ = std::move(callback);
  }
  void statistics(const std::string& id, std::function<void(std::map<std::string, Statistics>)> done) override;
  void on_access(std::function<void(const Access&)> callback) override { access_callback_ = std::move(callback); }
  void remove_all(Done done) override;

 private:
  using Key = std::pair<std::string, std::string>;  // group, target
  void tell(const std::string& balancer, const Key& key, const TargetHealth& health);
  TargetHealth checked(const TargetGroup& group, const Target& target) const;

  Control& control_;
  std::map<std::string, std::map<Key, TargetHealth>> told_;
  std::map<std::string, std::map<std::string, Statistics>> statistics_;
  std::function<void(const std::string&, const std::string&, const std::string&, const TargetHealth&)> health_callback_;
  std::function<void(const Access&)> access_callback_;
};

// Whether a status fits a matcher: "200", "200,202", "200-299,301".
bool status_matches(const std::string& matcher, int status);

}  // namespace brume::balancer
