// For tests of planes: the test's own thread is the control thread, and waits for conditions with a deadline. Workers
// are threads of the pool that the test starts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/runtime.h"

namespace brume::testing {

class TestLoop final : public Control {
 public:
  void post(Function function) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(function));
    arrived_.notify_one();
  }
  // Fired by advance() only.
  TimerId at(Time when, Function function) override {
    timers_.emplace(std::pair(when.ms, ++last_timer_), std::move(function));
    return last_timer_;
  }
  void cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }
  void advance(Time now) {
    while (!timers_.empty() && timers_.begin()->first.first <= now.ms) {
      auto node = timers_.extract(timers_.begin());
      node.mapped()();
    }
  }

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
    if (!run_until([&] { return answered; })) std::abort();
    return answer;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Function> queue_;
  std::map<std::pair<std::int64_t, TimerId>, Function> timers_;
  TimerId last_timer_ = 0;
};

class TestWorkers final : public Workers {
 public:
  explicit TestWorkers(Control& control, int threads = 2) : control_(control) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~TestWorkers() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  void run(Function job, Function then) override {
    const std::lock_guard lock(mutex_);
    jobs_.emplace_back(std::move(job), std::move(then));
    arrived_.notify_one();
  }

 private:
  void work() {
    while (true) {
      std::pair<Function, Function> job;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return ending_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job.first();
      control_.post(std::move(job.second));
    }
  }

  Control& control_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::pair<Function, Function>> jobs_;
  std::vector<std::thread> threads_;
  bool ending_ = false;
};

}  // namespace brume::testing
