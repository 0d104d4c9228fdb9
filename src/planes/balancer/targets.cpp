#include "planes/balancer/targets.h"

#include <set>

#include "planes/balancer/render.h"

namespace brume::balancer {
namespace {

using Kind = TargetAction::Kind;

const TargetHealth kHealthy{Health::healthy, "", ""};
const TargetHealth kRegistering{Health::initial, "Elb.RegistrationInProgress", "Target registration is in progress"};
const TargetHealth kInitial{Health::initial, "Elb.InitialHealthChecking", "Initial health checks in progress"};
const TargetHealth kDraining{Health::draining, "Target.DeregistrationInProgress",
                             "Target deregistration is in progress"};

constexpr std::int64_t kFreshMs = 2000;

bool passed(const std::string& check_status) {
  return check_status == "L7OK" || check_status == "L7OKC" || check_status == "L6OK" || check_status == "L4OK";
}

std::string name_of(const std::string& backend, const TargetKey& key) {
  return backend + "." + key.first + "/" + key.second;
}

class Planner {
 public:
  Planner(const ObservedTargets& observed, const Memories& memories, std::int64_t now_ms)
      : observed_(observed), memories_(memories), now_ms_(now_ms) {}

  void target(const TargetGroup& group, const Target& target) {
    const TargetKey key{group.id, target.id};
    desired_.insert(key);
    const auto seen = observed_.find(key);
    static const ObservedTarget kAbsent;
    const ObservedTarget& now = seen == observed_.end() ? kAbsent : seen->second;
    if (const auto known = memories_.find(key); known != memories_.end()) plan.memories[key] = known->second;
    if (target.draining)
      drain(key, now);
    else if (now.in_service)
      serving(key, now);
    else if (now.probed)
      probing(group, key, now);
    else
      begin(key);
  }

  void unless_desired(const TargetKey& key, const ObservedTarget& now) {
    if (desired_.contains(key)) return;
    plan.changing = true;  // a server that still ends its connections is removed at a later look
    if (now.probed) act(Kind::stop_probing, key);
    if (now.in_service || now.opened) act(Kind::leave, key);
  }

  TargetPlan plan;

 private:
  void act(Kind kind, const TargetKey& key) { plan.actions.push_back({kind, key}); }

  void drain(const TargetKey& key, const ObservedTarget& now) {
    if (now.probed) act(Kind::stop_probing, key);
    if (now.in_service && !now.resting) act(Kind::rest, key);
    plan.health[key] = kDraining;
  }

  void serving(const TargetKey& key, const ObservedTarget& now) {
    if (now.probed) act(Kind::stop_probing, key);
    if (now.resting) act(Kind::resume, key);  // registered again while it drained
    plan.changing = plan.changing || now.between;
    TargetMemory& memory = plan.memories[key];
    remember_failure(memory, now);
    if (now.up || now.resting) {
      plan.health[key] = kHealthy;
      return;
    }
    // While its checks pass again but not often enough yet, the reason is still the last failure. After a restart that
    // is not known before the next check: what was told before it stands until then.
    if (!memory.failure.reason.empty()) plan.health[key] = memory.failure;
  }

  void remember_failure(TargetMemory& memory, const ObservedTarget& now) {
    if (now.check_status.empty() || passed(now.check_status)) return;
    // While the next check is under way HAProxy does not show the last one's code.
    if (now.check_status == "L7STS" && now.check_code == 0)
      plan.changing = true;
    else
      memory.failure = failed_check(now.check_status, now.check_code);
  }

  void probing(const TargetGroup& group, const TargetKey& key, const ObservedTarget& now) {
    plan.changing = true;
    TargetMemory& memory = plan.memories[key];
    if (memory.probed_since_ms == 0) memory.probed_since_ms = now_ms_;
    if (now_ms_ - memory.probed_since_ms < kFreshMs) plan.probing = true;
    if (passed(now.check_status)) {
      act(Kind::serve, key);
      plan.health[key] = kHealthy;
      return;
    }
    remember_failure(memory, now);
    const HealthCheck& check = group.health_check;
    const std::int64_t patience = std::int64_t{1000} * check.interval_seconds * check.unhealthy_threshold;
    if (!memory.failure.reason.empty() && now_ms_ - memory.probed_since_ms >= patience) {
      act(Kind::serve_unhealthy, key);
      plan.health[key] = memory.failure;
      return;
    }
    plan.health[key] = kInitial;
  }

  void begin(const TargetKey& key) {
    plan.changing = plan.probing = true;
    act(Kind::probe, key);
    plan.memories[key] = {.probed_since_ms = now_ms_};
    plan.health[key] = kRegistering;
  }

