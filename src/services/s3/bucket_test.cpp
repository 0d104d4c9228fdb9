#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/bucket_rules.h"
#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

using testing::ElementsAre;

template <class Input>
Input of_bucket(const std::string& bucket) {
  Input input;
  input.bucket = bucket;
  return input;
}

CreateBucketInput create_input(const std::string& name, const std::string& location = {}) {
  auto input = of_bucket<CreateBucketInput>(name);
  if (!location.empty()) input.create_bucket_configuration.emplace().location_constraint = location;
  return input;
}

TEST(BucketName, FollowsTheNamingRules) {
  for (const char* name : {"abc", "a-b.c", "1bucket9", "my.bucket.name"})
    EXPECT_TRUE(is_valid_bucket_name(name)) << name;
  for (const char* name : {"", "ab", "Abc", "a_b", "-abc", "abc-", ".abc", "a..b", "192.168.0.1", "xn--abc",
                           "abc-s3alias", "sthree-abc", "abc--ol-s3"}) {
    EXPECT_FALSE(is_valid_bucket_name(name)) << name;
  }
  EXPECT_FALSE(is_valid_bucket_name(std::string(64, 'a')));
}

TEST(CreateBucket, TakesTheRegionFromConstraintAndEndpoint) {
  EXPECT_EQ(bucket_region("us-east-1", kNothing), "us-east-1");
  EXPECT_EQ(bucket_region("us-east-1", "EU"), "eu-west-1");
  EXPECT_EQ(bucket_region("eu-west-1", "eu-west-1"), "eu-west-1");
  EXPECT_EQ(error_code([] { bucket_region("eu-west-1", kNothing); }), "IllegalLocationConstraintException");
  EXPECT_EQ(error_code([] { bucket_region("eu-west-1", "eu-west-2"); }), "IllegalLocationConstraintException");
  EXPECT_EQ(error_code([] { bucket_region("eu-west-1", "moon-1"); }), "IllegalLocationConstraintException");
  EXPECT_EQ(error_code([] { bucket_region("us-east-1", "us-east-1"); }), "InvalidLocationConstraint");
  EXPECT_EQ(error_code([] { bucket_region("us-east-1", "moon-1"); }), "InvalidLocationConstraint");
}

TEST(CreateBucket, NamesAreUniqueOverAccounts) {
  World world;
  EXPECT_EQ(world(create_bucket, create_input("taken", "eu-west-1")).location, "http://taken.s3.amazonaws.com/");
  EXPECT_EQ(error_code([&] { world(create_bucket, create_input("taken", "eu-west-1")); }), "BucketAlreadyOwnedByYou");
  world.account = "111111111111";
  EXPECT_EQ(error_code([&] { world(create_bucket, create_input("taken", "eu-west-1")); }), "BucketAlreadyExists");
}

TEST(CreateBucket, InUsEast1OnesOwnMayBeMadeAgain) {
  World world;
  world.region = "us-east-1";
  EXPECT_EQ(world(create_bucket, create_input("mine")).location, "/mine");
  EXPECT_EQ(world(create_bucket, create_input("mine")).location, "/mine");
  EXPECT_EQ(world(list_buckets, ListBucketsInput{}).buckets->size(), 1U);
}

TEST(CreateBucket, RefusesByNameWhatIsNotServed) {
  World world;
  auto locked = create_input("locked", "eu-west-1");
  locked.object_lock_enabled_for_bucket = true;
  EXPECT_EQ(error_code([&] { world(create_bucket, locked); }), "NotImplemented");
  EXPECT_EQ(error_code([&] { world(create_bucket, create_input("Bad_Name", "eu-west-1")); }), "InvalidBucketName");
  auto open = create_input("open", "eu-west-1");
  open.acl = "public-read";
  EXPECT_EQ(error_code([&] { world(create_bucket, open); }), "InvalidBucketAclWithObjectOwnership");
  EXPECT_EQ(world.s3->find_bucket("open"), nullptr);
}

