// System calls that wait: where each has its time-out, and the same wait by the machine's clock. Pure functions over
// registers; the memory is the caller's to read and write.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace brume::time {

// A system call of x86-64: its number and its six arguments in the order of the ABI.
struct Call {
  long number = 0;
  std::array<std::uint64_t, 6> arguments{};
  bool operator==(const Call&) const = default;
};

// How a call says when its wait ends.
struct TimeOut {
  enum class Form { milliseconds, timespec, timeval };
  Form form = Form::timespec;
  std::size_t argument = 0;  // holds the milliseconds, or points to the rest
  bool is_absolute = false;
  bool by_calendar = false;         // an absolute one is CLOCK_REALTIME's
  std::optional<std::size_t> rest;  // the argument that points to where what is left of the wait is written
  bool rest_on_success = false;     // not only when a signal interrupts
};

// nullopt: the call waits on no clock that the cloud has (a processor's, say).
std::optional<TimeOut> time_out_of(const Call& call);

// What the time-out of the rewritten call is: its form in the slot. `calendar` is absolute CLOCK_REALTIME, `absolute`
// absolute CLOCK_MONOTONIC, `span` what is left, `timeval` the same in microseconds. `milliseconds` are no slot's: the
// argument holds them.
enum class SlotForm { span, absolute, calendar, timeval, milliseconds };
struct Rewritten {
  Call call;
  SlotForm form = SlotForm::span;
};
// The same wait with the time-out at `slot` (a timespec, and 16 bytes for what the kernel writes), by the machine's
// clock. Calls in milliseconds become their siblings in nanoseconds.
Rewritten rewrite(const Call& call, const TimeOut& time_out, std::uint64_t slot);
// The same for a program with a filter of its own, which may forbid the siblings: each call stays what it is, and waits
// up to a millisecond longer.
Rewritten rewrite_in_kind(const Call& call, const TimeOut& time_out, std::uint64_t slot);

// Whether a result says that the time-out passed.
bool is_timed_out(const Call& call, std::int64_t result);
// Whether it says that a signal, or a stop, ended the wait. The kernel's inner codes (ERESTARTSYS and kin) are among
// them.
bool is_interrupted(std::int64_t result);
// A recvmmsg that is interrupted when it has messages returns them and leaves the interruption in the socket, for the
// next to begin with: by no signal of now.
bool is_left_over(const Call& call, std::int64_t result);
// Calls that end with EINTR for any stop, even one that the program never hears of: ep_poll and kin (signal(7)).
bool is_never_restarted(long number);

// A machine's span for a cloud's, rounded up; a century while the clock stands still.
std::int64_t machine_span(std::int64_t cloud_ns, std::int64_t rate);

}  // namespace brume::time
