#include "front/protocols/scalars.h"

#include <gtest/gtest.h>

namespace brume::protocols {
namespace {

TEST(ReadSeconds, TakesOnlyMomentsThatEveryFormatCanSay) {
  for (const double seconds : {-62'167'219'200.0, -0.5, 0.0, 1'600'000'000.25, 253'402'300'799.5}) {
    Time time, again;
    ASSERT_TRUE(read_seconds(seconds, time)) << seconds;
    EXPECT_TRUE(parse_timestamp(format_timestamp(time, TimestampFormat::iso8601), TimestampFormat::iso8601, again));
    EXPECT_EQ(again, time);
    EXPECT_TRUE(parse_timestamp(format_timestamp(time, TimestampFormat::http_date), TimestampFormat::http_date, again));
  }
  Time untouched{7};
  for (const double seconds : {-62'167'219'201.0, 253'402'300'800.0, 253'402'300'799.9999, 1e300})
    EXPECT_FALSE(read_seconds(seconds, untouched)) << seconds;
  EXPECT_FALSE(parse_timestamp("NaN", TimestampFormat::unix_seconds, untouched));
  EXPECT_FALSE(parse_timestamp("-92233547758", TimestampFormat::http_date, untouched));
  EXPECT_EQ(untouched, Time{7});
}

}  // namespace
}  // namespace brume::protocols
