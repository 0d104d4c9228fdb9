#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

using testing::Contains;
using testing::Pair;

template <class Input>
Input of_object(const std::string& key = "key") {
  Input input;
  input.bucket = "abc";
  input.key = key;
  return input;
}

struct Objects : testing::Test {
  Objects() { world.create_bucket("abc"); }
  World world;
};

TEST_F(Objects, ComeBackAsTheyWerePut) {
  auto put = of_object<PutObjectInput>("folder/ключ");
  put.body = world.received("hello");
  put.content_type = "text/plain";
  put.content_encoding = "aws-chunked,gzip";
  put.cache_control = "no-cache";
  put.expires = "whenever";
  put.website_redirect_location = "/elsewhere";
  put.metadata = std::map<std::string, std::string>{{"a", "1"}};
  put.tagging = "k1=v%201&k2=";
  put.storage_class = "STANDARD_IA";
  const auto answer = world(put_object, put);
  EXPECT_EQ(answer.e_tag, "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(answer.server_side_encryption, "AES256");
  EXPECT_FALSE(answer.version_id);
  auto get = of_object<GetObjectInput>("folder/ключ");
  const auto object = world(get_object, get);
  EXPECT_EQ(World::bytes_of(*object.body), "hello");
  EXPECT_EQ(object.content_length, 5);
  EXPECT_EQ(object.content_type, "text/plain");
  EXPECT_EQ(object.content_encoding, "gzip");
  EXPECT_EQ(object.cache_control, "no-cache");
  EXPECT_EQ(object.expires, "whenever");
  EXPECT_EQ(object.website_redirect_location, "/elsewhere");
  EXPECT_THAT(*object.metadata, Contains(Pair("a", "1")));
  EXPECT_EQ(object.tag_count, 2);
  EXPECT_EQ(object.storage_class, "STANDARD_IA");
  EXPECT_EQ(object.last_modified, world.runtime.clock.now());
  EXPECT_EQ(world(get_object_tagging, of_object<GetObjectTaggingInput>("folder/ключ")).tag_set->front(),
            (Tag{"k1", "v 1"}));
  const auto head = world(head_object, of_object<HeadObjectInput>("folder/ключ"));
  EXPECT_EQ(head.e_tag, object.e_tag);
  EXPECT_EQ(head.content_length, 5);
}

TEST_F(Objects, SpooledBodiesAreMovedAndEmptyOnesHaveNoFile) {
  const std::string large(200'000, 'x');
  world.put("abc", "large", large);
  world.put("abc", "empty", "");
  EXPECT_EQ(world.get("abc", "large"), large);
  EXPECT_EQ(world.get("abc", "empty"), "");
  EXPECT_EQ(world.files().size(), 1U);
}

// One that lives in the store, and one in a file.
const std::string kBodies[] = {"small", std::string(kLargestStoredBody + 1, 'x')};

TEST_F(Objects, OverwritingAndDeletingRemovesTheBodies) {
  for (const std::string& one : kBodies) {
    for (const std::string& two : kBodies) {
      world.put("abc", "key", one);
      world.put("abc", "key", two);
      EXPECT_EQ(world.get("abc", "key"), two);
      EXPECT_EQ(world.files().size(), 1U);
      world(delete_object, of_object<DeleteObjectInput>());
      EXPECT_EQ(error_code([&] { world.get("abc", "key"); }), "NoSuchKey");
      EXPECT_TRUE(world.files().empty());
      world(delete_object, of_object<DeleteObjectInput>());  // again: no error
    }
  }
}

TEST_F(Objects, SmallBodiesAreReadInPart) {
  const std::string largest(kLargestStoredBody, 'y');
  world.put("abc", "key", "0123" + largest.substr(4));
  EXPECT_TRUE(BodyFiles::is_stored(world.files().at(0)));
  auto input = of_object<GetObjectInput>();
  input.range = "bytes=2-5";
  EXPECT_EQ(World::bytes_of(*world(get_object, input).body), "23yy");
  world.open();
  EXPECT_EQ(world.get("abc", "key"), "0123" + largest.substr(4));
}

TEST_F(Objects, AReaderKeepsTheBytesOfADeletedObject) {
  for (const std::string& text : kBodies) {
    world.put("abc", "key", text);
    std::optional<GetObjectOutput> reading = world(get_object, of_object<GetObjectInput>());
    world(delete_object, of_object<DeleteObjectInput>());
    EXPECT_EQ(World::bytes_of(*reading->body), text);
    reading.reset();
    EXPECT_TRUE(world.files().empty());
  }
}

TEST_F(Objects, ABodyThatNothingRefersToGoesAtTheStart) {
  world.put("abc", "key", "kept");
  Tx tx(*world.store);
  const std::string path = world.s3->bodies.path(world.s3->bodies.prepare(tx));
  tx.commit();
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "lost";
  ASSERT_EQ(world.files().size(), 2U);
  world.open();
  EXPECT_EQ(world.files().size(), 1U);
  EXPECT_EQ(world.get("abc", "key"), "kept");
}

TEST_F(Objects, RefuseWrongDigestsAndLeaveNothing) {
  auto put = of_object<PutObjectInput>();
  put.body = world.received("text", DigestKind::crc32);
  put.checksum_crc32 = "AAAAAA==";
  EXPECT_EQ(error_code([&] { world(put_object, put); }), "BadDigest");
  put.checksum_crc32 = "nonsense";
  EXPECT_EQ(error_code([&] { world(put_object, put); }), "InvalidRequest");
  put.checksum_crc32.reset();
  put.content_md5 = to_base64(md5("other"));
  EXPECT_EQ(error_code([&] { world(put_object, put); }), "BadDigest");
  put.content_md5 = "x";
  EXPECT_EQ(error_code([&] { world(put_object, put); }), "InvalidDigest");
  world.runtime.run();
  EXPECT_TRUE(world.files().empty());
  EXPECT_EQ(error_code([&] { world.get("abc", "key"); }), "NoSuchKey");
}

TEST_F(Objects, ShowTheirChecksumWhenAsked) {
  auto put = of_object<PutObjectInput>();
  put.body = world.received("123456789", DigestKind::crc32);
  put.checksum_crc32 = "y/Q5Jg==";
  EXPECT_EQ(world(put_object, put).checksum_crc32, "y/Q5Jg==");
  auto get = of_object<GetObjectInput>();
  EXPECT_FALSE(world(get_object, get).checksum_crc32);
  get.checksum_mode = "ENABLED";
  EXPECT_EQ(world(get_object, get).checksum_crc32, "y/Q5Jg==");
  EXPECT_EQ(world(get_object, get).checksum_type, "FULL_OBJECT");
  get.range = "bytes=0-3";
  EXPECT_FALSE(world(get_object, get).checksum_crc32);
}

TEST_F(Objects, GetCrc64NvmeByDefault) {
  const auto answer = world.put("abc", "key", "123456789");
  EXPECT_EQ(answer.checksum_crc64_nvme, to_base64(*from_hex("ae8b14860a799888")));
  const std::string large(100'000, 'y');
  EXPECT_EQ(world.put("abc", "large", large).checksum_crc64_nvme, to_base64(digest_of(DigestKind::crc64nvme, large)));
}

TEST_F(Objects, ServeRanges) {
  world.put("abc", "key", "0123456789");
  auto get = of_object<GetObjectInput>();
  get.range = "bytes=2-4";
  auto part = world(get_object, get);
  EXPECT_EQ(World::bytes_of(*part.body), "234");
  EXPECT_EQ(part.content_range, "bytes 2-4/10");
  EXPECT_EQ(part.content_length, 3);
  get.range = "bytes=-3";
  EXPECT_EQ(World::bytes_of(*world(get_object, get).body), "789");
  get.range = "bytes=8-100";
  EXPECT_EQ(world(get_object, get).content_range, "bytes 8-9/10");
  for (const char* ignored : {"bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=x"}) {
    get.range = ignored;
    EXPECT_EQ(World::bytes_of(*world(get_object, get).body), "0123456789") << ignored;
  }
  get.range = "bytes=10-";
  try {
    world(get_object, get);
    FAIL() << "a range past the end";
  } catch (const AwsError& error) {
    EXPECT_EQ(error.status, 416);
    EXPECT_THAT(error.headers, Contains(Pair("Content-Range", "bytes */10")));
  }
}

TEST_F(Objects, OverrideHeadersForThoseWhoSign) {
  world.put("abc", "key", "x");
  auto get = of_object<GetObjectInput>();
  get.response_content_type = "text/html";
  EXPECT_EQ(world(get_object, get).content_type, "text/html");
}

TEST_F(Objects, ArchivedOnesCannotBeRead) {
  auto put = of_object<PutObjectInput>();
  put.body = world.received("x");
  put.storage_class = "GLACIER";
  world(put_object, put);
  EXPECT_EQ(error_code([&] { world.get("abc", "key"); }), "InvalidObjectState");
  EXPECT_EQ(world(head_object, of_object<HeadObjectInput>()).storage_class, "GLACIER");
}

TEST_F(Objects, RefuseWhatIsNotServedByName) {
  const auto code = [&](auto change) {
    auto put = of_object<PutObjectInput>();
    put.body = world.received("x");
    change(put);
    return error_code([&] { world(put_object, put); });
  };
  EXPECT_EQ(code([](auto& put) { put.server_side_encryption = "aws:kms"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& put) { put.sse_customer_algorithm = "AES256"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& put) { put.object_lock_mode = "GOVERNANCE"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& put) { put.checksum_xxhash64 = "x"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& put) { put.storage_class = "LUKEWARM"; }), "InvalidStorageClass");
  EXPECT_EQ(code([](auto& put) { put.acl = "public-read"; }), "AccessControlListNotSupported");
  EXPECT_EQ(code([](auto& put) { put.tagging = "a=1&a=2"; }), "InvalidArgument");
  EXPECT_EQ(code([](auto& put) { put.key = std::string(1025, 'k'); }), "KeyTooLongError");
  EXPECT_EQ(code([](auto& put) { put.metadata = std::map<std::string, std::string>{{"a", std::string(2048, 'x')}}; }),
            "MetadataTooLarge");
  EXPECT_EQ(code([](auto& put) { put.server_side_encryption = "AES256"; }), "none");
}

TEST_F(Objects, OfABucketDeletedMeanwhileGoNowhere) {
  auto put = of_object<PutObjectInput>();
  put.body = world.received(std::string(kLargestStoredBody + 1, 'x'));
  const auto pending = world.start(put_object, put);
  DeleteBucketInput remove;
  remove.bucket = "abc";
  Tx tx(*world.store);
  delete_bucket(*world.s3, tx, Request<DeleteBucketInput>(world.context(), remove));
  tx.commit();
  EXPECT_EQ(error_code(pending), "NoSuchBucket");
  world.runtime.run();
  EXPECT_TRUE(world.files().empty());
}

TEST_F(Objects, TagsAreReplacedAndRemoved) {
  world.put("abc", "key", "x");
  auto put = of_object<PutObjectTaggingInput>();
  put.tagging.emplace().tag_set = std::vector<Tag>{{"a", "1"}};
  world(put_object_tagging, put);
  EXPECT_EQ(world(get_object_tagging, of_object<GetObjectTaggingInput>()).tag_set->size(), 1U);
  put.tagging->tag_set = std::vector<Tag>{{"aws:x", "1"}};
  EXPECT_EQ(error_code([&] { world(put_object_tagging, put); }), "InvalidTag");
  put.tagging->tag_set = std::vector<Tag>(11);
  EXPECT_EQ(error_code([&] { world(put_object_tagging, put); }), "InvalidTag");
  world(delete_object_tagging, of_object<DeleteObjectTaggingInput>());
  EXPECT_TRUE(world(get_object_tagging, of_object<GetObjectTaggingInput>()).tag_set->empty());
}

TEST_F(Objects, AttributesAreTheOnesAskedFor) {
  world.put("abc", "key", "hello");
  auto input = of_object<GetObjectAttributesInput>();
  input.object_attributes = std::vector<std::string>{"ETag", "ObjectSize", "Checksum"};
  const auto attributes = world(get_object_attributes, input);
  EXPECT_EQ(attributes.e_tag, "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(attributes.object_size, 5);
  EXPECT_TRUE(attributes.checksum->checksum_crc64_nvme);
  EXPECT_FALSE(attributes.storage_class);
}

}  // namespace
}  // namespace brume::s3
