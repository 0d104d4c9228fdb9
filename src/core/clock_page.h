// The page that the cloud's clock is: one file in the state directory, written by the daemon alone and mapped, read
// only, by every tool that follows the clock. Plain data and inline reading without a library call: code that is copied
// into tools (planes/time/vdso_code.cpp) reads it too.
#pragma once

#include <cstdint>

namespace brume {

// How the cloud's clocks follow from the machine's CLOCK_MONOTONIC, since a moment of it. All in nanoseconds.
struct ClockSettings {
  std::int64_t machine_monotonic;  // the moment: CLOCK_MONOTONIC, and CLOCK_REALTIME for a restart of the machine
  std::int64_t machine_realtime;
  std::int64_t realtime, monotonic, boottime, monotonic_raw;  // the cloud's clocks at that moment
  std::int64_t rate;              // 2^-20ths of a cloud nanosecond for each nanosecond of the machine; 0 stands still
  std::int64_t dial;              // the speed that was asked for, in the same unit: what `resume` returns to
  std::uint32_t is_machine_time;  // nothing was ever turned: the cloud's clocks are the machine's own
  std::uint32_t is_paused;
};

// Where the cloud's clock was when the machine's was somewhere: one for each change.
struct ClockMark {
  std::int64_t machine_realtime, realtime;
};

inline constexpr std::uint32_t kClockMarks = 128;

struct ClockPage {
  static constexpr std::uint64_t kMagic = 0x4b43'4f4c'434d'5242;  // "BRMCLOCK"
  static constexpr std::uint32_t kVersion = 1;
  std::uint64_t magic;
  std::uint32_t version;
  // Odd while a change is under way. Half of it says which settings hold: a writer that dies in a change has left the
  // old ones whole.
  std::uint32_t sequence;
  char boot[40];  // the machine's boot id at the last change
  ClockSettings settings[2];
  std::uint32_t mark_count;  // ever made; the newest kClockMarks are kept, in a ring
  std::uint32_t unused;
  ClockMark marks[kClockMarks];
};
inline constexpr std::uint64_t kClockPageSize = 4096;
static_assert(sizeof(ClockPage) <= kClockPageSize);

inline constexpr int kRateShift = 20;
inline constexpr std::int64_t kRealRate = std::int64_t{1} << kRateShift;

__extension__ using ClockProduct = __int128;

// The part of a cloud span that a machine's span is.
[[gnu::always_inline]] inline std::int64_t cloud_span(std::int64_t machine_ns, std::int64_t rate) {
  return static_cast<std::int64_t>((static_cast<ClockProduct>(machine_ns) * rate) >> kRateShift);
}

enum class CloudClockName { realtime, monotonic, boottime, monotonic_raw };

// A setting that may be written while it is read: whoever reads it looks at the sequence afterwards.
template <class Number>
[[gnu::always_inline]] inline Number load_setting(const Number& setting) {
  return __atomic_load_n(&setting, __ATOMIC_RELAXED);
}
inline void store_settings(ClockSettings& to, const ClockSettings& from) {
  for (std::int64_t ClockSettings::* number :
       {&ClockSettings::machine_monotonic, &ClockSettings::machine_realtime, &ClockSettings::realtime,
        &ClockSettings::monotonic, &ClockSettings::boottime, &ClockSettings::monotonic_raw, &ClockSettings::rate,
        &ClockSettings::dial})
    __atomic_store_n(&(to.*number), from.*number, __ATOMIC_RELAXED);
  for (std::uint32_t ClockSettings::* flag : {&ClockSettings::is_machine_time, &ClockSettings::is_paused})
    __atomic_store_n(&(to.*flag), from.*flag, __ATOMIC_RELAXED);
}

// One of the cloud's clocks, in nanoseconds. False, and nothing read, while they are the machine's own. `monotonic`
// reads the machine's CLOCK_MONOTONIC. A writer that died in a change, or stands still for a second in one, is not
// waited for: the old settings go on to hold, as the writer will find (cloud_clock.cpp).
template <class Monotonic>
[[gnu::always_inline]] inline bool read_clock(const ClockPage& page, CloudClockName which, const Monotonic& monotonic,
                                              std::int64_t& cloud_ns) {
  constexpr std::int64_t kPatience = 1'000'000'000;
  std::int64_t first = 0;
  while (true) {
    const std::uint32_t before = __atomic_load_n(&page.sequence, __ATOMIC_ACQUIRE);
    const ClockSettings& settings = page.settings[(before >> 1U) & 1U];
    const bool is_machine_time = load_setting(settings.is_machine_time) != 0;
    const std::int64_t base = load_setting(which == CloudClockName::realtime    ? settings.realtime
                                           : which == CloudClockName::monotonic ? settings.monotonic
                                           : which == CloudClockName::boottime  ? settings.boottime
                                                                                : settings.monotonic_raw);
    const std::int64_t rate = load_setting(settings.rate);
    const std::int64_t since = load_setting(settings.machine_monotonic);
    const std::int64_t now = monotonic();
    // A reading of the processor's counter is not ordered before later loads by itself.
    __builtin_ia32_lfence();
    const std::uint32_t after = __atomic_load_n(&page.sequence, __ATOMIC_ACQUIRE);
    if (first == 0) first = now;
    if ((before == after && (before & 1U) == 0) || now - first > kPatience) {
      // Cloud time never runs backwards, not even for a reading from before the change.
      cloud_ns = base + cloud_span(now > since ? now - since : 0, rate);
      return !is_machine_time;
    }
    __builtin_ia32_pause();
  }
}

}  // namespace brume
