#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

using Names = std::vector<std::string>;

struct Listings : testing::Test {
  Listings() {
    world.create_bucket("abc");
    world.create_bucket("abc-2");
    world.put("abc-2", "elsewhere", "x");
  }
  void put(const Names& keys) {
    for (const std::string& key : keys) world.put("abc", key, "x");
  }
  ListObjectsV2Input query(const std::string& prefix = {}, const std::string& delimiter = {}) {
    ListObjectsV2Input input;
    input.bucket = "abc";
    if (!prefix.empty()) input.prefix = prefix;
    if (!delimiter.empty()) input.delimiter = delimiter;
    return input;
  }
  template <class Output>
  static Names keys(const Output& output) {
    Names names;
    for (const auto& object : output.contents.get()) names.push_back(*object.key);
    return names;
  }
  template <class Output>
  static Names prefixes(const Output& output) {
    Names names;
    for (const auto& prefix : output.common_prefixes.get()) names.push_back(*prefix.prefix);
    return names;
  }
  World world;
};

TEST_F(Listings, AreInTheOrderOfUtf8Bytes) {
  put({"b", "a", "ü", "z", "A", "a/b", "a-b", "\xf0\x9f\x98\x80", "\xef\xbc\xa1"});
  const auto page = world(list_objects_v2, query());
  EXPECT_EQ(keys(page), (Names{"A", "a", "a-b", "a/b", "b", "z", "ü", "\xef\xbc\xa1", "\xf0\x9f\x98\x80"}));
  EXPECT_EQ(page.key_count, 9);
  EXPECT_EQ(page.is_truncated, false);
  EXPECT_FALSE(page.contents->front().owner);
  EXPECT_EQ(page.contents->front().storage_class, "STANDARD");
}

TEST_F(Listings, RollUpByDelimiter) {
  put({"photos/2026/a", "photos/2026/b", "photos/2025/a", "photos/x", "sample", "photosheet"});
  auto page = world(list_objects_v2, query({}, "/"));
  EXPECT_EQ(keys(page), (Names{"photosheet", "sample"}));
  EXPECT_EQ(prefixes(page), (Names{"photos/"}));
  EXPECT_EQ(page.key_count, 3);
  page = world(list_objects_v2, query("photos/", "/"));
  EXPECT_EQ(keys(page), (Names{"photos/x"}));
  EXPECT_EQ(prefixes(page), (Names{"photos/2025/", "photos/2026/"}));
  page = world(list_objects_v2, query("photos/2026/", "20"));
  EXPECT_EQ(keys(page), (Names{"photos/2026/a", "photos/2026/b"}));
  EXPECT_TRUE(world(list_objects_v2, query("none")).contents.get().empty());
}

TEST_F(Listings, PageOverKeysAndPrefixes) {
  put({"a/1", "a/2", "b", "c/1", "c/2", "c/3", "d", "e/1"});
  for (const int limit : {1, 2, 3, 5, 100}) {
    Names seen;
    auto input = query({}, "/");
    input.max_keys = limit;
    for (int pages = 0; pages < 20; ++pages) {
      const auto page = world(list_objects_v2, input);
      EXPECT_LE(page.key_count.get(), limit);
      for (const auto& name : keys(page)) seen.push_back(name);
      for (const auto& name : prefixes(page)) seen.push_back(name);
      if (!page.is_truncated.get()) break;
      input.continuation_token = page.next_continuation_token;
    }
    std::ranges::sort(seen);
    EXPECT_EQ(seen, (Names{"a/", "b", "c/", "d", "e/"})) << limit;
  }
}

TEST_F(Listings, StartAfterMayLieInsideAPrefix) {
  put({"a/1", "a/2", "b"});
  auto input = query({}, "/");
  input.start_after = "a/1";
  EXPECT_EQ(prefixes(world(list_objects_v2, input)), (Names{"a/"}));
  input.start_after = "a/";
  EXPECT_TRUE(prefixes(world(list_objects_v2, input)).empty());
  input = query();
  input.start_after = "a/1";
  EXPECT_EQ(keys(world(list_objects_v2, input)), (Names{"a/2", "b"}));
}

TEST_F(Listings, RefuseForgedTokensAndBadArguments) {
  put({"a", "b"});
  auto input = query();
  input.continuation_token = "forged";
  EXPECT_EQ(error_code([&] { world(list_objects_v2, input); }), "InvalidArgument");
  input = query();
  input.max_keys = -1;
  EXPECT_EQ(error_code([&] { world(list_objects_v2, input); }), "InvalidArgument");
  input.max_keys = 0;
  EXPECT_EQ(world(list_objects_v2, input).is_truncated, false);
  input = query();
  input.encoding_type = "base64";
  EXPECT_EQ(error_code([&] { world(list_objects_v2, input); }), "InvalidArgument");
}

