#include "services/elbv2/reconciler.h"

#include <algorithm>

#include "core/fault.h"
#include "core/log.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/render.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

// "ACCOUNT/REGION/KEY".
std::string loop_key(const Scope& scope, const std::string& key) {
  return scope.account + "/" + scope.region + "/" + key;
}

std::pair<Scope, std::string> from_loop_key(const std::string& key) {
  const std::size_t first = key.find('/'), second = key.find('/', first + 1);
  return {{key.substr(0, first), key.substr(first + 1, second - first - 1)}, key.substr(second + 1)};
}

std::string state_name(balancer::Health health) {
  switch (health) {
    case balancer::Health::initial:
      return "initial";
    case balancer::Health::healthy:
      return "healthy";
    case balancer::Health::unhealthy:
      return "unhealthy";
    case balancer::Health::draining:
      return "draining";
    case balancer::Health::unused:
      return "unused";
  }
  return "unavailable";
}

}  // namespace

Reconciler::Reconciler(Elbv2& elbv2)
    : elbv2_(elbv2),
      loop_(elbv2.needs.control, elbv2.needs.clock, "elbv2",
            [this](const std::string& key, ReconcileLoop::Done done) { reconcile(key, std::move(done)); }),
      writes_(elbv2.needs.control, elbv2.needs.clock, "elbv2") {}

void Reconciler::start() {
  started_ = true;
  elbv2_.needs.balancer.on_health([this](const std::string& balancer, const std::string& group,
                                         const std::string& target, const balancer::TargetHealth& health) {
    writes_.write("health/" + group + "|" + target,
                  [this, balancer, group, target, health] { health_changed(balancer, group, target, health); });
  });
  elbv2_.needs.network.on_ready([this](const Scope& scope, const std::string& interface) {
    elbv2_.balancers.for_each(scope, [&](const LoadBalancerRecord& record) {
      if (std::ranges::any_of(record.zones, [&](const auto& zone) { return zone.interface == interface; }))
        wake(scope, record.key);
    });
  });
  if (elbv2_.needs.certificates != nullptr)
    elbv2_.needs.certificates->on_change([this](const Scope& scope, const std::string& arn) {
      elbv2_.listeners.for_each(scope, [&](const ListenerRecord& listener) {
        if (std::ranges::find(listener.certificates, arn) != listener.certificates.end())
          wake(scope, listener.load_balancer);
      });
    });
  elbv2_.balancers.for_all(
      [&](const Scope& scope, std::string_view key, const auto&) { wake(scope, std::string(key)); });
  elbv2_.targets.for_all([&](const Scope& scope, std::string_view key, const TargetRecord& target) {
    if (target.draining) forget_target_at(scope, std::string(key), target.drained);
  });
}

void Reconciler::wake(const Scope& scope, const std::string& balancer_key) {
  if (started_) loop_.add(loop_key(scope, balancer_key));
}

void Reconciler::reconcile(const std::string& key, ReconcileLoop::Done done) {
  const auto [scope, balancer_key] = from_loop_key(key);
  const LoadBalancerRecord* found = elbv2_.balancers.find(scope, balancer_key);
  if (found == nullptr) {
    known_.erase(key);
    return done(ReconcileLoop::Outcome::done());
  }
  const LoadBalancerRecord record = *found;  // steps change the one in the table
  DesiredBalancer desired{.deleting = record.deleting, .state = record.state};
  desired.has_leaving_interfaces = !record.leaving_interfaces.empty();
  if (!record.deleting) {
    desired.proxy = render(elbv2_, scope, record);
    desired.names = render_names(record);
  }
  for (Step step : plan(desired, observe(scope, record, known_[key])))
    if (!take(step, scope, record, desired, done)) return;
  done(ReconcileLoop::Outcome::done());
}

ObservedBalancer Reconciler::observe(const Scope& scope, const LoadBalancerRecord& record, const Known& known) const {
  ObservedBalancer observed{.served = known.served, .published = known.published, .proxy_removed = known.proxy_removed};
  observed.interfaces_ready = std::ranges::all_of(
      record.zones, [&](const auto& zone) { return elbv2_.needs.network.ready(scope, zone.interface); });
  return observed;
}

bool Reconciler::take(Step step, const Scope& scope, const LoadBalancerRecord& record, const DesiredBalancer& desired,
                      const ReconcileLoop::Done& done) {
  Known& known = known_[loop_key(scope, record.key)];
  switch (step) {
    case Step::publish:
      elbv2_.needs.zone.put("", record.dns_name, desired.names);
      known.published = desired.names;
      return true;
    case Step::unpublish:
      elbv2_.needs.zone.put("", record.dns_name, {});
      known.published.clear();
      return true;
    case Step::apply:
      apply(scope, record, desired.proxy, done);
      return false;
    case Step::remove_proxy:
      remove_proxy(scope, record, done);
      return false;
    case Step::activate:
      fault_point("elbv2.active");
      set_state(scope, record.key, "active", "");
      return true;
    case Step::drop_interfaces:
      drop_interfaces(scope, record);
      return true;
    case Step::forget:
      forget(scope, record);
      known_.erase(loop_key(scope, record.key));
      return true;
  }
  return true;
}

