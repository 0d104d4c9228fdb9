#include "planes/keeper/registry.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/log.h"
#include "core/system.h"
#include "core/text.h"
#include "planes/keeper/process.h"

namespace brume::keeper {
namespace {

constexpr int kWaitMs = 5000;

// What it held (a port, a data directory) is free when this returns. It is not a child of this process.
void kill_and_wait(pid_t pid) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
  pollfd ended{process.get(), POLLIN, 0};
  if (process && ::poll(&ended, 1, kWaitMs) == 0) {
    log::warning("keeper", "process " + std::to_string(pid) + " of an earlier keeper does not end");
  }
}

}  // namespace

Registry::Registry(std::string directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
}

std::string Registry::path(pid_t pid) const { return directory_ + "/" + std::to_string(pid); }

void Registry::add(pid_t pid) { std::ofstream(path(pid)) << beginning_of(pid); }

void Registry::remove(pid_t pid) {
  std::error_code ignored;
  std::filesystem::remove(path(pid), ignored);
}

int Registry::kill_leftovers() {
  int killed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const std::string began = read_file(entry.path());
    std::int64_t number = 0;
    if (parse_int(entry.path().filename().string(), number) && number > 1 && !began.empty() &&
        beginning_of(static_cast<pid_t>(number)) == began) {
      kill_and_wait(static_cast<pid_t>(number));
      ++killed;
    }
    std::error_code ignored;
    std::filesystem::remove(entry.path(), ignored);
  }
  if (killed > 0) log::warning("keeper", "ended " + std::to_string(killed) + " processes of an earlier keeper");
  return killed;
}

}  // namespace brume::keeper
