#include "planes/time/tracee.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace brume::time {
namespace {

constexpr int kSystemCallStop = SIGTRAP | 0x80;
constexpr long kRestartSyscall = 219;
constexpr std::int64_t kRestartBlock = -516;

std::string proc(pid_t thread, const char* what) { return "/proc/" + std::to_string(thread) + "/" + what; }

std::uint64_t bit_of(int signal) { return std::uint64_t{1} << static_cast<unsigned>(signal - 1); }

}  // namespace

bool read_registers(pid_t thread, user_regs_struct& registers) {
  return ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) == 0;
}
bool write_registers(pid_t thread, const user_regs_struct& registers) {
  user_regs_struct copy = registers;
  return ::ptrace(PTRACE_SETREGS, thread, nullptr, &copy) == 0;
}

Call call_of(const user_regs_struct& registers) {
  return {static_cast<long>(registers.orig_rax),
          {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9}};
}

void set_arguments(user_regs_struct& registers, const Call& call) {
  registers.orig_rax = static_cast<unsigned long long>(call.number);
  registers.rdi = call.arguments[0];
  registers.rsi = call.arguments[1];
  registers.rdx = call.arguments[2];
  registers.r10 = call.arguments[3];
  registers.r8 = call.arguments[4];
  registers.r9 = call.arguments[5];
}

void rewind(user_regs_struct& registers, long number) {
  registers.rip -= 2;  // the length of the instruction
  registers.rax = static_cast<unsigned long long>(number);
  registers.orig_rax = ~0ULL;  // no call: the kernel restarts nothing by itself
}

void unrewind(user_regs_struct& registers, long number, std::int64_t result) {
  registers.rip += 2;
  registers.rax = static_cast<unsigned long long>(result);
  registers.orig_rax = static_cast<unsigned long long>(number);
}

bool read_memory(pid_t thread, std::uint64_t address, void* data, std::size_t size) {
  const iovec local{data, size}, remote{reinterpret_cast<void*>(address), size};
  return ::process_vm_readv(thread, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}
bool write_memory(pid_t thread, std::uint64_t address, const void* data, std::size_t size) {
  const iovec local{const_cast<void*>(data), size}, remote{reinterpret_cast<void*>(address), size};
  return ::process_vm_writev(thread, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

RemoteCalls::RemoteCalls(pid_t thread, std::uint64_t instruction, Interrupted interrupted)
    : thread_(thread), instruction_(instruction) {
  read_registers(thread_, saved_);
  // Signals wait until the registers are the thread's own again.
  ::ptrace(PTRACE_GETSIGMASK, thread_, sizeof mask_, &mask_);
  std::uint64_t all = ~std::uint64_t{0};
  ::ptrace(PTRACE_SETSIGMASK, thread_, sizeof all, &all);
  as_found_ = saved_;
  // The kernel no longer looks at what these registers say of an interrupted call: what it would do is done here.
  const auto result = static_cast<std::int64_t>(saved_.rax), number = static_cast<std::int64_t>(saved_.orig_rax);
  if (number < 0 || interrupted == Interrupted::as_found) return;
  if (result == kRestartBlock)
    rewind(saved_, kRestartSyscall);
  else if (is_interrupted(result) && (result != -EINTR || is_never_restarted(number)))
    rewind(saved_, number);
}

RemoteCalls::~RemoteCalls() {
  if (death_) return;
  ::ptrace(PTRACE_SETSIGMASK, thread_, sizeof mask_, &mask_);
  // With a signal waiting, a timer's that was armed for now, the kernel looks after all: it knows whether the handler
  // ends the interrupted call.
  const bool is_signalled = (signals_of(thread_).pending & ~mask_) != 0;
  write_registers(thread_, is_signalled ? as_found_ : saved_);
  for (const int signal : held_back_) ::syscall(SYS_tgkill, process_of(thread_), thread_, signal);
}

// The next stop of a system call.
bool RemoteCalls::next_stop() {
  while (true) {
    if (::ptrace(PTRACE_SYSCALL, thread_, nullptr, 0) != 0) return false;
    int status = 0;
    if (::waitpid(thread_, &status, __WALL) != thread_) continue;
    if (!WIFSTOPPED(status)) {
      death_ = status;
      return false;
    }
    if (WSTOPSIG(status) == kSystemCallStop) return true;
    if (status >> 16 == 0) held_back_.push_back(WSTOPSIG(status));
  }
}

std::optional<std::int64_t> RemoteCalls::run(const Call& call) {
  user_regs_struct registers = saved_;
  set_arguments(registers, call);
  registers.rip = instruction_;
  registers.rax = static_cast<unsigned long long>(call.number);
  registers.orig_rax = ~0ULL;
  if (!write_registers(thread_, registers) || !next_stop() || !next_stop()) return std::nullopt;
  if (!read_registers(thread_, registers)) return std::nullopt;
  return static_cast<std::int64_t>(registers.rax);
}

bool SignalSets::is_caught(int signal) const { return (caught & bit_of(signal)) != 0; }

bool SignalSets::is_ignored(int signal) const {
  if ((ignored & bit_of(signal)) != 0) return true;
  if ((caught & bit_of(signal)) != 0) return false;
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
}

SignalSets signals_of(pid_t thread) {
  SignalSets sets;
  std::ifstream file(proc(thread, "status"));
  for (std::string line; std::getline(file, line);) {
    const auto value = [&] { return std::strtoull(line.c_str() + 7, nullptr, 16); };
    if (line.starts_with("SigPnd:") || line.starts_with("ShdPnd:")) sets.pending |= value();
    if (line.starts_with("SigBlk:")) sets.blocked = value();
    if (line.starts_with("SigIgn:")) sets.ignored = value();
    if (line.starts_with("SigCgt:")) sets.caught = value();
  }
  return sets;
}

pid_t process_of(pid_t thread) {
  std::ifstream file(proc(thread, "status"));
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Tgid:")) return std::atoi(line.c_str() + 5);
  return 0;
}

std::string mounts_of(pid_t thread) {
  char text[64];
  const ssize_t size = ::readlink(proc(thread, "ns/mnt").c_str(), text, sizeof text);
  return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

void say_to(pid_t thread, const std::string& text) {
  const int file = ::open(proc(thread, "fd/2").c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_APPEND | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
  ::close(file);
}

}  // namespace brume::time
