#include "core/time.h"

#include <array>
#include <chrono>

namespace brume {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// A moment taken apart, UTC, in the proleptic Gregorian calendar.
struct Civil {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0;
  unsigned weekday = 4;
};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

Civil civil_of(Time time) {
  const std::int64_t day_number = floor_divide(time.ms, 86'400'000);
  const std::int64_t rest = time.ms - day_number * 86'400'000;
  const std::chrono::sys_days day{std::chrono::days{static_cast<int>(day_number)}};
  const std::chrono::year_month_day date{day};
  Civil civil;
  civil.year = static_cast<int>(date.year());
  civil.month = static_cast<int>(static_cast<unsigned>(date.month()));
  civil.day = static_cast<int>(static_cast<unsigned>(date.day()));
  civil.hour = static_cast<int>(rest / 3'600'000);
  civil.minute = static_cast<int>(rest / 60'000 % 60);
  civil.second = static_cast<int>(rest / 1000 % 60);
  civil.millisecond = static_cast<int>(rest % 1000);
  civil.weekday = std::chrono::weekday{day}.c_encoding();
  return civil;
}

// Of the years 0000 to 9999, which is what the textual forms can say: an offset or a leap second leads beyond them.
bool writable(Time time) {
  constexpr std::chrono::sys_days kFirst{std::chrono::year{0} / 1 / 1}, kEnd{std::chrono::year{10'000} / 1 / 1};
  constexpr std::int64_t kDay = 86'400'000;
  return time.ms >= kFirst.time_since_epoch().count() * kDay && time.ms < kEnd.time_since_epoch().count() * kDay;
}

bool time_of(const Civil& civil, Time& out) {
  const std::chrono::year_month_day date{std::chrono::year{civil.year},
                                         std::chrono::month{static_cast<unsigned>(civil.month)},
                                         std::chrono::day{static_cast<unsigned>(civil.day)}};
  // A leap second is read as the second after it, as POSIX time does.
  if (!date.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 60) return false;
  const std::int64_t day_number = std::chrono::sys_days{date}.time_since_epoch().count();
  const Time time{day_number * 86'400'000 + civil.hour * std::int64_t{3'600'000} + civil.minute * std::int64_t{60'000} +
                  civil.second * std::int64_t{1000} + civil.millisecond};
  if (!writable(time)) return false;
  out = time;
  return true;
}

// In at least so many digits. By hand: each request has several moments, and printf takes a microsecond for one.
void append_number(std::string& text, int value, std::size_t digits) {
  if (value < 0) {
    text += '-';
    value = -value;
    --digits;
  }
  if (digits == 2 && value < 100) {
    const char pair[2] = {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
    text.append(pair, 2);
    return;
  }
  char buffer[16];
  std::size_t size = 0;
  for (; value > 0 || size < digits; value /= 10) buffer[size++] = static_cast<char>('0' + value % 10);
  while (size > 0) text += buffer[--size];
}

// Reads a form from left to right; after the first mismatch everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return fail();
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  void expect(std::string_view literal) {
    if (!rest_.starts_with(literal)) {
      fail();
      return;
    }
    rest_.remove_prefix(literal.size());
  }
  template <std::size_t n>
  int one_of(const std::array<std::string_view, n>& words) {
    for (std::size_t i = 0; i < n; ++i) {
      if (!rest_.starts_with(words[i])) continue;
      rest_.remove_prefix(words[i].size());
      return static_cast<int>(i);
    }
    return fail();
  }
  // ".123456" → 123; nothing without a point.
  int fraction_milliseconds() {
    if (peek() != '.') return 0;
    rest_.remove_prefix(1);
    int value = 0;
    int scale = 100;
    if (peek() < '0' || peek() > '9') return fail();
    for (; peek() >= '0' && peek() <= '9'; rest_.remove_prefix(1)) {
      value += (peek() - '0') * scale;
      scale /= 10;
    }
    return value;
  }
  // "Z", "z", "+02:00" or "-0200", in minutes.
  int offset_minutes() {
    const char sign = peek();
    if (sign != 'Z' && sign != 'z' && sign != '+' && sign != '-') return fail();
    rest_.remove_prefix(1);
    if (sign == 'Z' || sign == 'z') return 0;
    const int hours = number(2);
    if (peek() == ':') rest_.remove_prefix(1);
    const int minutes = number(2);
    if (hours > 23 || minutes > 59) return fail();
    return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
  }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string iso8601(Time time, bool with_milliseconds) {
  const Civil c = civil_of(time);
  std::string text;
  append_number(text, c.year, 4);
  append_number(text.append("-"), c.month, 2);
  append_number(text.append("-"), c.day, 2);
  append_number(text.append("T"), c.hour, 2);
  append_number(text.append(":"), c.minute, 2);
  append_number(text.append(":"), c.second, 2);
  if (with_milliseconds) append_number(text.append("."), c.millisecond, 3);
  return text.append("Z");
}

std::string basic_iso8601(Time time) {
  const Civil c = civil_of(time);
  std::string text;
  append_number(text, c.year, 4);
  append_number(text, c.month, 2);
  append_number(text, c.day, 2);
  append_number(text.append("T"), c.hour, 2);
  append_number(text, c.minute, 2);
  append_number(text, c.second, 2);
  return text.append("Z");
}

std::string http_date(Time time) {
  const Civil c = civil_of(time);
  std::string text;
  text.reserve(29);
  append_number(text.append(kWeekdays[c.weekday]).append(", "), c.day, 2);
  append_number(text.append(" ").append(kMonths[static_cast<std::size_t>(c.month - 1)]).append(" "), c.year, 4);
  append_number(text.append(" "), c.hour, 2);
  append_number(text.append(":"), c.minute, 2);
  append_number(text.append(":"), c.second, 2);
  return text.append(" GMT");
}

bool parse_iso8601(std::string_view text, Time& out) {
  Scanner scanner(text);
  Civil civil;
  civil.year = scanner.number(4);
  scanner.expect("-");
  civil.month = scanner.number(2);
  scanner.expect("-");
  civil.day = scanner.number(2);
  if (scanner.peek() != 'T' && scanner.peek() != 't') return false;
  scanner.expect(scanner.peek() == 'T' ? "T" : "t");
  civil.hour = scanner.number(2);
  scanner.expect(":");
  civil.minute = scanner.number(2);
  scanner.expect(":");
  civil.second = scanner.number(2);
  civil.millisecond = scanner.fraction_milliseconds();
  const int offset = scanner.offset_minutes();
  Time time;
  if (!scanner.ok() || !scanner.at_end() || !time_of(civil, time)) return false;
  time = time - minutes(offset);
  if (!writable(time)) return false;
  out = time;
  return true;
}

bool parse_basic_iso8601(std::string_view text, Time& out) {
  Scanner scanner(text);
  Civil civil;
  civil.year = scanner.number(4);
  civil.month = scanner.number(2);
  civil.day = scanner.number(2);
  scanner.expect("T");
  civil.hour = scanner.number(2);
  civil.minute = scanner.number(2);
  civil.second = scanner.number(2);
  scanner.expect("Z");
  return scanner.ok() && scanner.at_end() && time_of(civil, out);
}

bool parse_http_date(std::string_view text, Time& out) {
  Scanner scanner(text);
  Civil civil;
  scanner.one_of(kWeekdays);
  scanner.expect(", ");
  civil.day = scanner.number(2);
  scanner.expect(" ");
  civil.month = scanner.one_of(kMonths) + 1;
  scanner.expect(" ");
  civil.year = scanner.number(4);
  scanner.expect(" ");
  civil.hour = scanner.number(2);
  scanner.expect(":");
  civil.minute = scanner.number(2);
  scanner.expect(":");
  civil.second = scanner.number(2);
  scanner.expect(" GMT");
  return scanner.ok() && scanner.at_end() && time_of(civil, out);
}

Time SystemClock::now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()};
}

}  // namespace brume
