#include "planes/balancer/access.h"

#include <gtest/gtest.h>

namespace brume::balancer {
namespace {

TEST(ParseAccess, ReadsARequestThatATargetAnswered) {
  const auto access = parse_access(
      "R\t203.0.113.9\tl.main\ttg.web\t10.0.1.5:8000\t404\t153\t88\t12\t--\tGET\tapp.example.com\t/a%20b", "lb", 7);
  ASSERT_TRUE(access);
  EXPECT_EQ(access->balancer, "lb");
  EXPECT_EQ(access->client, "203.0.113.9");
  EXPECT_EQ(access->listener, "main");
  EXPECT_EQ(access->group, "web");
  EXPECT_EQ(access->target, "10.0.1.5:8000");
  EXPECT_EQ(access->status, 404);
  EXPECT_EQ(access->target_status, 404);
  EXPECT_EQ(access->bytes_out, 153U);
  EXPECT_EQ(access->bytes_in, 88U);
  EXPECT_DOUBLE_EQ(access->seconds, 0.012);
  EXPECT_EQ(access->path, "/a%20b");
  EXPECT_EQ(access->at_ms, 7);
}

TEST(ParseAccess, TellsTheLoadBalancersOwnAnswersFromTheTargets) {
  const auto refused = parse_access("R\tc\tl.m\topen.web\t10.0.1.5:80\t503\t1\t1\t-1\tSC\tGET\t-\t/", "lb", 0);
  EXPECT_EQ(refused->status, 502) << "what the client saw";
  EXPECT_EQ(refused->target_status, 0);
  EXPECT_EQ(refused->group, "web");
  EXPECT_EQ(refused->host, "");
  const auto none = parse_access("R\tc\tl.m\tl.m\t<NOSRV>\t503\t1\t1\t-1\tPR\tGET\th\t/", "lb", 0);
  EXPECT_EQ(none->status, 503);
  EXPECT_EQ(none->group, "");
  EXPECT_EQ(none->target, "");
}

TEST(ParseAccess, IgnoresOtherLines) {
  EXPECT_FALSE(parse_access("Server tg.a/10.77.3.11:8000 is DOWN, reason: Layer4 connection problem", "lb", 0));
  EXPECT_FALSE(parse_access("", "lb", 0));
  EXPECT_FALSE(parse_access("R\ttoo\tfew", "lb", 0));
}

}  // namespace
}  // namespace brume::balancer
