#include "planes/keeper/keeper_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/log.h"
#include "core/system.h"
#include "planes/keeper/server.h"

namespace brume {
namespace {

using keeper::Descriptor;

// Held as long as the keeper lives. Nothing when another one holds it.
std::optional<Descriptor> take_lock(const std::string& run_directory) {
  Descriptor lock(::open((run_directory + "/keeper.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) throw_errno(run_directory + "/keeper.lock");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::nullopt;
  throw_errno("flock of keeper.lock");
}

// Renamed into place when it accepts, so that whoever finds the path can connect.
Descriptor listen_at(const std::string& path) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw_errno("socket");
  const std::string unready = path + ".new";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (unready.size() >= sizeof address.sun_path) {
    throw PlaneError(PlaneError::Kind::permanent, "the path " + unready + " is too long for a socket");
  }
  unready.copy(address.sun_path, sizeof address.sun_path - 1);
  ::unlink(unready.c_str());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw_errno(unready);
  if (::chmod(unready.c_str(), 0600) != 0) throw_errno(unready);
  if (::listen(socket.get(), 16) != 0) throw_errno("listen");
  if (::rename(unready.c_str(), path.c_str()) != 0) throw_errno(path);
  return socket;
}

Descriptor block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&signals, signal);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) throw_errno("sigprocmask");
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  Descriptor descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) throw_errno("signalfd");
  return descriptor;
}

// The mounts that containers need are seen by the keeper and its children only. What the host mounts or unmounts later
// still reaches it, so that it keeps no disk of the user's busy.
void enter_own_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) throw_errno("a private mount namespace");
  if (::mount("", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) throw_errno("mount propagation");
}

// Standard error goes to the log too: what a sanitizer or the C library says last.
void leave_terminal(const std::string& state_directory) {
  const std::string path = state_directory + "/keeper.log";
  log::set_file(path);
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!null || !file || ::dup2(null.get(), 0) < 0 || ::dup2(file.get(), 1) < 0 || ::dup2(file.get(), 2) < 0) {
    throw_errno("standard streams");
  }
}

// A user's shell has a soft limit of 1024 files, which a proxy or a database outgrows.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("RLIMIT_NOFILE");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("RLIMIT_NOFILE");
}

// The background process: says on `ready` that it serves, or why it cannot.
void serve(const KeeperOptions& options, Descriptor ready) {
  try {
    ::setsid();
    ::umask(077);
    if (::chdir("/") != 0) throw_errno("chdir /");
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) throw_errno("PR_SET_CHILD_SUBREAPER");
    raise_file_limit();
    Descriptor signals = block_signals();
    enter_own_mount_namespace();
    Descriptor listener = listen_at(keeper_socket_path(options.run_directory));
    leave_terminal(options.state_directory);
    keeper::Server server(options, std::move(listener), std::move(signals));
    ready.reset();
    server.run();
  } catch (const std::exception& error) {
    log::error("keeper", error.what());
    const std::string_view text = error.what();
    if (ready && ::write(ready.get(), text.data(), text.size()) < 0) ::_exit(2);
    ::_exit(1);
  }
}

}  // namespace

int keeper_main(const KeeperOptions& options) {
  try {
    std::filesystem::create_directories(options.run_directory);
    std::filesystem::create_directories(options.state_directory);
    const std::optional<Descriptor> lock = take_lock(options.run_directory);
    if (!lock) return 0;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
    const Descriptor told(ends[0]);
    Descriptor ready(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) throw_errno("fork");
    if (pid == 0) {
      serve(options, std::move(ready));
      ::_exit(0);
    }
    ready.reset();
    const std::string error = read_to_end(told.get());
    if (error.empty()) return 0;
    std::fprintf(stderr, "brume keep: %s\n", error.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "brume keep: %s\n", error.what());
  }
  return 1;
}

int keeper_main(int count, const char* const* arguments) {
  KeeperOptions options;
  for (int i = 0; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    if (name == "--run") options.run_directory = arguments[i + 1];
    if (name == "--state") options.state_directory = arguments[i + 1];
    if (name == "--cgroup") options.cgroup = arguments[i + 1];
  }
  if (options.run_directory.empty() || options.state_directory.empty()) {
    std::fprintf(stderr, "usage: brume keep --run DIR --state DIR [--cgroup PATH]\n");
    return 2;
  }
  return keeper_main(options);
}

}  // namespace brume
