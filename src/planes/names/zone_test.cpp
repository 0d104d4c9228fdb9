#include <gtest/gtest.h>

#include "planes/names/names.h"
#include "planes/names/resolver.h"

namespace brume::names {
namespace {

const Record kA{RecordType::a, 60, "198.19.0.4"};
const Record kPrivate{RecordType::a, 60, "10.0.1.10"};

TEST(IsAwsName, KnowsAwsOwnDomainsOnly) {
  EXPECT_TRUE(is_aws_name("sts.eu-west-1.amazonaws.com"));
  EXPECT_TRUE(is_aws_name("AMAZONAWS.COM."));
  EXPECT_TRUE(is_aws_name("s3.cn-north-1.amazonaws.com.cn"));
  EXPECT_TRUE(is_aws_name("d111.cloudfront.net"));
  EXPECT_TRUE(is_aws_name("lambda.eu-west-1.api.aws"));
  EXPECT_FALSE(is_aws_name("notamazonaws.com"));
  EXPECT_FALSE(is_aws_name("amazonaws.com.example.org"));
  EXPECT_FALSE(is_aws_name("registry.terraform.io"));
  EXPECT_FALSE(is_aws_name(""));
}

TEST(Zone, TellsNameErrorFromNoData) {
  const auto zone = make_zone();
  zone->put("", "app.elb.amazonaws.com", {kA});
  EXPECT_EQ(zone->find("", "App.ELB.amazonaws.com.", RecordType::a).records, std::vector{kA});
  const auto no_data = zone->find("", "app.elb.amazonaws.com", RecordType::aaaa);
  EXPECT_TRUE(no_data.exists);
  EXPECT_TRUE(no_data.records.empty());
  const auto absent = zone->find("", "other.elb.amazonaws.com", RecordType::a);
  EXPECT_FALSE(absent.exists);
  EXPECT_TRUE(absent.ours);
  EXPECT_TRUE(zone->find("", "elb.amazonaws.com", RecordType::a).exists) << "it has a name below";
  const auto foreign = zone->find("", "example.com", RecordType::a);
  EXPECT_FALSE(foreign.exists || foreign.ours);
  zone->put("", "app.elb.amazonaws.com", {});
  EXPECT_FALSE(zone->find("", "app.elb.amazonaws.com", RecordType::a).exists);
}

TEST(Zone, WildcardsAnswerForNamesWithoutRecordsOfTheirOwn) {
  const auto zone = make_zone();
  zone->put("", "*.amazonaws.com", {kA});
  zone->put("", "*.eu-west-1.amazonaws.com", {kPrivate});
  zone->put("", "sts.eu-west-1.amazonaws.com", {{RecordType::a, 60, "198.18.0.9"}});
  EXPECT_EQ(zone->find("", "x.y.amazonaws.com", RecordType::a).records, std::vector{kA});
  EXPECT_EQ(zone->find("", "a.b.eu-west-1.amazonaws.com", RecordType::a).records, std::vector{kPrivate});
  EXPECT_EQ(zone->find("", "sts.eu-west-1.amazonaws.com", RecordType::a).records[0].value, "198.18.0.9");
  EXPECT_FALSE(zone->find("", "amazonaws.com", RecordType::a).records.size() == 1) << "not the apex itself";
}

TEST(Zone, AVpcSeesItsOwnNamesFirstAndAlone) {
  const auto zone = make_zone();
  zone->put("", "db.example.com", {kA});
  zone->put("vpc-1", "db.example.com", {kPrivate});
  zone->put("vpc-1", "only.example.com", {kPrivate});
  EXPECT_EQ(zone->find("vpc-1", "db.example.com", RecordType::a).records, std::vector{kPrivate});
  EXPECT_EQ(zone->find("vpc-2", "db.example.com", RecordType::a).records, std::vector{kA});
  EXPECT_FALSE(zone->find("vpc-2", "only.example.com", RecordType::a).ours);
  EXPECT_FALSE(zone->find("vpc-1", "example.com", RecordType::a).ours) << "the rest of the domain is others'";
  zone->remove_view("vpc-1");
  EXPECT_EQ(zone->find("vpc-1", "db.example.com", RecordType::a).records, std::vector{kA});
}

TEST(Zone, APublishedStartOfAuthorityMakesTheWholeZoneOurs) {
  const auto zone = make_zone();
  zone->put("vpc-1", "corp.example", {{RecordType::soa, 60, "ns.corp.example h.corp.example 1 2 3 4 5"}});
  EXPECT_TRUE(zone->find("vpc-1", "a.b.corp.example", RecordType::a).ours);
  EXPECT_FALSE(zone->find("vpc-1", "a.b.corp.example", RecordType::a).exists);
  EXPECT_FALSE(zone->find("", "a.b.corp.example", RecordType::a).ours);
}

TEST(Zone, FollowsAliasesAndSurvivesLoops) {
  const auto zone = make_zone();
  zone->put("", "www.example.com", {{RecordType::cname, 60, "App.example.com."}});
  zone->put("", "app.example.com", {kA});
  const auto chain = zone->find("", "www.example.com", RecordType::a);
  ASSERT_EQ(chain.records.size(), 2U);
  EXPECT_EQ(chain.records[0].type, RecordType::cname);
  EXPECT_EQ(chain.records[1], kA);
  EXPECT_EQ(zone->find("", "www.example.com", RecordType::cname).records.size(), 1U);
  zone->put("", "a.example.com", {{RecordType::cname, 60, "b.example.com"}});
  zone->put("", "b.example.com", {{RecordType::cname, 60, "a.example.com"}});
  EXPECT_LE(zone->find("", "a.example.com", RecordType::a).records.size(), 8U);
}

TEST(IsLocalOnlyName, CoversPrivateReverseTreesAndHostMetadata) {
  EXPECT_TRUE(is_local_only_name("metadata.google.internal"));
  EXPECT_TRUE(is_local_only_name("1.0.0.10.in-addr.arpa"));
  EXPECT_TRUE(is_local_only_name("1.0.20.172.in-addr.arpa"));
  EXPECT_FALSE(is_local_only_name("1.0.32.172.in-addr.arpa"));
  EXPECT_TRUE(is_local_only_name("4.0.19.198.in-addr.arpa"));
  EXPECT_FALSE(is_local_only_name("8.8.8.8.in-addr.arpa"));
  EXPECT_FALSE(is_local_only_name("internal.example.com"));
}

}  // namespace
}  // namespace brume::names
