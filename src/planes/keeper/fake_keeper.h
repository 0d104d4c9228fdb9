// A keeper without processes, for tests of whatever spawns: the test says what programs do and looks at what was asked.
// Passes the contract tests of the real one. Control thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/runtime.h"
#include "planes/keeper/keeper.h"

namespace brume {

class FakeKeeper final : public Keeper {
 public:
  explicit FakeKeeper(Control& control) : control_(control) {}

  // What programs do; each may be replaced. They may call write_line and end_child.
  // Returns why it cannot be started, or "". Runs before the caller of spawn is told.
  std::function<std::string(const SpawnSpec&)> on_spawn = [](const SpawnSpec&) { return std::string(); };
  // A child that is signalled: ends by the signal unless replaced.
  std::function<void(const std::string& id, int signal)> on_signal = [this](const std::string& id, int signal) {
    end_child(id, {0, signal, 0});
  };
  std::function<void(const std::string& id, const std::string& bytes)> on_input = [](const auto&, const auto&) {};
  std::function<RunResult(const RunSpec&)> on_run = [](const RunSpec&) { return RunResult{.code = 0}; };
  std::function<std::string(const OverlayMount&)> on_mount = [](const OverlayMount&) { return std::string(); };

  void write_line(const std::string& id, const std::string& text, Stream stream = Stream::out);
  void end_child(const std::string& id, ExitStatus exit);
  // The stop's grace period is over: what did not end is killed.
  void pass_grace();
  // Another daemon connects: callbacks are gone, whatever was not acknowledged or forgotten is told to the new ones.
  void reconnect();

  // What was asked.
  const SpawnSpec* spec(const std::string& id) const;  // of a child that is not forgotten
  std::vector<RunSpec> runs;
  std::map<std::string, OverlayMount> mounts;        // by target
  std::map<std::string, std::string> log_sockets;    // id → path
  std::vector<std::pair<std::string, int>> signals;  // in order
  std::map<std::string, std::uint64_t> acknowledged;

  void spawn(SpawnSpec spec, std::function<void(Spawned)> done) override;
  void signal(const std::string& id, int signal) override;
  void stop(const std::string& id, int signal, std::int64_t grace_ms) override;
  void write_input(const std::string& id, std::string bytes) override;
  void forget(const std::string& id) override;
  void run(RunSpec spec, std::function<void(RunResult)> done) override;
  void mount_overlay(OverlayMount mount, std::function<void(std::string error)> done) override;
  void unmount(const std::string& path, std::function<void(std::string error)> done) override;
  void list(std::function<void(std::vector<Child>)> done) override;
  void on_exit(std::function<void(const Child&)> callback) override { exit_callbacks_.push_back(std::move(callback)); }
  void on_lines(std::function<void(std::vector<Line>)> callback) override {
    line_callbacks_.push_back(std::move(callback));
  }
  void acknowledge(const std::string& id, std::uint64_t sequence) override;
  void open_log_socket(const std::string& path, std::string id) override { log_sockets[std::move(id)] = path; }
  void close_log_socket(const std::string& id) override;

 private:
  struct Entry {
    SpawnSpec spec;
    Child child;
    bool stopping = false;
  };
  Entry* living(const std::string& id);
  void tell_exit(const Child& child);
  void tell_line(const Line& line);

  Control& control_;
  int next_pid_ = 1000;
  std::int64_t now_ms_ = 1'700'000'000'000;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::deque<Line>> lines_;  // unacknowledged
  std::map<std::string, std::uint64_t> sequences_;
  std::vector<std::function<void(const Child&)>> exit_callbacks_;
  std::vector<std::function<void(std::vector<Line>)>> line_callbacks_;
};

}  // namespace brume
