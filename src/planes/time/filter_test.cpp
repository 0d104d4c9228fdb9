#include "planes/time/filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstring>

#include "planes/time/calls.h"
#include "planes/time/timers.h"

namespace brume::time {
namespace {

constexpr std::uint64_t kPointer = 0x7fff'0000'0000;  // its lower half is zero

// What the kernel's interpreter makes of a call: the few instructions that the filter has.
std::uint32_t verdict(const Call& call, std::uint32_t architecture = AUDIT_ARCH_X86_64) {
  seccomp_data data{.nr = static_cast<int>(call.number), .arch = architecture, .instruction_pointer = 0, .args = {}};
  for (std::size_t i = 0; i < call.arguments.size(); ++i) data.args[i] = call.arguments[i];
  const std::vector<sock_filter> code = wait_filter();
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const sock_filter& step = code[at];
    const auto jump = [&](bool yes) { at += yes ? step.jt : step.jf; };
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + step.k, sizeof accumulator);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(accumulator == step.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump((accumulator & step.k) != 0);
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        ADD_FAILURE() << "instruction " << step.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the filter has no end";
  return 0;
}
bool stops(const Call& call) { return verdict(call) == SECCOMP_RET_TRACE; }

TEST(WaitFilter, StopsWhatWaitsForAWhile) {
  EXPECT_TRUE(stops({SYS_nanosleep, {kPointer, 0}}));
  EXPECT_TRUE(stops({SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, kPointer, 0}}));
  EXPECT_TRUE(stops({SYS_select, {0, 0, 0, 0, kPointer}}));
  EXPECT_TRUE(stops({SYS_epoll_pwait2, {1, 2, 3, kPointer}}));
  EXPECT_TRUE(stops({SYS_semtimedop, {1, 2, 3, kPointer}}));
  EXPECT_TRUE(stops({SYS_poll, {1, 2, 100}}));
  EXPECT_TRUE(stops({SYS_epoll_wait, {1, 2, 3, 100}}));
}

TEST(WaitFilter, LetsPassWhatWaitsForNothingOrForEver) {
  EXPECT_FALSE(stops({SYS_ppoll, {1, 2, 0}}));
  EXPECT_FALSE(stops({SYS_select, {0, 0, 0, 0, 0}}));
  EXPECT_FALSE(stops({SYS_poll, {1, 2, 0}}));
  EXPECT_FALSE(stops({SYS_poll, {1, 2, ~std::uint64_t{0}}}));
  EXPECT_FALSE(stops({SYS_epoll_pwait, {1, 2, 3, 0xffff'ffff}}));
}

TEST(WaitFilter, KnowsWhichFutexOperationsWait) {
  for (const int operation : {FUTEX_WAIT, FUTEX_WAIT_PRIVATE, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
                              FUTEX_LOCK_PI_PRIVATE, FUTEX_WAIT_REQUEUE_PI}) {
    EXPECT_TRUE(stops({SYS_futex, {1, static_cast<std::uint64_t>(operation), 0, kPointer}})) << operation;
    EXPECT_FALSE(stops({SYS_futex, {1, static_cast<std::uint64_t>(operation), 0, 0}})) << operation;
  }
  // Here the fourth argument is a number.
  for (const int operation : {FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE_PRIVATE, FUTEX_WAKE_OP})
    EXPECT_FALSE(stops({SYS_futex, {1, static_cast<std::uint64_t>(operation), 1, kPointer}})) << operation;
}

TEST(WaitFilter, StopsTimersAndReadingsOfTheClocksThatTheCloudHas) {
  EXPECT_TRUE(stops({SYS_timerfd_settime, {1}}));
  EXPECT_TRUE(stops({SYS_setitimer, {0 /* ITIMER_REAL */}}));
  EXPECT_FALSE(stops({SYS_setitimer, {2 /* ITIMER_PROF */}}));
  EXPECT_TRUE(stops({SYS_clock_gettime, {CLOCK_BOOTTIME}}));
  EXPECT_FALSE(stops({SYS_clock_gettime, {CLOCK_PROCESS_CPUTIME_ID}}));
}

TEST(WaitFilter, NoChildEscapes) {
  EXPECT_TRUE(stops({SYS_clone, {CLONE_UNTRACED}}));
  EXPECT_FALSE(stops({SYS_clone, {CLONE_VM}}));
}

TEST(WaitFilter, StopsFiltersAndDebuggersThatCome) {
  EXPECT_TRUE(stops({SYS_seccomp, {SECCOMP_SET_MODE_FILTER}}));
  EXPECT_TRUE(stops({SYS_prctl, {PR_SET_SECCOMP}}));
  EXPECT_FALSE(stops({SYS_prctl, {PR_SET_NAME}}));
  EXPECT_TRUE(stops({SYS_ptrace, {PTRACE_TRACEME}}));
  EXPECT_FALSE(stops({SYS_ptrace, {PTRACE_CONT}}));
}

TEST(WaitFilter, LetsEverythingElsePass) {
  for (const long number : {SYS_read, SYS_write, SYS_openat, SYS_mmap, SYS_execve, SYS_exit_group, SYS_io_uring_enter})
    EXPECT_EQ(verdict({number, {kPointer, kPointer, kPointer, kPointer, kPointer}}), SECCOMP_RET_ALLOW) << number;
  EXPECT_EQ(verdict({SYS_nanosleep, {kPointer}}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
}

TEST(WaitFilter, EveryWaitThatItStopsIsUnderstood) {
  for (long number = 0; number < 512; ++number) {
    const Call call{number, {CLOCK_REALTIME, FUTEX_WAIT, kPointer + 1, kPointer + 1, kPointer + 1, 0}};
    // What is only looked at.
    if (number == SYS_seccomp || number == SYS_prctl || number == SYS_ptrace) continue;
    if (!stops(call) || is_timer_call(number)) continue;
    const bool is_reading = number == SYS_clock_gettime || number == SYS_gettimeofday || number == SYS_time;
    EXPECT_TRUE(is_reading || time_out_of(call)) << number;
  }
}

}  // namespace
}  // namespace brume::time
