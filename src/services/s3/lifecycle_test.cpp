#include "services/s3/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

using Kind = LifecycleAction::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

Time at(const char* text) {
  Time time;
  EXPECT_TRUE(parse_iso8601(text, time)) << text;
  return time;
}

LifecycleRule rule(const std::string& prefix = {}) {
  LifecycleRule rule;
  rule.id = "rule";
  rule.status = "Enabled";
  rule.filter.emplace().prefix = prefix;
  return rule;
}

LifecycleRule expiring(std::int64_t days, const std::string& prefix = {}) {
  LifecycleRule expiring = rule(prefix);
  expiring.expiration.emplace().days = days;
  return expiring;
}

ObjectRecord version(std::uint64_t sequence, const char* written, const char* noncurrent_since = nullptr) {
  ObjectRecord record;
  record.sequence = sequence;
  record.size = 1 << 20;
  record.last_modified = at(written);
  if (noncurrent_since != nullptr) record.noncurrent_since = at(noncurrent_since);
  return record;
}

std::string check(const LifecycleRule& rule) {
  const auto random = seeded_random(1);
  std::vector<LifecycleRule> rules{rule};
  return error_code([&] { check_lifecycle(rules, *random); });
}

TEST(Lifecycle, AgesEndAtTheNextMidnight) {
  EXPECT_EQ(midnight_after(at("2026-03-01T12:00:00Z"), 1), at("2026-03-03T00:00:00Z"));
  EXPECT_EQ(midnight_after(at("2026-03-01T00:00:00Z"), 1), at("2026-03-02T00:00:00Z"));
  ObjectRecord object = version(1, "2026-03-01T12:00:00Z");
  const auto expiration = expiration_of({expiring(3), expiring(1, "other"), expiring(5)}, "key", object);
  ASSERT_TRUE(expiration);
  EXPECT_EQ(expiration_header(*expiration), "expiry-date=\"Thu, 05 Mar 2026 00:00:00 GMT\", rule-id=\"rule\"");
}

TEST(Lifecycle, RulesAreChecked) {
  EXPECT_EQ(check(expiring(1)), "none");
  EXPECT_EQ(check(rule()), "InvalidRequest");
  EXPECT_EQ(check(expiring(0)), "InvalidArgument");
  LifecycleRule both = expiring(1);
  both.prefix = "x";
  EXPECT_EQ(check(both), "MalformedXML");
  LifecycleRule dated = rule();
  dated.expiration.emplace().date = at("2026-03-01T12:00:00Z");
  EXPECT_EQ(check(dated), "InvalidArgument");
  LifecycleRule cold = rule();
  cold.transitions = std::vector<Transition>(1);
  cold.transitions->front().days = 10;
  cold.transitions->front().storage_class = "STANDARD_IA";
  EXPECT_EQ(check(cold), "InvalidArgument");
  cold.transitions->front().storage_class = "GLACIER";
  EXPECT_EQ(check(cold), "none");
  LifecycleRule unnamed = expiring(1);
  unnamed.id.reset();
  const auto random = seeded_random(1);
  std::vector<LifecycleRule> rules{unnamed, unnamed};
  check_lifecycle(rules, *random);
  EXPECT_NE(*rules[0].id, *rules[1].id);
  rules[0].id = rules[1].id;
  EXPECT_EQ(error_code([&] { check_lifecycle(rules, *random); }), "InvalidArgument");
}

TEST(Lifecycle, FiltersByPrefixTagAndSize) {
  BucketRecord bucket;
  LifecycleRule filtered = expiring(1);
  filtered.filter->prefix.reset();
  LifecycleRuleAndOperator& both = filtered.filter->and_.emplace();
  both.prefix = "logs/";
  both.tags = std::vector<Tag>{{"keep", "no"}};
  both.object_size_greater_than = 100;
  bucket.lifecycle = {filtered};
  const Time now = at("2026-06-01T00:00:00Z");
  ObjectRecord object = version(1, "2026-03-01T00:00:00Z");
  EXPECT_THAT(due_actions(bucket, "logs/a", {object}, now), IsEmpty());
  object.tags = {{"keep", "no"}, {"other", "1"}};
  EXPECT_THAT(due_actions(bucket, "logs/a", {object}, now), ElementsAre(LifecycleAction{Kind::expire, 1, {}}));
  EXPECT_THAT(due_actions(bucket, "log", {object}, now), IsEmpty());
  object.size = 100;
  EXPECT_THAT(due_actions(bucket, "logs/a", {object}, now), IsEmpty());
  bucket.lifecycle[0].status = "Disabled";
  object.size = 101;
  EXPECT_THAT(due_actions(bucket, "logs/a", {object}, now), IsEmpty());
}

