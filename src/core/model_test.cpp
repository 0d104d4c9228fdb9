#include "core/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/model_ops.h"

// The generated structs hold std::map, too, and every supported compiler lays them out plainly.
#pragma clang diagnostic ignored "-Winvalid-offsetof"

namespace brume::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Tag {
  opt<std::string> key;
};
struct Input {
  opt<std::string> name;
  opt<std::int64_t> count;
  opt<std::vector<Tag>> tags;
  opt<std::vector<std::string>> ids;
  opt<std::map<std::string, Tag>> items;
  box<Tag> boxed;
};

constexpr Type kText = {.kind = Kind::string, .ops = &kTypeOps<std::string>};
constexpr Type kNumber = {.kind = Kind::integer, .ops = &kTypeOps<std::int64_t>};
constexpr Member kTagMembers[] = {
    {.name = "Key", .type = &kText, .slot = &kOptSlot<std::string>, .offset = offsetof(Tag, key)}};
constexpr Type kTag = {.kind = Kind::structure, .ops = &kTypeOps<Tag>, .members = kTagMembers};
constexpr Type kTags = {.kind = Kind::list, .ops = &kTypeOps<std::vector<Tag>>, .element = {.type = &kTag}};
constexpr Type kIds = {.kind = Kind::list, .ops = &kTypeOps<std::vector<std::string>>, .element = {.type = &kText}};
constexpr Type kItems = {.kind = Kind::map,
                         .ops = &kTypeOps<std::map<std::string, Tag>>,
                         .element = {.type = &kTag},
                         .key = {.type = &kText}};
constexpr Member kInputMembers[] = {
    {.name = "Name", .type = &kText, .slot = &kOptSlot<std::string>, .offset = offsetof(Input, name)},
    {.name = "Count", .type = &kNumber, .slot = &kOptSlot<std::int64_t>, .offset = offsetof(Input, count)},
    {.name = "Tags", .type = &kTags, .slot = &kOptSlot<std::vector<Tag>>, .offset = offsetof(Input, tags)},
    {.name = "Ids", .type = &kIds, .slot = &kOptSlot<std::vector<std::string>>, .offset = offsetof(Input, ids)},
    {.name = "Items", .type = &kItems, .slot = &kOptSlot<std::map<std::string, Tag>>, .offset = offsetof(Input, items)},
    {.name = "Boxed", .type = &kTag, .slot = &kBoxSlot<Tag>, .offset = offsetof(Input, boxed)}};
constexpr Type kInput = {.kind = Kind::structure, .ops = &kTypeOps<Input>, .members = kInputMembers};

TEST(StringsAt, ReadsScalarsListsAndMapKeys) {
  Input input;
  input.name = "bucket";
  input.count = 7;
  input.tags = std::vector<Tag>{{.key = "a"}, {}, {.key = "b"}};
  input.ids = std::vector<std::string>{"x", "y"};
  input.items = std::map<std::string, Tag>{{"first", {}}, {"second", {}}};
  input.boxed.ensure().key = "held";
  EXPECT_THAT(strings_at(kInput, &input, "Name"), ElementsAre("bucket"));
  EXPECT_THAT(strings_at(kInput, &input, "Count"), ElementsAre("7"));
  EXPECT_THAT(strings_at(kInput, &input, "Tags[].Key"), ElementsAre("a", "b"));
  EXPECT_THAT(strings_at(kInput, &input, "Ids[]"), ElementsAre("x", "y"));
  EXPECT_THAT(strings_at(kInput, &input, "Items[]"), ElementsAre("first", "second"));
  EXPECT_THAT(strings_at(kInput, &input, "Boxed.Key"), ElementsAre("held"));
}

TEST(StringsAt, GivesNothingWhereAMemberIsAbsent) {
  const Input input;
  for (const char* path : {"Name", "Tags[].Key", "Ids[]", "Items[]", "Boxed.Key"})
    EXPECT_THAT(strings_at(kInput, &input, path), IsEmpty()) << path;
}

TEST(HasPath, IsTrueOnlyForPathsToScalars) {
  EXPECT_TRUE(has_path(kInput, "Tags[].Key"));
  EXPECT_TRUE(has_path(kInput, "Items[]"));
  EXPECT_FALSE(has_path(kInput, "Tags"));
  EXPECT_FALSE(has_path(kInput, "Tags[].Value"));
  EXPECT_FALSE(has_path(kInput, "Ids[].Key"));
  EXPECT_FALSE(has_path(kInput, "Absent"));
}

TEST(Object, OwnsItsValueAndMoves) {
  Object first(kInput);
  static_cast<Input*>(first.get())->name = "kept";
  Object second(std::move(first));
  EXPECT_EQ(first.get(), nullptr);
  EXPECT_EQ(static_cast<const Input*>(std::as_const(second).get())->name.get(), "kept");
}

}  // namespace
}  // namespace brume::model