TEST(HeadBucket, TellsTheRegionAlsoFromAnother) {
  World world;
  world.create_bucket("abc");
  EXPECT_EQ(world(head_bucket, of_bucket<HeadBucketInput>("abc")).bucket_region, "eu-west-1");
  EXPECT_EQ(error_code([&] { world(head_bucket, of_bucket<HeadBucketInput>("none")); }), "NoSuchBucket");
  world.region = "us-east-1";
  try {
    world(head_bucket, of_bucket<HeadBucketInput>("abc"));
    FAIL() << "served from another region";
  } catch (const AwsError& error) {
    EXPECT_EQ(error.code, "PermanentRedirect");
    EXPECT_EQ(error.status, 301);
    EXPECT_THAT(error.headers, ElementsAre(std::pair<std::string, std::string>("x-amz-bucket-region", "eu-west-1")));
  }
  EXPECT_EQ(world(get_bucket_location, of_bucket<GetBucketLocationInput>("abc")).location_constraint, "eu-west-1");
}

TEST(HeadBucket, HoldsTheExpectedOwnerAgainstTheOwner) {
  World world;
  world.create_bucket("abc");
  auto input = of_bucket<HeadBucketInput>("abc");
  input.expected_bucket_owner = "111111111111";
  EXPECT_EQ(error_code([&] { world(head_bucket, input); }), "AccessDenied");
}

TEST(ListBuckets, PagesByTokenAndFilters) {
  World world;
  for (const char* name : {"aaa", "bbb-1", "bbb-2", "ccc"}) world.create_bucket(name);
  ListBucketsInput input;
  input.max_buckets = 3;
  auto page = world(list_buckets, input);
  ASSERT_EQ(page.buckets->size(), 3U);
  ASSERT_TRUE(page.continuation_token);
  input.continuation_token = page.continuation_token;
  page = world(list_buckets, input);
  ASSERT_EQ(page.buckets->size(), 1U);
  EXPECT_EQ(page.buckets->front().name, "ccc");
  EXPECT_FALSE(page.continuation_token);
  input.continuation_token = "forged";
  EXPECT_EQ(error_code([&] { world(list_buckets, input); }), "InvalidArgument");
  ListBucketsInput prefixed;
  prefixed.prefix = "bbb";
  EXPECT_EQ(world(list_buckets, prefixed).buckets->size(), 2U);
}

TEST(DeleteBucket, WantsItEmptyOfVersionsToo) {
  World world;
  world.create_bucket("abc", "Enabled");
  const auto put = world.put("abc", "key", "text");
  DeleteObjectInput remove;
  remove.bucket = "abc";
  remove.key = "key";
  const auto marker = world(delete_object, remove);
  EXPECT_EQ(error_code([&] { world(delete_bucket, of_bucket<DeleteBucketInput>("abc")); }), "BucketNotEmpty");
  for (const auto& version : {put.version_id, marker.version_id}) {
    remove.version_id = version;
    world(delete_object, remove);
  }
  world(delete_bucket, of_bucket<DeleteBucketInput>("abc"));
  EXPECT_EQ(world.s3->find_bucket("abc"), nullptr);
  EXPECT_TRUE(world.files().empty());
}

