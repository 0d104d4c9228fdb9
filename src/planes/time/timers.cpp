#include "planes/time/timers.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

namespace brume::time {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLongest = 8'000'000'000;  // seconds that nanoseconds can say
using Values = std::array<std::int64_t, 4>;       // an itimerspec or itimerval: interval, then value

bool is_timeval(long kind) { return kind == SYS_setitimer; }

Values values_of(long kind, std::int64_t interval, std::int64_t value) {
  const std::int64_t unit = is_timeval(kind) ? 1000 : 1;
  // Rounded up: a value of zero disarms.
  interval += unit - 1, value += unit - 1;
  return {interval / kSecond, interval % kSecond / unit, value / kSecond, value % kSecond / unit};
}

std::optional<CloudClockName> cloud_clock(std::int32_t which) {
  switch (which) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return CloudClockName::realtime;
    case CLOCK_MONOTONIC:
      return CloudClockName::monotonic;
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return CloudClockName::boottime;
    default:
      return std::nullopt;
  }
}

std::int32_t clock_of_file(pid_t thread, std::int64_t file) {
  std::ifstream info("/proc/" + std::to_string(thread) + "/fdinfo/" + std::to_string(file));
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("clockid:")) return std::atoi(line.c_str() + 8);
  return -1;
}

long kind_of(long number) {
  switch (number) {
    case SYS_timerfd_settime:
    case SYS_timerfd_gettime:
      return SYS_timerfd_settime;
    case SYS_timer_settime:
    case SYS_timer_gettime:
      return SYS_timer_settime;
    default:
      return SYS_setitimer;
  }
}

bool is_reading(long number) {
  return number == SYS_timerfd_gettime || number == SYS_timer_gettime || number == SYS_getitimer;
}

std::int64_t machine_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::int64_t rings(std::int64_t first, std::int64_t interval, std::int64_t now) {
  if (first > now) return 0;
  return interval == 0 ? 1 : 1 + (now - first) / interval;
}

// Arms it anew for what is left by the page: the value that the kernel gets, and what is remembered of it.
Values arm_anew(long kind, ArmedTimer& timer, const TimerStanding& standing, bool is_now, const PageView& page) {
  const std::int64_t now = page.now(CloudClockName::monotonic);
  const std::int64_t rest = is_now ? 1 : std::max<std::int64_t>(machine_span(standing.deadline - now, page.rate()), 1);
  timer = {.deadline = is_now ? now : standing.deadline,
           .interval = standing.interval,
           .machine_deadline = machine_now() + rest,
           .machine_interval = machine_span(standing.interval, page.rate())};
  return values_of(kind, timer.machine_interval, rest);
}

}  // namespace

TimerStanding standing_of(const ArmedTimer& timer, std::int64_t cloud_now, std::int64_t machine_now) {
  const std::int64_t due = rings(timer.deadline, timer.interval, cloud_now);
  const std::int64_t rung = rings(timer.machine_deadline, timer.machine_interval, machine_now);
  if (due > rung) return {cloud_now, timer.interval, true};
  if (timer.interval == 0 && rung > 0) return {};
  return {timer.deadline + rung * timer.interval, timer.interval, false};
}

bool is_timer_call(long number) {
  switch (number) {
    case SYS_timerfd_settime:
    case SYS_timerfd_gettime:
    case SYS_timer_create:
    case SYS_timer_settime:
    case SYS_timer_gettime:
    case SYS_setitimer:
    case SYS_getitimer:
    case SYS_alarm:
      return true;
    default:
      return false;
  }
}

bool Timers::has_inner() const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [](const auto& entry) { return entry.first.first != SYS_timerfd_settime; });
}

bool Timers::begin(pid_t thread, const PageView& page, std::uint64_t slot, user_regs_struct& registers,
                   Pending& pending) {
  const Call call = call_of(registers);
  pending = {.call = call, .key_kind = kind_of(call.number)};
  if (call.number == SYS_timer_create) return true;
  pending.key = pending.key_kind == SYS_setitimer ? 0 : static_cast<std::int32_t>(call.arguments[0]);
  const Key key{pending.key_kind, pending.key};
  const std::int64_t now = page.now(CloudClockName::monotonic);
  const auto found = armed_.find(key);
  const TimerStanding old = found == armed_.end() ? TimerStanding{} : standing_of(found->second, now, machine_now());
  pending.old_rest = old.deadline == 0 ? 0 : std::max<std::int64_t>(old.deadline - now, 1);
  pending.old_interval = old.interval;
  if (is_reading(call.number)) return found != armed_.end();

  Values wanted{};
  bool is_absolute = false;
  std::optional<CloudClockName> clock = CloudClockName::monotonic;
  if (call.number == SYS_alarm) {
    wanted[2] = static_cast<std::int64_t>(call.arguments[0] & 0xffffffffU);
  } else {
    const std::uint64_t from = call.number == SYS_setitimer ? call.arguments[1] : call.arguments[2];
    if (from == 0 || !read_memory(thread, from, wanted.data(), sizeof wanted)) return false;
    if (call.number != SYS_setitimer) {
      is_absolute = (call.arguments[1] & TFD_TIMER_ABSTIME) != 0;
      const auto known = clocks_.find(pending.key);
      clock = call.number == SYS_timerfd_settime ? cloud_clock(clock_of_file(thread, pending.key))
              : known != clocks_.end()           ? cloud_clock(known->second)
                                                 : std::nullopt;
    }
  }
  const std::int64_t unit = is_timeval(pending.key_kind) ? 1000 : 1;
  if (!clock || wanted[0] < 0 || wanted[2] < 0 || wanted[1] < 0 || wanted[3] < 0 || wanted[1] * unit >= kSecond ||
      wanted[3] * unit >= kSecond || wanted[2] > kLongest || wanted[0] > kLongest)
    return false;  // the kernel says what is wrong with it, or nothing is
  const std::int64_t value = wanted[2] * kSecond + wanted[3] * unit;
  ArmedTimer& timer = pending.timer;
  timer.interval = wanted[0] * kSecond + wanted[1] * unit;
  timer.machine_interval = machine_span(timer.interval, page.rate());
  timer.deadline = value == 0 ? 0 : now + (is_absolute ? std::max<std::int64_t>(value - page.now(*clock), 1) : value);
  pending.machine_rest = value == 0 ? 0 : std::max<std::int64_t>(machine_span(timer.deadline - now, page.rate()), 1);
  const Values scaled = values_of(pending.key_kind, timer.machine_interval, pending.machine_rest);
  if (!write_memory(thread, slot, scaled.data(), sizeof scaled)) return false;
  Call changed = call;
  if (pending.key_kind == SYS_setitimer) {
    changed.number = SYS_setitimer;
    changed.arguments[0] = 0;
    changed.arguments[1] = slot;
    changed.arguments[2] = slot + 32;
  } else {
    changed.arguments[1] &= ~std::uint64_t{TFD_TIMER_ABSTIME};
    changed.arguments[2] = slot;
    if (changed.arguments[3] != 0) changed.arguments[3] = slot + 32;
  }
  set_arguments(registers, changed);
  return true;
}

