#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/assembly.h"
#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

constexpr std::size_t kPart = 5 << 20;

struct Multipart : testing::Test {
  Multipart() { world.create_bucket("abc"); }

  std::string start(const std::string& algorithm = {}, const std::string& type = {}) {
    CreateMultipartUploadInput input;
    input.bucket = "abc";
    input.key = "key";
    input.content_type = "text/plain";
    if (!algorithm.empty()) input.checksum_algorithm = algorithm;
    if (!type.empty()) input.checksum_type = type;
    return *world(create_multipart_upload, input).upload_id;
  }
  UploadPartOutput part(const std::string& upload, std::int64_t number, const std::string& text) {
    UploadPartInput input;
    input.bucket = "abc";
    input.key = "key";
    input.upload_id = upload;
    input.part_number = number;
    input.body = world.received(text);
    return world(upload_part, input);
  }
  CompleteMultipartUploadInput completion(const std::string& upload,
                                          const std::vector<std::pair<std::int64_t, UploadPartOutput>>& parts) {
    CompleteMultipartUploadInput input;
    input.bucket = "abc";
    input.key = "key";
    input.upload_id = upload;
    for (const auto& [number, answer] : parts) {
      CompletedPart named;
      named.part_number = number;
      named.e_tag = answer.e_tag;
      named.checksum_crc32 = answer.checksum_crc32;
      named.checksum_sha256 = answer.checksum_sha256;
      input.multipart_upload.ensure().parts.ensure().push_back(named);
    }
    return input;
  }
  World world;
  std::string large = std::string(kPart, 'a');
};

TEST_F(Multipart, PartsBecomeOneObject) {
  const std::string upload = start();
  const auto first = part(upload, 1, "to be replaced");
  const auto replaced = part(upload, 1, large);
  const auto second = part(upload, 7, "tail");
  EXPECT_NE(first.e_tag, replaced.e_tag);
  const auto done = world(complete_multipart_upload, completion(upload, {{1, replaced}, {7, second}}));
  EXPECT_EQ(done.e_tag, "\"" + to_hex(md5(md5(large) + md5("tail"))) + "-2\"");
  EXPECT_EQ(done.checksum_crc64_nvme, to_base64(digest_of(DigestKind::crc64nvme, large + "tail")));
  EXPECT_EQ(done.checksum_type, "FULL_OBJECT");
  EXPECT_EQ(done.location, "https://s3.eu-west-1.amazonaws.com/abc/key");
  EXPECT_EQ(world.get("abc", "key"), large + "tail");
  EXPECT_EQ(world.files().size(), 1U);
  EXPECT_EQ(error_code([&] { part(upload, 2, "late"); }), "NoSuchUpload");
  // Asked again, it is told again, until the object is another.
  auto again = completion(upload, {{1, replaced}, {7, second}});
  again.if_none_match = "*";
  EXPECT_EQ(world(complete_multipart_upload, again).e_tag, done.e_tag);
  EXPECT_EQ(world.files().size(), 1U);

  GetObjectInput get;
  get.bucket = "abc";
  get.key = "key";
  get.part_number = 7;
  const auto tail = world(get_object, get);
  EXPECT_EQ(World::bytes_of(*tail.body), "tail");
  EXPECT_EQ(tail.parts_count, 2);
  EXPECT_EQ(tail.content_type, "text/plain");
  get.part_number = 2;
  EXPECT_EQ(error_code([&] { world(get_object, get); }), "InvalidPartNumber");
}

