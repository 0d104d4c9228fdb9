// The keeper's event loop: descriptors, signals' descriptor and timers of one thread, by epoll.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace brume::keeper {

class Poller {
 public:
  using Callback = std::function<void(std::uint32_t events)>;
  using Token = std::uint64_t;
  using Moment = std::chrono::steady_clock::time_point;

  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  // Level-triggered. A callback may remove any token, its own too.
  Token add(int descriptor, std::uint32_t events, Callback callback);
  void modify(Token token, std::uint32_t events);
  void remove(Token token);  // before its descriptor is closed; an unknown token is no error

  Token after(std::chrono::milliseconds delay, std::function<void()> callback);
  void cancel(Token timer);

  // Waits for events, at most until the next timer, and runs what is due.
  void run_once();

 private:
  struct Watch {
    int descriptor;
    std::shared_ptr<Callback> callback;  // shared: it outlives its own removal while it runs
  };
  struct Timer {
    Moment when;
    std::function<void()> callback;
  };
  int timeout_ms() const;
  void run_timers();

  int epoll_ = -1;
  Token next_ = 1;
  std::map<Token, Watch> watches_;
  std::map<Token, Timer> timers_;  // few: a stop or a run each
};

}  // namespace brume::keeper