void Timers::end(pid_t thread, user_regs_struct& registers, const Pending& pending) {
  const Call& call = pending.call;
  set_arguments(registers, call);
  if (static_cast<std::int64_t>(registers.rax) != 0) return;
  if (call.number == SYS_timer_create) {
    std::int32_t id = -1;
    if (read_memory(thread, call.arguments[2], &id, sizeof id)) {
      clocks_[id] = static_cast<std::int32_t>(call.arguments[0]);
      armed_.erase({SYS_timer_settime, id});
    }
    return;
  }
  const Values old = values_of(pending.key_kind, pending.old_interval, pending.old_rest);
  if (is_reading(call.number)) {
    write_memory(thread, call.arguments[1], old.data(), sizeof old);
    return;
  }
  const Key key{pending.key_kind, pending.key};
  if (pending.timer.deadline == 0) {
    armed_.erase(key);
  } else {
    armed_[key] = pending.timer;
    armed_[key].machine_deadline = machine_now() + pending.machine_rest;
  }
  if (call.number == SYS_alarm) {
    // Rounded, but never to zero, which says that none was set (alarm(2)).
    registers.rax =
        pending.old_rest == 0
            ? 0
            : static_cast<unsigned long long>(std::max<std::int64_t>((pending.old_rest + kSecond / 2) / kSecond, 1));
    return;
  }
  const std::uint64_t to = call.number == SYS_setitimer ? call.arguments[2] : call.arguments[3];
  if (to != 0) write_memory(thread, to, old.data(), sizeof old);
}

void Timers::rearm_files(pid_t process, const PageView& page) {
  int reference = -1;
  for (auto entry = armed_.begin(); entry != armed_.end();) {
    const auto& [kind, descriptor] = entry->first;
    if (kind != SYS_timerfd_settime) {
      ++entry;
      continue;
    }
    if (reference < 0) reference = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    const int file = static_cast<int>(::syscall(SYS_pidfd_getfd, reference, static_cast<int>(descriptor), 0));
    itimerspec before{};
    // What was closed, or rang for the last time, is no longer ours.
    if (file < 0 || ::timerfd_gettime(file, &before) != 0 ||
        (before.it_value.tv_sec == 0 && before.it_value.tv_nsec == 0)) {
      if (file >= 0) ::close(file);
      entry = armed_.erase(entry);
      continue;
    }
    // Arming forgets rings that were not read: such a one rings again at once.
    pollfd unread{file, POLLIN, 0};
    const bool has_rung = ::poll(&unread, 1, 0) == 1;
    const TimerStanding standing = standing_of(entry->second, page.now(CloudClockName::monotonic), machine_now());
    if (standing.deadline != 0 || has_rung) {
      const Values values = arm_anew(kind, entry->second, standing, has_rung || standing.is_owed, page);
      const itimerspec fresh{{values[0], values[1]}, {values[2], values[3]}};
      ::timerfd_settime(file, 0, &fresh, nullptr);
    }
    ::close(file);
    ++entry;
  }
  if (reference >= 0) ::close(reference);
}

std::vector<Timers::InnerCall> Timers::inner_calls(const PageView& page, std::uint64_t slot) {
  std::vector<InnerCall> calls;
  for (auto& [key, timer] : armed_) {
    if (key.first == SYS_timerfd_settime) continue;
    const TimerStanding standing = standing_of(timer, page.now(CloudClockName::monotonic), machine_now());
    if (standing.deadline == 0) continue;
    Call call{key.first, {static_cast<std::uint64_t>(key.second), 0, slot, 0, 0, 0}};
    if (key.first == SYS_setitimer) call.arguments = {0, slot, 0, 0, 0, 0};
    calls.push_back({call, arm_anew(key.first, timer, standing, standing.is_owed, page)});
  }
  return calls;
}

// Interval timers and timerfds survive an exec, POSIX timers do not (execve(2)).
void Timers::after_exec() {
  std::erase_if(armed_, [](const auto& entry) { return entry.first.first == SYS_timer_settime; });
  clocks_.clear();
}

}  // namespace brume::time