TEST_F(Multipart, CompositeChecksumsAreOfTheParts) {
  const std::string upload = start("SHA256");
  const auto first = part(upload, 1, large);
  const auto second = part(upload, 2, "tail");
  EXPECT_EQ(second.checksum_sha256, to_base64(sha256("tail")));
  auto without = completion(upload, {{1, first}, {2, second}});
  without.multipart_upload->parts->front().checksum_sha256.reset();
  EXPECT_EQ(error_code([&] { world(complete_multipart_upload, without); }), "InvalidRequest");
  const auto done = world(complete_multipart_upload, completion(upload, {{1, first}, {2, second}}));
  EXPECT_EQ(done.checksum_sha256, to_base64(sha256(sha256(large) + sha256("tail"))) + "-2");
  EXPECT_EQ(done.checksum_type, "COMPOSITE");
  GetObjectAttributesInput attributes;
  attributes.bucket = "abc";
  attributes.key = "key";
  attributes.object_attributes = std::vector<std::string>{"Checksum", "ObjectParts"};
  const auto shown = world(get_object_attributes, attributes);
  EXPECT_EQ(shown.checksum->checksum_sha256, to_base64(sha256(sha256(large) + sha256("tail"))));
  EXPECT_EQ(shown.object_parts->total_parts_count, 2);
  EXPECT_EQ(shown.object_parts->parts->back().checksum_sha256, to_base64(sha256("tail")));
}

TEST_F(Multipart, FullObjectCrcsAreVerified) {
  const std::string upload = start("CRC32", "FULL_OBJECT");
  const auto first = part(upload, 1, large);
  const auto second = part(upload, 2, "tail");
  auto input = completion(upload, {{1, first}, {2, second}});
  input.checksum_crc32 = to_base64(digest_of(DigestKind::crc32, "other"));
  EXPECT_EQ(error_code([&] { world(complete_multipart_upload, input); }), "BadDigest");
  input.checksum_crc32 = to_base64(digest_of(DigestKind::crc32, large + "tail"));
  input.mpu_object_size = 5;
  EXPECT_EQ(error_code([&] { world(complete_multipart_upload, input); }), "InvalidRequest");
  input.mpu_object_size.reset();
  EXPECT_EQ(world(complete_multipart_upload, input).checksum_crc32, input.checksum_crc32);
  EXPECT_EQ(error_code([&] { start("SHA1", "FULL_OBJECT"); }), "InvalidRequest");
}

