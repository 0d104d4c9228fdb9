#include "core/scope.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace brume {
namespace {

TEST(Scope, KnowsPartitionsAndSuffixes) {
  EXPECT_EQ(partition_of("eu-west-1"), "aws");
  EXPECT_EQ(partition_of("cn-north-1"), "aws-cn");
  EXPECT_EQ(partition_of("us-gov-east-1"), "aws-us-gov");
  EXPECT_EQ(dns_suffix_of("cn-northwest-1"), "amazonaws.com.cn");
  EXPECT_EQ(dns_suffix_of("us-gov-east-1"), "amazonaws.com");
}

TEST(Scope, EveryRegionHasThreeDistinctZones) {
  EXPECT_EQ(all_regions().size(), 38U);
  EXPECT_TRUE(std::ranges::is_sorted(all_regions()));
  for (const std::string_view region : all_regions()) {
    EXPECT_TRUE(is_region(region));
    const auto zones = zones_of(region);
    ASSERT_EQ(zones.size(), 3U) << region;
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(zones[i].name, std::string(region) + "abc"[i]);
    EXPECT_NE(zones[0].id, zones[1].id);
    EXPECT_NE(zones[1].id, zones[2].id);
  }
  EXPECT_EQ(zones_of("eu-west-1")[0].id, "euw1-az1");
  EXPECT_EQ(zones_of("ap-northeast-1")[0].id, "apne1-az4");
  EXPECT_EQ(zones_of("us-gov-west-1")[2].id, "usgw1-az3");
}

TEST(Scope, UnknownRegionsHaveNoZones) {
  EXPECT_FALSE(is_region("eu-west-9"));
  EXPECT_FALSE(is_region(""));
  EXPECT_TRUE(zones_of("eu-west-9").empty());
}

TEST(Arn, RoundTripsWithColonsInTheResource) {
  const auto arn = parse_arn("arn:aws:logs:eu-west-1:000000000000:log-group:/a/b:*");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->service, "logs");
  EXPECT_EQ(arn->resource, "log-group:/a/b:*");
  EXPECT_EQ(to_string(*arn), "arn:aws:logs:eu-west-1:000000000000:log-group:/a/b:*");
  EXPECT_TRUE(parse_arn("arn:aws:s3:::bucket/key"));
}

TEST(Arn, RefusesWhatIsNoArn) {
  for (const char* text : {"", "arn:", "arn:aws:s3:::", "aws:s3:::bucket", "arn:aws:s3::bucket", "arn::s3:::b"}) {
    EXPECT_FALSE(parse_arn(text)) << text;
  }
}

TEST(Arn, IsMadeFromAScope) {
  const Scope scope{"123456789012", "cn-north-1"};
  EXPECT_EQ(make_arn(scope, "ecs", "cluster/x"), "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/x");
  EXPECT_EQ(make_global_arn(scope, "iam", "role/x"), "arn:aws-cn:iam::123456789012:role/x");
}

}  // namespace
}  // namespace brume
