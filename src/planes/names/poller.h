// Readiness and deadlines of one thread: epoll with handlers by descriptor. Everything but `wake` belongs to the thread
// that calls `run_once`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace brume::names {

class Poller final {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  using Handler = std::function<void(std::uint32_t events)>;
  // Watches a descriptor that its owner closes after `remove`. Handlers may add and remove at will.
  void add(int descriptor, std::uint32_t events, Handler handler);
  void change(int descriptor, std::uint32_t events);
  void remove(int descriptor);

  using TimerId = std::uint64_t;
  TimerId after(std::chrono::milliseconds span, std::function<void()> function);
  void cancel(TimerId timer);

  // Waits for readiness, a deadline or a wake, and runs what is due.
  void run_once();
  void wake();  // thread-safe

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Watch {
    int descriptor;
    Handler handler;
  };
  int wait_ms() const;
  void run_timers();

  int epoll_ = -1, event_ = -1;
  std::uint64_t next_ = 1;
  std::map<int, std::uint64_t> tokens_;
  // Shared: a handler that removes itself must live until it returns.
  std::map<std::uint64_t, std::shared_ptr<Watch>> watches_;
  std::map<std::pair<Moment, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, Moment> deadlines_;
};

}  // namespace brume::names