TEST_F(Multipart, RefusesWhatDoesNotFitAndStaysUsable) {
  const std::string upload = start();
  const auto first = part(upload, 1, "small");
  const auto second = part(upload, 2, "tail");
  const auto code = [&](const CompleteMultipartUploadInput& input) {
    return error_code([&] { world(complete_multipart_upload, input); });
  };
  EXPECT_EQ(code(completion(upload, {{1, first}, {2, second}})), "EntityTooSmall");
  EXPECT_EQ(code(completion(upload, {{2, second}, {1, first}})), "InvalidPartOrder");
  EXPECT_EQ(code(completion(upload, {{1, second}})), "InvalidPart");
  EXPECT_EQ(code(completion(upload, {{3, second}})), "InvalidPart");
  EXPECT_EQ(code(completion(upload, {})), "MalformedXML");
  EXPECT_EQ(code(completion("unknown", {{1, first}})), "NoSuchUpload");
  EXPECT_EQ(error_code([&] { part(upload, 0, "x"); }), "InvalidArgument");
  EXPECT_EQ(error_code([&] { part(upload, 10'001, "x"); }), "InvalidArgument");
  EXPECT_EQ(code(completion(upload, {{2, second}})), "none");
  EXPECT_EQ(world.get("abc", "key"), "tail");
  EXPECT_EQ(world.files().size(), 1U);
}

TEST_F(Multipart, TakesNoChangesWhileItCompletes) {
  const std::string upload = start();
  const auto only = part(upload, 1, "only");
  const auto completing = world.start(complete_multipart_upload, completion(upload, {{1, only}}));
  AbortMultipartUploadInput abort;
  abort.bucket = "abc";
  abort.key = "key";
  abort.upload_id = upload;
  Tx tx(*world.store);
  EXPECT_EQ(error_code([&] {
              abort_multipart_upload(*world.s3, tx, Request<AbortMultipartUploadInput>(world.context(), abort));
            }),
            "NoSuchUpload");
  EXPECT_EQ(error_code(completing), "none");
  EXPECT_EQ(world.get("abc", "key"), "only");
}

TEST_F(Multipart, AbortRemovesEverything) {
  const std::string upload = start();
  part(upload, 1, "one");
  part(upload, 2, "two");
  AbortMultipartUploadInput abort;
  abort.bucket = "abc";
  abort.key = "key";
  abort.upload_id = upload;
  world(abort_multipart_upload, abort);
  EXPECT_TRUE(world.files().empty());
  EXPECT_EQ(error_code([&] { world(abort_multipart_upload, abort); }), "NoSuchUpload");
}

TEST_F(Multipart, CopiesPartsOfObjects) {
  world.put("abc", "source", large + "0123456789");
  const std::string upload = start();
  UploadPartCopyInput copy;
  copy.bucket = "abc";
  copy.key = "key";
  copy.upload_id = upload;
  copy.copy_source = "abc/source";
  copy.part_number = 1;
  const auto first = world(upload_part_copy, copy);
  copy.part_number = 2;
  copy.copy_source_range = "bytes=5242882-5242884";
  const auto second = world(upload_part_copy, copy);
  EXPECT_EQ(second.copy_part_result->e_tag, "\"" + to_hex(md5("234")) + "\"");
  UploadPartOutput one, two;
  one.e_tag = first.copy_part_result->e_tag;
  two.e_tag = second.copy_part_result->e_tag;
  world(complete_multipart_upload, completion(upload, {{1, one}, {2, two}}));
  EXPECT_EQ(world.get("abc", "key"), large + "0123456789234");
}

TEST_F(Multipart, ACopyOfTheObjectIsOnePiece) {
  const std::string upload = start();
  const auto only = part(upload, 1, "only");
  world(complete_multipart_upload, completion(upload, {{1, only}}));
  CopyObjectInput copy;
  copy.bucket = "abc";
  copy.key = "copy";
  copy.copy_source = "abc/key";
  EXPECT_EQ(world(copy_object, copy).copy_object_result->e_tag, "\"" + to_hex(md5("only")) + "\"");
}

TEST_F(Multipart, ListsUploadsAndParts) {
  const std::string upload = start("CRC32");
  part(upload, 1, "one");
  part(upload, 3, "three");
  ListPartsInput parts;
  parts.bucket = "abc";
  parts.key = "key";
  parts.upload_id = upload;
  parts.max_parts = 1;
  auto page = world(list_parts, parts);
  EXPECT_EQ(page.is_truncated, true);
  EXPECT_EQ(page.parts->front().checksum_crc32, to_base64(digest_of(DigestKind::crc32, "one")));
  parts.part_number_marker = page.next_part_number_marker;
  page = world(list_parts, parts);
  EXPECT_EQ(page.is_truncated, false);
  EXPECT_EQ(page.parts->front().part_number, 3);
  EXPECT_EQ(page.parts->front().size, 5);

  std::vector<std::string> started{upload};
  for (int i = 0; i < 3; ++i) {
    world.runtime.advance(seconds(1));
    started.push_back(start());
  }
  for (const int limit : {1, 2, 10}) {
    std::vector<std::string> seen;
    ListMultipartUploadsInput uploads;
    uploads.bucket = "abc";
    uploads.max_uploads = limit;
    for (int pages = 0; pages < 10; ++pages) {
      const auto listed = world(list_multipart_uploads, uploads);
      for (const auto& each : listed.uploads.get()) seen.push_back(*each.upload_id);
      if (!listed.is_truncated.get()) break;
      uploads.key_marker = listed.next_key_marker;
      uploads.upload_id_marker = listed.next_upload_id_marker;
    }
    EXPECT_EQ(seen, started) << limit;
  }
}

TEST_F(Multipart, RefusesWrongPartChecksums) {
  const std::string upload = start("CRC32");
  UploadPartInput input;
  input.bucket = "abc";
  input.key = "key";
  input.upload_id = upload;
  input.part_number = 1;
  input.body = world.received("text", DigestKind::crc32);
  input.checksum_crc32 = "AAAAAA==";
  EXPECT_EQ(error_code([&] { world(upload_part, input); }), "BadDigest");
  input.checksum_crc32.reset();
  input.checksum_sha1 = to_base64(sha1("text"));
  EXPECT_EQ(error_code([&] { world(upload_part, input); }), "InvalidRequest");
  world.runtime.run();
  EXPECT_TRUE(world.files().empty());
}

}  // namespace
}  // namespace brume::s3
