#include "planes/time/page_view.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <stdexcept>

namespace brume::time {
namespace {

std::int64_t read_machine(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

clockid_t machine_clock(CloudClockName which) {
  switch (which) {
    case CloudClockName::realtime:
      return CLOCK_REALTIME;
    case CloudClockName::boottime:
      return CLOCK_BOOTTIME;
    case CloudClockName::monotonic_raw:
      return CLOCK_MONOTONIC_RAW;
    case CloudClockName::monotonic:
      break;
  }
  return CLOCK_MONOTONIC;
}

}  // namespace

PageView::PageView(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  void* memory = file < 0 ? MAP_FAILED : ::mmap(nullptr, kClockPageSize, PROT_READ, MAP_SHARED, file, 0);
  if (file >= 0) ::close(file);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot read the clock in " + path);
  page_ = static_cast<const ClockPage*>(memory);
  if (page_->magic != ClockPage::kMagic || page_->version != ClockPage::kVersion)
    throw std::runtime_error(path + " is of another version of Brume");
}

PageView::~PageView() { ::munmap(const_cast<ClockPage*>(page_), kClockPageSize); }

std::int64_t PageView::now(CloudClockName which) const {
  std::int64_t ns = 0;
  if (read_clock(*page_, which, [] { return read_machine(CLOCK_MONOTONIC); }, ns)) return ns;
  return read_machine(machine_clock(which));
}

}  // namespace brume::time
