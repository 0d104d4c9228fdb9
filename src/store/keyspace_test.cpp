#include "store/keyspace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "store/cbor.h"

namespace brume {
namespace {

using namespace std::string_literals;

std::vector<std::string> keys_of(const Keyspace& space, std::string_view from, std::string_view until,
                                 bool reverse = false) {
  std::vector<std::string> keys;
  space.scan(
      *space.snapshot(), from, until,
      [&](std::string_view key, std::string_view) {
        keys.emplace_back(key);
        return true;
      },
      reverse);
  return keys;
}

TEST(Keyspace, ScansItsOwnKeysOnly) {
  const auto store = memory_store();
  const Keyspace space(*store, "test.a");
  const Keyspace next(*store, "test.b");
  Tx tx(*store);
  for (const char* key : {"a", "ab", "b", "\xff\xff"}) space.put(tx, key, key);
  next.put(tx, "z", "z");
  EXPECT_EQ(space.get(tx, "ab"), "ab");
  EXPECT_EQ(space.get("ab"), std::nullopt);
  tx.commit();
  EXPECT_EQ(keys_of(space, "", ""), (std::vector<std::string>{"a", "ab", "b", "\xff\xff"}));
  EXPECT_EQ(keys_of(space, "ab", "b"), (std::vector<std::string>{"ab"}));
  EXPECT_EQ(keys_of(space, "", "", true), (std::vector<std::string>{"\xff\xff", "b", "ab", "a"}));
  int visited = 0;
  space.scan_prefix(*space.snapshot(), "a", [&](std::string_view, std::string_view) { return ++visited < 1; });
  EXPECT_EQ(visited, 1);
  space.erase_range("a", "b");
  EXPECT_EQ(keys_of(space, "", ""), (std::vector<std::string>{"b", "\xff\xff"}));
}

TEST(Keyspace, ASnapshotStaysAsItWas) {
  const auto store = memory_store();
  const Keyspace space(*store, "test.a");
  {
    Tx tx(*store);
    space.put(tx, "a", "1");
    tx.commit();
  }
  const auto snapshot = space.snapshot();
  Tx tx(*store);
  space.erase(tx, "a");
  tx.commit();
  EXPECT_EQ(space.get(*snapshot, "a"), "1");
  EXPECT_EQ(space.get("a"), std::nullopt);
}

TEST(KeyEncoding, OrdersAsTheTuplesDo) {
  std::vector<std::pair<std::string, std::uint64_t>> tuples;
  for (const std::string& text :
       {""s, "\0"s, "\0\0"s, "\0\x01"s, "\0\xff"s, "\x01"s, "a"s, "a\0"s, "a\0b"s, "ab"s, "b"s, "\xff"s, "\xff\xff"s}) {
    for (const std::uint64_t number : {0ULL, 1ULL, 255ULL, 256ULL, ~0ULL}) tuples.emplace_back(text, number);
  }
  std::ranges::sort(tuples);
  std::string previous;
  for (const auto& [text, number] : tuples) {
    std::string key;
    append_key_string(key, text);
    append_key_number(key, number);
    EXPECT_LT(previous, key);
    previous = key;
    std::string_view rest = key;
    EXPECT_EQ(take_key_string(rest), text);
    EXPECT_EQ(take_key_number(rest), number);
    EXPECT_TRUE(rest.empty());
  }
}

TEST(KeyEncoding, DescendingNumbersTurnTheOrderRound) {
  std::string small, large;
  append_key_number_descending(small, 1);
  append_key_number_descending(large, 2);
  EXPECT_LT(large, small);
  std::string_view rest = large;
  EXPECT_EQ(take_key_number_descending(rest), 2U);
}

TEST(KeyEncoding, RefusesWhatIsNotThere) {
  for (const std::string& bytes : {""s, "abc"s, "abc\0"s, "abc\0\x02"s}) {
    std::string_view key = bytes;
    EXPECT_THROW(take_key_string(key), StoreError);
  }
  std::string_view key = "1234567";
  EXPECT_THROW(take_key_number(key), StoreError);
}

}  // namespace
}  // namespace brume
