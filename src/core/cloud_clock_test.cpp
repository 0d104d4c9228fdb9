#include "core/cloud_clock.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "core/control_loop.h"
#include "core/testing.h"
#include "core/worker_pool.h"

namespace brume {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

struct OnDisk {
  TemporaryDirectory directory;
  std::string path = directory.path() + "/clock";
};

// An owner that turns the clock, advances it and is gone; what it showed at last.
Time turned_by_an_owner(const std::string& path) {
  CloudClock clock(path);
  clock.set_speed(20);
  clock.begin_advance();
  clock.step_to(clock.now() + days(3));
  clock.end_advance();
  return clock.now();
}

TEST(CloudClock, IsTheMachinesTimeUntilItIsTurned) {
  const OnDisk disk;
  const CloudClock clock(disk.path);
  EXPECT_TRUE(clock.dial().is_machine_time);
  EXPECT_EQ(clock.pace(), Clock::Pace::machine);
  const Time before = SystemClock().now(), cloud = clock.now(), after = SystemClock().now();
  EXPECT_LE(before, cloud);
  EXPECT_LE(cloud, after);
}

TEST(CloudClock, SpeedOneWithoutAdvancesStaysTheMachinesTime) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  clock.set_speed(1);
  EXPECT_TRUE(clock.dial().is_machine_time);
}

TEST(CloudClock, SpansShrinkWithTheSpeed) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  clock.set_speed(20);
  EXPECT_EQ(clock.real_ns(seconds(60)), 3'000'000'000);
  EXPECT_EQ(clock.pace(), Clock::Pace::dial);
  clock.pause();
  EXPECT_EQ(clock.real_ns(seconds(60)), std::nullopt);
  EXPECT_EQ(clock.dial().speed, 20);
  clock.resume();
  EXPECT_EQ(clock.real_ns(seconds(60)), 3'000'000'000);
}

TEST(CloudClock, StandsStillWhilePausedAndMovesByAdvances) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  clock.pause();
  const Time still = clock.now();
  clock.begin_advance();
  clock.step_to(still + days(3));
  clock.step_to(still);  // never backwards
  clock.end_advance();
  EXPECT_EQ(clock.now(), still + days(3));
  EXPECT_TRUE(clock.dial().is_paused);
}

TEST(CloudClock, GoesOnAfterItsOwnersDeath) {
  const OnDisk disk;
  const Time seen = turned_by_an_owner(disk.path);
  const CloudClock clock(disk.path);
  EXPECT_GE(clock.now(), seen);
  EXPECT_LT(clock.now(), seen + hours(12));
  EXPECT_EQ(clock.dial().speed, 20);
}