TEST_F(Listings, EncodeKeysWhenAsked) {
  put({"a b/c+d", std::string("e\x01", 2)});
  auto input = query();
  input.encoding_type = "url";
  EXPECT_EQ(keys(world(list_objects_v2, input)), (Names{"a%20b/c%2Bd", "e%01"}));
}

TEST_F(Listings, TheFirstVersionPagesByMarker) {
  put({"a/1", "a/2", "b", "c"});
  ListObjectsInput input;
  input.bucket = "abc";
  input.delimiter = "/";
  input.max_keys = 1;
  auto page = world(list_objects, input);
  EXPECT_EQ(prefixes(page), (Names{"a/"}));
  EXPECT_EQ(page.next_marker, "a/");
  input.marker = page.next_marker;
  page = world(list_objects, input);
  EXPECT_EQ(keys(page), (Names{"b"}));
  EXPECT_TRUE(page.contents->front().owner);
  input.delimiter.reset();
  input.marker = "a/2";
  page = world(list_objects, input);
  EXPECT_EQ(keys(page), (Names{"b"}));
  EXPECT_FALSE(page.next_marker);
}

TEST_F(Listings, LeaveDeletedKeysOut) {
  world.create_bucket("versioned", "Enabled");
  for (const char* key : {"a", "b/1", "c"}) world.put("versioned", key, "x");
  for (const char* key : {"a", "b/1"}) {
    DeleteObjectInput remove;
    remove.bucket = "versioned";
    remove.key = key;
    world(delete_object, remove);
  }
  auto input = query({}, "/");
  input.bucket = "versioned";
  const auto page = world(list_objects_v2, input);
  EXPECT_EQ(keys(page), (Names{"c"}));
  EXPECT_TRUE(prefixes(page).empty());
}

TEST_F(Listings, VersionsPageWithinAKey) {
  world.create_bucket("versioned", "Enabled");
  Names expected;
  for (const char* key : {"a", "b", "c"}) {
    Names ids;
    for (int i = 0; i < 4; ++i) ids.insert(ids.begin(), *world.put("versioned", key, "x").version_id);
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  for (const int limit : {1, 2, 3, 5, 12, 100}) {
    Names seen;
    ListObjectVersionsInput input;
    input.bucket = "versioned";
    input.max_keys = limit;
    for (int pages = 0; pages < 20; ++pages) {
      const auto page = world(list_object_versions, input);
      for (const auto& version : page.versions.get()) seen.push_back(*version.version_id);
      if (!page.is_truncated.get()) break;
      input.key_marker = page.next_key_marker;
      input.version_id_marker = page.next_version_id_marker;
    }
    EXPECT_EQ(seen, expected) << limit;
  }
  ListObjectVersionsInput from;
  from.bucket = "versioned";
  from.key_marker = "a";
  EXPECT_EQ(world(list_object_versions, from).versions->size(), 8U);
  from.key_marker.reset();
  from.version_id_marker = expected.front();
  EXPECT_EQ(error_code([&] { world(list_object_versions, from); }), "InvalidArgument");
}

// Against the definition, over random keys of a small alphabet.
TEST_F(Listings, AgreeWithTheDefinitionOverRandomKeys) {
  const auto random = seeded_random(11);
  std::set<std::string> all;
  for (int i = 0; i < 120; ++i) all.insert(random->from("ab/", 1 + random->below(5)));
  put(Names(all.begin(), all.end()));
  for (int round = 0; round < 60; ++round) {
    const std::string prefix = random->from("ab/", random->below(3));
    const std::string delimiter = random->below(2) == 0 ? "/" : "b";
    Names expected;
    for (const std::string& key : all) {
      if (!key.starts_with(prefix)) continue;
      const std::size_t found = key.find(delimiter, prefix.size());
      const std::string name = found == std::string::npos ? key : key.substr(0, found + 1) + "*";
      if (expected.empty() || expected.back() != name) expected.push_back(name);
    }
    std::ranges::sort(expected);
    Names seen;
    auto input = query(prefix, delimiter);
    input.max_keys = 1 + static_cast<std::int64_t>(random->below(4));
    while (true) {
      const auto page = world(list_objects_v2, input);
      for (const auto& name : keys(page)) seen.push_back(name);
      for (const auto& name : prefixes(page)) seen.push_back(name + "*");
      if (!page.is_truncated.get()) break;
      input.continuation_token = page.next_continuation_token;
    }
    std::ranges::sort(seen);
    ASSERT_EQ(seen, expected) << prefix << " by " << delimiter;
  }
}

}  // namespace
}  // namespace brume::s3
