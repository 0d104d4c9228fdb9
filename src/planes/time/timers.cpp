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

}  // namespace

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

// As it stands now: a periodic one's next ring.
Timers::Armed Timers::current(const Key& key, const PageView& page) const {
  const auto found = armed_.find(key);
  if (found == armed_.end()) return {};
  Armed armed = found->second;
  const std::int64_t now = page.now(CloudClockName::monotonic);
  if (armed.deadline > now) return armed;
  if (armed.interval == 0) return {};
  armed.deadline += ((now - armed.deadline) / armed.interval + 1) * armed.interval;
  return armed;
}

bool Timers::begin(pid_t thread, const PageView& page, std::uint64_t slot, user_regs_struct& registers,
                   Pending& pending) {
  const Call call = call_of(registers);
  pending = {.call = call, .key_kind = kind_of(call.number)};
  if (call.number == SYS_timer_create) return true;
  pending.key = pending.key_kind == SYS_setitimer ? 0 : static_cast<std::int32_t>(call.arguments[0]);
  const Key key{pending.key_kind, pending.key};
  const std::int64_t now = page.now(CloudClockName::monotonic);
  const Armed old = current(key, page);
  pending.old_rest = old.deadline == 0 ? 0 : std::max<std::int64_t>(old.deadline - now, 1);
  pending.old_interval = old.interval;
  if (is_reading(call.number)) return armed_.contains(key);

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
  pending.interval = wanted[0] * kSecond + wanted[1] * unit;
  pending.deadline = value == 0 ? 0 : now + (is_absolute ? std::max<std::int64_t>(value - page.now(*clock), 1) : value);
  const Values scaled =
      values_of(pending.key_kind, machine_span(pending.interval, page.rate()),
                value == 0 ? 0 : std::max<std::int64_t>(machine_span(pending.deadline - now, page.rate()), 1));
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
  if (pending.deadline == 0)
    armed_.erase(key);
  else
    armed_[key] = {pending.deadline, pending.interval};
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
    const Armed armed = current(entry->first, page);
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
    const std::int64_t rest = machine_span(armed.deadline - page.now(CloudClockName::monotonic), page.rate());
    const Values values =
        values_of(kind, machine_span(armed.interval, page.rate()), has_rung ? 1 : std::max<std::int64_t>(rest, 1));
    const itimerspec fresh{{values[0], values[1]}, {values[2], values[3]}};
    ::timerfd_settime(file, 0, &fresh, nullptr);
    ::close(file);
    ++entry;
  }
  if (reference >= 0) ::close(reference);
}

std::vector<Timers::InnerCall> Timers::inner_calls(const PageView& page, std::uint64_t slot) const {
  std::vector<InnerCall> calls;
  for (const auto& [key, armed] : armed_) {
    const Armed now = current(key, page);
    if (key.first == SYS_timerfd_settime || now.deadline == 0) continue;
    Call call{key.first, {static_cast<std::uint64_t>(key.second), 0, slot, 0, 0, 0}};
    if (key.first == SYS_setitimer) call.arguments = {0, slot, 0, 0, 0, 0};
    const std::int64_t rest = machine_span(now.deadline - page.now(CloudClockName::monotonic), page.rate());
    calls.push_back(
        {call, values_of(key.first, machine_span(now.interval, page.rate()), std::max<std::int64_t>(rest, 1))});
  }
  return calls;
}

// Interval timers and timerfds survive an exec, POSIX timers do not (execve(2)).
void Timers::after_exec() {
  std::erase_if(armed_, [](const auto& entry) { return entry.first.first == SYS_timer_settime; });
  clocks_.clear();
}

}  // namespace brume::time
