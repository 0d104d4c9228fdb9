// The code that tools run instead of the kernel's vDSO: it reads the cloud's clock from the page. It is copied, as
// bytes, into each tool that follows the clock, followed by two pages and the slots for rewritten time-outs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/clock_page.h"

namespace brume::time {

// What lies in a tool behind its patched copy of the vDSO, in this order. All but the slots are read only there.
inline constexpr std::size_t kPage = 4096;
inline constexpr std::size_t kCodeOffset = 0, kConstantsOffset = kPage, kClockOffset = 2 * kPage,
                             kSlotsOffset = 3 * kPage;
// A slot holds the time-out of one thread's wait: rewritten ones must not lie in the tool's own memory, which may be
// read only or another thread's, nor on its stack, whose end may be near.
inline constexpr std::size_t kSlotBytes = 64, kSlots = 4096;
inline constexpr std::size_t kTailBytes = kSlotsOffset + kSlotBytes * kSlots;

struct VdsoConstants {
  std::uint64_t clock_gettime, gettimeofday;  // the kernel's own functions in the tool
};

// The bytes, less than a page, and where in them each function begins.
struct VdsoCode {
  std::span<const std::byte> bytes;
  std::size_t clock_gettime, gettimeofday, time;
};
VdsoCode vdso_code();

}  // namespace brume::time
