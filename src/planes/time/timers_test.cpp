#include "planes/time/timers.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace brume::time {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Armed at 1000 s of the cloud and 50 s of the machine, at twenty times the speed.
constexpr ArmedTimer kOnce{1060 * kSecond, 0, 53 * kSecond, 0};
constexpr ArmedTimer kEachMinute{1060 * kSecond, 60 * kSecond, 53 * kSecond, 3 * kSecond};

void expect(const TimerStanding& standing, std::int64_t deadline, bool is_owed) {
  EXPECT_EQ(standing.deadline, deadline);
  EXPECT_EQ(standing.is_owed, is_owed);
}

TEST(Timers, OneThatHasNotRungKeepsItsMoment) {
  expect(standing_of(kOnce, 1020 * kSecond, 51 * kSecond), 1060 * kSecond, false);
  expect(standing_of(kEachMinute, 1020 * kSecond, 51 * kSecond), 1060 * kSecond, false);
}

TEST(Timers, OneThatHasRungIsOver) { expect(standing_of(kOnce, 1061 * kSecond, 53 * kSecond), 0, false); }

TEST(Timers, APeriodicOneGoesOnInItsPhase) {
  expect(standing_of(kEachMinute, 1130 * kSecond, 56'500'000'000), 1180 * kSecond, false);
  // The kernel was a moment earlier than the cloud's clock: that ring is not repeated.
  expect(standing_of(kEachMinute, 1180 * kSecond - 1, 59 * kSecond), 1240 * kSecond, false);
}

TEST(Timers, ARingThatAnAdvanceJumpedOverIsDueAtOnce) {
  expect(standing_of(kOnce, 9000 * kSecond, 51 * kSecond), 9000 * kSecond, true);
  expect(standing_of(kEachMinute, 9000 * kSecond, 51 * kSecond), 9000 * kSecond, true);
  expect(standing_of(kEachMinute, 9000 * kSecond, 54 * kSecond), 9000 * kSecond, true);
}

TEST(Timers, KnowsTheCallsThatArmAndReadThem) {
  for (const long number : {SYS_timerfd_settime, SYS_timerfd_gettime, SYS_timer_create, SYS_timer_settime,
                            SYS_timer_gettime, SYS_setitimer, SYS_getitimer, SYS_alarm})
    EXPECT_TRUE(is_timer_call(number)) << number;
  EXPECT_FALSE(is_timer_call(SYS_timerfd_create));
  EXPECT_FALSE(is_timer_call(SYS_nanosleep));
}

}  // namespace
}  // namespace brume::time