TEST(Lifecycle, NoncurrentVersionsGoByAgeAndNumber) {
  BucketRecord bucket;
  LifecycleRule old = rule();
  old.noncurrent_version_expiration.emplace().noncurrent_days = 10;
  old.noncurrent_version_expiration->newer_noncurrent_versions = 1;
  bucket.lifecycle = {old};
  const std::vector<ObjectRecord> versions{version(4, "2026-03-20T00:00:00Z"),
                                           version(3, "2026-03-10T00:00:00Z", "2026-03-20T00:00:00Z"),
                                           version(2, "2026-03-05T00:00:00Z", "2026-03-10T00:00:00Z"),
                                           version(1, "2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z")};
  EXPECT_THAT(due_actions(bucket, "key", versions, at("2026-03-15T00:00:00Z")),
              ElementsAre(LifecycleAction{Kind::erase, 1, {}}));
  EXPECT_THAT(due_actions(bucket, "key", versions, at("2026-04-15T00:00:00Z")),
              ElementsAre(LifecycleAction{Kind::erase, 2, {}}, LifecycleAction{Kind::erase, 1, {}}));
}

TEST(Lifecycle, ALoneDeleteMarkerIsRemoved) {
  BucketRecord bucket;
  LifecycleRule markers = rule();
  markers.expiration.emplace().expired_object_delete_marker = true;
  bucket.lifecycle = {markers};
  ObjectRecord marker = version(2, "2026-03-02T00:00:00Z");
  marker.delete_marker = true;
  const Time now = at("2026-03-02T00:00:00Z");
  EXPECT_THAT(due_actions(bucket, "key", {marker}, now), ElementsAre(LifecycleAction{Kind::erase, 2, {}}));
  EXPECT_THAT(due_actions(bucket, "key", {marker, version(1, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")}, now),
              IsEmpty());
}

TEST(Lifecycle, TransitionsGoForwardsAndSpareSmallObjects) {
  BucketRecord bucket;
  LifecycleRule cold = rule();
  cold.transitions = std::vector<Transition>(2);
  (*cold.transitions)[0].days = 30;
  (*cold.transitions)[0].storage_class = "STANDARD_IA";
  (*cold.transitions)[1].days = 60;
  (*cold.transitions)[1].storage_class = "GLACIER";
  bucket.lifecycle = {cold};
  ObjectRecord object = version(1, "2026-01-01T00:00:00Z");
  const auto due = [&](const char* when) { return due_actions(bucket, "key", {object}, at(when)); };
  EXPECT_THAT(due("2026-01-20T00:00:00Z"), IsEmpty());
  EXPECT_THAT(due("2026-02-05T00:00:00Z"), ElementsAre(LifecycleAction{Kind::transition, 1, "STANDARD_IA"}));
  EXPECT_THAT(due("2026-03-05T00:00:00Z"), ElementsAre(LifecycleAction{Kind::transition, 1, "GLACIER"}));
  object.storage_class = "DEEP_ARCHIVE";
  EXPECT_THAT(due("2026-03-05T00:00:00Z"), IsEmpty());
  object.storage_class = "STANDARD";
  object.size = 1000;
  EXPECT_THAT(due("2026-03-05T00:00:00Z"), IsEmpty());
  bucket.transition_default_minimum_object_size = "varies_by_storage_class";
  EXPECT_THAT(due("2026-03-05T00:00:00Z"), ElementsAre(LifecycleAction{Kind::transition, 1, "GLACIER"}));
}

struct LifecycleRuns : testing::Test {
  void configure(const std::vector<LifecycleRule>& rules) {
    PutBucketLifecycleConfigurationInput input;
    input.bucket = "abc";
    input.lifecycle_configuration.emplace().rules = rules;
    EXPECT_EQ(world(put_bucket_lifecycle_configuration, input).transition_default_minimum_object_size,
              "all_storage_classes_128K");
  }
  World world;
};

TEST_F(LifecycleRuns, ExpireObjectsAtMidnightAndNotBefore) {
  world.create_bucket("abc");
  configure({expiring(1, "tmp/")});
  world.runtime.advance(hours(1));
  for (int i = 0; i < 300; ++i) world.put("abc", "tmp/" + std::to_string(i), "x");
  EXPECT_TRUE(world.put("abc", "tmp/x", "x").expiration);
  EXPECT_FALSE(world.put("abc", "kept", "x").expiration);
  world.runtime.advance(hours(34));  // 2026-03-02T23:00
  EXPECT_EQ(world.files().size(), 302U);
  world.runtime.advance(hours(2));
  EXPECT_EQ(world.files().size(), 1U);
  EXPECT_EQ(world.get("abc", "kept"), "x");
}

TEST_F(LifecycleRuns, HideVersionedObjectsAndRemoveThemLater) {
  world.create_bucket("abc", "Enabled");
  LifecycleRule both = expiring(1);
  both.noncurrent_version_expiration.emplace().noncurrent_days = 1;
  configure({both});
  world.put("abc", "key", "x");
  world.runtime.advance(days(2));
  EXPECT_EQ(error_code([&] { world.get("abc", "key"); }), "NoSuchKey");
  EXPECT_EQ(world.files().size(), 1U);
  world.runtime.advance(days(3));
  EXPECT_TRUE(world.files().empty());
  // The marker that is left alone goes too, by the rule's age.
  world.runtime.advance(days(2));
  ListObjectVersionsInput list;
  list.bucket = "abc";
  EXPECT_TRUE(world(list_object_versions, list).delete_markers.get().empty());
}

TEST_F(LifecycleRuns, AbortUploads) {
  world.create_bucket("abc");
  LifecycleRule abort = rule();
  abort.abort_incomplete_multipart_upload.emplace().days_after_initiation = 2;
  configure({abort});
  CreateMultipartUploadInput create;
  create.bucket = "abc";
  create.key = "key";
  const auto upload = world(create_multipart_upload, create);
  EXPECT_EQ(upload.abort_rule_id, "rule");
  UploadPartInput part;
  part.bucket = "abc";
  part.key = "key";
  part.upload_id = upload.upload_id;
  part.part_number = 1;
  part.body = world.received("x");
  world(upload_part, part);
  world.runtime.advance(days(2));
  EXPECT_EQ(world.files().size(), 1U);
  world.runtime.advance(days(1));
  EXPECT_TRUE(world.files().empty());
  EXPECT_EQ(error_code([&] { world(upload_part, part); }), "NoSuchUpload");
}

TEST_F(LifecycleRuns, CatchUpAfterARestart) {
  world.create_bucket("abc");
  configure({expiring(1)});
  world.put("abc", "key", "x");
  world.runtime.clock.advance(days(30));
  world.open();
  EXPECT_TRUE(world.files().empty());
}

TEST_F(LifecycleRuns, ConfigurationsAreReadBackAsPut) {
  world.create_bucket("abc");
  configure({expiring(7)});
  GetBucketLifecycleConfigurationInput get;
  get.bucket = "abc";
  world.open();
  const auto configuration = world(get_bucket_lifecycle_configuration, get);
  EXPECT_EQ(configuration.rules->front(), expiring(7));
  DeleteBucketLifecycleInput remove;
  remove.bucket = "abc";
  world(delete_bucket_lifecycle, remove);
  EXPECT_EQ(error_code([&] { world(get_bucket_lifecycle_configuration, get); }), "NoSuchLifecycleConfiguration");
}

}  // namespace
}  // namespace brume::s3
