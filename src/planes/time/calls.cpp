#include "planes/time/calls.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>

#include "core/clock_page.h"

namespace brume::time {
namespace {

constexpr long kFutexWait = 455;  // newer than the headers of Debian 12
constexpr std::uint64_t kFutexLockPi2 = 13;
constexpr std::int64_t kCentury = 100LL * 365 * 86400 * 1'000'000'000;
// The kernel's inner results, which only a tracer sees (include/linux/errno.h).
constexpr std::int64_t kRestartSys = -512, kRestartNoIntr = -513, kRestartNoHand = -514, kRestartBlock = -516;

bool is_cloud_clock(std::uint64_t which) {
  const auto clock = static_cast<std::int32_t>(which);
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
         clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM || clock == CLOCK_TAI;
}
bool is_calendar(std::uint64_t which) {
  const auto clock = static_cast<std::int32_t>(which);
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

std::uint64_t futex_operation(const Call& call) { return call.arguments[1] & 0x7fU; }

TimeOut futex_time_out(const Call& call) {
  const std::uint64_t operation = futex_operation(call);
  return {.argument = 3,
          .is_absolute = operation != FUTEX_WAIT,
          .by_calendar = operation == FUTEX_LOCK_PI || (call.arguments[1] & FUTEX_CLOCK_REALTIME) != 0};
}

TimeOut clock_nanosleep_time_out(const Call& call) {
  const bool is_absolute = (call.arguments[1] & TIMER_ABSTIME) != 0;
  TimeOut time_out{.argument = 2, .is_absolute = is_absolute, .by_calendar = is_calendar(call.arguments[0])};
  if (!is_absolute && call.arguments[3] != 0) time_out.rest = 3;
  return time_out;
}

}  // namespace

std::optional<TimeOut> time_out_of(const Call& call) {
  using Form = TimeOut::Form;
  switch (call.number) {
    case SYS_nanosleep:
      return TimeOut{.argument = 0, .rest = call.arguments[1] != 0 ? std::optional<std::size_t>(1) : std::nullopt};
    case SYS_clock_nanosleep:
      if (!is_cloud_clock(call.arguments[0])) return std::nullopt;
      return clock_nanosleep_time_out(call);
    case SYS_poll:
      return TimeOut{.form = Form::milliseconds, .argument = 2};
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return TimeOut{.form = Form::milliseconds, .argument = 3};
    case SYS_epoll_pwait2:
    case SYS_semtimedop:
      return TimeOut{.argument = 3};
    case SYS_ppoll:
      return TimeOut{.argument = 2, .rest = 2, .rest_on_success = true};
    case SYS_select:
      return TimeOut{.form = Form::timeval, .argument = 4, .rest = 4, .rest_on_success = true};
    case SYS_pselect6:
      return TimeOut{.argument = 4, .rest = 4, .rest_on_success = true};
    case SYS_recvmmsg:
      return TimeOut{.argument = 4, .rest = 4, .rest_on_success = true};
    case SYS_futex:
      return futex_time_out(call);
    case SYS_futex_waitv:
      return TimeOut{.argument = 3, .is_absolute = true, .by_calendar = is_calendar(call.arguments[4])};
    case kFutexWait:
      return TimeOut{.argument = 4, .is_absolute = true, .by_calendar = is_calendar(call.arguments[5])};
    case SYS_rt_sigtimedwait:
      return TimeOut{.argument = 2};
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
      return TimeOut{.argument = 4, .is_absolute = true, .by_calendar = true};
    case SYS_io_getevents:
    case SYS_io_pgetevents:
      return TimeOut{.argument = 4};
    default:
      return std::nullopt;
  }
}

Rewritten rewrite(const Call& call, const TimeOut& time_out, std::uint64_t slot) {
  Rewritten result{call};
  auto& arguments = result.call.arguments;
  arguments[time_out.argument] = slot;
  const std::uint64_t rest = slot + 16;
  switch (call.number) {
    case SYS_nanosleep:
      if (arguments[1] != 0) arguments[1] = rest;
      break;
    case SYS_clock_nanosleep:
      arguments[0] = CLOCK_MONOTONIC;
      arguments[1] = 0;
      arguments[3] = time_out.rest ? rest : 0;
      break;
    case SYS_poll:
      result.call.number = SYS_ppoll;
      arguments[3] = arguments[4] = 0;
      break;
    case SYS_select:
      result.call.number = SYS_pselect6;
      arguments[5] = 0;
      break;
    case SYS_epoll_wait:
      result.call.number = SYS_epoll_pwait2;
      arguments[4] = arguments[5] = 0;
      break;
    case SYS_epoll_pwait:
      result.call.number = SYS_epoll_pwait2;
      break;
    case SYS_futex:
      if (futex_operation(call) == FUTEX_WAIT) {
        arguments[1] &= ~std::uint64_t{FUTEX_CLOCK_REALTIME};
        break;
      }
      result.form = SlotForm::absolute;
      arguments[1] &= ~std::uint64_t{FUTEX_CLOCK_REALTIME};
      if (futex_operation(call) == FUTEX_LOCK_PI) arguments[1] = (arguments[1] & ~std::uint64_t{0x7f}) | kFutexLockPi2;
      break;
    case SYS_futex_waitv:
      result.form = SlotForm::absolute;
      arguments[4] = CLOCK_MONOTONIC;
      break;
    case kFutexWait:
      result.form = SlotForm::absolute;
      arguments[5] = CLOCK_MONOTONIC;
      break;
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
      result.form = SlotForm::calendar;
      break;
    default:
      break;
  }
  return result;
}

Rewritten rewrite_in_kind(const Call& call, const TimeOut& time_out, std::uint64_t slot) {
  switch (call.number) {
    case SYS_poll:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return {call, SlotForm::milliseconds};
    case SYS_select: {
      Rewritten result{call, SlotForm::timeval};
      result.call.arguments[time_out.argument] = slot;
      return result;
    }
    default:
      return rewrite(call, time_out, slot);
  }
}

bool is_timed_out(const Call& call, std::int64_t result) {
  switch (call.number) {
    case SYS_futex:
    case SYS_futex_waitv:
    case kFutexWait:
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
      return result == -ETIMEDOUT;
    case SYS_semtimedop:
    case SYS_rt_sigtimedwait:
      return result == -EAGAIN;
    case SYS_recvmmsg:
      return false;  // its time-out is looked at only after a message (recvmmsg(2), BUGS)
    default:
      return result == 0;
  }
}

bool is_interrupted(std::int64_t result) {
  return result == -EINTR || result == kRestartSys || result == kRestartNoIntr || result == kRestartNoHand ||
         result == kRestartBlock;
}

bool is_left_over(const Call& call, std::int64_t result) {
  return call.number == SYS_recvmmsg && result == kRestartSys;
}

bool is_never_restarted(long number) {
  switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_rt_sigtimedwait:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
      return true;
    default:
      return false;
  }
}

std::int64_t machine_span(std::int64_t cloud_ns, std::int64_t rate) {
  if (cloud_ns <= 0) return 0;
  if (rate <= 0) return kCentury;
  const ClockProduct span = ((static_cast<ClockProduct>(cloud_ns) << kRateShift) + rate - 1) / rate;
  return span > kCentury ? kCentury : static_cast<std::int64_t>(span);
}

}  // namespace brume::time
