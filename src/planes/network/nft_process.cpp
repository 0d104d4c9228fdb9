#include "planes/network/nft_process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/fault.h"

namespace brume::network {
namespace {

// nft keeps every line in its history: after this much it is replaced by a fresh one.
constexpr std::size_t kRecycleBytes = 1U << 20;
constexpr int kAnswerSeconds = 30;
constexpr int kStopMs = 2000;
constexpr int kLongestLine = 32 << 20;

const char* find_nft() {
  for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"})
    if (::access(path, X_OK) == 0) return path;
  throw PlaneError(PlaneError::Kind::permanent, "nftables is not installed: there is no nft program");
}

// The child's attributes and descriptors: its own process group, so that Ctrl-C in the terminal is the daemon's affair,
// and no signal blocked or ignored.
class SpawnPlan {
 public:
  explicit SpawnPlan(int stream) {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      ::posix_spawn_file_actions_adddup2(&actions_, stream, standard);
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  int run(pid_t& pid, const char* program) const {
    std::string name = "nft", option = "-i";
    char* arguments[] = {name.data(), option.data(), nullptr};
    // nft reads and writes a history of all lines in $HOME/.nft.history, or in the root directory without HOME: here
    // it finds no directory.
    std::string home = "HOME=/dev/null";
    char* environment[] = {home.data(), nullptr};
    return ::posix_spawn(&pid, program, &actions_, &attributes_, arguments, environment);
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

bool ended_within(pid_t pid, int deadline_ms) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return errno == ESRCH;
  pollfd poll{process.get(), POLLIN, 0};
  return ::poll(&poll, 1, deadline_ms) == 1;
}

}  // namespace

std::string NftProcess::run(const std::string& line) {
  if (pid_ != 0 && (!alive() || fed_bytes_ > kRecycleBytes)) stop();
  if (pid_ == 0) start();
  // A line that is no statement: its error shows that what came before has been answered.
  const std::string marker = "brume_" + std::to_string(++commands_);
  fed_bytes_ += line.size();
  std::string printed;
  try {
    send(line + "\n" + marker + "\n");
    fault_point("network.nft.sent");
    printed = answer(marker);
  } catch (const PlaneError&) {
    stop();
    throw;
  }
  const std::string error = nft_error(line, printed);
  if (!error.empty()) throw PlaneError(PlaneError::Kind::permanent, "nft: " + error);
  return printed;
}

void NftProcess::start() {
  const char* program = find_nft();
  int pair[2];
  // A socket rather than pipes: writing to a dead one gives an error instead of a signal.
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) throw_errno("socketpair");
  stream_.reset(pair[0]);
  const Descriptor childs(pair[1]);
  const timeval deadline{.tv_sec = kAnswerSeconds, .tv_usec = 0};
  ::setsockopt(stream_.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  ::setsockopt(stream_.get(), SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  // Room for the longest line: a send that need not wait is not cut by kill -9. At the end of its input nft would run
  // the part that it has, half a transaction. Without privilege transactions are short (limit_bytes).
  ::setsockopt(stream_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kLongestLine, sizeof kLongestLine);
  // The child inherits the network namespace of the thread that spawns it.
  const Entered entered(namespaces_.open(name_));
  if (const int failure = SpawnPlan(childs.get()).run(pid_, program); failure != 0) {
    pid_ = 0;
    errno = failure;
    throw_errno(std::string("start ") + program);
  }
  fed_bytes_ = 0;
}

void NftProcess::stop() {
  stream_.reset();
  if (pid_ == 0) return;
  if (!ended_within(pid_, kStopMs)) ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

bool NftProcess::alive() const {
  pollfd poll{stream_.get(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 0;  // Between commands anything to read is the end.
}

void NftProcess::send(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t size = ::send(stream_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw_errno("nft input");
    sent += static_cast<std::size_t>(size);
  }
}

std::string NftProcess::answer(const std::string& marker) {
  const std::string marked = "\n" + marker + "\n";
  std::string printed;
  char buffer[65536];
  while (true) {
    // nft shows the marker's line and, below it, where the error is.
    const std::size_t at =
        printed.find(marked, printed.size() > 2 * sizeof buffer ? printed.size() - 2 * sizeof buffer : 0);
    if (at != std::string::npos && printed.find('\n', at + marked.size()) != std::string::npos) {
      const std::size_t message = printed.rfind('\n', at - 1);
      return printed.substr(0, message == std::string::npos ? 0 : message + 1);
    }
    const ssize_t size = ::recv(stream_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw_errno("nft output");
    if (size == 0) throw PlaneError(PlaneError::Kind::transient, "nft has died");
    printed.append(buffer, static_cast<std::size_t>(size));
  }
}

std::string nft_error(const std::string& line, const std::string& answer) {
  const std::size_t at = answer.starts_with("Error: ") ? 0 : answer.find("\nError: ");
  if (at == std::string::npos) return "";
  const std::size_t start = answer.find("Error: ", at) + 7;
  std::string message = answer.substr(start, answer.find('\n', start) - start);
  const std::size_t caret = answer.find('^', start);
  if (caret == std::string::npos) return message;
  const std::size_t column = caret - (answer.rfind('\n', caret) + 1);
  if (column >= line.size()) return message;
  const std::size_t from = line.rfind("; ", column), to = line.find("; ", column);
  const std::size_t first = from == std::string::npos ? 0 : from + 2;
  return message + ", in: " + line.substr(first, to == std::string::npos ? to : to - first);
}

}  // namespace brume::network
