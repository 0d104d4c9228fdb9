#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/copy_source.h"
#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

struct Copies : testing::Test {
  Copies() {
    world.create_bucket("abc");
    PutObjectInput put;
    put.bucket = "abc";
    put.key = "source key";
    put.body = world.received("bytes");
    put.content_type = "text/plain";
    put.metadata = std::map<std::string, std::string>{{"a", "1"}};
    put.tagging = "t=1";
    put.storage_class = "STANDARD_IA";
    world(put_object, put);
  }
  CopyObjectInput input(const std::string& key, const std::string& source = "/abc/source%20key") {
    CopyObjectInput copy;
    copy.bucket = "abc";
    copy.key = key;
    copy.copy_source = source;
    return copy;
  }
  HeadObjectOutput head(const std::string& key) {
    HeadObjectInput head;
    head.bucket = "abc";
    head.key = key;
    return world(head_object, head);
  }
  World world;
};

TEST(CopySource, IsDecoded) {
  const CopySourceName name = parse_copy_source("/b/a%20b/c%3F?versionId=v1");
  EXPECT_EQ(name.bucket, "b");
  EXPECT_EQ(name.key, "a b/c?");
  EXPECT_EQ(name.version_id, "v1");
  for (const char* bad : {"", "b", "b/", "/b", "b/%zz"}) {
    EXPECT_EQ(error_code([&] { parse_copy_source(bad); }), "InvalidArgument") << bad;
  }
  EXPECT_EQ(error_code([] { parse_copy_source("arn:aws:s3:eu-west-1:1:accesspoint/x/object/y"); }), "NotImplemented");
}

TEST_F(Copies, TakeMetadataAndTagsButNotTheStorageClass) {
  const auto copied = world(copy_object, input("copy"));
  EXPECT_EQ(copied.copy_object_result->e_tag, head("source key").e_tag);
  EXPECT_EQ(world.get("abc", "copy"), "bytes");
  const auto object = head("copy");
  EXPECT_EQ(object.content_type, "text/plain");
  EXPECT_EQ(object.metadata->at("a"), "1");
  EXPECT_EQ(object.tag_count, 1);
  EXPECT_FALSE(object.storage_class);
}

TEST_F(Copies, ReplaceWhatTheyAreTold) {
  auto copy = input("copy");
  copy.metadata_directive = "REPLACE";
  copy.content_type = "text/html";
  copy.tagging_directive = "REPLACE";
  copy.checksum_algorithm = "SHA256";
  EXPECT_EQ(world(copy_object, copy).copy_object_result->checksum_sha256, to_base64(sha256("bytes")));
  const auto object = head("copy");
  EXPECT_EQ(object.content_type, "text/html");
  EXPECT_FALSE(object.metadata);
  EXPECT_FALSE(object.tag_count);
}

TEST_F(Copies, OutliveTheirSource) {
  world(copy_object, input("copy"));
  DeleteObjectInput remove;
  remove.bucket = "abc";
  remove.key = "source key";
  world(delete_object, remove);
  EXPECT_EQ(world.get("abc", "copy"), "bytes");
  EXPECT_EQ(world.files().size(), 1U);
}

TEST_F(Copies, OfASourceDeletedMeanwhileStillSucceed) {
  const auto copying = world.start(copy_object, input("copy"));
  DeleteObjectInput remove;
  remove.bucket = "abc";
  remove.key = "source key";
  Tx tx(*world.store);
  delete_object(*world.s3, tx, Request<DeleteObjectInput>(world.context(), remove));
  tx.commit();
  EXPECT_EQ(error_code(copying), "none");
  EXPECT_EQ(world.get("abc", "copy"), "bytes");
}

TEST_F(Copies, OntoThemselvesMustChangeSomething) {
  auto copy = input("source key");
  EXPECT_EQ(error_code([&] { world(copy_object, copy); }), "InvalidRequest");
  copy.storage_class = "STANDARD";
  world(copy_object, copy);
  world(copy_object, copy);  // naming it is enough
  EXPECT_FALSE(head("source key").storage_class);
  EXPECT_EQ(world.get("abc", "source key"), "bytes");
}

TEST_F(Copies, JudgeConditionsOfTheSource) {
  auto copy = input("copy");
  copy.copy_source_if_none_match = *head("source key").e_tag;
  EXPECT_EQ(error_code([&] { world(copy_object, copy); }), "PreconditionFailed");
  copy.copy_source_if_none_match.reset();
  copy.copy_source_if_match = "\"other\"";
  EXPECT_EQ(error_code([&] { world(copy_object, copy); }), "PreconditionFailed");
  EXPECT_EQ(error_code([&] { world(copy_object, input("copy", "abc/none")); }), "NoSuchKey");
  EXPECT_EQ(error_code([&] { world(copy_object, input("copy", "none/key")); }), "NoSuchBucket");
}

// Denies one action; everything else is allowed.
struct Denying final : Authorizer {
  Verdict authorize(const RequestContext&, const Ask& ask) const override {
    asked.push_back(ask.action + " " + ask.resource);
    return {ask.action != denied, "because of the test"};
  }
  std::string denied;
  mutable std::vector<std::string> asked;
};

TEST(Permissions, OfTheSourceOfACopyAreAsked) {
  Denying authorizer;
  World world(memory_store(), &authorizer);
  world.create_bucket("abc");
  world.put("abc", "key", "x");
  CopyObjectInput copy;
  copy.bucket = "abc";
  copy.key = "copy";
  copy.copy_source = "abc/key";
  world(copy_object, copy);
  EXPECT_EQ(authorizer.asked, (std::vector<std::string>{"s3:GetObject arn:aws:s3:::abc/key"}));
  authorizer.denied = "s3:GetObject";
  EXPECT_EQ(error_code([&] { world(copy_object, copy); }), "AccessDenied");
}

TEST(Permissions, WhoMayNotListLearnsNothingOfMissingKeys) {
  Denying authorizer;
  World world(memory_store(), &authorizer);
  world.create_bucket("abc");
  EXPECT_EQ(error_code([&] { world.get("abc", "none"); }), "NoSuchKey");
  authorizer.denied = "s3:ListBucket";
  EXPECT_EQ(error_code([&] { world.get("abc", "none"); }), "AccessDenied");
}

}  // namespace
}  // namespace brume::s3
