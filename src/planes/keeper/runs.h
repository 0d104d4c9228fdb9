// Programs that the keeper runs to their end for the daemon: output collected, a deadline kept. The keeper's only
// thread.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "planes/keeper/keeper.h"
#include "planes/keeper/poller.h"
#include "planes/keeper/process.h"
#include "planes/keeper/registry.h"

namespace brume::keeper {

class Runs {
 public:
  using Reply = std::function<void(RunResult)>;
  Runs(Poller& poller, Registry& registry) : poller_(poller), registry_(registry) {}

  void run(const RunSpec& spec, Reply reply);
  bool reaped(pid_t pid, int wait_status);  // false when it is none of these
  void kill_all();
  bool any_running() const { return !runs_.empty(); }

 private:
  struct Output {
    Descriptor pipe;
    Poller::Token token = 0;
    std::string text;
  };
  struct Run {
    pid_t pid = 0;
    std::string pid_file;
    std::uint64_t limit = 0;
    std::array<Output, 2> outputs;
    Poller::Token timer = 0;
    RunResult result;
    Reply reply;
  };
  void watch(Run& run, Output& output, Descriptor pipe);
  void read(Run& run, Output& output);
  void kill(Run& run);

  Poller& poller_;
  Registry& registry_;
  std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace brume::keeper
