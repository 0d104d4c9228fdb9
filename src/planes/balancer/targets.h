// What is to be done to make HAProxy's servers the targets that are desired, and how healthy they are: a pure function
// of both and of what is remembered. A new target is probed outside of the balancing first; one pass takes it into
// service ("Health checks for Application Load Balancer target groups"), from then on HAProxy alone decides.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "planes/balancer/balancer.h"
#include "planes/balancer/runtime.h"

namespace brume::balancer {

using TargetKey = std::pair<std::string, std::string>;  // target group, target

// A target as HAProxy has it.
struct ObservedTarget {
  bool in_service = false;  // a server of tg.GROUP
  bool resting = false;     // in service, but in maintenance
  bool up = false;
  bool between = false;  // its checks are changing their mind
  bool opened = false;   // a server of open.GROUP
  bool probed = false;   // a server of probe.GROUP
  std::string check_status;
  int check_code = 0;
  bool operator==(const ObservedTarget&) const = default;
};
using ObservedTargets = std::map<TargetKey, ObservedTarget>;
ObservedTargets observe(const std::vector<StatRow>& rows);

struct TargetMemory {
  std::int64_t probed_since_ms = 0;
  TargetHealth failure;  // why it failed last
  bool operator==(const TargetMemory&) const = default;
};
using Memories = std::map<TargetKey, TargetMemory>;

struct TargetAction {
  enum class Kind { probe, stop_probing, serve, serve_unhealthy, rest, resume, leave } kind = Kind::probe;
  TargetKey target;
  bool operator==(const TargetAction&) const = default;
};

struct TargetPlan {
  std::vector<TargetAction> actions;
  std::map<TargetKey, TargetHealth> health;  // of the desired targets, as far as it is known
  Memories memories;
  bool changing = false;  // look again soon
  bool probing = false;   // a target registered a moment ago: look again at once
};
TargetPlan plan_targets(const std::vector<TargetGroup>& desired, const ObservedTargets& observed,
                        const Memories& memories, std::int64_t now_ms);

// The runtime commands of an action, in order.
std::vector<std::string> commands(const TargetAction& action, const std::vector<TargetGroup>& groups);

// The state of a target whose last check ended so.
TargetHealth failed_check(const std::string& check_status, int check_code);

}  // namespace brume::balancer
