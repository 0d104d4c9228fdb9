// Makes the balancer plane equal to the tables and writes what was observed: states of load balancers, health of
// targets. Level-triggered: a load balancer is rendered anew for every apply; applies of one never overlap. Control
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/reconcile.h"
#include "services/elbv2/elbv2.h"
#include "services/elbv2/plan.h"
#include "store/pending_writes.h"

namespace brume::elbv2 {

class Reconciler {
 public:
  explicit Reconciler(Elbv2& elbv2);
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  void start();
  void wake(const Scope& scope, const std::string& balancer_key);
  // The target's deregistration delay ends at this moment: then it is forgotten.
  void forget_target_at(const Scope& scope, const std::string& target_key, Time when);

  // Called after a target's health, or who is registered, has changed and was committed.
  using Changed = std::function<void(const Scope& scope, const std::string& group_key)>;
  void on_targets_changed(Changed callback) { changed_.push_back(std::move(callback)); }
  void tell_targets_changed(const Scope& scope, const std::string& group_key) const;

  bool idle() const { return loop_.idle(); }

 private:
  struct Known {
    std::optional<balancer::LoadBalancer> served;
    std::vector<names::Record> published;
    bool proxy_removed = false;
  };
  void reconcile(const std::string& key, ReconcileLoop::Done done);
  ObservedBalancer observe(const Scope& scope, const LoadBalancerRecord& record, const Known& known) const;
  // False when the step waits: then it answers `done` itself.
  bool take(Step step, const Scope& scope, const LoadBalancerRecord& record, const DesiredBalancer& desired,
            const ReconcileLoop::Done& done);
  void apply(const Scope& scope, const LoadBalancerRecord& record, const balancer::LoadBalancer& proxy,
             const ReconcileLoop::Done& done);
  void remove_proxy(const Scope& scope, const LoadBalancerRecord& record, const ReconcileLoop::Done& done);
  void forget(const Scope& scope, const LoadBalancerRecord& record);
  void drop_interfaces(const Scope& scope, const LoadBalancerRecord& record);
  void set_state(const Scope& scope, const std::string& key, const std::string& state, const std::string& reason);
  void health_changed(const std::string& balancer_id, const std::string& group_id, const std::string& target_id,
                      const balancer::TargetHealth& health);
  void forget_target(const Scope& scope, const std::string& target_key, Time drained);

  Elbv2& elbv2_;
  // Timers and planes' answers hold it weakly: when the reconciler is gone they do nothing.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool started_ = false;
  std::map<std::string, Known> known_;  // by the loop's keys
  std::vector<Changed> changed_;
  ReconcileLoop loop_;  // last: its handler uses the others
  PendingWrites writes_;
};

}  // namespace brume::elbv2
