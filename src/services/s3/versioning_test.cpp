#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

using testing::Contains;
using testing::Pair;

struct Versions : testing::Test {
  World world;

  void set_versioning(const std::string& status) {
    PutBucketVersioningInput input;
    input.bucket = "abc";
    input.versioning_configuration.emplace().status = status;
    world(put_bucket_versioning, input);
  }
  DeleteObjectOutput remove(const std::string& key, const opt<std::string>& version_id = kNothing) {
    DeleteObjectInput input;
    input.bucket = "abc";
    input.key = key;
    input.version_id = version_id;
    return world(delete_object, input);
  }
  // "id*" per version, newest first; "id!" for delete markers; the latest is marked with a star.
  std::vector<std::string> versions(const std::string& key) {
    ListObjectVersionsInput input;
    input.bucket = "abc";
    input.prefix = key;
    const auto page = world(list_object_versions, input);
    std::vector<std::string> all;
    for (const auto& version : page.versions.get())
      all.push_back(*version.version_id + (*version.is_latest ? "*" : ""));
    for (const auto& marker : page.delete_markers.get()) {
      all.push_back(*marker.version_id + "!" + (*marker.is_latest ? "*" : ""));
    }
    return all;
  }
};

TEST_F(Versions, EachPutKeepsTheOneBefore) {
  world.create_bucket("abc", "Enabled");
  const std::string first = *world.put("abc", "key", "one").version_id;
  const std::string second = *world.put("abc", "key", "two").version_id;
  EXPECT_NE(first, second);
  EXPECT_EQ(first.size(), 32U);
  EXPECT_EQ(world.get("abc", "key"), "two");
  EXPECT_EQ(world.get("abc", "key", first), "one");
  EXPECT_EQ(versions("key"), (std::vector{second + "*", first}));
  EXPECT_EQ(world.files().size(), 2U);
}

TEST_F(Versions, ADeleteMarkerHidesAndItsRemovalBringsBack) {
  world.create_bucket("abc", "Enabled");
  world.put("abc", "key", "one");
  const auto deleted = remove("key");
  EXPECT_EQ(deleted.delete_marker, true);
  try {
    world.get("abc", "key");
    FAIL() << "the marker hides nothing";
  } catch (const AwsError& error) {
    EXPECT_EQ(error.code, "NoSuchKey");
    EXPECT_THAT(error.headers, Contains(Pair("x-amz-delete-marker", "true")));
    EXPECT_THAT(error.headers, Contains(Pair("x-amz-version-id", *deleted.version_id)));
  }
  EXPECT_EQ(error_code([&] { world.get("abc", "key", *deleted.version_id); }), "MethodNotAllowed");
  EXPECT_EQ(remove("key", deleted.version_id).delete_marker, true);
  EXPECT_EQ(world.get("abc", "key"), "one");
}

TEST_F(Versions, DeletingTheCurrentOneBringsTheNextForward) {
  world.create_bucket("abc", "Enabled");
  const std::string first = *world.put("abc", "key", "one").version_id;
  const std::string second = *world.put("abc", "key", "two").version_id;
  const std::string third = *world.put("abc", "key", "three").version_id;
  remove("key", second);
  remove("key", third);
  EXPECT_EQ(world.get("abc", "key"), "one");
  EXPECT_EQ(versions("key"), (std::vector{first + "*"}));
  remove("key", first);
  EXPECT_TRUE(versions("key").empty());
  EXPECT_TRUE(world.files().empty());
}

TEST_F(Versions, TheNullVersionStaysWhileVersioningIsOn) {
  world.create_bucket("abc");
  world.put("abc", "key", "before");
  set_versioning("Enabled");
  const std::string id = *world.put("abc", "key", "versioned").version_id;
  EXPECT_EQ(versions("key"), (std::vector<std::string>{id + "*", "null"}));
  EXPECT_EQ(world.get("abc", "key", "null"), "before");
  remove("key", "null");
  EXPECT_EQ(versions("key"), (std::vector{id + "*"}));
  EXPECT_EQ(error_code([&] { world.get("abc", "key", "null"); }), "NoSuchVersion");
}

TEST_F(Versions, SuspendedThereIsOneNullVersionOnly) {
  world.create_bucket("abc", "Enabled");
  const std::string id = *world.put("abc", "key", "versioned").version_id;
  set_versioning("Suspended");
  EXPECT_FALSE(world.put("abc", "key", "null one").version_id);
  world.put("abc", "key", "null two");
  EXPECT_EQ(versions("key"), (std::vector<std::string>{"null*", id}));
  set_versioning("Enabled");
  const std::string later = *world.put("abc", "key", "later").version_id;
  EXPECT_EQ(versions("key"), (std::vector<std::string>{later + "*", "null", id}));
  set_versioning("Suspended");
  // The null version is replaced though it is not the current one.
  world.put("abc", "key", "null three");
  EXPECT_EQ(versions("key"), (std::vector<std::string>{"null*", later, id}));
  EXPECT_EQ(world.files().size(), 3U);
  const auto deleted = remove("key");
  EXPECT_EQ(deleted.version_id, "null");
  EXPECT_EQ(versions("key"), (std::vector<std::string>{later, id, "null!*"}));
  EXPECT_EQ(world.files().size(), 2U);
  remove("key", "null");
  EXPECT_EQ(world.get("abc", "key"), "later");
}

