// The control thread: a queue that any thread posts to and a heap of timers on the cloud's clock. Another thread may
// take a turn while it is idle (perform). Made by app; in tests run by hand, without a thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "core/cloud_clock.h"
#include "core/turns.h"

namespace brume {

class ControlLoop final : public Control, public Turns {
 public:
  explicit ControlLoop(const Clock& clock) : clock_(clock) {}
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;
  ~ControlLoop() override;  // stops

  void post(Function function) override;
  bool perform(Function function) override;
  TimerId at(Time when, Function function) override;
  void cancel(TimerId timer) override;
  Hold hold() override;

  // Lets cloud time pass at once; in a turn. `clock`, which must be this loop's, goes from each timer's moment to the
  // next's until `target`, and what a timer began may end before it goes on (for kPatience altogether: a month of
  // health checks would take a day). Then `done`. One at a time: a second one begins where the first ends.
  void advance(CloudClock& clock, Time target, Function done);
  static constexpr std::chrono::seconds kPatience{20};

  // Runs on a thread of its own from now on. What was posted before runs first.
  void start();
  // Lets the running function end and joins the thread; what is left, and what is posted later, is dropped. Not on the
  // control thread.
  void stop();
  // Looks at the clock again: to be called when its speed changed or it was set. Thread-safe.
  void wake();

  // For tests, on the calling thread: everything posted and every timer that is due, until nothing is left.
  void run_until_idle();
  std::optional<Time> next_timer() const;

 private:
  void run();
  bool wait_for_turn(std::unique_lock<std::mutex>& lock);
  void end_turn();
  template <class Woken>
  void sleep_until_timer(std::unique_lock<std::mutex>& lock, const Woken& woken);
  template <class Woken>
  void sleep_until_released(std::unique_lock<std::mutex>& lock, const Woken& woken);
  bool may_step() const;
  void step();
  bool run_one_posted();
  bool run_one_due_timer();
  void keep_distances(Time now);
  static void run_guarded(Function& function);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Function> queue_;  // guarded by mutex_, as the flags are
  bool started_ = false;
  bool stopping_ = false;
  bool poked_ = false;
  bool busy_ = false;      // somebody has the turn
  bool wants_ = false;     // the loop's thread waits for it, and comes next
  Time sleeping_until_{};  // the loop's thread, when it sleeps for a timer
  // Timers belong to whoever has the turn.
  std::map<std::pair<Time, TimerId>, Function> timers_;
  std::unordered_map<TimerId, Time> times_;
  TimerId last_timer_ = 0;
  Time last_look_;
  struct Advance {
    CloudClock& clock;
    Time target;
    Function done;
    std::chrono::nanoseconds patience = kPatience;
    bool is_begun = false;
  };
  std::deque<Advance> advances_;
  std::atomic<int> holders_ = 0;
  std::thread thread_;
};

}  // namespace brume
