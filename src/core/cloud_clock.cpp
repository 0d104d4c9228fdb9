#include "core/cloud_clock.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "core/error.h"

namespace brume {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMillisecond = 1'000'000;
// A change that took longer starts again: readers stop waiting for it after a second.
constexpr std::int64_t kLongestChange = kSecond / 10;

std::int64_t read(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}
std::int64_t machine_monotonic() { return read(CLOCK_MONOTONIC); }

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::int64_t rate_of(double speed) { return std::llround(speed * static_cast<double>(kRealRate)); }

ClockSettings machine_settings() {
  return {.machine_monotonic = read(CLOCK_MONOTONIC),
          .machine_realtime = read(CLOCK_REALTIME),
          .realtime = read(CLOCK_REALTIME),
          .monotonic = read(CLOCK_MONOTONIC),
          .boottime = read(CLOCK_BOOTTIME),
          .monotonic_raw = read(CLOCK_MONOTONIC_RAW),
          .rate = kRealRate,
          .dial = kRealRate,
          .is_machine_time = 1,
          .is_paused = 0};
}

// The same clocks, counted from now on.
void rebase(ClockSettings& settings) {
  if (settings.is_machine_time != 0) {
    const std::int64_t dial = settings.dial;
    settings = machine_settings();
    settings.dial = dial;
    return;
  }
  const std::int64_t now = machine_monotonic();
  const std::int64_t passed = cloud_span(std::max<std::int64_t>(now - settings.machine_monotonic, 0), settings.rate);
  settings.machine_monotonic = now;
  settings.machine_realtime = read(CLOCK_REALTIME);
  for (std::int64_t* clock : {&settings.realtime, &settings.monotonic, &settings.boottime, &settings.monotonic_raw})
    *clock += passed;
}

}  // namespace

CloudClock::CloudClock(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) throw_errno("open " + path);
  struct stat status{};
  ::fstat(file, &status);
  ::fchmod(file, 0644);  // whatever the umask: tools of every user map it
  if (::ftruncate(file, static_cast<off_t>(kClockPageSize)) != 0) throw_errno("extend " + path);
  void* memory = ::mmap(nullptr, kClockPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) throw_errno("map " + path);
  page_ = static_cast<ClockPage*>(memory);
  // The magic is written last: a page without it has never been read.
  if (page_->magic != ClockPage::kMagic) make();
  if (page_->version > ClockPage::kVersion) throw std::runtime_error(path + " was written by a newer version of Brume");
  repair(boot_id());
}

CloudClock::~CloudClock() { ::munmap(page_, kClockPageSize); }

void CloudClock::make() {
  std::memset(page_, 0, kClockPageSize);
  page_->version = ClockPage::kVersion;
  page_->settings[0] = machine_settings();
  boot_id().copy(page_->boot, sizeof page_->boot - 1);
  __atomic_store_n(&page_->magic, ClockPage::kMagic, __ATOMIC_RELEASE);
  ::msync(page_, kClockPageSize, MS_SYNC);
}

// What a daemon that was killed, or a machine that was restarted, has left.
void CloudClock::repair(const std::string& boot) {
  // In a change: the old settings went on to hold, so they are what is taken up. An advance that was cut short leaves a
  // clock that stands still without being paused.
  if ((page_->sequence & 1U) != 0) __atomic_store_n(&page_->sequence, page_->sequence - 1, __ATOMIC_RELEASE);
  const bool is_new_boot = boot != page_->boot;
  const ClockSettings old = current();
  change([&](ClockSettings& settings) {
    settings.rate = settings.is_paused != 0 ? 0 : settings.dial;
    if (!is_new_boot || settings.is_machine_time != 0) return;
    // CLOCK_MONOTONIC began anew with the machine; the calendar's clock tells how long it was away.
    const ClockSettings fresh = machine_settings();
    const std::int64_t away = std::max<std::int64_t>(fresh.machine_realtime - old.machine_realtime, 0);
    settings.realtime = old.realtime + cloud_span(away, settings.rate);
    settings.monotonic = fresh.monotonic;
    settings.boottime = fresh.boottime;
    settings.monotonic_raw = fresh.monotonic_raw;
  });
  if (!is_new_boot) return;
  std::memset(page_->boot, 0, sizeof page_->boot);
  boot.copy(page_->boot, sizeof page_->boot - 1);
  ::msync(page_, kClockPageSize, MS_SYNC);
}

ClockSettings CloudClock::current() const { return page_->settings[(page_->sequence >> 1U) & 1U]; }

