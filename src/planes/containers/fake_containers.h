// Containers without processes, for tests of whatever runs tasks: the test says what programs do and looks at what was
// asked. Passes the contract tests of the real plane. Control thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/runtime.h"
#include "planes/containers/containers.h"

namespace brume::containers {

class FakeContainers final : public Containers {
 public:
  explicit FakeContainers(Control& control) : control_(control) {}

  // What programs do; each may be replaced. They may call end().
  // Returns why it cannot be started, or "".
  std::function<std::string(const ContainerSpec&)> on_start = [](const ContainerSpec&) { return std::string(); };
  // Ends by SIGTERM unless replaced.
  std::function<void(const std::string& id, int grace_seconds)> on_stop = [this](const std::string& id, int) {
    end(id, {0, 15, 0});
  };
  std::function<ExecResult(const std::string& id, const std::vector<std::string>& command)> on_exec =
      [](const std::string&, const std::vector<std::string>&) { return ExecResult{0, ""}; };

  void end(const std::string& id, ExitStatus exit, bool out_of_memory = false, bool out_of_disk = false);
  // Another daemon: callbacks are gone, containers are there and known again after recover().
  void reconnect();

  // What was asked.
  std::map<std::string, SandboxSpec> sandboxes;
  std::map<std::string, ContainerSpec> specs;  // of containers whose sandbox is there
  std::map<std::string, ContainerState> states;
  std::map<std::string, Usage> usages;  // what usage() answers
  std::map<std::string, std::uint64_t> disk_usages;

  void recover(std::function<void(std::vector<ContainerState>)> done) override;
  void create_sandbox(SandboxSpec spec, std::function<void(std::string error)> done) override;
  void remove_sandbox(const std::string& id, std::function<void(std::string error)> done) override;
  void start(ContainerSpec spec, std::function<void(Started)> done) override;
  void stop(const std::string& id, int grace_seconds) override;
  void on_exit(std::function<void(const ContainerState&)> callback) override {
    exit_callbacks_.push_back(std::move(callback));
  }
  void exec(const std::string& id, std::vector<std::string> command, int timeout_seconds,
            std::function<void(ExecResult)> done) override;
  void usage(const std::string& id, std::function<void(Usage)> done) override;
  std::uint64_t disk_usage(const std::string& sandbox) const override {
    const auto found = disk_usages.find(sandbox);
    return found == disk_usages.end() ? 0 : found->second;
  }
  std::string volume_path(const std::string& sandbox, const std::string& volume) override;
  void remove_all(std::function<void()> done) override;

 private:
  Control& control_;
  int next_pid_ = 2000;
  std::int64_t now_ms_ = 1'700'000'000'000;
  std::vector<std::function<void(const ContainerState&)>> exit_callbacks_;
};

}  // namespace brume::containers