void Reconciler::apply(const Scope& scope, const LoadBalancerRecord& record, const balancer::LoadBalancer& proxy,
                       const ReconcileLoop::Done& done) {
  elbv2_.needs.balancer.apply(
      proxy, [this, alive = std::weak_ptr(alive_), scope, key = record.key, proxy, done](const std::string& error) {
        if (alive.expired()) return;
        const auto known = known_.find(loop_key(scope, key));
        if (error.empty()) {
          if (known != known_.end()) known->second.served = proxy;
          done(ReconcileLoop::Outcome::done());
          return wake(scope, key);  // plans on, with what is desired by now
        }
        log::error("elbv2", key + ": " + error);
        // A running load balancer goes on with what it had.
        const LoadBalancerRecord* now = elbv2_.balancers.find(scope, key);
        if (now != nullptr && !now->deleting && now->state != "active") set_state(scope, key, "failed", error);
        done(ReconcileLoop::Outcome::retry(error));
      });
}

void Reconciler::remove_proxy(const Scope& scope, const LoadBalancerRecord& record, const ReconcileLoop::Done& done) {
  elbv2_.needs.balancer.remove(
      record.id, [this, alive = std::weak_ptr(alive_), scope, key = record.key, done](const std::string& error) {
        if (alive.expired()) return;
        if (!error.empty()) return done(ReconcileLoop::Outcome::retry(error));
        known_[loop_key(scope, key)].proxy_removed = true;
        done(ReconcileLoop::Outcome::done());
        wake(scope, key);
      });
}

void Reconciler::forget(const Scope& scope, const LoadBalancerRecord& record) {
  Tx tx(elbv2_.needs.store);
  for (const ZoneRecord& zone : record.zones) elbv2_.needs.network.remove(tx, scope, zone.interface);
  for (const std::string& interface : record.leaving_interfaces) elbv2_.needs.network.remove(tx, scope, interface);
  elbv2_.balancers.erase(tx, scope, record.key);
  tx.commit();
}

void Reconciler::drop_interfaces(const Scope& scope, const LoadBalancerRecord& record) {
  Tx tx(elbv2_.needs.store);
  for (const std::string& interface : record.leaving_interfaces) elbv2_.needs.network.remove(tx, scope, interface);
  elbv2_.balancers.modify(tx, scope, record.key, [&](LoadBalancerRecord& now) {
    std::erase_if(now.leaving_interfaces, [&](const std::string& interface) {
      return std::ranges::find(record.leaving_interfaces, interface) != record.leaving_interfaces.end();
    });
  });
  tx.commit();
}

void Reconciler::set_state(const Scope& scope, const std::string& key, const std::string& state,
                           const std::string& reason) {
  Tx tx(elbv2_.needs.store);
  elbv2_.balancers.modify(tx, scope, key, [&](LoadBalancerRecord& record) {
    record.state = state;
    record.state_reason = reason;
    if (state == "active" && record.activated == Time{}) record.activated = elbv2_.needs.clock.now();
  });
  tx.commit();
}

void Reconciler::health_changed(const std::string& balancer_id, const std::string& group_id,
                                const std::string& target_id, const balancer::TargetHealth& health) {
  std::optional<Scope> found;
  std::string group_key;
  elbv2_.target_groups.for_all([&](const Scope& scope, std::string_view key, const TargetGroupRecord& group) {
    if (group.id != group_id) return;
    found = scope;
    group_key = key;
  });
  if (!found) return;
  const TargetRecord* target = elbv2_.targets.find(*found, group_key + "|" + target_id);
  const LoadBalancerRecord* user = elbv2_.balancers.find(*found, balancer_using(elbv2_, *found, group_key));
  // A message from before the target was deregistered or its group was given to another load balancer.
  if (target == nullptr || target->draining || user == nullptr || user->id != balancer_id) return;
  if (health.health == balancer::Health::draining) return;
  const std::string state = state_name(health.health);
  if (target->state == state && target->reason == health.reason && target->description == health.description) return;
  Tx tx(elbv2_.needs.store);
  elbv2_.targets.modify(tx, *found, target->key, [&](TargetRecord& record) {
    record.state = state;
    record.reason = health.reason;
    record.description = health.description;
  });
  tx.commit();
  tell_targets_changed(*found, group_key);
}

void Reconciler::forget_target_at(const Scope& scope, const std::string& target_key, Time when) {
  elbv2_.needs.control.at(when, [this, alive = std::weak_ptr(alive_), scope, target_key, when] {
    if (alive.expired()) return;
    writes_.write("target/" + scope.account + "/" + scope.region + "/" + target_key,
                  [this, scope, target_key, when] { forget_target(scope, target_key, when); });
  });
}

void Reconciler::forget_target(const Scope& scope, const std::string& target_key, Time drained) {
  const TargetRecord* target = elbv2_.targets.find(scope, target_key);
  // It may have been registered again, and deregistered again, meanwhile. The delay is over even if the clock, set
  // back, does not say so.
  if (target == nullptr || !target->draining || target->drained != drained) return;
  const std::string group = target->group;
  Tx tx(elbv2_.needs.store);
  elbv2_.targets.erase(tx, scope, target_key);
  elbv2_.touch_group(tx, scope, group);
  tx.commit();
  tell_targets_changed(scope, group);
}

void Reconciler::tell_targets_changed(const Scope& scope, const std::string& group_key) const {
  for (const Changed& callback : changed_) callback(scope, group_key);
}

}  // namespace brume::elbv2
