#include "app/ending_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace brume::app {
namespace {

network::Descriptor open_process(pid_t pid) {
  return network::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// Each thread is the parent of what it started.
std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream file(thread.path() / "children");
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

}  // namespace

EndingProcess::EndingProcess(pid_t pid) {
  for (const pid_t child : children_of(pid))
    if (network::Descriptor process = open_process(child)) processes_.push_back(std::move(process));
  if (network::Descriptor process = open_process(pid)) processes_.push_back(std::move(process));
}

bool EndingProcess::wait_for_end(std::chrono::milliseconds longest) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  return std::ranges::all_of(processes_, [deadline](const network::Descriptor& process) {
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd poll{process.get(), POLLIN, 0};
      const int ended = ::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
      if (ended >= 0 || errno != EINTR) return ended == 1;
    }
  });
}

}  // namespace brume::app
