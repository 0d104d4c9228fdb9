#include "planes/time/vdso_code.h"

#include <sys/time.h>
#include <time.h>

// These functions run in other programs, wherever they were copied to: no call leaves the section but through the
// constants, no data lies outside it, and nothing is instrumented.
#define BRUME_IN_TOOL __attribute__((section("brume_vdso"), used, noinline, no_stack_protector, no_sanitize("all")))

extern "C" {
extern const std::byte vdso_begin[] __asm__("__start_brume_vdso") __attribute__((visibility("hidden")));
extern const std::byte vdso_end[] __asm__("__stop_brume_vdso") __attribute__((visibility("hidden")));
int brume_vdso_clock_gettime(clockid_t which, timespec* time);
int brume_vdso_gettimeofday(timeval* time, void* zone);
time_t brume_vdso_time(time_t* time);
}

namespace brume::time {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

using ClockGettime = int (*)(clockid_t, timespec*);
using Gettimeofday = int (*)(timeval*, void*);

// The code fills the beginning of a page; what it needs lies in the pages behind.
[[gnu::always_inline]] inline std::uint64_t own_page() {
  std::uint64_t here = 0;
  __asm__("lea 0(%%rip), %0" : "=r"(here));
  return here & ~std::uint64_t{kPage - 1};
}
[[gnu::always_inline]] inline const VdsoConstants& constants() {
  return *reinterpret_cast<const VdsoConstants*>(own_page() + kConstantsOffset);
}

struct Monotonic {
  ClockGettime read;
  [[gnu::always_inline]] std::int64_t operator()() const {
    timespec time;
    read(CLOCK_MONOTONIC, &time);
    return time.tv_sec * kSecond + time.tv_nsec;
  }
};

[[gnu::always_inline]] inline bool read_cloud(CloudClockName which, std::int64_t& ns) {
  const ClockPage& page = *reinterpret_cast<const ClockPage*>(own_page() + kClockOffset);
  return read_clock(page, which, Monotonic{reinterpret_cast<ClockGettime>(constants().clock_gettime)}, ns);
}

}  // namespace
}  // namespace brume::time

BRUME_IN_TOOL int brume_vdso_clock_gettime(clockid_t which, timespec* time) {
  using brume::CloudClockName;
  const auto own = reinterpret_cast<brume::time::ClockGettime>(brume::time::constants().clock_gettime);
  CloudClockName name = CloudClockName::realtime;
  if (which == CLOCK_MONOTONIC || which == CLOCK_MONOTONIC_COARSE)
    name = CloudClockName::monotonic;
  else if (which == CLOCK_BOOTTIME || which == CLOCK_BOOTTIME_ALARM)
    name = CloudClockName::boottime;
  else if (which == CLOCK_MONOTONIC_RAW)
    name = CloudClockName::monotonic_raw;
  else if (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE && which != CLOCK_REALTIME_ALARM &&
           which != CLOCK_TAI)
    return own(which, time);
  std::int64_t ns = 0;
  if (!brume::time::read_cloud(name, ns)) return own(which, time);
  time->tv_sec = ns / brume::time::kSecond;
  time->tv_nsec = ns % brume::time::kSecond;
  return 0;
}

BRUME_IN_TOOL int brume_vdso_gettimeofday(timeval* time, void* zone) {
  std::int64_t ns = 0;
  const auto own = reinterpret_cast<brume::time::Gettimeofday>(brume::time::constants().gettimeofday);
  const bool is_turned = brume::time::read_cloud(brume::CloudClockName::realtime, ns);
  if (!is_turned || zone != nullptr) {
    const int result = own(time, zone);
    if (!is_turned || result != 0) return result;
  }
  if (time == nullptr) return 0;
  time->tv_sec = ns / brume::time::kSecond;
  time->tv_usec = ns % brume::time::kSecond / 1000;
  return 0;
}

BRUME_IN_TOOL time_t brume_vdso_time(time_t* time) {
  std::int64_t ns = 0;
  time_t now = 0;
  if (brume::time::read_cloud(brume::CloudClockName::realtime, ns)) {
    now = ns / brume::time::kSecond;
  } else {
    timespec machine;
    reinterpret_cast<brume::time::ClockGettime>(brume::time::constants().clock_gettime)(CLOCK_REALTIME_COARSE,
                                                                                        &machine);
    now = machine.tv_sec;
  }
  if (time != nullptr) *time = now;
  return now;
}

namespace brume::time {

VdsoCode vdso_code() {
  const auto offset = [](auto* function) {
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(function) - vdso_begin);
  };
  return {.bytes = {vdso_begin, vdso_end},
          .clock_gettime = offset(&brume_vdso_clock_gettime),
          .gettimeofday = offset(&brume_vdso_gettimeofday),
          .time = offset(&brume_vdso_time)};
}

}  // namespace brume::time