// What Terraform's aws_s3_bucket reads of a new bucket, with the codes it knows.
TEST(NewBucket, AnswersEveryAbsence) {
  World world;
  world.create_bucket("abc");
  const std::string name = "abc";
  EXPECT_EQ(error_code([&] { world(get_bucket_policy, of_bucket<GetBucketPolicyInput>(name)); }), "NoSuchBucketPolicy");
  EXPECT_EQ(error_code([&] { world(get_bucket_cors, of_bucket<GetBucketCorsInput>(name)); }),
            "NoSuchCORSConfiguration");
  EXPECT_EQ(error_code([&] { world(get_bucket_website, of_bucket<GetBucketWebsiteInput>(name)); }),
            "NoSuchWebsiteConfiguration");
  EXPECT_EQ(error_code([&] {
              world(get_bucket_lifecycle_configuration, of_bucket<GetBucketLifecycleConfigurationInput>(name));
            }),
            "NoSuchLifecycleConfiguration");
  EXPECT_EQ(error_code([&] { world(get_bucket_replication, of_bucket<GetBucketReplicationInput>(name)); }),
            "ReplicationConfigurationNotFoundError");
  EXPECT_EQ(error_code([&] { world(get_object_lock_configuration, of_bucket<GetObjectLockConfigurationInput>(name)); }),
            "ObjectLockConfigurationNotFoundError");
  EXPECT_EQ(error_code([&] { world(get_bucket_tagging, of_bucket<GetBucketTaggingInput>(name)); }), "NoSuchTagSet");
  EXPECT_FALSE(world(get_bucket_versioning, of_bucket<GetBucketVersioningInput>(name)).status);
  EXPECT_FALSE(
      world(get_bucket_accelerate_configuration, of_bucket<GetBucketAccelerateConfigurationInput>(name)).status);
  EXPECT_FALSE(world(get_bucket_logging, of_bucket<GetBucketLoggingInput>(name)).logging_enabled);
  EXPECT_EQ(world(get_bucket_request_payment, of_bucket<GetBucketRequestPaymentInput>(name)).payer, "BucketOwner");
  const auto encryption = world(get_bucket_encryption, of_bucket<GetBucketEncryptionInput>(name));
  EXPECT_EQ(encryption.server_side_encryption_configuration->rules->front()
                .apply_server_side_encryption_by_default->sse_algorithm,
            "AES256");
  EXPECT_EQ(world(get_bucket_acl, of_bucket<GetBucketAclInput>(name)).grants->size(), 1U);
  EXPECT_EQ(world(get_bucket_ownership_controls, of_bucket<GetBucketOwnershipControlsInput>(name))
                .ownership_controls->rules->front()
                .object_ownership,
            "BucketOwnerEnforced");
  const auto block = world(get_public_access_block, of_bucket<GetPublicAccessBlockInput>(name));
  EXPECT_EQ(block.public_access_block_configuration->block_public_policy, true);
}

TEST(BucketConfiguration, IsReadBackAsPutAndGoesWithItsDelete) {
  World world;
  world.create_bucket("abc");
  auto tagging = of_bucket<PutBucketTaggingInput>("abc");
  tagging.tagging.emplace().tag_set = std::vector<Tag>{{"b", "2"}, {"a", "1"}};
  world(put_bucket_tagging, tagging);
  EXPECT_EQ(world(get_bucket_tagging, of_bucket<GetBucketTaggingInput>("abc")).tag_set->size(), 2U);
  world(delete_bucket_tagging, of_bucket<DeleteBucketTaggingInput>("abc"));
  EXPECT_EQ(error_code([&] { world(get_bucket_tagging, of_bucket<GetBucketTaggingInput>("abc")); }), "NoSuchTagSet");

  auto encryption = of_bucket<PutBucketEncryptionInput>("abc");
  ServerSideEncryptionRule rule;
  rule.apply_server_side_encryption_by_default.emplace().sse_algorithm = "AES256";
  rule.bucket_key_enabled = true;
  encryption.server_side_encryption_configuration.emplace().rules = std::vector{rule};
  world(put_bucket_encryption, encryption);
  EXPECT_EQ(world(get_bucket_encryption, of_bucket<GetBucketEncryptionInput>("abc"))
                .server_side_encryption_configuration->rules->front(),
            rule);
  rule.apply_server_side_encryption_by_default->sse_algorithm = "aws:kms";
  encryption.server_side_encryption_configuration->rules = std::vector{rule};
  EXPECT_EQ(error_code([&] { world(put_bucket_encryption, encryption); }), "NotImplemented");

  world(delete_public_access_block, of_bucket<DeletePublicAccessBlockInput>("abc"));
  EXPECT_EQ(error_code([&] { world(get_public_access_block, of_bucket<GetPublicAccessBlockInput>("abc")); }),
            "NoSuchPublicAccessBlockConfiguration");
  world(delete_bucket_ownership_controls, of_bucket<DeleteBucketOwnershipControlsInput>("abc"));
  EXPECT_EQ(
      error_code([&] { world(get_bucket_ownership_controls, of_bucket<GetBucketOwnershipControlsInput>("abc")); }),
      "OwnershipControlsNotFoundError");
}

