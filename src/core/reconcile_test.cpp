#include "core/reconcile.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "core/testing.h"

namespace brume {
namespace {

using Outcome = ReconcileLoop::Outcome;

// A loop whose runs wait until the test ends them.
struct Held {
  ManualRuntime runtime;
  std::vector<std::pair<std::string, ReconcileLoop::Done>> runs;
  ReconcileLoop loop{
      runtime.control,
      runtime.clock,
      "test",
      [this](const std::string& key, ReconcileLoop::Done done) { runs.emplace_back(key, std::move(done)); },
      {.first = seconds(1), .cap = seconds(4)}};
  void end_last(Outcome outcome) {
    const auto done = std::move(runs.back().second);
    done(std::move(outcome));
  }
};

TEST(ReconcileLoop, RunsAKeyOnceHoweverOftenItWasAdded) {
  Held held;
  held.loop.add("a");
  held.loop.add("a");
  held.loop.add("b");
  EXPECT_TRUE(held.runs.empty());
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 2U);
  EXPECT_FALSE(held.loop.idle());
}

TEST(ReconcileLoop, RunsAgainAfterAnAddDuringTheRun) {
  Held held;
  held.loop.add("a");
  held.runtime.run();
  held.loop.add("a");
  held.loop.add("a");
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 1U);
  held.end_last(Outcome::done());
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 2U);
  held.end_last(Outcome::done());
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 2U);
  EXPECT_TRUE(held.loop.idle());
}

TEST(ReconcileLoop, BacksOffUpToTheCapAndForgetsOnSuccess) {
  Held held;
  held.loop.add("a");
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 5; ++i) {
    held.runtime.run();
    held.end_last(Outcome::retry("the plane is away"));
    waits.push_back((*held.runtime.control.next_timer() - held.runtime.clock.now()).ms);
    held.runtime.advance({waits.back() - 1});
    EXPECT_EQ(held.runs.size(), static_cast<std::size_t>(i + 1));
    held.runtime.advance({1});
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1000, 2000, 4000, 4000, 4000}));
  EXPECT_EQ(held.loop.error_of("a"), "the plane is away");
  held.end_last(Outcome::done());
  EXPECT_TRUE(held.loop.idle());
  EXPECT_EQ(held.loop.error_of("a"), "");
  held.loop.add("a");
  held.runtime.run();
  held.end_last(Outcome::retry("again"));
  EXPECT_EQ(*held.runtime.control.next_timer() - held.runtime.clock.now(), seconds(1));
}

TEST(ReconcileLoop, AnAddEndsTheBackOffButNotOneFromTheFailedRunItself) {
  Held held;
  held.loop.add("a");
  held.runtime.run();
  held.loop.add("a");
  held.end_last(Outcome::retry("failed"));
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 1U);
  held.loop.add("a");
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 2U);
  EXPECT_FALSE(held.runtime.control.next_timer());
}

TEST(ReconcileLoop, ADroppedAnswerAndAnExceptionAreFailures) {
  ManualRuntime runtime;
  int runs = 0;
  ReconcileLoop loop(runtime.control, runtime.clock, "test", [&](const std::string& key, const ReconcileLoop::Done&) {
    ++runs;
    if (key == "thrown") throw PlaneError(PlaneError::Kind::transient, "no such device");
  });
  loop.add("dropped");
  loop.add("thrown");
  runtime.run();
  EXPECT_EQ(loop.error_of("thrown"), "no such device");
  EXPECT_EQ(loop.error_of("dropped"), "the handler dropped its answer");
  runtime.advance(milliseconds(100));
  EXPECT_EQ(runs, 4);
}

TEST(ReconcileLoop, AddAfterRunsLaterOrWithAnEarlierAdd) {
  Held held;
  held.loop.add_after("a", minutes(1));
  held.runtime.advance(seconds(59));
  EXPECT_TRUE(held.runs.empty());
  held.runtime.advance(seconds(1));
  EXPECT_EQ(held.runs.size(), 1U);
  held.loop.add_after("a", minutes(1));
  held.end_last(Outcome::done());
  held.loop.add("a");
  held.runtime.run();
  EXPECT_EQ(held.runs.size(), 2U);
  EXPECT_FALSE(held.runtime.control.next_timer());
}

TEST(ReconcileLoop, AnswersAfterItsEndGoNowhere) {
  ManualRuntime runtime;
  ReconcileLoop::Done kept;
  {
    ReconcileLoop loop(runtime.control, runtime.clock, "test",
                       [&](const std::string&, ReconcileLoop::Done done) { kept = std::move(done); });
    loop.add("a");
    runtime.run();
    loop.add("b");
  }
  kept(Outcome::retry("late"));
  runtime.advance(minutes(1));
  EXPECT_FALSE(runtime.control.next_timer());
}

}  // namespace
}  // namespace brume
