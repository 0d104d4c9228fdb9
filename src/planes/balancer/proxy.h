// One load balancer's HAProxy: started, reloaded, its servers kept equal to the desired targets, restarted when it
// dies. A state machine that the plane's thread drives; it never waits.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "planes/balancer/haproxy_balancer.h"
#include "planes/balancer/render.h"
#include "planes/balancer/targets.h"

namespace brume::balancer {

// What a proxy asks for of the control thread. Any thread.
class ProxyHost {
 public:
  virtual ~ProxyHost() = default;
  virtual void spawn(const std::string& id, SpawnSpec spec, std::string log_socket) = 0;
  virtual void reload(
      const std::string& id) = 0;  // SIGUSR2: the master reads its configuration and replaces its worker
  virtual void stop(const std::string& id) = 0;
  virtual void forget(const std::string& id) = 0;  // its child has ended and the log socket can go
  virtual void finish(Done done, std::string error) = 0;
  virtual void tell(const std::string& id, const TargetKey& target, const TargetHealth& health) = 0;
  virtual void count_connections(const std::string& id, std::uint64_t more) = 0;
};

class Proxy final {
 public:
  Proxy(std::string id, const HaproxyOptions& options, ProxyHost& host);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  void want(LoadBalancer desired, Done done);
  void remove(Done done);

  void adopt();                            // the keeper has it running
  void started(const std::string& error);  // the keeper's answer
  void exited(const std::string& how);
  void warned(const std::string& line);  // of its standard error

  using Moment = std::chrono::steady_clock::time_point;
  // Does what is due; returns when to call again.
  Moment tick(Moment now);
  bool gone() const { return phase_ == Phase::gone; }

 private:
  enum class Phase { absent, spawning, starting, serving, reloading, stopping, gone };
  void write_files(const Rendered& rendered);
  void start(Moment now);
  void begin_reload(Moment now, const Rendered& rendered);
  void ask_to_reload(Moment now);
  void await_shape(Moment now);
  void look(Moment now);
  void converge(Moment now);
  void execute(const std::vector<TargetAction>& actions);
  void forget_former_registrations(const LoadBalancer& desired);
  void publish(const std::map<TargetKey, TargetHealth>& health);
  void count(const std::vector<StatRow>& rows);
  InService in_service() const;
  std::string ask(const std::string& command) const;
  void succeed();
  void fail(const std::string& error);

  const std::string id_;
  const HaproxyOptions& options_;
  ProxyHost& host_;
  const std::string directory_;

  Phase phase_ = Phase::absent;
  std::optional<LoadBalancer> desired_;
  std::vector<Done> waiting_;   // for desired_ to be served
  std::vector<Done> removing_;  // for the end
  std::string shape_;           // that runs; empty: not known
  std::string desired_shape_;   // of desired_; empty: not rendered yet
  std::string coming_shape_;    // that is being started or loaded
  std::string refused_shape_;   // HAProxy would not load it: not tried again before something else is wanted
  std::string warnings_;        // since the last start or reload
  Moment deadline_{}, retry_at_{}, started_at_{}, answered_at_{}, ask_again_at_{};
  bool reload_heard_ = false;
  std::set<std::string> ending_;  // frontends of the old worker that still take connections

  ObservedTargets observed_;
  Memories memories_;
  std::map<TargetKey, TargetHealth> told_;
  std::map<std::string, std::uint64_t> connections_;  // by frontend, of the present worker
};

}  // namespace brume::balancer
