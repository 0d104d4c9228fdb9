#include "planes/time/vdso_image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "core/cloud_clock.h"
#include "core/testing.h"
#include "planes/time/vdso_code.h"

namespace brume::time {
namespace {

// What a tool has in its memory, here in the test's own: the patched copy, the code and the page.
class Copy {
 public:
  Copy() {
    const auto vdso = own_vdso();
    const std::size_t bytes = (vdso.size() + kPage - 1) / kPage * kPage;
    base_ = static_cast<std::byte*>(
        ::mmap(nullptr, bytes + kTailBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::byte* code = base_ + bytes;
    const auto own = reinterpret_cast<std::uint64_t>(vdso.data());
    const auto patched = patched_vdso(vdso, own, reinterpret_cast<std::uint64_t>(code));
    std::memcpy(base_, patched->data(), patched->size());
    std::memcpy(code, vdso_code().bytes.data(), vdso_code().bytes.size());
    functions_ = vdso_functions(vdso);
    const VdsoConstants constants{own + functions_.at("__vdso_clock_gettime"),
                                  own + functions_.at("__vdso_gettimeofday")};
    std::memcpy(code + kConstantsOffset, &constants, sizeof constants);
    const int file = ::open((directory_.path() + "/clock").c_str(), O_RDONLY | O_CLOEXEC);
    ::mmap(code + kClockOffset, kPage, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
    ::close(file);
    ::mprotect(base_, bytes + kPage, PROT_READ | PROT_EXEC);
  }
  template <class Function>
  Function* function(const std::string& name) const {
    return reinterpret_cast<Function*>(base_ + functions_.at(name));
  }

  CloudClock& clock() { return clock_; }

 private:
  TemporaryDirectory directory_;
  CloudClock clock_{directory_.path() + "/clock"};
  std::byte* base_ = nullptr;
  std::map<std::string, std::uint64_t> functions_;
};

TEST(VdsoImage, KnowsTheKernelsFunctions) {
  const auto functions = vdso_functions(own_vdso());
  for (const char* name : {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_getcpu"})
    EXPECT_TRUE(functions.contains(name)) << name;
  EXPECT_NE(system_call_in(own_vdso()), 0U);
}

TEST(VdsoImage, NothingIsFoundInWhatIsNoImage) {
  const std::vector<std::byte> nothing(4096);
  EXPECT_TRUE(vdso_functions(nothing).empty());
  EXPECT_FALSE(patched_vdso(nothing, 0, 0));
  std::vector<std::byte> cut(own_vdso().begin(), own_vdso().begin() + 100);
  EXPECT_TRUE(vdso_functions(cut).empty());
}

TEST(VdsoCode, FitsItsPage) { EXPECT_LT(vdso_code().bytes.size(), kPage); }

TEST(VdsoCode, IsTheMachinesClockUntilItIsTurned) {
  Copy copy;
  const auto clock_gettime = copy.function<int(clockid_t, timespec*)>("__vdso_clock_gettime");
  for (const clockid_t which : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID}) {
    timespec before{}, read{}, after{};
    ::clock_gettime(which, &before);
    EXPECT_EQ(clock_gettime(which, &read), 0);
    ::clock_gettime(which, &after);
    const auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
    EXPECT_LE(ns(before), ns(read));
    EXPECT_LE(ns(read), ns(after));
  }
}

TEST(VdsoCode, EveryClockGoesWithThePage) {
  Copy copy;
  const auto clock_gettime = copy.function<int(clockid_t, timespec*)>("__vdso_clock_gettime");
  const auto gettimeofday = copy.function<int(timeval*, void*)>("__vdso_gettimeofday");
  const auto seconds_now = copy.function<time_t(time_t*)>("__vdso_time");
  timespec monotonic{};
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  copy.clock().pause();
  copy.clock().begin_advance();
  copy.clock().step_to(copy.clock().now() + days(3));
  copy.clock().end_advance();
  const std::int64_t cloud_ms = copy.clock().now().ms;
  timespec time{};
  for (const clockid_t which : {CLOCK_REALTIME, CLOCK_REALTIME_COARSE}) {
    EXPECT_EQ(clock_gettime(which, &time), 0);
    EXPECT_EQ(time.tv_sec * 1000 + time.tv_nsec / 1'000'000, cloud_ms);
  }
  timeval of_day{};
  EXPECT_EQ(gettimeofday(&of_day, nullptr), 0);
  EXPECT_EQ(of_day.tv_sec, cloud_ms / 1000);
  time_t whole = 0;
  EXPECT_EQ(seconds_now(&whole), cloud_ms / 1000);
  EXPECT_EQ(whole, cloud_ms / 1000);
  for (const clockid_t which : {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW}) {
    EXPECT_EQ(clock_gettime(which, &time), 0);
    EXPECT_GE(time.tv_sec, monotonic.tv_sec + 3 * 86'400 - 3600);
  }
}

TEST(VdsoImage, OtherFunctionsAreTheKernels) {
  Copy copy;
  unsigned processor = 1'000'000, node = 0;
  EXPECT_EQ(copy.function<long(unsigned*, unsigned*, void*)>("__vdso_getcpu")(&processor, &node, nullptr), 0);
  EXPECT_LT(processor, 1'000'000U);
  timespec resolution{};
  EXPECT_EQ(copy.function<int(clockid_t, timespec*)>("__vdso_clock_getres")(CLOCK_MONOTONIC, &resolution), 0);
  EXPECT_GT(resolution.tv_nsec, 0);
}

}  // namespace
}  // namespace brume::time
