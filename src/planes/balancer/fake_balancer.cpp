#include "planes/balancer/fake_balancer.h"

#include "core/error.h"
#include "core/text.h"
#include "planes/balancer/render.h"
#include "planes/balancer/statistics.h"
#include "planes/balancer/targets.h"

namespace brume::balancer {

bool status_matches(const std::string& matcher, int status) {
  for (std::string_view part : split(matcher, ',')) {
    const std::size_t dash = part.find('-');
    std::int64_t low = 0, high = 0;
    if (!parse_int(part.substr(0, dash), low)) return false;
    if (dash == std::string_view::npos)
      high = low;
    else if (!parse_int(part.substr(dash + 1), high))
      return false;
    if (status >= low && status <= high) return true;
  }
  return false;
}

void FakeBalancer::recover(Done done) {
  ++recovered;
  told_.clear();  // another daemon is told everything
  control_.post([done = std::move(done)] { done(""); });
}

void FakeBalancer::apply(LoadBalancer balancer, Done done) {
  control_.post([this, balancer = std::move(balancer), done = std::move(done)] {
    applied.push_back(balancer);
    std::string error;
    if (!errors.empty()) {
      error = errors.front();
      errors.erase(errors.begin());
    }
    if (error.empty()) {
      try {
        render(balancer, {"/"}, {});  // refuses what the real one refuses
      } catch (const PlaneError& refused) {
        error = refused.message;
      }
    }
    if (error.empty()) {
      auto& told = told_[balancer.id];
      std::map<Key, std::string> former;
      for (const TargetGroup& group : balancers[balancer.id].groups)
        for (const Target& target : group.targets) former[{group.id, target.id}] = target.registration;
      balancers[balancer.id] = balancer;
      std::map<Key, TargetHealth> kept;
      for (const TargetGroup& group : balancer.groups)
        for (const Target& target : group.targets) {
          const Key key{group.id, target.id};
          if (former[key] != target.registration) told.erase(key);
          if (target.draining)
            tell(balancer.id, key,
                 {Health::draining, "Target.DeregistrationInProgress", "Target deregistration is in progress"});
          else if (!told.contains(key) || told[key].health == Health::draining)
            tell(balancer.id, key,
                 {Health::initial, "Elb.RegistrationInProgress", "Target registration is in progress"});
          kept[key] = told[key];
        }
      told = kept;
      if (checks_at_once) control_.post([this] { check(); });
    }
    done(error);
  });
}

TargetHealth FakeBalancer::checked(const TargetGroup& group, const Target& target) const {
  const auto answer = answers.find(target.id);
  if (answer == answers.end()) return failed_check("L4CON", 0);
  if (group.health_check.tcp || status_matches(group.health_check.matcher, answer->second))
    return {Health::healthy, "", ""};
  return failed_check("L7STS", answer->second);
}

void FakeBalancer::check() {
  for (const auto& [id, balancer] : balancers)
    for (const TargetGroup& group : balancer.groups)
      for (const Target& target : group.targets)
        if (!target.draining) tell(id, {group.id, target.id}, checked(group, target));
}

void FakeBalancer::tell(const std::string& balancer, const Key& key, const TargetHealth& health) {
  auto& told = told_[balancer];
  if (const auto before = told.find(key); before != told.end() && before->second == health) return;
  told[key] = health;
  if (health_callback_) health_callback_(balancer, key.first, key.second, health);
}

void FakeBalancer::access(const Access& access) {
  auto& statistics = statistics_[access.balancer];
  add_to(statistics[""], access);
  if (!access.group.empty()) add_to(statistics[access.group], access);
  if (access_callback_) access_callback_(access);
}

void FakeBalancer::remove(const std::string& id, Done done) {
  control_.post([this, id, done = std::move(done)] {
    balancers.erase(id);
    told_.erase(id);
    statistics_.erase(id);
    done("");
  });
}

void FakeBalancer::statistics(const std::string& id, std::function<void(std::map<std::string, Statistics>)> done) {
  control_.post([this, id, done = std::move(done)] {
    const auto found = statistics_.find(id);
    done(found == statistics_.end() ? std::map<std::string, Statistics>() : found->second);
  });
}

void FakeBalancer::remove_all(Done done) {
  control_.post([this, done = std::move(done)] {
    balancers.clear();
    told_.clear();
    statistics_.clear();
    done("");
  });
}

}  // namespace brume::balancer
