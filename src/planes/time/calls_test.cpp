#include "planes/time/calls.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>

#include "core/clock_page.h"

namespace brume::time {
namespace {

constexpr std::uint64_t kSlot = 0x7000'0000;

Rewritten rewritten(const Call& call) { return rewrite(call, *time_out_of(call), kSlot); }

TEST(Calls, MillisecondsBecomeNanosecondsInTheSlot) {
  EXPECT_EQ(rewritten({SYS_poll, {1, 2, 100, 9, 9, 9}}).call, (Call{SYS_ppoll, {1, 2, kSlot, 0, 0, 9}}));
  EXPECT_EQ(rewritten({SYS_epoll_wait, {1, 2, 3, 100, 9, 9}}).call, (Call{SYS_epoll_pwait2, {1, 2, 3, kSlot, 0, 0}}));
  EXPECT_EQ(rewritten({SYS_epoll_pwait, {1, 2, 3, 100, 5, 8}}).call, (Call{SYS_epoll_pwait2, {1, 2, 3, kSlot, 5, 8}}));
  EXPECT_EQ(rewritten({SYS_select, {1, 2, 3, 4, 5, 9}}).call, (Call{SYS_pselect6, {1, 2, 3, 4, kSlot, 0}}));
}

TEST(Calls, WhereSiblingsMayBeForbiddenEachStaysWhatItIs) {
  const auto in_kind = [](const Call& call) { return rewrite_in_kind(call, *time_out_of(call), kSlot); };
  for (const Call& call : {Call{SYS_poll, {1, 2, 100, 9, 9, 9}}, Call{SYS_epoll_wait, {1, 2, 3, 100, 9, 9}},
                           Call{SYS_epoll_pwait, {1, 2, 3, 100, 5, 8}}}) {
    EXPECT_EQ(in_kind(call).call, call);
    EXPECT_EQ(in_kind(call).form, SlotForm::milliseconds);
  }
  EXPECT_EQ(in_kind({SYS_select, {1, 2, 3, 4, 5, 9}}).call, (Call{SYS_select, {1, 2, 3, 4, kSlot, 9}}));
  EXPECT_EQ(in_kind({SYS_select, {1, 2, 3, 4, 5, 9}}).form, SlotForm::timeval);
  for (const Call& call : {Call{SYS_ppoll, {1, 2, 3, 4, 5}}, Call{SYS_futex, {1, FUTEX_WAIT, 3, 4, 5, 6}}})
    EXPECT_EQ(in_kind(call).call, rewritten(call).call);
}

TEST(Calls, AbsoluteSleepsBecomeSpans) {
  const Call call{SYS_clock_nanosleep, {CLOCK_REALTIME, TIMER_ABSTIME, 77, 88, 0, 0}};
  EXPECT_TRUE(time_out_of(call)->is_absolute);
  EXPECT_TRUE(time_out_of(call)->by_calendar);
  EXPECT_EQ(rewritten(call).call, (Call{SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, kSlot, 0, 0, 0}}));
}

TEST(Calls, AProcessorsClockIsLeftAlone) {
  EXPECT_FALSE(time_out_of({SYS_clock_nanosleep, {CLOCK_PROCESS_CPUTIME_ID, 0, 77, 0, 0, 0}}));
  EXPECT_FALSE(time_out_of({SYS_read, {}}));
}

TEST(Calls, FutexesKeepTheirOperationByAnotherClock) {
  const Call calendar{SYS_futex, {1, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 3, 4, 5, 6}};
  EXPECT_TRUE(time_out_of(calendar)->by_calendar);
  EXPECT_EQ(rewritten(calendar).form, SlotForm::absolute);
  EXPECT_EQ(rewritten(calendar).call, (Call{SYS_futex, {1, FUTEX_WAIT_BITSET_PRIVATE, 3, kSlot, 5, 6}}));
  const Call relative{SYS_futex, {1, FUTEX_WAIT_PRIVATE, 3, 4, 5, 6}};
  EXPECT_FALSE(time_out_of(relative)->is_absolute);
  EXPECT_EQ(rewritten(relative).form, SlotForm::span);
  const Call lock{SYS_futex, {1, FUTEX_LOCK_PI_PRIVATE, 3, 4, 5, 6}};
  EXPECT_TRUE(time_out_of(lock)->by_calendar);
  EXPECT_EQ(rewritten(lock).call, (Call{SYS_futex, {1, 13 | FUTEX_PRIVATE_FLAG, 3, kSlot, 5, 6}}));
}

TEST(Calls, ResultsSayHowTheWaitEnded) {
  EXPECT_TRUE(is_timed_out({SYS_poll, {}}, 0));
  EXPECT_FALSE(is_timed_out({SYS_poll, {}}, 1));
  EXPECT_TRUE(is_timed_out({SYS_futex, {}}, -ETIMEDOUT));
  EXPECT_FALSE(is_timed_out({SYS_futex, {}}, 0));
  EXPECT_TRUE(is_timed_out({SYS_rt_sigtimedwait, {}}, -EAGAIN));
  EXPECT_TRUE(is_interrupted(-EINTR));
  EXPECT_TRUE(is_interrupted(-516));
  EXPECT_FALSE(is_interrupted(-ETIMEDOUT));
}

TEST(Calls, SpansAreRoundedUpAndEndlessWhileTheClockStandsStill) {
  EXPECT_EQ(machine_span(20, 20 * kRealRate), 1);
  EXPECT_EQ(machine_span(21, 20 * kRealRate), 2);
  EXPECT_EQ(machine_span(0, 20 * kRealRate), 0);
  EXPECT_EQ(machine_span(-5, 20 * kRealRate), 0);
  EXPECT_GT(machine_span(1, 0), std::int64_t{3'000'000'000'000'000'000});
  EXPECT_EQ(machine_span(1'000, kRealRate / 2), 2'000);
}

}  // namespace
}  // namespace brume::time
