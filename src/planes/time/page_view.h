// The cloud's clock as a launcher sees it: the page, mapped read only, and what it says now. Owned by a session.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock_page.h"

namespace brume::time {

class PageView {
 public:
  // Throws std::runtime_error when there is no page of this version.
  explicit PageView(const std::string& path);
  PageView(const PageView&) = delete;
  PageView& operator=(const PageView&) = delete;
  ~PageView();

  const ClockPage& page() const { return *page_; }
  std::uint32_t sequence() const { return __atomic_load_n(&page_->sequence, __ATOMIC_ACQUIRE); }
  bool is_machine_time() const { return settings().is_machine_time != 0; }
  std::int64_t rate() const { return is_machine_time() ? kRealRate : settings().rate; }
  // The cloud's clocks, or the machine's while they are the same.
  std::int64_t now(CloudClockName which) const;

 private:
  const ClockSettings& settings() const { return page_->settings[(sequence() >> 1U) & 1U]; }
  const ClockPage* page_ = nullptr;
};

}  // namespace brume::time
