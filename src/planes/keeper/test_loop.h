// For tests of planes: the test's own thread is the control thread, and waits for conditions with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "core/runtime.h"

namespace brume::testing {

class TestLoop final : public Control {
 public:
  void post(Function function) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(function));
    arrived_.notify_one();
  }
  // Planes whose tests use this loop have no timers on the cloud's clock.
  TimerId at(Time, Function) override { std::abort(); }
  void cancel(TimerId) override {}

  // Runs what is posted until `done` holds; false when it does not in time.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      Function next;
      {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait_until(lock, deadline, [&] { return !queue_.empty(); })) return done();
        next = std::move(queue_.front());
        queue_.pop_front();
      }
      next();
    }
    return true;
  }
  // Calls `start(callback)` and returns what the callback was given.
  template <class T, class Start>
  T await(Start start) {
    bool answered = false;
    T answer{};
    start([&](T value) {
      answer = std::move(value);
      answered = true;
    });
    // Thrown, so that the test fails and still cleans up behind itself.
    if (!run_until([&] { return answered; })) throw std::runtime_error("no answer in time");
    return answer;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Function> queue_;
};

}  // namespace brume::testing
