#include "core/control_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/testing.h"
#include "core/worker_pool.h"

namespace brume {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

TEST(ControlLoop, RunsPostsInOrderAndTimersAtTheirMoments) {
  ManualRuntime runtime;
  std::vector<int> ran;
  const Time start = runtime.clock.now();
  runtime.control.at(start + seconds(2), [&] { ran.push_back(2); });
  runtime.control.at(start + seconds(1), [&] {
    ran.push_back(1);
    runtime.control.at(runtime.clock.now() + seconds(2), [&] { ran.push_back(3); });
  });
  const auto cancelled = runtime.control.at(start + seconds(1), [&] { ran.push_back(99); });
  runtime.control.cancel(cancelled);
  runtime.control.cancel(cancelled);
  runtime.control.post([&] { ran.push_back(0); });
  runtime.run();
  EXPECT_EQ(ran, (std::vector{0}));
  runtime.advance(seconds(2));
  EXPECT_EQ(ran, (std::vector{0, 1, 2}));
  runtime.advance(seconds(1));
  EXPECT_EQ(ran, (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(runtime.clock.now(), start + seconds(3));
}

TEST(ControlLoop, AFailingFunctionDoesNotStopTheOthers) {
  ManualRuntime runtime;
  bool ran = false;
  runtime.control.post([] { throw std::runtime_error("expected by the test"); });
  runtime.control.post([&] { ran = true; });
  runtime.run();
  EXPECT_TRUE(ran);
}

TEST(ControlLoop, PerformsOnTheCallersThreadWhenIdle) {
  SystemClock clock;
  ControlLoop loop(clock);
  loop.start();
  std::promise<void> idle;
  loop.post([&] { idle.set_value(); });
  ASSERT_EQ(idle.get_future().wait_for(kDeadline), std::future_status::ready);
  // The turn of what was posted may not have ended yet.
  std::thread::id ran;
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!loop.perform([] {}) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  ASSERT_TRUE(loop.perform([&] { ran = std::this_thread::get_id(); }));
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(ControlLoop, PerformsLaterWhileSomethingRunsAndInOrder) {
  SystemClock clock;
  ControlLoop loop(clock);
  loop.start();
  std::promise<void> running, go_on, done;
  std::vector<int> ran;
  loop.post([&] {
    running.set_value();
    go_on.get_future().wait();
    ran.push_back(1);
  });
  ASSERT_EQ(running.get_future().wait_for(kDeadline), std::future_status::ready);
  loop.post([&] { ran.push_back(2); });
  EXPECT_FALSE(loop.perform([&] {
    ran.push_back(3);
    done.set_value();
  }));
  go_on.set_value();
  ASSERT_EQ(done.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

// Two threads and the loop's own take turns; each function finds what the one before it left.
TEST(ControlLoop, OneTurnAtATime) {
  constexpr int kTurns = 2000;
  SystemClock clock;
  ControlLoop loop(clock);
  loop.start();
  int inside = 0, turns = 0, timers = 0;
  bool alone = true;
  std::promise<void> all;
  const auto turn = [&] {
    alone = alone && ++inside == 1;
    loop.at(clock.now(), [&] { ++timers; });
    --inside;
    if (++turns == 3 * kTurns) loop.at(clock.now(), [&] { all.set_value(); });
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < kTurns; ++k) loop.perform(turn);
    });
  for (int k = 0; k < kTurns; ++k) loop.post(turn);
  ASSERT_EQ(all.get_future().wait_for(kDeadline), std::future_status::ready);
  loop.stop();
  EXPECT_TRUE(alone);
  EXPECT_EQ(timers, 3 * kTurns);
}

// A timer that is set in another thread's turn wakes the loop's thread, which slept for a later one or for none.
TEST(ControlLoop, ATimerOfAnotherThreadsTurnFires) {
  SystemClock clock;
  ControlLoop loop(clock);
  loop.start();
  for (int round = 0; round < 3; ++round) {
    std::promise<void> fired;
    loop.perform([&] { loop.at(clock.now() + milliseconds(5), [&] { fired.set_value(); }); });
    ASSERT_EQ(fired.get_future().wait_for(kDeadline), std::future_status::ready);
    loop.perform([&] { loop.at(clock.now() + hours(1), [] {}); });
  }
}

TEST(ControlLoop, OwnThreadRunsPostsAndTimers) {
  SystemClock clock;
  ControlLoop loop(clock);
  std::promise<std::thread::id> posted, timed;
  loop.post([&] {
    posted.set_value(std::this_thread::get_id());
    loop.at(clock.now() + milliseconds(5), [&] { timed.set_value(std::this_thread::get_id()); });
  });
  loop.start();
  auto first = posted.get_future();
  auto second = timed.get_future();
  ASSERT_EQ(first.wait_for(kDeadline), std::future_status::ready);
  ASSERT_EQ(second.wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(first.get(), second.get());
  loop.stop();
}

TEST(ControlLoop, TimersKeepTheirDistanceWhenTheClockIsSetBack) {
  ManualRuntime runtime;
  std::vector<int> ran;
  const Control::TimerId cancelled = runtime.control.at(runtime.clock.now() + seconds(5), [&] { ran.push_back(0); });
  runtime.control.at(runtime.clock.now() + seconds(5), [&] { ran.push_back(5); });
  runtime.control.at(runtime.clock.now() + seconds(9), [&] { ran.push_back(9); });
  runtime.advance(seconds(2));
  runtime.run();  // the loop looks at the clock at least once a second
  runtime.clock.set(runtime.clock.now() - hours(3));
  runtime.run();
  EXPECT_TRUE(ran.empty());
  runtime.control.cancel(cancelled);
  runtime.advance(seconds(3));
  EXPECT_EQ(ran, std::vector{5});
  runtime.advance(seconds(4));
  EXPECT_EQ(ran, (std::vector{5, 9}));
}

TEST(ControlLoop, TimersThatAClockSetForwardHasPassedFireInOrder) {
  ManualRuntime runtime;
  std::vector<int> ran;
  runtime.control.at(runtime.clock.now() + hours(2), [&] { ran.push_back(2); });
  runtime.control.at(runtime.clock.now() + hours(1), [&] { ran.push_back(1); });
  runtime.control.at(runtime.clock.now() + days(9), [&] { ran.push_back(9); });
  runtime.clock.advance(days(1));
  runtime.run();
  EXPECT_EQ(ran, (std::vector{1, 2}));
}

TEST(ControlLoop, WakeSeesAClockThatWasSet) {
  ManualClock clock;
  ControlLoop loop(clock);
  std::promise<void> fired;
  loop.at(clock.now() + days(1), [&] { fired.set_value(); });
  loop.start();
  clock.advance(days(1));
  loop.wake();
  EXPECT_EQ(fired.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST(ControlLoop, StopDropsWhatIsLeft) {
  ManualClock clock;
  ControlLoop loop(clock);
  const auto posted = std::make_shared<int>(1);
  const auto timed = std::make_shared<int>(2);
  loop.post([posted] {});
  loop.at(clock.now() + days(1), [timed] {});
  loop.stop();
  EXPECT_EQ(posted.use_count(), 1);
  EXPECT_EQ(timed.use_count(), 1);
  loop.post([posted] {});
  EXPECT_EQ(posted.use_count(), 1);
}

TEST(WorkerPool, RunsJobsElsewhereAndAnswersOnTheControlThread) {
  SystemClock clock;
  ControlLoop loop(clock);
  WorkerPool workers(loop, 2);
  loop.start();
  std::promise<void> all;
  std::thread::id control;
  int answers = 0;
  std::atomic<int> on_control = 0;
  loop.post([&] { control = std::this_thread::get_id(); });
  loop.post([&] {
    for (int i = 0; i < 50; ++i) {
      workers.run([&] { on_control += std::this_thread::get_id() == control ? 1 : 0; },
                  [&] {
                    on_control += std::this_thread::get_id() == control ? 0 : 100;
                    if (++answers == 50) all.set_value();
                  });
    }
  });
  ASSERT_EQ(all.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(on_control, 0);
  workers.stop();
  loop.stop();
}

TEST(WorkerPool, IsFewResultsAheadOfTheControlThread) {
  SystemClock clock;
  ControlLoop loop(clock);
  const auto backlog = std::make_shared<Backlog>();
  WorkerPool workers(loop, 2, backlog);
  constexpr std::size_t kJobs = 3 * Backlog::kMost;
  std::atomic<std::size_t> ran = 0;
  std::size_t taken = 0, most = 0;
  std::promise<void> all;
  for (std::size_t i = 0; i < kJobs; ++i)
    workers.run([&] { ++ran; },
                [&] {
                  most = std::max(most, ran - taken);
                  if (++taken == kJobs) all.set_value();
                });
  // Nobody takes anything yet: what the workers make fills the backlog, and then they wait.
  while (!backlog->is_full()) std::this_thread::yield();
  EXPECT_LE(ran, Backlog::kMost + 2);
  loop.start();
  ASSERT_EQ(all.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_LE(most, Backlog::kMost + 2) << "one more by each thread";
  workers.stop();
  loop.stop();
}

TEST(WorkerPool, StopsThoughNobodyTakesItsResults) {
  SystemClock clock;
  ControlLoop loop(clock);
  const auto backlog = std::make_shared<Backlog>();
  WorkerPool workers(loop, 2, backlog);
  for (std::size_t i = 0; i < 2 * Backlog::kMost; ++i) workers.run([] {}, [] {});
  while (!backlog->is_full()) std::this_thread::yield();
  workers.stop();
  loop.stop();
}

}  // namespace
}  // namespace brume
