#include <gtest/gtest.h>

#include "services/elbv2/testing.h"

namespace brume::elbv2 {
namespace {

using Strings = std::vector<std::string>;

TEST(Tags, AreKeptOnEveryKindOfResource) {
  World world;
  const std::string balancer = world.make_balancer(), group = world.make_group();
  const std::string listener = world.make_listener(balancer, group);
  const std::string rule = *world.call(describe_rules, {.listener_arn = listener}).rules->at(0).rule_arn;
  for (const std::string& arn : {balancer, group, listener, rule}) {
    world.call(add_tags, {.resource_arns = Strings{arn},
                          .tags = std::vector<Tag>{{.key = "a", .value = "1"}, {.key = "b", .value = "2"}}});
    world.call(remove_tags, {.resource_arns = Strings{arn}, .tag_keys = Strings{"b"}});
    const auto described = world.call(describe_tags, {.resource_arns = Strings{arn}}).tag_descriptions->at(0);
    EXPECT_EQ(*described.resource_arn, arn);
    EXPECT_EQ(*described.tags, (std::vector<Tag>{{.key = "a", .value = "1"}}));
  }
  EXPECT_EQ(world.code(describe_tags, {.resource_arns = Strings{group + "0"}}), "TargetGroupNotFound");
  EXPECT_EQ(world.code(describe_tags, {.resource_arns = Strings{"nonsense"}}), "ValidationError");
  EXPECT_EQ(
      world.code(add_tags, {.resource_arns = Strings{group}, .tags = std::vector<Tag>{{.key = "aws:x", .value = "1"}}}),
      "ValidationError");
  std::vector<Tag> many;
  for (int i = 0; i < 51; ++i) many.push_back({.key = "k" + std::to_string(i), .value = ""});
  EXPECT_EQ(world.code(add_tags, {.resource_arns = Strings{group}, .tags = many}), "TooManyTags");
}

TEST(DescribeSSLPolicies, KnowsAwsPolicies) {
  World world;
  const auto all = world.call(describe_ssl_policies, {}).ssl_policies.get();
  EXPECT_GE(all.size(), 17U);
  const auto one = world.call(describe_ssl_policies, {.names = Strings{"ELBSecurityPolicy-TLS13-1-2-2021-06"}});
  ASSERT_EQ(one.ssl_policies->size(), 1U);
  EXPECT_EQ(*one.ssl_policies->at(0).ssl_protocols, (Strings{"TLSv1.2", "TLSv1.3"}));
  EXPECT_EQ(one.ssl_policies->at(0).ciphers->size(), 11U);
  EXPECT_EQ(world.code(describe_ssl_policies, {.names = Strings{"none"}}), "SSLPolicyNotFound");
}

TEST(DescribeAccountLimits, IsPaged) {
  World world;
  const auto first = world.call(describe_account_limits, {.page_size = 3});
  ASSERT_EQ(first.limits->size(), 3U);
  EXPECT_EQ(*first.limits->at(0).name, "application-load-balancers");
  const auto rest = world.call(describe_account_limits, {.marker = first.next_marker, .page_size = 400});
  EXPECT_EQ(rest.limits->size(), 7U);
  EXPECT_EQ(world.code(describe_account_limits, {.marker = "forged"}), "ValidationError");
}

double sum_of(const World& world, const std::string& name, bool of_group) {
  double sum = 0;
  for (const Metric& metric : world.metrics.all)
    if (metric.name == name && (metric.dimensions.size() == 2) == of_group) sum += metric.value;
  return sum;
}

TEST(Metrics, AreSummedPerMinute) {
  World world;
  const std::string balancer = world.make_balancer(), group = world.make_group();
  world.make_listener(balancer, group);
  world.register_address(group, "10.0.1.5");
  world.report("10.0.1.5:8000", {balancer::Health::healthy, "", ""});
  const auto proxy = world.proxy();
  const auto serve = [&](int status, int target_status, bool to_group = true) {
    world.balancer.access({.balancer = proxy.id,
                           .group = to_group ? proxy.groups.at(0).id : "",
                           .target = to_group ? "10.0.1.5:8000" : "",
                           .status_text = target_status == 0 ? "SC" : "--",
                           .status = status,
                           .target_status = target_status,
                           .seconds = 0.25,
                           .bytes_out = 100});
  };
  serve(200, 200);
  serve(404, 404);
  serve(502, 0);
  serve(503, 0, false);
  world.runtime.advance(minutes(1));
  EXPECT_EQ(sum_of(world, "RequestCount", false), 3);
  EXPECT_EQ(sum_of(world, "RequestCount", true), 3);
  EXPECT_EQ(sum_of(world, "HTTPCode_Target_2XX_Count", true), 1);
  EXPECT_EQ(sum_of(world, "HTTPCode_Target_4XX_Count", false), 1);
  EXPECT_EQ(sum_of(world, "HTTPCode_ELB_5XX_Count", false), 2);
  EXPECT_EQ(sum_of(world, "HTTPCode_ELB_503_Count", false), 1);
  EXPECT_EQ(sum_of(world, "TargetConnectionErrorCount", true), 1);
  EXPECT_EQ(sum_of(world, "TargetResponseTime", true), 0.5);
  EXPECT_EQ(sum_of(world, "HealthyHostCount", true), 1);
  EXPECT_EQ(sum_of(world, "UnHealthyHostCount", true), 0);
  EXPECT_EQ(sum_of(world, "ProcessedBytes", false), 400);
  const Metric& metric = world.metrics.all.front();
  EXPECT_EQ(metric.name_space, "AWS/ApplicationELB");
  EXPECT_EQ(metric.dimensions.front().first, "LoadBalancer");
  EXPECT_EQ("loadbalancer/" + metric.dimensions.front().second, balancer.substr(balancer.find("loadbalancer/")));
  world.runtime.advance(minutes(1));
  EXPECT_EQ(sum_of(world, "RequestCount", false), 3) << "counted once";
}

}  // namespace
}  // namespace brume::elbv2
