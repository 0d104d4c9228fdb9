// Moments and spans of cloud time, in milliseconds. A moment is counted from the Unix epoch, UTC.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace brume {

struct Duration {
  std::int64_t ms = 0;
  auto operator<=>(const Duration&) const = default;
};
constexpr Duration milliseconds(std::int64_t n) { return {n}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1000}; }
constexpr Duration minutes(std::int64_t n) { return {n * 60'000}; }
constexpr Duration hours(std::int64_t n) { return {n * 3'600'000}; }
constexpr Duration days(std::int64_t n) { return {n * 86'400'000}; }

struct Time {
  std::int64_t ms = 0;
  auto operator<=>(const Time&) const = default;
  constexpr std::int64_t seconds() const { return ms / 1000; }
};
constexpr Time operator+(Time time, Duration span) { return {time.ms + span.ms}; }
constexpr Time operator-(Time time, Duration span) { return {time.ms - span.ms}; }
constexpr Duration operator-(Time a, Time b) { return {a.ms - b.ms}; }

// "2026-03-01T12:00:00Z", with ".123" before the Z when `with_milliseconds`.
std::string iso8601(Time time, bool with_milliseconds = false);
// "20260301T120000Z", the form of X-Amz-Date.
std::string basic_iso8601(Time time);
// "Sun, 01 Mar 2026 12:00:00 GMT", the form of HTTP's Date.
std::string http_date(Time time);
// Each reads its form and returns false, with `out` untouched, for anything else, and for moments that are not of the
// years 0000 to 9999.
bool parse_iso8601(std::string_view text, Time& out);        // offsets and fractions accepted
bool parse_basic_iso8601(std::string_view text, Time& out);  // exactly YYYYMMDDTHHMMSSZ
bool parse_http_date(std::string_view text, Time& out);      // IMF-fixdate only

// The cloud's clock: the only source of time that a user can see. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  // The machine's own clock, where it differs: tools outside `brume exec` sign by it.
  virtual Time machine_now() const { return now(); }
  // What the cloud's clock showed when the machine's showed `machine`.
  virtual Time at_machine_time(Time machine) const { return machine; }

  // How a sleeper finds the end of a span. `polled`: it looks again at times; `machine`: the machine's clock shows it;
  // `dial`: after real_ns of CLOCK_MONOTONIC, and changes are told.
  enum class Pace { polled, machine, dial };
  virtual Pace pace() const { return Pace::polled; }
  // How long the machine takes for a span of cloud time, at the present speed; nullopt: the clock stands still.
  virtual std::optional<std::int64_t> real_ns(Duration cloud) const { return cloud.ms * 1'000'000; }
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  Pace pace() const override { return Pace::machine; }
};

}  // namespace brume
