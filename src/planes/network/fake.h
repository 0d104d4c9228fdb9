// A network plane without a kernel, for tests of whatever drives one: it refuses what the real one refuses, remembers
// what it was given, and offers unix sockets in the places of TCP ones. Passes the contract tests of the real one.
// Control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime.h"
#include "planes/network/descriptor.h"
#include "planes/network/network.h"

namespace brume::network {

// What stays when a daemon goes: shared by a FakeNetwork and the one that comes after it.
struct FakeKernel {
  std::map<std::string, Vpc> vpcs;
};

class FakeNetwork final : public Network {
 public:
  FakeNetwork(FakeKernel& kernel, Control& control) : kernel_(kernel), control_(control) {}

  // For tests: the next apply or remove of the VPC fails with this, once.
  void fail_next(const std::string& vpc_id, std::string error) { failures_[vpc_id] = std::move(error); }
  const Vpc* find(const std::string& vpc_id) const;
  // Counters that `counters` answers; what a test does not set is zero.
  std::map<std::string, Counters> measured;
  // The flows that the next `flows` answers, by VPC.
  std::map<std::string, Flows> passed;
  // A service that `dial` reaches at an address and port of a VPC: the other end of each connection.
  std::function<void(const std::string& vpc_id, const std::string& address, int port, int fd)> on_dial;
  bool egress = false, real_internet = false;

  void recover(Done done) override;
  void apply(Vpc vpc, Done done) override;
  void remove(const std::string& vpc_id, Done done) override;
  void counters(const std::string& vpc_id, std::function<void(Counters)> done) override;
  void flows(const std::string& vpc_id, std::function<void(Flows)> done) override;
  std::string namespace_path(const std::string& sandbox) const override;
  std::string internet_namespace_path() const override;
  std::string router_namespace_path(const std::string& vpc_id) const override;
  void on_listener(std::function<void(Listener)> callback) override;
  void dial(const std::string& vpc_id, const std::string& address, int port,
            std::function<void(int fd, std::string error)> done) override;
  void listen_internet(const std::string& address, int port,
                       std::function<void(int fd, std::string error)> done) override;
  void set_egress(bool allowed, Done done) override;
  void enable_real_internet(bool enabled, Done done) override;
  void remove_all(Done done) override;

 private:
  struct Waiting {
    Vpc vpc;
    std::vector<Done> dones;
  };
  std::string take_failure(const std::string& vpc_id);
  void offer(const std::string& vpc_id);
  void answer(Done done, std::string error);

  FakeKernel& kernel_;
  Control& control_;
  std::map<std::string, std::string> failures_;
  std::map<std::string, std::shared_ptr<Waiting>> waiting_;  // shared with the posted function that carries it out
  std::function<void(Listener)> on_listener_;
  std::vector<Listener> early_;
  std::set<std::string> offered_;
  std::map<std::pair<std::string, int>, std::string> listening_;  // endpoint → abstract unix name
};

}  // namespace brume::network
