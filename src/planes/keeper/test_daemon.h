// For tests: another process that is the daemon, to be killed. It spawns one child with a script, acknowledges each
// line, and writes the sequences that it has acknowledged to its standard output.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "planes/keeper/keeper_client.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume::testing {

// What the process does: TEST daemon RUN STATE CGROUP SCRIPT.
inline int daemon_main(char** arguments) {
  TestLoop loop;
  const auto client = make_keeper_client({arguments[0], arguments[1], arguments[2]}, loop);
  client->on_lines([&](const std::vector<Keeper::Line>& lines) {
    for (const Keeper::Line& line : lines) {
      client->acknowledge(line.id, line.sequence);
      std::printf("%llu\n", static_cast<unsigned long long>(line.sequence));
      std::fflush(stdout);
    }
  });
  SpawnSpec spec;
  spec.id = "script";
  spec.arguments = {"/bin/sh", "-c", arguments[3]};
  spec.environment = {"PATH=/usr/bin:/bin"};
  client->spawn(spec, [](const Keeper::Spawned&) {});
  loop.run_until([] { return false; }, std::chrono::seconds(60));
  return 1;
}

class DaemonProcess {
 public:
  DaemonProcess(const TestInstance& instance, const std::string& script) {
    const KeeperClientOptions options = instance.options();
    std::string command = "/proc/self/exe", verb = "daemon", run = options.run_directory,
                state = options.state_directory, cgroup = options.cgroup, text = script;
    char* arguments[] = {command.data(), verb.data(), run.data(), state.data(), cgroup.data(), text.data(), nullptr};
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (::posix_spawn(&pid_, command.c_str(), &actions, nullptr, arguments, environ) != 0) throw_errno("posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
  }
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  ~DaemonProcess() {
    if (pid_ > 0) end();
    std::fclose(output_);
  }
  // Kills it with SIGKILL once it has acknowledged so many lines; the last sequence that it told.
  std::uint64_t kill_after_acknowledged(std::uint64_t count) {
    unsigned long long sequence = 0;
    while (sequence < count && std::fscanf(output_, "%llu", &sequence) == 1) {
    }
    end();
    while (std::fscanf(output_, "%llu", &sequence) == 1) {
    }
    return sequence;
  }

 private:
  void end() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid_ = 0;
  std::FILE* output_ = nullptr;
};

}  // namespace brume::testing
