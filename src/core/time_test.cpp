#include "core/time.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

constexpr Time kMoment{1'772'366'400'123};  // 2026-03-01T12:00:00.123Z, a Sunday

TEST(Time, WritesTheThreeForms) {
  EXPECT_EQ(iso8601(kMoment), "2026-03-01T12:00:00Z");
  EXPECT_EQ(iso8601(kMoment, true), "2026-03-01T12:00:00.123Z");
  EXPECT_EQ(basic_iso8601(kMoment), "20260301T120000Z");
  EXPECT_EQ(http_date(kMoment), "Sun, 01 Mar 2026 12:00:00 GMT");
  EXPECT_EQ(iso8601(Time{-1}, true), "1969-12-31T23:59:59.999Z");
}

TEST(Time, ReadsOffsetsAndFractions) {
  Time time;
  ASSERT_TRUE(parse_iso8601("2026-03-01T14:00:00.1234+02:00", time));
  EXPECT_EQ(time, kMoment);
  ASSERT_TRUE(parse_iso8601("2026-02-28T23:30:00-1230", time));
  EXPECT_EQ(time.ms, kMoment.ms - 123);
  ASSERT_TRUE(parse_basic_iso8601("20260301T120000Z", time));
  EXPECT_EQ(time.ms, kMoment.ms - 123);
  ASSERT_TRUE(parse_http_date("Sun, 01 Mar 2026 12:00:00 GMT", time));
  EXPECT_EQ(time.ms, kMoment.ms - 123);
}

TEST(Time, LeavesTheOutputAloneForAnythingElse) {
  Time time{7};
  for (const char* text : {"", "2026", "2026-03-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                           "2026-03-01T24:00:00Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00Zx",
                           "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00+25:00", "2026-03-01 12:00:00Z"}) {
    EXPECT_FALSE(parse_iso8601(text, time)) << text;
  }
  // Beyond what four digits of a year can write again.
  for (const char* text : {"9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"})
    EXPECT_FALSE(parse_iso8601(text, time)) << text;
  EXPECT_FALSE(parse_basic_iso8601("99991231T235960Z", time));
  EXPECT_FALSE(parse_basic_iso8601("20260301T120000", time));
  EXPECT_FALSE(parse_basic_iso8601("2026-03-01T12:00:00Z", time));
  EXPECT_FALSE(parse_http_date("Sunday, 01-Mar-26 12:00:00 GMT", time));
  EXPECT_EQ(time, Time{7});
}

TEST(Time, EveryDayOfFourCenturiesSurvivesTheRoundTrip) {
  for (std::int64_t day = -36524; day < 109573; day += 13) {
    const Time time{day * 86'400'000 + 1000};
    Time read;
    ASSERT_TRUE(parse_iso8601(iso8601(time), read)) << iso8601(time);
    EXPECT_EQ(read, time);
  }
}

}  // namespace
}  // namespace brume
