#include "core/control_loop.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace brume {
namespace {

// How long to sleep with a clock that changes without telling: one of a test.
constexpr std::int64_t kPoll = 1'000'000'000;
// Longer than this is for ever: a change of the clock wakes the sleeper.
constexpr std::int64_t kForever = 1'000'000'000'000'000;
constexpr Time kNever{std::numeric_limits<std::int64_t>::max()};
// Less is the steering of a time daemon.
constexpr Duration kSetBack = seconds(1);

}  // namespace

ControlLoop::~ControlLoop() { stop(); }

void ControlLoop::post(Function function) {
  bool busy = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(function));
    busy = busy_;
  }
  if (!busy) wake_.notify_one();  // else whoever has the turn looks at the queue at its end
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
  const std::lock_guard lock(mutex_);
  started_ = true;
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
  const auto advances = std::exchange(advances_, {});
}

void ControlLoop::wake() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_one();
}

bool ControlLoop::perform(Function function) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    // Without a thread of the loop's own nobody but its owner may run anything.
    if (!started_ || busy_ || wants_ || !queue_.empty()) {
      queue_.push_back(std::move(function));
      if (!busy_) wake_.notify_one();
      return false;
    }
    busy_ = true;
  }
  run_guarded(function);
  function = nullptr;  // what it captured goes within the turn
  end_turn();
  return true;
}

void ControlLoop::end_turn() {
  bool awaited = false;
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    awaited = stopping_ || poked_ || wants_ || !queue_.empty() || !advances_.empty() ||
              (!timers_.empty() && timers_.begin()->first.first < sleeping_until_);
  }
  if (awaited) wake_.notify_one();
}

// Returns with the turn taken, when there is something to do. False: the loop stops.
bool ControlLoop::wait_for_turn(std::unique_lock<std::mutex>& lock) {
  while (true) {
    wants_ = true;
    sleeping_until_ = {};
    wake_.wait(lock, [this] { return !busy_; });
    wants_ = false;
    if (stopping_) return false;
    const Time now = clock_.now();
    keep_distances(now);
    const bool due = !timers_.empty() && timers_.begin()->first.first <= now;
    if (!queue_.empty() || due || may_step()) break;
    poked_ = false;
    const auto woken = [this] {
      return stopping_ || poked_ || (!busy_ && !queue_.empty()) ||
             (!busy_ && !timers_.empty() && timers_.begin()->first.first < sleeping_until_);
    };
    if (!advances_.empty())
      sleep_until_released(lock, woken);
    else
      sleep_until_timer(lock, woken);
  }
  busy_ = true;
  return true;
}

template <class Woken>
void ControlLoop::sleep_until_timer(std::unique_lock<std::mutex>& lock, const Woken& woken) {
  sleeping_until_ = timers_.empty() ? kNever : timers_.begin()->first.first;
  std::optional<std::int64_t> span;
  if (!timers_.empty()) span = clock_.real_ns(std::max(sleeping_until_ - clock_.now(), Duration{}));
  const Clock::Pace pace = clock_.pace();
  if (!span || *span > kForever) {
    wake_.wait(lock, woken);
  } else if (pace == Clock::Pace::machine) {
    // The machine's clock may be set, or have stood still in a suspend: the moment counts, not the span.
    const std::chrono::milliseconds when(sleeping_until_.ms);
    wake_.wait_until(lock, std::chrono::system_clock::time_point(when), woken);
  } else {
    if (pace == Clock::Pace::polled) span = std::min(*span, kPoll);
    wake_.wait_for(lock, std::chrono::nanoseconds(*span), woken);
  }
}

// While an advance waits for what its last step began.
template <class Woken>
void ControlLoop::sleep_until_released(std::unique_lock<std::mutex>& lock, const Woken& woken) {
  const auto begun = std::chrono::steady_clock::now();
  wake_.wait_for(lock, advances_.front().patience, [&] { return woken() || holders_ == 0; });
  advances_.front().patience -= std::chrono::steady_clock::now() - begun;
}

Control::Hold ControlLoop::hold() {
  ++holders_;
  return {this, [](ControlLoop* loop) {
            if (--loop->holders_ == 0) loop->wake();
          }};
}

void ControlLoop::advance(CloudClock& clock, Time target, Function done) {
  advances_.push_back({clock, target, std::move(done)});
}

bool ControlLoop::may_step() const {
  return !advances_.empty() && (holders_ == 0 || advances_.front().patience.count() <= 0);
}

// One step of an advance: to the next timer, which is due then, or to the end.
void ControlLoop::step() {
  if (!may_step()) return;
  Advance& advance = advances_.front();
  if (!std::exchange(advance.is_begun, true)) advance.clock.begin_advance();
  if (!timers_.empty() && timers_.begin()->first.first <= advance.target)
    return advance.clock.step_to(timers_.begin()->first.first);
  advance.clock.step_to(advance.target);
  advance.clock.end_advance();
  Function done = std::move(advance.done);
  advances_.pop_front();
  if (done) run_guarded(done);
}

void ControlLoop::run() {
  pthread_setname_np(pthread_self(), "control");
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!wait_for_turn(lock)) return;
    }
    const bool is_fired = run_one_due_timer();
    if (!run_one_posted() && !is_fired) step();
    const std::lock_guard lock(mutex_);
    busy_ = false;
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

// A timer is a span for most who set one: when the machine's clock is set back it must not wait for hours. What stands
// for a moment is early then, and looks at the clock itself.
void ControlLoop::keep_distances(Time now) {
  const Duration back = std::exchange(last_look_, now) - now;
  if (back <= kSetBack || timers_.empty()) return;
  log::warning("control", "the clock was set back by " + std::to_string(back.ms) + " ms");
  std::map<std::pair<Time, TimerId>, Function> earlier;
  for (auto& [key, function] : timers_) earlier.emplace(std::pair(key.first - back, key.second), std::move(function));
  timers_ = std::move(earlier);
  for (auto& [timer, when] : times_) when = when - back;
}

bool ControlLoop::run_one_due_timer() {
  const Time now = clock_.now();
  keep_distances(now);
  if (timers_.empty() || timers_.begin()->first.first > now) return false;
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
