// The cloud's clock as its owner has it: the daemon opens the page of the state directory, and is the only one to turn
// it. Reading is thread-safe and lock-free; turning is thread-safe.
#pragma once

#include <mutex>
#include <string>

#include "core/clock_page.h"
#include "core/time.h"

namespace brume {

class CloudClock final : public Clock {
 public:
  // Opens or makes the page. A page from before a restart of the machine goes on from where it was, as if the machine
  // had run. Throws std::runtime_error for a page of a newer version.
  explicit CloudClock(const std::string& path);
  CloudClock(const CloudClock&) = delete;
  CloudClock& operator=(const CloudClock&) = delete;
  ~CloudClock() override;

  Time now() const override;
  Time machine_now() const override;
  Time at_machine_time(Time machine) const override;
  Pace pace() const override;
  std::optional<std::int64_t> real_ns(Duration cloud) const override;

  static constexpr double kSlowest = 0.01, kFastest = 10'000;
  struct Dial {
    double speed = 1;  // also while paused
    bool is_paused = false;
    bool is_machine_time = true;
  };
  Dial dial() const;
  void set_speed(double speed);  // within the two limits
  void pause();
  void resume();

  // An advance: the clock stands still but for the steps, each at least where it is, and goes on afterwards.
  void begin_advance();
  void step_to(Time moment);
  void end_advance();

 private:
  ClockSettings current() const;
  template <class Change>
  void change(const Change& change, bool is_marked = true);
  void make();
  void repair(const std::string& boot);

  mutable std::mutex mutex_;
  ClockPage* page_ = nullptr;
  bool is_advancing_ = false;
};

}  // namespace brume
