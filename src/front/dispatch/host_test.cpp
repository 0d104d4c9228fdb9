#include "front/dispatch/host.h"

#include <gtest/gtest.h>

namespace brume::front {
namespace {

using Kind = HostRoute::Kind;

HostRoute route(Kind kind, std::string name, std::string prefix, std::string region, std::string account = {},
                std::string bucket = {}) {
  return {kind, std::move(name), std::move(prefix), std::move(region), std::move(account), std::move(bucket)};
}

TEST(ParseHost, KnowsServiceEndpoints) {
  EXPECT_EQ(parse_host("sts.eu-west-1.amazonaws.com"),
            route(Kind::endpoint, "sts.eu-west-1.amazonaws.com", "sts", "eu-west-1"));
  EXPECT_EQ(parse_host("STS.amazonaws.com:443"), route(Kind::endpoint, "sts.amazonaws.com", "sts", ""));
  EXPECT_EQ(parse_host("api.ecr.eu-west-1.amazonaws.com").endpoint_prefix, "api.ecr");
  EXPECT_EQ(parse_host("iam.amazonaws.com").endpoint_prefix, "iam");
  EXPECT_EQ(parse_host("ec2.cn-north-1.amazonaws.com.cn").region, "cn-north-1");
  EXPECT_EQ(parse_host("ec2.eu-west-1.api.aws").endpoint_prefix, "ec2");
  EXPECT_EQ(parse_host("sts-fips.us-east-1.amazonaws.com").endpoint_prefix, "sts");
  EXPECT_EQ(parse_host("queue.amazonaws.com"), route(Kind::endpoint, "queue.amazonaws.com", "sqs", "us-east-1"));
  EXPECT_EQ(parse_host("eu-west-1.queue.amazonaws.com"),
            route(Kind::endpoint, "eu-west-1.queue.amazonaws.com", "sqs", "eu-west-1"));
  EXPECT_EQ(parse_host("streams.dynamodb.eu-west-1.amazonaws.com").endpoint_prefix, "streams.dynamodb");
  EXPECT_EQ(parse_host("123456789012.ddb.eu-west-1.amazonaws.com"),
            route(Kind::endpoint, "123456789012.ddb.eu-west-1.amazonaws.com", "dynamodb", "eu-west-1", "123456789012"));
}

TEST(ParseHost, KnowsBuckets) {
  const auto bucket = [](std::string_view host) {
    const HostRoute found = parse_host(host);
    return found.endpoint_prefix + "|" + found.region + "|" + found.bucket;
  };
  EXPECT_EQ(bucket("s3.eu-west-1.amazonaws.com"), "s3|eu-west-1|");
  EXPECT_EQ(bucket("s3.amazonaws.com"), "s3||");
  EXPECT_EQ(bucket("my-bucket.s3.eu-west-1.amazonaws.com"), "s3|eu-west-1|my-bucket");
  EXPECT_EQ(bucket("my-bucket.s3.amazonaws.com"), "s3||my-bucket");
  EXPECT_EQ(bucket("a.b.c.s3.us-east-1.amazonaws.com"), "s3|us-east-1|a.b.c");
  EXPECT_EQ(bucket("my-bucket.s3-eu-west-1.amazonaws.com"), "s3|eu-west-1|my-bucket");
  EXPECT_EQ(bucket("my-bucket.s3.dualstack.eu-west-1.amazonaws.com"), "s3|eu-west-1|my-bucket");
  EXPECT_EQ(bucket("123456789012.s3-control.eu-west-1.amazonaws.com"), "123456789012.s3-control|eu-west-1|");
}

TEST(ParseHost, KnowsRegistriesAndLoadBalancers) {
  EXPECT_EQ(parse_host("000000000000.dkr.ecr.eu-west-1.amazonaws.com"),
            route(Kind::registry, "000000000000.dkr.ecr.eu-west-1.amazonaws.com", "", "eu-west-1", "000000000000"));
  EXPECT_EQ(parse_host("hello-1234567890.eu-west-1.elb.amazonaws.com").kind, Kind::load_balancer);
  EXPECT_EQ(parse_host("internal-hello-1234567890.eu-west-1.elb.amazonaws.com:80").kind, Kind::load_balancer);
  EXPECT_EQ(parse_host("net-0123456789abcdef.elb.eu-west-1.amazonaws.com").kind, Kind::load_balancer);
  EXPECT_EQ(parse_host("hello.elb.localhost:4566"), route(Kind::load_balancer, "hello.elb.localhost", "", ""));
  EXPECT_EQ(parse_host("elasticloadbalancing.eu-west-1.amazonaws.com").kind, Kind::endpoint);
}

TEST(ParseHost, TakesEverythingElseAsItIs) {
  EXPECT_EQ(parse_host("127.0.0.1:4566"), route(Kind::other, "127.0.0.1", "", ""));
  EXPECT_EQ(parse_host("[::1]:4566"), route(Kind::other, "[::1]", "", ""));
  EXPECT_EQ(parse_host("localhost").kind, Kind::other);
  EXPECT_EQ(parse_host("").kind, Kind::other);
  EXPECT_EQ(parse_host("amazonaws.com").kind, Kind::other);
  EXPECT_EQ(parse_host("..amazonaws.com").kind, Kind::other);
  EXPECT_EQ(parse_host("eu-west-1.amazonaws.com").kind, Kind::other);
  EXPECT_EQ(parse_host("sts.amazonaws.com.example.org").kind, Kind::other);
}

}  // namespace
}  // namespace brume::front
