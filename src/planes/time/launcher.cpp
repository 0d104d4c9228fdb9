#include "planes/time/launcher.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "planes/time/filter.h"
#include "planes/time/session.h"

namespace brume::time {
namespace {

// Nothing of the tool's is held open, and the terminal's signals are not the launcher's.
void stand_apart(int keep) {
  ::setsid();
  for (int signal = 1; signal < NSIG; ++signal)
    if (signal != SIGUSR1 && signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);  // ignored, it would reap what is waited for
  if (keep > 0) ::syscall(SYS_close_range, 0, keep - 1, 0);
  ::syscall(SYS_close_range, keep + 1, ~0U, 0);
  [[maybe_unused]] const int root = ::chdir("/");
  ::prctl(PR_SET_NAME, "brume-clock");
}

// What was given up for it is said: a program that no longer gains its right fails elsewhere, and strangely.
void take_filter() {
  switch (install_wait_filter()) {
    case Installed::whole:
      return;
    case Installed::without_new_rights:
      std::fprintf(stderr,
                   "brume: without CAP_SYS_ADMIN no program with the set-user-id bit gains its right here; "
                   "exec --real lets it\n");
      return;
    case Installed::no:
      // It is traced already: half a following would be worse than none.
      throw std::runtime_error(std::string("the kernel refuses the filter of time (") + std::strerror(errno) +
                               "); exec --real keeps the machine's clock");
  }
}

// The launcher's whole life. One byte tells the tool that it is traced, more than one why it is not.
[[noreturn]] void launch(pid_t tool, int socket, const PagePaths& paths) {
  stand_apart(socket);
  char go = 0;
  if (::read(socket, &go, 1) != 1) _exit(0);
  const auto say = [socket](const std::string& text) {
    [[maybe_unused]] const ssize_t sent = ::write(socket, text.data(), text.size());
  };
  try {
    Session session(paths);
    if (!session.seize(tool)) {
      say(std::string("it cannot be traced (") + std::strerror(errno) + ")");
      _exit(0);
    }
    say("k");
    ::close(socket);
    session.run();
  } catch (const std::exception& error) {
    say(error.what());
  }
  _exit(0);
}

}  // namespace

std::string follow_clock(const PagePaths& paths) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return std::strerror(errno);
  const pid_t tool = ::getpid();
  const pid_t middle = ::fork();
  if (middle < 0) return std::strerror(errno);
  if (middle == 0) {
    // A grandchild, so that the tool has no child that it did not make.
    const pid_t launcher = ::fork();
    if (launcher == 0) {
      ::close(sockets[0]);
      launch(tool, sockets[1], paths);
    }
    [[maybe_unused]] const ssize_t told = ::write(sockets[1], &launcher, sizeof launcher);
    _exit(0);
  }
  ::close(sockets[1]);
  ::waitpid(middle, nullptr, 0);
  pid_t launcher = -1;
  std::string problem;
  if (::read(sockets[0], &launcher, sizeof launcher) != sizeof launcher || launcher < 0) {
    problem = "no launcher";
  } else {
    // Where only ancestors may trace (Yama), this one may too.
    ::prctl(PR_SET_PTRACER, launcher, 0, 0, 0);
    char answer[256];
    ssize_t count = ::write(sockets[0], "g", 1) == 1 ? ::read(sockets[0], answer, sizeof answer) : 0;
    if (count <= 0)
      problem = "its launcher ended";
    else if (count > 1)
      problem.assign(answer, static_cast<std::size_t>(count));
    else
      take_filter();
  }
  ::close(sockets[0]);
  return problem;
}

int follow_main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: brume follow PAGE INSIDE COMMAND...\n");
    return 2;
  }
  const std::string problem = follow_clock({.page = arguments[0], .inside = arguments[1]});
  if (!problem.empty()) {
    std::fprintf(stderr, "it cannot follow the cloud's clock: %s\n", problem.c_str());
    return 1;
  }
  ::execvp(arguments[2], arguments + 2);
  std::fprintf(stderr, "%s: %s\n", arguments[2], std::strerror(errno));
  return 127;
}

}  // namespace brume::time