TEST_F(Versions, UnknownIdsAreToldApart) {
  world.create_bucket("abc", "Enabled");
  const std::string id = *world.put("abc", "key", "x").version_id;
  EXPECT_EQ(error_code([&] { world.get("abc", "key", "nonsense"); }), "InvalidArgument");
  EXPECT_EQ(error_code([&] { world.get("abc", "other", id); }), "NoSuchVersion");
  EXPECT_EQ(remove("other", id).version_id, id);
  EXPECT_EQ(error_code([&] { remove("key", "nonsense"); }), "InvalidArgument");
}

TEST_F(Versions, DeleteObjectsReportsEach) {
  world.create_bucket("abc", "Enabled");
  const std::string first = *world.put("abc", "a", "1").version_id;
  const std::string second = *world.put("abc", "a", "2").version_id;
  DeleteObjectsInput input;
  input.bucket = "abc";
  std::vector<ObjectIdentifier> objects(4);
  objects[0].key = "a";
  objects[0].version_id = second;
  objects[1].key = "a";
  objects[1].version_id = first;
  objects[2].key = "b";
  objects[3].key = "a";
  objects[3].version_id = "nonsense";
  input.delete_.emplace().objects = objects;
  const auto output = world(delete_objects, input);
  ASSERT_EQ(output.deleted->size(), 3U);
  EXPECT_EQ((*output.deleted)[0].version_id, second);
  EXPECT_EQ((*output.deleted)[2].delete_marker, true);
  ASSERT_EQ(output.errors->size(), 1U);
  EXPECT_EQ(output.errors->front().code, "InvalidArgument");
  EXPECT_TRUE(versions("a").empty());
  input.delete_->quiet = true;
  EXPECT_FALSE(world(delete_objects, input).deleted);
}

TEST_F(Versions, MoreThanASliceIsDeletedInOneRequest) {
  world.create_bucket("abc");
  DeleteObjectsInput input;
  input.bucket = "abc";
  std::vector<ObjectIdentifier>& objects = input.delete_.emplace().objects.ensure();
  for (int i = 0; i < 250; ++i) {
    world.put("abc", std::to_string(i), "x");
    objects.emplace_back().key = std::to_string(i);
  }
  EXPECT_EQ(world(delete_objects, input).deleted->size(), 250U);
  EXPECT_TRUE(world.files().empty());
  objects.resize(1001);
  EXPECT_EQ(error_code([&] { world(delete_objects, input); }), "MalformedXML");
}

// Against a model: a list of versions per key, newest first.
TEST_F(Versions, AgreeWithAModelOverRandomHistories) {
  world.create_bucket("abc", "Enabled");
  const auto random = seeded_random(7);
  struct Entry {
    std::string id, text;
    bool marker;
  };
  std::vector<Entry> model;
  std::string status = "Enabled";
  const auto drop_null = [&] { std::erase_if(model, [](const Entry& entry) { return entry.id == "null"; }); };
  for (int step = 0; step < 400; ++step) {
    const std::uint64_t choice = random->below(10);
    if (choice < 4) {
      const std::string text = std::to_string(step);
      const auto id = world.put("abc", "key", text).version_id;
      if (!id) drop_null();
      model.insert(model.begin(), {id.value_or("null"), text, false});
    } else if (choice < 6) {
      const auto id = *remove("key").version_id;
      if (id == "null") drop_null();
      model.insert(model.begin(), {id, "", true});
    } else if (choice < 9 && !model.empty()) {
      const std::size_t index = random->below(model.size());
      remove("key", model[index].id);
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(index));
    } else {
      status = status == "Enabled" ? "Suspended" : "Enabled";
      set_versioning(status);
    }
    std::vector<std::string> expected_objects, expected_markers;
    for (const Entry& entry : model) {
      const std::string star = &entry == &model.front() ? "*" : "";
      (entry.marker ? expected_markers : expected_objects).push_back(entry.id + (entry.marker ? "!" : "") + star);
      if (!entry.marker) {
        ASSERT_EQ(world.get("abc", "key", entry.id), entry.text) << step;
      }
    }
    expected_objects.insert(expected_objects.end(), expected_markers.begin(), expected_markers.end());
    ASSERT_EQ(versions("key"), expected_objects) << step;
    ASSERT_EQ(world.files().size(),
              static_cast<std::size_t>(std::ranges::count_if(model, [](const Entry& entry) { return !entry.marker; })));
  }
}

}  // namespace
}  // namespace brume::s3