TEST(CloudClock, AnAdvanceThatWasCutShortLeavesARunningClock) {
  const OnDisk disk;
  {
    CloudClock clock(disk.path);
    clock.set_speed(20);
    clock.begin_advance();
    clock.step_to(clock.now() + days(1));
  }
  const CloudClock clock(disk.path);
  EXPECT_EQ(clock.real_ns(seconds(20)), 1'000'000'000);
}

TEST(CloudClock, AfterARestartOfTheMachineItGoesOnFromTheCalendar) {
  const OnDisk disk;
  const Time seen = turned_by_an_owner(disk.path);
  {
    std::fstream file(disk.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offsetof(ClockPage, boot));
    file << "another boot";
    // An hour of CLOCK_MONOTONIC later than it is now: what a longer-running machine had.
    const std::streamoff settings = offsetof(ClockPage, settings);
    for (const std::streamoff slot : {0, 1}) {
      const std::int64_t monotonic = std::int64_t{1} << 60;
      file.seekp(settings + slot * static_cast<std::streamoff>(sizeof(ClockSettings)));
      file.write(reinterpret_cast<const char*>(&monotonic), sizeof monotonic);
    }
  }
  const CloudClock clock(disk.path);
  EXPECT_GE(clock.now(), seen);
  EXPECT_LT(clock.now(), seen + hours(12));
}

TEST(CloudClock, RefusesAPageOfANewerVersion) {
  const OnDisk disk;
  {
    const CloudClock clock(disk.path);
  }
  {
    std::fstream file(disk.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offsetof(ClockPage, version));
    const std::uint32_t version = ClockPage::kVersion + 1;
    file.write(reinterpret_cast<const char*>(&version), sizeof version);
  }
  EXPECT_THROW(const CloudClock clock(disk.path), std::runtime_error);
}

// Readers in other processes, killed writers: the clock goes on from what readers saw.
TEST(CloudClock, KilledInTheMidstOfChangesItNeverRunsBackwards) {
  const OnDisk disk;
  const CloudClock reader(disk.path);
  Time seen;
  for (int round = 0; round < 5; ++round) {
    const pid_t writer = fork();
    if (writer == 0) {
      CloudClock clock(disk.path);
      for (std::uint32_t i = 0;; ++i) clock.set_speed(i % 2 == 0 ? 1000 : 0.5);
    }
    for (int i = 0; i < 2000; ++i) {
      const Time now = reader.now();
      ASSERT_GE(now, seen);
      seen = now;
    }
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
  }
}

TEST(CloudClock, IsNeverSeenRunningBackwardsUnderChanges) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  std::atomic<bool> is_over = false;
  std::atomic<int> backwards = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      Time last;
      while (!is_over) {
        const Time now = clock.now();
        if (now < last) ++backwards;
        last = now;
      }
    });
  for (int i = 0; i < 2000; ++i) {
    clock.set_speed(i % 3 == 0 ? 10'000 : 0.01);
    if (i % 7 == 0) clock.pause();
    if (i % 7 == 3) clock.resume();
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(backwards, 0);
}

TEST(CloudClock, TellsWhatItShowedAtAMomentOfTheMachine) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  const Time first = clock.machine_now();
  clock.begin_advance();
  clock.step_to(clock.now() + days(3));
  clock.end_advance();
  const Time machine = clock.machine_now(), cloud = clock.now();
  EXPECT_LE(clock.at_machine_time(machine) - cloud, seconds(1));
  EXPECT_LE(cloud - clock.at_machine_time(machine), seconds(1));
  EXPECT_EQ(clock.at_machine_time(first - hours(1)), first - hours(1));
}

TEST(ControlLoopAdvance, FiresEverythingDueInOrderAtItsMoment) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  ControlLoop control(clock);
  WorkerPool workers(control, 2);
  const Time start = clock.now();
  std::vector<std::pair<std::string, Duration>> fired;
  std::promise<void> done, begun_elsewhere;
  const auto note = [&](const std::string& what) { fired.emplace_back(what, clock.now() - start); };
  control.post([&] {
    control.at(start + hours(2), [&] { note("second"); });
    control.at(start + hours(1), [&] {
      note("first");
      // What a timer begins elsewhere ends before the clock goes on.
      workers.run([&] { begun_elsewhere.get_future().wait_for(std::chrono::milliseconds(30)); },
                  [&] { control.at(clock.now() + minutes(30), [&] { note("of the first"); }); });
    });
    control.at(start + days(4), [&] { note("too late"); });
    control.advance(clock, start + days(3), [&] {
      note("done");
      done.set_value();
    });
  });
  control.start();
  ASSERT_EQ(done.get_future().wait_for(kDeadline), std::future_status::ready);
  workers.stop();
  control.stop();
  ASSERT_EQ(fired.size(), 4U);
  EXPECT_EQ(fired[0], std::pair(std::string("first"), hours(1)));
  EXPECT_EQ(fired[1], std::pair(std::string("of the first"), minutes(90)));
  EXPECT_EQ(fired[2], std::pair(std::string("second"), hours(2)));
  EXPECT_EQ(fired[3].first, "done");
  EXPECT_GE(fired[3].second, days(3));
}

TEST(ControlLoopAdvance, TimersFollowTheSpeed) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  clock.set_speed(1000);
  ControlLoop control(clock);
  control.start();
  std::promise<void> fired;
  control.post([&] { control.at(clock.now() + minutes(5), [&] { fired.set_value(); }); });
  EXPECT_EQ(fired.get_future().wait_for(kDeadline), std::future_status::ready);
  control.stop();
}

TEST(ControlLoopAdvance, ASleeperIsToldOfANewSpeed) {
  const OnDisk disk;
  CloudClock clock(disk.path);
  clock.pause();
  ControlLoop control(clock);
  control.start();
  std::promise<void> fired, set;
  control.post([&] {
    control.at(clock.now() + minutes(5), [&] { fired.set_value(); });
    set.set_value();
  });
  set.get_future().wait();
  clock.set_speed(1000);
  clock.resume();
  control.wake();
  EXPECT_EQ(fired.get_future().wait_for(kDeadline), std::future_status::ready);
  control.stop();
}

}  // namespace
}  // namespace brume
