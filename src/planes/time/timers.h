// The timers that tools arm and do not wait for: timerfd, setitimer and alarm, POSIX timers. They ring by the cloud's
// clock, so they are armed anew when it is turned. One of each process of a session.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "planes/time/calls.h"
#include "planes/time/page_view.h"
#include "planes/time/tracee.h"

namespace brume::time {

// Whether a call arms or reads such a timer.
bool is_timer_call(long number);

// An armed timer: when it rings by the cloud's CLOCK_MONOTONIC, and when the kernel rings it by the machine's, as it
// was armed last.
struct ArmedTimer {
  std::int64_t deadline = 0, interval = 0;
  std::int64_t machine_deadline = 0, machine_interval = 0;
};
// How it stands at a moment of both clocks. `deadline` is that of its next ring, 0 when it has rung for the last time.
// `is_owed`: the cloud's clock has jumped over a ring, which is due at once.
struct TimerStanding {
  std::int64_t deadline = 0, interval = 0;
  bool is_owed = false;
};
TimerStanding standing_of(const ArmedTimer& timer, std::int64_t cloud_now, std::int64_t machine_now);

class Timers {
 public:
  struct Pending {
    Call call;
    long key_kind = 0;
    std::int64_t key = 0;
    ArmedTimer timer;  // a deadline of 0: disarmed
    std::int64_t machine_rest = 0;
    std::int64_t old_rest = 0, old_interval = 0;
  };

  // The call is about to be made: rewrites the registers for the machine's clock. False: leave it as it is.
  bool begin(pid_t thread, const PageView& page, std::uint64_t slot, user_regs_struct& registers, Pending& pending);
  // It was made: writes what the tool asked for by the cloud's clock.
  void end(pid_t thread, user_regs_struct& registers, const Pending& pending);

  bool has_inner() const;  // others than timerfds: only the process itself can arm them
  // After the clock was turned. timerfds are armed from here, through a descriptor of our own.
  void rearm_files(pid_t process, const PageView& page);
  // The others are armed by calls in the process: setitimer or timer_settime, and what its slot has to hold.
  struct InnerCall {
    Call call;
    std::array<std::int64_t, 4> values;  // an itimerspec or itimerval
  };
  std::vector<InnerCall> inner_calls(const PageView& page, std::uint64_t slot);
  void after_exec();

 private:
  using Key = std::pair<long, std::int64_t>;  // of which kind, which descriptor or id
  std::map<Key, ArmedTimer> armed_;
  std::map<std::int64_t, std::int32_t> clocks_;  // of POSIX timers
};

}  // namespace brume::time
