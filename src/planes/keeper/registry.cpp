#include "planes/keeper/registry.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/log.h"
#include "core/text.h"
#include "planes/keeper/process.h"

namespace brume::keeper {
namespace {

constexpr int kWaitMs = 5000;

// The moment that a process started, in the kernel's ticks: with the pid it names one process for good. Empty when
// there is none.
std::string start_ticks(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');  // the name may hold anything, spaces and parentheses too
  if (end == std::string::npos) return {};
  const auto parts = split(std::string_view(line).substr(end + 2), ' ');
  return parts.size() > 19 ? std::string(parts[19]) : std::string();
}

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

void Registry::add(pid_t pid) { std::ofstream(path(pid)) << start_ticks(pid); }

void Registry::remove(pid_t pid) {
  std::error_code ignored;
  std::filesystem::remove(path(pid), ignored);
}

int Registry::kill_leftovers() {
  int killed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    std::ifstream file(entry.path());
    std::ostringstream ticks;
    ticks << file.rdbuf();
    std::int64_t number = 0;
    if (parse_int(entry.path().filename().string(), number) && number > 1 && !ticks.str().empty() &&
        start_ticks(static_cast<pid_t>(number)) == ticks.str()) {
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
