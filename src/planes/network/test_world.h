// For tests: a network plane of its own on the real kernel or a fake one, and programs in its namespaces: threads that
// enter one and open sockets there. Everything goes away at the end.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/testing.h"
#include "planes/keeper/fake_keeper.h"
#include "planes/keeper/test_loop.h"
#include "planes/network/descriptor.h"
#include "planes/network/network.h"

namespace brume::network::testing {

// Empty when namespaces can be made here, else why the test must be skipped.
std::string why_no_kernel();

// The plane under test. `restart` is what a daemon's kill -9 and return looks like from the kernel.
class World {
 public:
  virtual ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Network& network() { return *network_; }
  brume::testing::TestLoop& loop() { return loop_; }
  FakeKeeper& keeper() { return keeper_; }
  void restart();

  // Each waits for the answer: "" or the error.
  std::string recover();
  std::string apply(const Vpc& vpc);
  std::string remove(const std::string& vpc_id);
  std::string remove_all();
  std::string set_egress(bool allowed);
  Counters counters(const std::string& vpc_id);
  std::pair<Descriptor, std::string> dial(const std::string& vpc_id, const std::string& address, int port);
  std::pair<Descriptor, std::string> listen_internet(const std::string& address, int port);

  std::vector<Listener> listeners;  // as told, in order; closed at the end

 protected:
  World() = default;
  virtual std::unique_ptr<Network> make() = 0;
  void start();

  brume::testing::TestLoop loop_;
  FakeKeeper keeper_{loop_};
  std::unique_ptr<Network> network_;

 private:
  std::string wait(const std::function<void(Done)>& start);
};

std::unique_ptr<World> make_real_world();
// On a run directory that the caller keeps; with `remove`, everything in it goes away at the end.
std::unique_ptr<World> make_real_world_in(const std::string& run_directory, bool remove);
std::unique_ptr<World> make_fake_world();

// Runs `body` on a thread inside the namespace and returns when it has ended.
void inside(const std::string& namespace_path, const std::function<void()>& body);

// Answers every TCP connection on its port with the peer's address and a line end, then echoes. One thread, ended with
// the object.
class EchoServer {
 public:
  EchoServer(const std::string& namespace_path, const std::string& address, int port);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class Outcome { connected, refused, unreachable, timed_out };
std::ostream& operator<<(std::ostream& out, Outcome outcome);

// A TCP connection from inside a namespace.
class Client {
 public:
  Client(const std::string& namespace_path, const std::string& address, int port, int limit_ms = 400);
  Outcome outcome() const { return outcome_; }
  // The address that an EchoServer saw.
  const std::string& seen_as() const { return seen_as_; }
  // Sends a byte and waits for it to come back.
  bool echo(int limit_ms = 400);

 private:
  Descriptor socket_;
  Outcome outcome_ = Outcome::timed_out;
  std::string seen_as_;
};

}  // namespace brume::network::testing
