#include "core/control_loop.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
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

}  // namespace
}  // namespace brume
