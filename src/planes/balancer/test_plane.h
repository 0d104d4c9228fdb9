// For tests: the real balancer plane with a keeper of its own, in a network of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "planes/balancer/haproxy_balancer.h"
#include "planes/balancer/targets.h"
#include "planes/balancer/test_world.h"
#include "planes/keeper/keeper_client.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume::testing {

inline constexpr const char* kBalancerAddress = "10.77.1.10";
inline constexpr const char* kSecondAddress = "10.77.2.10";

class TestPlane {
 public:
  TestPlane() {
    ::chmod(instance.directory().c_str(), 0711);  // as an instance's directories are: HAProxy's user passes through
    connect();
  }
  TestPlane(const TestPlane&) = delete;
  TestPlane& operator=(const TestPlane&) = delete;
  ~TestPlane() {
    bool down = false;
    balancer.reset();
    keeper->shut_down([&] { down = true; });
    loop.run_until([&] { return down; });
  }
  // Another daemon: nothing is remembered but what runs.
  void restart() {
    balancer.reset();
    keeper.reset();
    health.clear();
    connect();
    await([&](balancer::Done done) { balancer->recover(std::move(done)); });
  }
  // Starts something and returns the error it ends with.
  template <class Start>
  std::string await(Start start) {
    return loop.await<std::string>([&](auto done) { start(balancer::Done(std::move(done))); });
  }
  std::string apply(const balancer::LoadBalancer& desired) {
    return await([&](balancer::Done done) { balancer->apply(desired, std::move(done)); });
  }
  bool until(const std::function<bool()>& condition) { return loop.run_until(condition); }
  bool until_health(const std::string& group, const std::string& target, balancer::Health wanted) {
    return until([&] { return health[{group, target}].health == wanted; });
  }
  bool until_healthy(const balancer::LoadBalancer& desired) {
    return until([&] {
      for (const auto& group : desired.groups)
        for (const auto& target : group.targets)
          if (health[{group.id, target.id}].health != balancer::Health::healthy) return false;
      return true;
    });
  }
  int pid() {
    int found = 0;
    loop.await<std::vector<Child>>([&](auto done) {
      keeper->list([&found, done](const std::vector<Child>& children) {
        for (const Child& child : children)
          if (child.running) found = child.pid;
        done(children);
      });
    });
    return found;
  }

  TestInstance instance;
  TestLoop loop;
  TestNetwork network{{kBalancerAddress, kSecondAddress, "10.77.3.11", "10.77.3.12", "10.77.3.13", "10.77.9.9"}};
  std::unique_ptr<KeeperClient> keeper;
  std::unique_ptr<balancer::Balancer> balancer;
  std::map<balancer::TargetKey, balancer::TargetHealth> health;
  std::vector<balancer::Balancer::Access> accesses;

 private:
  void connect() {
    keeper = make_keeper_client(instance.options(), loop);
    balancer = balancer::make_haproxy_balancer({.directory = instance.directory() + "/lb"}, *keeper, loop);
    balancer->on_health([this](const std::string&, const std::string& group, const std::string& target,
                               const balancer::TargetHealth& now) { health[{group, target}] = now; });
    balancer->on_access([this](const auto& access) { accesses.push_back(access); });
  }
};

inline balancer::Target target_of(const TestTarget& target) {
  return {.id = target.id(), .address = target.address(), .port = target.port()};
}

// A group whose health is decided within seconds.
inline balancer::TargetGroup quick_group(const std::string& id, const std::vector<const TestTarget*>& targets) {
  balancer::TargetGroup group;
  group.id = id;
  group.health_check = {
      .path = "/health", .interval_seconds = 1, .timeout_seconds = 1, .healthy_threshold = 2, .unhealthy_threshold = 2};
  for (const TestTarget* target : targets) group.targets.push_back(target_of(*target));
  return group;
}

inline balancer::LoadBalancer load_balancer(const std::string& network_namespace,
                                            const std::vector<balancer::TargetGroup>& groups) {
  balancer::LoadBalancer result;
  result.id = "app-1";
  result.network_namespace = network_namespace;
  result.addresses = {kBalancerAddress, kSecondAddress};
  balancer::Listener listener;
  listener.id = "listener-1";
  if (groups.empty())
    listener.default_action = {.kind = balancer::Action::Kind::fixed_response, .status = 404};
  else
    listener.default_action.groups = {{groups[0].id, 1}};
  result.listeners = {listener};
  result.groups = groups;
  return result;
}

// Two targets in a network with the plane.
class PlaneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: it makes network namespaces";
    plane_ = std::make_unique<TestPlane>();
    one_ = std::make_unique<TestTarget>(plane_->network, "10.77.3.11", 8000, "one");
    two_ = std::make_unique<TestTarget>(plane_->network, "10.77.3.12", 8000, "two");
  }
  balancer::LoadBalancer balancer_over(const std::vector<balancer::TargetGroup>& groups) {
    return load_balancer(plane_->network.path(), groups);
  }
  TestReply get(const std::string& path, const std::string& headers = "Host: app.example.com\r\n",
                const std::string& address = kBalancerAddress) {
    return fetch(plane_->network, address, 80, path, headers);
  }

  // For what other threads bring about without telling the loop.
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  std::unique_ptr<TestPlane> plane_;
  std::unique_ptr<TestTarget> one_, two_;
};

}  // namespace brume::testing
