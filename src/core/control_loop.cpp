#include "core/control_loop.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace brume {
namespace {

// The longest sleep with a timer set: the machine's clock can be stepped, or have stood still in a suspend, without
// anybody telling.
constexpr Duration kLongestSleep = seconds(1);

}  // namespace

ControlLoop::~ControlLoop() { stop(); }

void ControlLoop::post(Function function) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(function));
  }
  wake_.notify_one();
}

Control::TimerId ControlLoop::at(Time when, Function function) {
  const TimerId timer = ++last_timer_;
  timers_.emplace(std::pair(when, timer), std::move(function));
  times_.emplace(timer, when);
  return timer;
}

void ControlLoop::cancel(TimerId timer) {
  const auto found = times_.find(timer);
  if (found == times_.end()) return;
  timers_.erase({found->second, timer});
  times_.erase(found);
}

void ControlLoop::start() {
  BRUME_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void ControlLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  // What is left goes now, while what it refers to is still there.
  std::deque<Function> queue;
  {
    const std::lock_guard lock(mutex_);
    queue.swap(queue_);
  }
  times_.clear();
  const auto timers = std::exchange(timers_, {});
}

void ControlLoop::wake() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_one();
}

void ControlLoop::run() {
  while (true) {
    run_one_due_timer();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    poked_ = false;
    if (!queue_.empty()) {
      lock.unlock();
      run_one_posted();
      continue;
    }
    const auto woken = [this] { return stopping_ || poked_ || !queue_.empty(); };
    if (timers_.empty()) {
      wake_.wait(lock, woken);
    } else {
      const Duration until =
          std::clamp(clock_.real(timers_.begin()->first.first - clock_.now()), Duration{}, kLongestSleep);
      wake_.wait_for(lock, std::chrono::milliseconds(until.ms), woken);
    }
  }
}

void ControlLoop::run_until_idle() {
  while (run_one_posted() || run_one_due_timer()) {
  }
}

std::optional<Time> ControlLoop::next_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

bool ControlLoop::run_one_posted() {
  Function function;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    function = std::move(queue_.front());
    queue_.pop_front();
  }
  run_guarded(function);
  return true;
}

bool ControlLoop::run_one_due_timer() {
  if (timers_.empty() || timers_.begin()->first.first > clock_.now()) return false;
  auto node = timers_.extract(timers_.begin());
  times_.erase(node.key().second);
  run_guarded(node.mapped());
  return true;
}

// Those who post catch what they can answer for. An exception that gets here would otherwise end the daemon for one
// request's sake; it is an error of ours and goes to the log.
void ControlLoop::run_guarded(Function& function) {
  try {
    function();
  } catch (const std::exception& error) {
    log::error("control", std::string("a posted function failed: ") + error.what());
  }
}

}  // namespace brume
