// Container health checks: runs each check inside its container at its interval and tells the runner what follows.
// Follows "HealthCheck" of the ECS API reference: failures within the start period do not count, one success is
// healthy. Under a fast clock, checks that would only confirm what is known are made once a second of the machine's.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/runtime.h"
#include "planes/containers/containers.h"
#include "services/ecs/shapes.h"

namespace brume::ecs {

class HealthMonitor {
 public:
  // `report(container id, health)`: HEALTHY or UNHEALTHY, on changes only.
  using Report = std::function<void(const std::string& container, const std::string& health)>;
  HealthMonitor(Control& control, Clock& clock, containers::Containers& containers, Report report)
      : control_(control), clock_(clock), containers_(containers), report_(std::move(report)) {}
  ~HealthMonitor();

  // Container "TASK/NAME" runs since `started`.
  void watch(const std::string& container, const HealthCheck& check, Time started, const std::string& known_health);
  void forget(const std::string& container);

 private:
  struct Watched {
    HealthCheck check;
    Time started;
    std::string health;
    std::int64_t failures = 0;
    Time begun{};  // the last check, by the machine's clock
    Control::TimerId timer = 0;
    std::uint64_t incarnation = 0;
  };
  void schedule(const std::string& container, Watched& watched);
  void run(const std::string& container);
  bool may_rest(const Watched& watched) const;
  void finished(const std::string& container, std::uint64_t incarnation, int code);

  Control& control_;
  Clock& clock_;
  containers::Containers& containers_;
  Report report_;
  std::map<std::string, Watched> watched_;
  std::uint64_t next_incarnation_ = 1;
};

}  // namespace brume::ecs
