#include "services/ec2/reconciler.h"

#include <algorithm>
#include <utility>

#include "services/ec2/ec2.h"
#include "services/ec2/nat_gateways.h"
#include "store/tx.h"

namespace brume::ec2 {
namespace {

// How long a network stays that nothing uses. To make one anew (its namespace, its table, its nft process) takes longer
// than all the rest of a task's start that is not the container's.
constexpr Duration kUnusedStays = minutes(10);

}  // namespace

Reconciler::Reconciler(Ec2& ec2, Store& store, const Clock& clock, Control& control, network::Network& network,
                       Names& names)
    : ec2_(ec2),
      store_(store),
      clock_(clock),
      network_(network),
      names_(names),
      loop_(control, clock, "ec2",
            [this](const std::string& vpc_id, ReconcileLoop::Done done) { reconcile(vpc_id, std::move(done)); }) {}

void Reconciler::start(std::function<void(std::string)> done) {
  network_.recover([this, done = std::move(done)](const std::string& error) {
    if (error.empty()) {
      started_ = true;
      // VPCs whose namespace outlived their records come from the second table.
      ec2_.vpcs.for_all(
          [&](const Scope& scope, std::string_view id, const auto&) { scopes_[std::string(id)] = scope; });
      ec2_.networks.for_all(
          [&](const Scope& scope, std::string_view id, const auto&) { scopes_[std::string(id)] = scope; });
      for (const auto& [vpc, scope] : scopes_) loop_.add(vpc);
    }
    done(error);
  });
}

void Reconciler::wake(const Scope& scope, const std::string& vpc_id) {
  scopes_[vpc_id] = scope;
  if (started_) loop_.add(vpc_id);
}

void Reconciler::reconcile(const std::string& vpc_id, ReconcileLoop::Done done) {
  const auto found = scopes_.find(vpc_id);
  if (found == scopes_.end()) return done(ReconcileLoop::Outcome::done());
  const Scope scope = found->second;
  const VpcRecord* record = ec2_.vpcs.find(scope, vpc_id);
  const bool used = record != nullptr && needs_network(ec2_, scope, vpc_id);
  const bool stays = record != nullptr && !used && stays_unused(scope, vpc_id);
  if (used)
    unused_since_[vpc_id].reset();
  else if (!stays)
    unused_since_.erase(vpc_id);
  // Where nothing runs nobody asks for a name.
  publish_names(vpc_id, used ? names_of(snapshot_interfaces(ec2_, scope, *record), scope.region) : PublishedNames());
  network::Vpc vpc{.id = vpc_id};
  if (used || stays) vpc = render(snapshot(ec2_, scope, *record));
  if (stays || needs_network(vpc)) return apply(scope, std::move(vpc), std::move(done));
  if (ec2_.networks.find(scope, vpc_id) != nullptr) return remove(scope, vpc_id, std::move(done));
  observe(scope, {.id = vpc_id});
  if (record == nullptr) scopes_.erase(vpc_id);
  done(ReconcileLoop::Outcome::done());
}

bool Reconciler::stays_unused(const Scope& scope, const std::string& vpc_id) {
  const auto found = unused_since_.find(vpc_id);
  if (found == unused_since_.end() || ec2_.networks.find(scope, vpc_id) == nullptr) return false;
  if (!found->second) found->second = clock_.now();
  const Duration left = *found->second + kUnusedStays - clock_.now();
  if (left.ms <= 0) return false;
  loop_.add_after(vpc_id, left);
  return true;
}

void Reconciler::apply(const Scope& scope, network::Vpc vpc, ReconcileLoop::Done done) {
  if (ec2_.networks.find(scope, vpc.id) == nullptr) {
    // Before the plane makes anything, so that a namespace is never forgotten.
    Tx tx(store_);
    ec2_.networks.insert(tx, scope, vpc.id, {.vpc = vpc.id});
    tx.commit();
  }
  ec2_.flow_collector.remember(scope, vpc);
  network_.apply(vpc, [this, scope, vpc, done = std::move(done)](const std::string& error) {
    if (!error.empty()) return done(ReconcileLoop::Outcome::retry(error));
    observe(scope, vpc);
    done(ReconcileLoop::Outcome::done());
  });
}

void Reconciler::remove(const Scope& scope, const std::string& vpc_id, ReconcileLoop::Done done) {
  network_.remove(vpc_id, [this, scope, vpc_id, done = std::move(done)](const std::string& error) {
    if (!error.empty()) return done(ReconcileLoop::Outcome::retry(error));
    Tx tx(store_);
    ec2_.networks.erase(tx, scope, vpc_id);
    tx.commit();
    observe(scope, {.id = vpc_id});
    done(ReconcileLoop::Outcome::done());
  });
}

// What the plane holds now, as records. Things that came or went while it was applied are left to the next apply.
void Reconciler::observe(const Scope& scope, const network::Vpc& vpc) {
  Tx tx(store_);
  for (const network::NatGateway& gateway : vpc.nat_gateways) nat_gateway_applied(ec2_, tx, scope, gateway.id);
  const auto gone = [&](const NatGatewayRecord& gateway) {
    return gateway.vpc == vpc.id && gateway.state == "deleting" &&
           std::ranges::none_of(vpc.nat_gateways, [&](const auto& other) { return other.id == gateway.id; });
  };
  for (const NatGatewayRecord* gateway : ec2_.nat_gateways.select(scope, gone)) {
    nat_gateway_removed(ec2_, tx, scope, std::string(gateway->id));
  }
  std::vector<std::string> became_ready;
  for (const network::Interface& interface : vpc.interfaces) {
    const InterfaceRecord* record = ec2_.interfaces.find(scope, interface.id);
    if (record == nullptr || interface.sandbox.empty()) continue;
    if (!record->plugged) {
      ec2_.interfaces.modify(tx, scope, interface.id, [](InterfaceRecord& item) { item.plugged = true; });
    }
    if (!ready_.contains(interface.id)) became_ready.push_back(interface.id);
  }
  tx.commit();
  std::erase_if(ready_, [&](const auto& item) { return ec2_.interfaces.find(item.second, item.first) == nullptr; });
  for (const std::string& id : became_ready) ready_[id] = scope;
  for (const std::string& id : became_ready) {
    for (const Ready& callback : ready_callbacks_) callback(scope, id);
  }
}

void Reconciler::publish_names(const std::string& vpc_id, PublishedNames wanted) {
  PublishedNames& published = published_[vpc_id];
  for (const auto& [key, address] : published) {
    if (!wanted.contains(key)) names_.remove(key.first, key.second);
  }
  for (const auto& [key, address] : wanted) {
    const auto found = published.find(key);
    if (found == published.end() || found->second != address) names_.put(key.first, key.second, address);
  }
  published = std::move(wanted);
}

}  // namespace brume::ec2
