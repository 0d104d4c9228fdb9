// Makes the network equal to the tables: renders each touched VPC, has the plane apply it, and writes what was observed
// (NAT gateways available or gone, interfaces plugged). Level-triggered: a VPC is rendered anew for every apply,
// applies of one VPC never overlap, a failed one is repeated with a growing delay. Control thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/reconcile.h"
#include "core/runtime.h"
#include "core/scope.h"
#include "planes/network/network.h"
#include "services/ec2/needs.h"
#include "services/ec2/render.h"
#include "store/store.h"

namespace brume::ec2 {

struct Ec2;

class Reconciler {
 public:
  Reconciler(Ec2& ec2, Store& store, const Clock& clock, Control& control, network::Network& network, Names& names);
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  // Once, when everything is constructed: adopts what an earlier run left in the kernel, then applies every VPC. Before
  // that nothing is applied. `done` gets the plane's error if it cannot recover.
  void start(std::function<void(std::string error)> done);

  // The VPC's records changed, or are gone. Several wakes of one turn of the control thread become one apply.
  void wake(const Scope& scope, const std::string& vpc_id);

  // Whether the interface's sandbox has it: true once an apply of this run has included it.
  bool is_ready(const std::string& interface_id) const { return ready_.contains(interface_id); }
  // Called after the observation is committed, once for every interface that became ready.
  using Ready = std::function<void(const Scope& scope, const std::string& interface_id)>;
  void on_ready(Ready callback) { ready_callbacks_.push_back(std::move(callback)); }

  // Nothing is waiting or being applied.
  bool idle() const { return loop_.idle(); }
  // Why the VPC's network could not be made, the last time; empty when it was. For `brume status`.
  std::string error_of(const std::string& vpc_id) const { return loop_.error_of(vpc_id); }

 private:
  void reconcile(const std::string& vpc_id, ReconcileLoop::Done done);
  // Whether a network that nothing uses is kept for the next task; then it is looked at again when that is over.
  bool stays_unused(const Scope& scope, const std::string& vpc_id);
  void apply(const Scope& scope, network::Vpc vpc, ReconcileLoop::Done done);
  void remove(const Scope& scope, const std::string& vpc_id, ReconcileLoop::Done done);
  void observe(const Scope& scope, const network::Vpc& vpc);
  void publish_names(const std::string& vpc_id, PublishedNames wanted);

  Ec2& ec2_;
  Store& store_;
  const Clock& clock_;
  network::Network& network_;
  Names& names_;
  bool started_ = false;
  std::map<std::string, Scope> scopes_;  // of the VPCs that were woken or have a namespace
  std::map<std::string, Scope> ready_;   // by interface
  std::vector<Ready> ready_callbacks_;
  std::map<std::string, PublishedNames> published_;  // by VPC
  // Of the VPCs whose network this run has applied; none while it is used.
  std::map<std::string, std::optional<Time>> unused_since_;
  ReconcileLoop loop_;  // last: its handler uses the others
};

}  // namespace brume::ec2