  const ObservedTargets& observed_;
  const Memories& memories_;
  std::int64_t now_ms_;
  std::set<TargetKey> desired_;
};

std::vector<std::string> add_to_service(const std::string& tg, const std::string& open, const TargetGroup& group,
                                        const Target& target) {
  std::vector<std::string> list = {"add server " + tg + " " + checked_server(group, target), "enable health " + tg,
                                   "add server " + open + " " + unchecked_server(group, target)};
  // A dynamic server has no cookie before its backend's are made again.
  if (group.stickiness_seconds > 0)
    for (const char* backend : {"tg.", "open."})
      list.push_back("enable dynamic-cookie backend " + (backend + group.id));
  list.push_back("enable server " + open);
  return list;
}

std::vector<std::string> remove_server(const std::string& server) {
  return {"set server " + server + " state maint", "del server " + server};
}

}  // namespace

ObservedTargets observe(const std::vector<StatRow>& rows) {
  ObservedTargets observed;
  for (const StatRow& row : rows) {
    const std::size_t dot = row.proxy.find('.');
    if (row.server == "FRONTEND" || row.server == "BACKEND" || dot == std::string::npos) continue;
    const std::string backend = row.proxy.substr(0, dot);
    ObservedTarget& target = observed[{row.proxy.substr(dot + 1), row.server}];
    if (backend == "open") target.opened = true;
    if (backend == "probe") target.probed = true;
    if (backend == "tg") {
      target.in_service = true;
      target.resting = row.status.starts_with("MAINT");
      target.up = row.status.starts_with("UP");
      target.between = row.status.find('/') != std::string::npos;
    }
    // A target that is in service is judged by its checks there.
    if (backend == "tg" || (backend == "probe" && !target.in_service)) {
      target.check_status = row.check_status;
      target.check_code = row.check_code;
    }
  }
  return observed;
}

TargetPlan plan_targets(const std::vector<TargetGroup>& desired, const ObservedTargets& observed,
                        const Memories& memories, std::int64_t now_ms) {
  Planner planner(observed, memories, now_ms);
  for (const TargetGroup& group : desired)
    for (const Target& target : group.targets) planner.target(group, target);
  for (const auto& [key, target] : observed) planner.unless_desired(key, target);
  return std::move(planner.plan);
}

std::vector<std::string> commands(const TargetAction& action, const std::vector<TargetGroup>& groups) {
  const std::string tg = name_of("tg", action.target), open = name_of("open", action.target),
                    probe = name_of("probe", action.target);
  const TargetGroup* group = nullptr;
  const Target* target = nullptr;
  for (const TargetGroup& candidate : groups)
    if (candidate.id == action.target.first) {
      group = &candidate;
      for (const Target& t : candidate.targets)
        if (t.id == action.target.second) target = &t;
    }
  std::vector<std::string> list;
  const auto append = [&list](const std::vector<std::string>& more) {
    list.insert(list.end(), more.begin(), more.end());
  };
  switch (action.kind) {
    case Kind::probe:
      if (target != nullptr)
        append({"add server " + probe + " " + probed_server(*group, *target), "enable health " + probe,
                "enable server " + probe});
      break;
    case Kind::stop_probing:
      append(remove_server(probe));
      break;
    case Kind::serve:
    case Kind::serve_unhealthy:
      if (target == nullptr) break;
      append(add_to_service(tg, open, *group, *target));
      // In one line, so that no request comes between.
      list.push_back("enable server " + tg +
                     (action.kind == Kind::serve_unhealthy ? "; set server " + tg + " health down" : ""));
      append(remove_server(probe));
      break;
    case Kind::rest:
      append({"set server " + tg + " state maint", "set server " + open + " state maint"});
      break;
    case Kind::resume:
      append({"set server " + tg + " state ready", "set server " + open + " state ready"});
      break;
    case Kind::leave:
      for (const std::string& server : {tg, open})
        append({"set server " + server + " state maint", "shutdown sessions server " + server, "del server " + server});
      break;
  }
  return list;
}

TargetHealth failed_check(const std::string& check_status, int check_code) {
  // "Health checks for Application Load Balancer target groups", reason codes.
  if (check_status == "L7STS")
    return {Health::unhealthy, "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [" + std::to_string(check_code) + "]"};
  if (check_status == "L4TOUT" || check_status == "L6TOUT" || check_status == "L7TOUT")
    return {Health::unhealthy, "Target.Timeout", "Request timed out"};
  return {Health::unhealthy, "Target.FailedHealthChecks", "Health checks failed"};
}

}  // namespace brume::balancer
