#include "services/s3/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

struct Conditions : testing::Test {
  Conditions() {
    world.create_bucket("abc");
    etag = *world.put("abc", "key", "text").e_tag;
    written = world.runtime.clock.now();
  }
  template <class Change>
  std::string write(const std::string& key, const Change& change) {
    PutObjectInput input;
    input.bucket = "abc";
    input.key = key;
    input.body = world.received("new");
    change(input);
    return error_code([&] { world(put_object, input); });
  }
  template <class Change>
  std::string read(const Change& change) {
    GetObjectInput input;
    input.bucket = "abc";
    input.key = "key";
    change(input);
    return error_code([&] { world(get_object, input); });
  }
  World world;
  std::string etag;
  Time written;
};

TEST_F(Conditions, IfNoneMatchWritesOnce) {
  const auto once = [](auto& input) { input.if_none_match = "*"; };
  EXPECT_EQ(write("key", once), "PreconditionFailed");
  EXPECT_EQ(write("fresh", once), "none");
  EXPECT_EQ(write("fresh", once), "PreconditionFailed");
  EXPECT_EQ(write("key", [](auto& input) { input.if_none_match = "\"x\""; }), "NotImplemented");
  world.runtime.run();
  EXPECT_EQ(world.files().size(), 2U);
}

TEST_F(Conditions, OfTwoRacingWritersOneWins) {
  PutObjectInput input;
  input.bucket = "abc";
  input.key = "lock";
  input.if_none_match = "*";
  // Files, which are made on a worker.
  const std::string text = "first" + std::string(kLargestStoredBody, 'x');
  input.body = world.received(text);
  const auto first = world.start(put_object, input);
  input.body = world.received("second" + text);
  const auto second = world.start(put_object, input);
  EXPECT_EQ(error_code(first), "none");
  EXPECT_EQ(error_code(second), "PreconditionFailed");
  EXPECT_EQ(world.get("abc", "lock"), text);
}

TEST_F(Conditions, IfMatchReplacesWhatItNames) {
  EXPECT_EQ(write("key", [](auto& input) { input.if_match = "\"other\""; }), "PreconditionFailed");
  EXPECT_EQ(write("none", [](auto& input) { input.if_match = "\"other\""; }), "NoSuchKey");
  EXPECT_EQ(write("key", [&](auto& input) { input.if_match = etag.substr(1); }), "none");
  EXPECT_EQ(write("key", [&](auto& input) { input.if_match = etag; }), "PreconditionFailed");
}

TEST_F(Conditions, ADeleteMarkerIsNoObject) {
  world.create_bucket("versioned", "Enabled");
  world.put("versioned", "key", "x");
  DeleteObjectInput remove;
  remove.bucket = "versioned";
  remove.key = "key";
  world(delete_object, remove);
  EXPECT_EQ(write("key",
                  [](auto& input) {
                    input.bucket = "versioned";
                    input.if_none_match = "*";
                  }),
            "none");
}

TEST_F(Conditions, ReadsAnswer304And412) {
  EXPECT_EQ(read([&](auto& input) { input.if_match = etag; }), "none");
  EXPECT_EQ(read([](auto& input) { input.if_match = "\"other\""; }), "PreconditionFailed");
  EXPECT_EQ(read([&](auto& input) { input.if_none_match = etag; }), "NotModified");
  EXPECT_EQ(read([](auto& input) { input.if_none_match = "\"other\""; }), "none");
  EXPECT_EQ(read([&](auto& input) { input.if_modified_since = written; }), "NotModified");
  EXPECT_EQ(read([&](auto& input) { input.if_modified_since = written - seconds(1); }), "none");
  EXPECT_EQ(read([&](auto& input) { input.if_unmodified_since = written; }), "none");
  EXPECT_EQ(read([&](auto& input) { input.if_unmodified_since = written - seconds(1); }), "PreconditionFailed");
}

TEST_F(Conditions, TheTagOutweighsTheDate) {
  EXPECT_EQ(read([&](auto& input) {
              input.if_match = etag;
              input.if_unmodified_since = written - seconds(1);
            }),
            "none");
  EXPECT_EQ(read([&](auto& input) {
              input.if_none_match = "\"other\"";
              input.if_modified_since = written;
            }),
            "none");
}

TEST_F(Conditions, DeletesToo) {
  DeleteObjectInput remove;
  remove.bucket = "abc";
  remove.key = "key";
  remove.if_match = "\"other\"";
  EXPECT_EQ(error_code([&] { world(delete_object, remove); }), "PreconditionFailed");
  remove.if_match = etag;
  world(delete_object, remove);
  EXPECT_EQ(error_code([&] { world(delete_object, remove); }), "NoSuchKey");
}

TEST(CopyRange, WantsBothEndsWithinTheSource) {
  const ByteRange range = parse_copy_range("bytes=2-4", 5);
  EXPECT_EQ(range.offset, 2U);
  EXPECT_EQ(range.size, 3U);
  for (const char* bad : {"bytes=2-5", "bytes=2-", "bytes=-2", "bytes=4-2", "2-4", ""}) {
    EXPECT_EQ(error_code([&] { parse_copy_range(bad, 5); }), "InvalidArgument") << bad;
  }
}

}  // namespace
}  // namespace brume::s3
