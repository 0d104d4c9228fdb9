#include "planes/containers/disk_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "core/testing.h"

namespace brume::containers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
constexpr FileSystemSpace kRoomy{100 * kGiB, 50 * kGiB};

void write(const std::string& path, std::size_t bytes) {
  std::ofstream(path, std::ios::binary) << std::string(bytes, 'x');
}

const auto kOn = [] { return false; };

TEST(ChooseOverfull, TakesAllThatAreOverTheirLimits) {
  const std::vector<DiskShare> shares = {
      {"within", 20 * kGiB, 20 * kGiB}, {"over", 20 * kGiB + 1, 20 * kGiB}, {"unlimited", 40 * kGiB, 0}};
  EXPECT_THAT(choose_overfull(shares, kRoomy), ElementsAre("over"));
}

TEST(ChooseOverfull, TakesTheLargestWhenTheDiskIsNearlyFull) {
  const std::vector<DiskShare> shares = {
      {"small", 2 * kGiB, 20 * kGiB}, {"large", 9 * kGiB, 20 * kGiB}, {"other", 8 * kGiB, 20 * kGiB}};
  EXPECT_THAT(choose_overfull(shares, {100 * kGiB, kGiB}), IsEmpty());
  EXPECT_THAT(choose_overfull(shares, {100 * kGiB, kGiB - 1}), ElementsAre("large"));
}

TEST(ChooseOverfull, BlamesNobodyWhoWroteLittle) {
  const std::vector<DiskShare> shares = {{"a", kGiB, 20 * kGiB}, {"b", 1000, 20 * kGiB}};
  EXPECT_THAT(choose_overfull(shares, {100 * kGiB, 0}), IsEmpty());
  EXPECT_THAT(choose_overfull({}, {100 * kGiB, 0}), IsEmpty());
}

TEST(ChooseOverfull, EndsOnlyThoseOverTheirLimitsFirst) {
  const std::vector<DiskShare> shares = {{"over", 3 * kGiB, 2 * kGiB}, {"large", 30 * kGiB, 50 * kGiB}};
  EXPECT_THAT(choose_overfull(shares, {100 * kGiB, 0}), ElementsAre("over"));
}

TEST(BytesBelow, CountsWhatIsOnDiskOnce) {
  const TemporaryDirectory place;
  const std::uint64_t empty = bytes_below(place.path(), kOn);
  std::filesystem::create_directories(place.path() + "/a/b");
  const std::uint64_t directories = bytes_below(place.path(), kOn);
  write(place.path() + "/a/b/file", 1 << 20);
  const std::uint64_t one = bytes_below(place.path(), kOn);
  EXPECT_GE(one - directories, 1U << 20U);
  EXPECT_LT(one - empty, 2U << 20U);
  ASSERT_EQ(::link((place.path() + "/a/b/file").c_str(), (place.path() + "/again").c_str()), 0);
  EXPECT_EQ(bytes_below(place.path(), kOn), one);
  std::filesystem::create_symlink("/usr", place.path() + "/elsewhere");
  EXPECT_LT(bytes_below(place.path(), kOn), one + 65'536);
  // A hole is not on disk.
  write(place.path() + "/hole", 1);
  std::filesystem::resize_file(place.path() + "/hole", 1 << 30);
  EXPECT_LT(bytes_below(place.path(), kOn), one + 131'072);
}

TEST(BytesBelow, OfNothingIsNothing) {
  EXPECT_EQ(bytes_below("/nonexistent/brume", kOn), 0U);
  EXPECT_EQ(bytes_below("/usr", [] { return true; }), 0U);
}

TEST(DiskWatch, TellsWhoHasWrittenTooMuchAndNobodyElse) {
  const TemporaryDirectory place;
  for (const char* name : {"/one", "/two"}) std::filesystem::create_directories(place.path() + name);
  std::promise<std::string> first;
  std::once_flag told;
  std::vector<std::string> all;
  {
    DiskWatch watch(place.path(), milliseconds(5), [&](const std::string& sandbox) {
      all.push_back(sandbox);
      std::call_once(told, [&] { first.set_value(sandbox); });
    });
    watch.watch("one", place.path() + "/one", 1 << 20);
    watch.watch("two", place.path() + "/two", 1 << 20);
    write(place.path() + "/two/file", 2 << 20);
    auto name = first.get_future();
    ASSERT_EQ(name.wait_for(seconds(30)), std::future_status::ready);
    EXPECT_EQ(name.get(), "two");
    EXPECT_GE(watch.used_bytes("two"), 2U << 20U);
    EXPECT_LT(watch.used_bytes("one"), 1U << 20U);
    watch.forget("two");
    EXPECT_EQ(watch.used_bytes("two"), 0U);
  }
  EXPECT_THAT(all, ::testing::Each("two"));
}

TEST(DiskWatch, EndsWithoutEverHavingWatched) {
  const DiskWatch watch("/", seconds(1), [](const std::string&) {});
}

}  // namespace
}  // namespace brume::containers
