#include "services/ecs/health_monitor.h"

#include "services/ecs/render_container.h"

namespace brume::ecs {
namespace {

// A check begins a program in the container, some 20 ms of a processor: at speed 20 a hundred containers, each to be
// checked every 30 seconds, would take more than the machine has.
constexpr Duration kRest = seconds(1);

}  // namespace

HealthMonitor::~HealthMonitor() {
  for (auto& [container, watched] : watched_) control_.cancel(watched.timer);
}

void HealthMonitor::watch(const std::string& container, const HealthCheck& check, Time started,
                          const std::string& known_health) {
  forget(container);
  Watched& watched = watched_[container];
  watched = {.check = check, .started = started, .health = known_health, .incarnation = next_incarnation_++};
  schedule(container, watched);
}

void HealthMonitor::forget(const std::string& container) {
  auto found = watched_.find(container);
  if (found == watched_.end()) return;
  control_.cancel(found->second.timer);
  watched_.erase(found);
}

void HealthMonitor::schedule(const std::string& container, Watched& watched) {
  const Time due = clock_.now() + seconds(watched.check.interval.value_or(30));
  watched.timer = control_.at(due, [this, container] { run(container); });
}

void HealthMonitor::run(const std::string& container) {
  auto found = watched_.find(container);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  if (may_rest(watched)) return schedule(container, watched);
  watched.begun = clock_.machine_now();
  containers_.exec(
      container, health_command(watched.check), static_cast<int>(watched.check.timeout.value_or(5)),
      // An advance of the clock lets the check end: its next one is counted from there.
      [this, container, incarnation = watched.incarnation, hold = control_.hold()](
          const containers::Containers::ExecResult& result) { finished(container, incarnation, result.code); });
}

// What is about to change is looked at as often as asked for: a container's first checks, and those after a failure. So
// is everything while the clock stands still, which is what an advance's steps are.
bool HealthMonitor::may_rest(const Watched& watched) const {
  const bool is_settled = watched.health == "UNHEALTHY" || (watched.health == "HEALTHY" && watched.failures == 0);
  if (!is_settled || !clock_.real_ns(kRest)) return false;
  const Duration since = clock_.machine_now() - watched.begun;
  return since.ms >= 0 && since < kRest;  // the machine's clock may be set back
}

void HealthMonitor::finished(const std::string& container, std::uint64_t incarnation, int code) {
  auto found = watched_.find(container);
  if (found == watched_.end() || found->second.incarnation != incarnation) return;
  Watched& watched = found->second;
  std::string health = watched.health;
  if (code == 0) {
    watched.failures = 0;
    health = "HEALTHY";
  } else if (watched.health == "HEALTHY" ||
             clock_.now() >= watched.started + seconds(watched.check.start_period.value_or(0))) {
    if (++watched.failures >= watched.check.retries.value_or(3)) health = "UNHEALTHY";
  }
  const bool changed = health != watched.health;
  watched.health = health;
  schedule(container, watched);
  if (changed) report_(container, health);
}

}  // namespace brume::ecs