// While the sequence is odd readers wait, so that none reads a moment of the old settings that lies past the new ones'
// beginning.
template <class Change>
void CloudClock::change(const Change& apply, bool is_marked) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t before = page_->sequence;
  const ClockSettings old = page_->settings[(before >> 1U) & 1U];
  ClockSettings& fresh = page_->settings[((before >> 1U) + 1) & 1U];
  std::int64_t begun = 0;
  do {
    __atomic_store_n(&page_->sequence, before + 1, __ATOMIC_SEQ_CST);
    __builtin_ia32_mfence();
    begun = machine_monotonic();
    ClockSettings next = old;
    rebase(next);
    apply(next);
    store_settings(fresh, next);
  } while (machine_monotonic() - begun > kLongestChange);
  if (is_marked) {
    page_->marks[page_->mark_count % kClockMarks] = {fresh.machine_realtime, fresh.realtime};
    ++page_->mark_count;
  }
  __atomic_store_n(&page_->sequence, before + 2, __ATOMIC_SEQ_CST);
  ::syscall(SYS_futex, &page_->sequence, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  if (is_marked) ::msync(page_, kClockPageSize, MS_SYNC);
}

Time CloudClock::now() const {
  std::int64_t cloud = 0;
  if (!read_clock(*page_, CloudClockName::realtime, machine_monotonic, cloud)) return machine_now();
  return {cloud / kMillisecond};
}

Time CloudClock::machine_now() const { return {read(CLOCK_REALTIME) / kMillisecond}; }

Time CloudClock::at_machine_time(Time machine) const {
  const std::lock_guard lock(mutex_);
  const ClockSettings settings = current();
  const std::int64_t asked = machine.ms * kMillisecond + kMillisecond - 1;  // the end of what was cut to milliseconds
  if (settings.is_machine_time != 0) return machine;
  if (asked >= settings.machine_realtime)
    return {(settings.realtime + cloud_span(asked - settings.machine_realtime, settings.rate)) / kMillisecond};
  ClockMark later{settings.machine_realtime, settings.realtime};
  const std::uint32_t kept = std::min(page_->mark_count, kClockMarks);
  for (std::uint32_t age = 1; age <= kept; ++age) {
    const ClockMark mark = page_->marks[(page_->mark_count - age) % kClockMarks];
    if (asked >= mark.machine_realtime && later.machine_realtime > mark.machine_realtime) {
      // Between two changes the clock ran evenly, or was advanced at once.
      const double part = static_cast<double>(asked - mark.machine_realtime) /
                          static_cast<double>(later.machine_realtime - mark.machine_realtime);
      const double passed = part * static_cast<double>(later.realtime - mark.realtime);
      return {(mark.realtime + static_cast<std::int64_t>(passed)) / kMillisecond};
    }
    later = mark;
  }
  return {std::min(asked, later.realtime) / kMillisecond};  // before the first change: the machine's time
}

Clock::Pace CloudClock::pace() const {
  const std::lock_guard lock(mutex_);
  return current().is_machine_time != 0 ? Pace::machine : Pace::dial;
}

std::optional<std::int64_t> CloudClock::real_ns(Duration cloud) const {
  const std::lock_guard lock(mutex_);
  const std::int64_t rate = current().rate;
  if (rate == 0) return std::nullopt;
  const double real = static_cast<double>(cloud.ms) * 1e6 * static_cast<double>(kRealRate) / static_cast<double>(rate);
  return static_cast<std::int64_t>(std::min(std::ceil(real), 9e18));
}

CloudClock::Dial CloudClock::dial() const {
  const std::lock_guard lock(mutex_);
  const ClockSettings settings = current();
  return {static_cast<double>(settings.dial) / static_cast<double>(kRealRate), settings.is_paused != 0,
          settings.is_machine_time != 0};
}

void CloudClock::set_speed(double speed) {
  BRUME_CHECK(speed >= kSlowest && speed <= kFastest);
  if (dial().is_machine_time && rate_of(speed) == kRealRate) return;
  change([&](ClockSettings& settings) {
    settings.is_machine_time = 0;
    settings.dial = rate_of(speed);
    if (settings.is_paused == 0 && !is_advancing_) settings.rate = settings.dial;
  });
}

void CloudClock::pause() {
  change([&](ClockSettings& settings) {
    settings.is_machine_time = 0;
    settings.is_paused = 1;
    settings.rate = 0;
  });
}

void CloudClock::resume() {
  change([&](ClockSettings& settings) {
    settings.is_paused = 0;
    settings.rate = is_advancing_ ? 0 : settings.dial;
  });
}

void CloudClock::begin_advance() {
  change([&](ClockSettings& settings) {
    is_advancing_ = true;
    settings.is_machine_time = 0;
    settings.rate = 0;
  });
}

void CloudClock::step_to(Time moment) {
  change(
      [&](ClockSettings& settings) {
        const std::int64_t span = std::max<std::int64_t>(moment.ms * kMillisecond - settings.realtime, 0);
        for (std::int64_t* clock :
             {&settings.realtime, &settings.monotonic, &settings.boottime, &settings.monotonic_raw})
          *clock += span;
      },
      false);
}

void CloudClock::end_advance() {
  change([&](ClockSettings& settings) {
    is_advancing_ = false;
    settings.rate = settings.is_paused != 0 ? 0 : settings.dial;
  });
}

}  // namespace brume
