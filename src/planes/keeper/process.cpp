#include "planes/keeper/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "core/fault.h"

namespace brume::keeper {
namespace {

constexpr std::array<std::string_view, 41> kCapabilities = {"CAP_CHOWN",
                                                            "CAP_DAC_OVERRIDE",
                                                            "CAP_DAC_READ_SEARCH",
                                                            "CAP_FOWNER",
                                                            "CAP_FSETID",
                                                            "CAP_KILL",
                                                            "CAP_SETGID",
                                                            "CAP_SETUID",
                                                            "CAP_SETPCAP",
                                                            "CAP_LINUX_IMMUTABLE",
                                                            "CAP_NET_BIND_SERVICE",
                                                            "CAP_NET_BROADCAST",
                                                            "CAP_NET_ADMIN",
                                                            "CAP_NET_RAW",
                                                            "CAP_IPC_LOCK",
                                                            "CAP_IPC_OWNER",
                                                            "CAP_SYS_MODULE",
                                                            "CAP_SYS_RAWIO",
                                                            "CAP_SYS_CHROOT",
                                                            "CAP_SYS_PTRACE",
                                                            "CAP_SYS_PACCT",
                                                            "CAP_SYS_ADMIN",
                                                            "CAP_SYS_BOOT",
                                                            "CAP_SYS_NICE",
                                                            "CAP_SYS_RESOURCE",
                                                            "CAP_SYS_TIME",
                                                            "CAP_SYS_TTY_CONFIG",
                                                            "CAP_MKNOD",
                                                            "CAP_LEASE",
                                                            "CAP_AUDIT_WRITE",
                                                            "CAP_AUDIT_CONTROL",
                                                            "CAP_SETFCAP",
                                                            "CAP_MAC_OVERRIDE",
                                                            "CAP_MAC_ADMIN",
                                                            "CAP_SYSLOG",
                                                            "CAP_WAKE_ALARM",
                                                            "CAP_BLOCK_SUSPEND",
                                                            "CAP_AUDIT_READ",
                                                            "CAP_PERFMON",
                                                            "CAP_BPF",
                                                            "CAP_CHECKPOINT_RESTORE"};

// What the child reports when it cannot go on to exec.
struct Failure {
  int error;
  char step[60];
};

[[noreturn]] void fail(int report, std::string_view step) {
  Failure failure{errno, {}};
  step.copy(failure.step, sizeof failure.step - 1);
  [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);
  ::_exit(127);
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);  // SIGKILL and SIGSTOP refuse
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void bind_mounts(int report, const std::vector<Bind>& binds) {
  if (binds.empty()) return;
  if (::unshare(CLONE_NEWNS) != 0) fail(report, "a mount namespace");
  if (::mount("", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) fail(report, "mount propagation");
  for (const Bind& bind : binds) {
    if (::mount(bind.source.c_str(), bind.target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
      fail(report, "bind " + bind.target);
    }
    if (!bind.read_only) continue;
    if (::mount("", bind.target.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      fail(report, "read-only bind " + bind.target);
    }
  }
}

// Becomes the user, with the named capabilities kept over exec as ambient ones.
void become_user(int report, const ProcessSpec& spec) {
  if (spec.uid == 0 && spec.gid == 0) return;
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) fail(report, "PR_SET_KEEPCAPS");
  if (::setgroups(0, nullptr) != 0) fail(report, "setgroups");
  if (::setresgid(spec.gid, spec.gid, spec.gid) != 0) fail(report, "setresgid");
  if (::setresuid(spec.uid, spec.uid, spec.uid) != 0) fail(report, "setresuid");
  std::array<__user_cap_data_struct, 2> data{};
  std::vector<int> numbers;
  for (const std::string& name : spec.ambient_capabilities) {
    const int number = capability_number(name);
    if (number < 0) {
      errno = EINVAL;
      fail(report, name);
    }
    numbers.push_back(number);
    const auto index = static_cast<std::size_t>(number / 32);
    const std::uint32_t bit = 1U << static_cast<unsigned>(number % 32);
    data[index].effective |= bit;
    data[index].permitted |= bit;
    data[index].inheritable |= bit;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  if (::syscall(SYS_capset, &header, data.data()) != 0) fail(report, "capset");
  for (const int number : numbers) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) fail(report, "an ambient capability");
  }
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& string : strings) out.push_back(const_cast<char*>(string.c_str()));
  out.push_back(nullptr);
  return out;
}

struct ChildEnds {
  Descriptor input, output, err, network_namespace, report, start;
};

// Until the parent has taken note of this process. Ends with the parent, if it is killed before that.
void await_start(const ChildEnds& ends) {
  char go = 0;
  ssize_t got = 0;
  do {
    got = ::read(ends.start.get(), &go, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(127);
}

[[noreturn]] void run_child(const ProcessSpec& spec, const ChildEnds& ends) {
  const int report = ends.report.get();
  await_start(ends);
  ::setsid();
  reset_signals();
  ::umask(022);
  if (::dup2(ends.input.get(), 0) < 0 || ::dup2(ends.output.get(), 1) < 0 || ::dup2(ends.err.get(), 2) < 0) {
    fail(report, "dup2");
  }
  if (ends.network_namespace && ::setns(ends.network_namespace.get(), CLONE_NEWNET) != 0) {
    fail(report, "network namespace " + spec.network_namespace);
  }
  bind_mounts(report, spec.binds);
  if (::chdir(spec.directory.c_str()) != 0) fail(report, "directory " + spec.directory);
  become_user(report, spec);
  const std::vector<char*> arguments = pointers(spec.arguments);
  const std::vector<char*> environment = pointers(spec.environment);
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail(report, "close_range");
  ::execvpe(arguments[0], arguments.data(), environment.data());
  fail(report, std::string("exec ") + arguments[0]);
}

// A pipe whose end that stays here does not block.
void make_pipe(Descriptor& read_end, Descriptor& write_end, bool keep_read_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  const int kept = keep_read_end ? ends[0] : ends[1];
  ::fcntl(kept, F_SETFL, O_NONBLOCK);
}

Descriptor open_or_throw(const std::string& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!file) throw_errno(path);
  return file;
}

void prepare_streams(const ProcessSpec& spec, Process& process, ChildEnds& ends) {
  if (spec.input_pipe) {
    make_pipe(ends.input, process.input, false);
  } else {
    ends.input = open_or_throw("/dev/null", O_RDONLY);
  }
  switch (spec.output) {
    case SpawnSpec::Output::lines:
      make_pipe(process.output, ends.output, true);
      make_pipe(process.err, ends.err, true);
      break;
    case SpawnSpec::Output::null:
      ends.output = open_or_throw("/dev/null", O_WRONLY);
      ends.err = open_or_throw("/dev/null", O_WRONLY);
      break;
    case SpawnSpec::Output::file:
      ends.output = open_or_throw(spec.output_file, O_WRONLY | O_CREAT | O_APPEND);
      ends.err = open_or_throw(spec.output_file, O_WRONLY | O_APPEND);
      break;
  }
}

}  // namespace

void Descriptor::reset(int number) {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

int capability_number(const std::string& name) {
  const auto found = std::ranges::find(kCapabilities, name);
  return found == kCapabilities.end() ? -1 : static_cast<int>(found - kCapabilities.begin());
}

Process start_process(const ProcessSpec& spec, const std::function<void(pid_t)>& note) {
  Process process;
  if (spec.arguments.empty()) {
    process.error = "no program is named";
    return process;
  }
  ChildEnds ends;
  Descriptor report, start;
  try {
    prepare_streams(spec, process, ends);
    make_pipe(report, ends.report, false);
    make_pipe(ends.start, start, false);
    if (!spec.network_namespace.empty()) ends.network_namespace = open_or_throw(spec.network_namespace, O_RDONLY);
  } catch (const PlaneError& error) {
    process.error = error.message;
    return process;
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    start.reset();  // or the end of the parent would not be seen
    run_child(spec, ends);
  }
  if (pid < 0) {
    process.error = std::string("fork: ") + std::strerror(errno);
    return process;
  }
  fault_point("keeper.forked");
  note(pid);
  fault_point("keeper.noted");
  [[maybe_unused]] const ssize_t told = ::write(start.get(), "g", 1);
  start.reset();
  ends.report.reset();
  // Ends at once when exec closes the other side.
  Failure failure{};
  ssize_t got = 0;
  do {
    got = ::read(report.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    process.error = std::string(failure.step) + ": " + std::strerror(failure.error);
    return process;  // the loop reaps it as one of nobody
  }
  process.pid = pid;
  return process;
}

}  // namespace brume::keeper