TEST(BucketConfiguration, DeletesOfWhatIsNotThereSucceed) {
  World world;
  world.create_bucket("abc");
  world(delete_bucket_website, of_bucket<DeleteBucketWebsiteInput>("abc"));
  world(delete_bucket_replication, of_bucket<DeleteBucketReplicationInput>("abc"));
  world(delete_bucket_cors, of_bucket<DeleteBucketCorsInput>("abc"));
  world(delete_bucket_encryption, of_bucket<DeleteBucketEncryptionInput>("abc"));
  EXPECT_EQ(error_code([&] { world(delete_bucket_cors, of_bucket<DeleteBucketCorsInput>("none")); }), "NoSuchBucket");
  const auto notification =
      world(get_bucket_notification_configuration, of_bucket<GetBucketNotificationConfigurationInput>("abc"));
  EXPECT_FALSE(notification.queue_configurations);
}

TEST(BucketConfiguration, APublicAccessBlockIsOffWhereItSaysNothing) {
  World world;
  world.create_bucket("abc");
  auto put = of_bucket<PutPublicAccessBlockInput>("abc");
  put.public_access_block_configuration.emplace().block_public_acls = true;
  world(put_public_access_block, put);
  const auto block = world(get_public_access_block, of_bucket<GetPublicAccessBlockInput>("abc"));
  EXPECT_EQ(*block.public_access_block_configuration, (PublicAccessBlockConfiguration{true, false, false, false}));
}

TEST(BucketConfiguration, OnlyAccelerationAndPaymentThatAreOffCanBePut) {
  World world;
  world.create_bucket("abc");
  auto accelerate = of_bucket<PutBucketAccelerateConfigurationInput>("abc");
  accelerate.accelerate_configuration.emplace().status = "Suspended";
  world(put_bucket_accelerate_configuration, accelerate);
  EXPECT_EQ(world(get_bucket_accelerate_configuration, of_bucket<GetBucketAccelerateConfigurationInput>("abc")).status,
            "Suspended");
  accelerate.accelerate_configuration->status = "Enabled";
  EXPECT_EQ(error_code([&] { world(put_bucket_accelerate_configuration, accelerate); }), "NotImplemented");
  auto payment = of_bucket<PutBucketRequestPaymentInput>("abc");
  payment.request_payment_configuration.emplace().payer = "BucketOwner";
  world(put_bucket_request_payment, payment);
  payment.request_payment_configuration->payer = "Requester";
  EXPECT_EQ(error_code([&] { world(put_bucket_request_payment, payment); }), "NotImplemented");
}

TEST(BucketConfiguration, SurvivesARestart) {
  World world;
  world.create_bucket("abc", "Suspended");
  world.open();
  EXPECT_EQ(world(get_bucket_versioning, of_bucket<GetBucketVersioningInput>("abc")).status, "Suspended");
}

TEST(BucketConfiguration, WithoutEffectIsRefused) {
  World world;
  world.create_bucket("abc");
  auto logging = of_bucket<PutBucketLoggingInput>("abc");
  logging.bucket_logging_status.emplace();
  world(put_bucket_logging, logging);
  logging.bucket_logging_status->logging_enabled.emplace().target_bucket = "logs";
  EXPECT_EQ(error_code([&] { world(put_bucket_logging, logging); }), "NotImplemented");
  auto notification = of_bucket<PutBucketNotificationConfigurationInput>("abc");
  world(put_bucket_notification_configuration, notification);
  notification.notification_configuration.emplace().queue_configurations = std::vector<QueueConfiguration>(1);
  EXPECT_EQ(error_code([&] { world(put_bucket_notification_configuration, notification); }), "NotImplemented");
  auto versioning = of_bucket<PutBucketVersioningInput>("abc");
  versioning.versioning_configuration.emplace().mfa_delete = "Enabled";
  EXPECT_EQ(error_code([&] { world(put_bucket_versioning, versioning); }), "NotImplemented");
}

}  // namespace
}  // namespace brume::s3
