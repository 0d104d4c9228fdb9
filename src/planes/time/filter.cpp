#include "planes/time/filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace brume::time {
namespace {

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS, kEqual = BPF_JMP | BPF_JEQ | BPF_K,
                        kAnySet = BPF_JMP | BPF_JSET | BPF_K, kAnd = BPF_ALU | BPF_AND | BPF_K,
                        kReturn = BPF_RET | BPF_K;

std::uint32_t low(unsigned argument) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8U * argument);
}
std::uint32_t high(unsigned argument) { return low(argument) + 4; }

class Program {
 public:
  Program() {
    add(kLoad, offsetof(seccomp_data, arch));
    add(kEqual, AUDIT_ARCH_X86_64, 1, 0);
    add(kReturn, SECCOMP_RET_ALLOW);
  }
  // Each is a block that is jumped over unless the call is `number`; in it, what returns ends it.
  void always(long number) {
    begin(number);
    trace();
    end();
  }
  // A null pointer waits for ever.
  void pointer(long number, unsigned argument) {
    begin(number);
    trace_if_pointer(argument);
    end();
  }
  // Zero does not wait, minus one waits for ever.
  void milliseconds(long number, unsigned argument) {
    begin(number);
    add(kLoad, low(argument));
    add(kEqual, 0, 2, 0);
    add(kEqual, 0xffffffff, 1, 0);
    trace();
    allow();
    end();
  }
  void one_of(long number, unsigned argument, const std::vector<std::uint32_t>& values) {
    begin(number);
    add(kLoad, low(argument));
    for (const std::uint32_t value : values) {
      add(kEqual, value, 0, 1);
      trace();
    }
    allow();
    end();
  }
  // The other operations have a number where these have a time-out.
  void futex() {
    begin(SYS_futex);
    add(kLoad, low(1));
    add(kAnd, 0x7f);  // less FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME
    const std::vector<std::uint32_t> waits{FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_WAIT_REQUEUE_PI, 13};
    for (std::size_t i = 0; i < waits.size(); ++i)
      add(kEqual, waits[i], static_cast<std::uint8_t>(waits.size() - i), 0);
    allow();
    trace_if_pointer(3);
    end();
  }
  void flag(long number, unsigned argument, std::uint32_t bit) {
    begin(number);
    add(kLoad, low(argument));
    add(kAnySet, bit, 0, 1);
    trace();
    allow();
    end();
  }
  std::vector<sock_filter> finish() {
    allow();
    return std::move(code_);
  }

 private:
  void add(std::uint16_t operation, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    code_.push_back({operation, yes, no, value});
  }
  void trace() { add(kReturn, SECCOMP_RET_TRACE); }
  void allow() { add(kReturn, SECCOMP_RET_ALLOW); }
  void trace_if_pointer(unsigned argument) {
    add(kLoad, low(argument));
    add(kEqual, 0, 0, 2);
    add(kLoad, high(argument));
    add(kEqual, 0, 1, 0);
    trace();
    allow();
  }
  void begin(long number) {
    add(kLoad, offsetof(seccomp_data, nr));
    begun_ = code_.size();
    add(kEqual, static_cast<std::uint32_t>(number), 0, 0);
  }
  void end() { code_[begun_].jf = static_cast<std::uint8_t>(code_.size() - begun_ - 1); }

  std::vector<sock_filter> code_;
  std::size_t begun_ = 0;
};

// Calls that wait, and which argument is their time-out.
struct Waiting {
  long number;
  unsigned argument;
};
constexpr long kFutexWait = 455;  // newer than the headers of Debian 12
constexpr std::array kPointers{
    Waiting{SYS_nanosleep, 0},       Waiting{SYS_clock_nanosleep, 2}, Waiting{SYS_ppoll, 2},
    Waiting{SYS_select, 4},          Waiting{SYS_pselect6, 4},        Waiting{SYS_epoll_pwait2, 3},
    Waiting{SYS_futex_waitv, 3},     Waiting{kFutexWait, 4},          Waiting{SYS_recvmmsg, 4},
    Waiting{SYS_semtimedop, 3},      Waiting{SYS_rt_sigtimedwait, 2}, Waiting{SYS_mq_timedsend, 4},
    Waiting{SYS_mq_timedreceive, 4}, Waiting{SYS_io_getevents, 4},    Waiting{SYS_io_pgetevents, 4}};
constexpr std::array kMilliseconds{Waiting{SYS_poll, 2}, Waiting{SYS_epoll_wait, 3}, Waiting{SYS_epoll_pwait, 3}};

}  // namespace

std::vector<sock_filter> wait_filter() {
  Program program;
  for (const auto& [number, argument] : kPointers) program.pointer(number, argument);
  for (const auto& [number, argument] : kMilliseconds) program.milliseconds(number, argument);
  program.futex();
  for (const long timer :
       {SYS_timerfd_settime, SYS_timerfd_gettime, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime, SYS_alarm})
    program.always(timer);
  for (const long timer : {SYS_setitimer, SYS_getitimer}) program.one_of(timer, 0, {0 /* ITIMER_REAL */});
  program.one_of(SYS_clock_gettime, 0, {0, 1, 4, 5, 6, 7, 8, 9, 11});  // the clocks that are no processor's
  program.always(SYS_gettimeofday);
  program.always(SYS_time);
  // A filter of its own may forbid what a call is rewritten to; a debugger inside is told why it fails.
  program.one_of(SYS_seccomp, 0, {SECCOMP_SET_MODE_FILTER});
  program.one_of(SYS_prctl, 0, {PR_SET_SECCOMP});
  program.one_of(SYS_ptrace, 0, {PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE});
  // An untraced child would have nobody to answer for its waits.
  program.flag(SYS_clone, 0, CLONE_UNTRACED);
  return program.finish();
}

Installed install_wait_filter() {
  std::vector<sock_filter> code = wait_filter();
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  const auto install = [&] { return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0; };
  // Some have made the promise already, or it was made for them.
  const bool had_promised = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  if (install()) return Installed::whole;
  if (had_promised || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Installed::no;
  return install() ? Installed::without_new_rights : Installed::no;
}

}  // namespace brume::time
