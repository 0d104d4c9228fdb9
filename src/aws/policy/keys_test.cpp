#include "aws/policy/keys.h"

#include <gtest/gtest.h>

#include <map>

#include "core/random.h"

namespace brume::policy {
namespace {

using List = std::vector<std::string>;

std::map<std::string, List> all_of(const Keys& keys) {
  std::map<std::string, List> all;
  keys.for_each([&](std::string_view name, const Keys::Values& values) {
    EXPECT_TRUE(all.emplace(std::string(name), values.list()).second) << name;
  });
  return all;
}

TEST(Keys, IgnoreTheCaseOfNamesAndKeepThatOfValues) {
  Keys keys;
  keys.add("aws:PrincipalTag/Team", "Blue");
  keys.add("AWS:principaltag/TEAM", "Red");
  keys.add("aws:username", "");
  EXPECT_EQ(keys.find("aws:principaltag/team").list(), (List{"Blue", "Red"}));
  EXPECT_EQ(keys.find("aws:username").list(), List{""}) << "an empty value is a value";
  EXPECT_TRUE(keys.find("aws:userid").empty());
  EXPECT_TRUE(keys.find("").empty());
  keys.set("aws:PrincipalTag/team", "Green");
  EXPECT_EQ(keys.find("aws:principaltag/team").list(), List{"Green"});
  keys.clear();
  EXPECT_TRUE(keys.empty() && keys.find("aws:username").empty());
}

// Letters become small, the characters beside them do not, at every place of a name.
TEST(Keys, HaveNamesInLowerCase) {
  for (std::size_t size = 1; size <= 20; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int code = 1; code < 256; ++code) {
        std::string name(size, 'k'), lower(size, 'k');
        name[at] = static_cast<char>(code);
        lower[at] = static_cast<char>(code >= 'A' && code <= 'Z' ? code + 0x20 : code);
        Keys keys;
        keys.set(name, "v");
        keys.for_each([&](std::string_view kept, const Keys::Values&) { EXPECT_EQ(kept, lower) << code; });
      }
}

// Against a map, over names that differ little.
TEST(Keys, AreWhatAMapWouldHold) {
  const auto random = seeded_random(7);
  for (int round = 0; round < 300; ++round) {
    Keys keys;
    std::map<std::string, List> map;
    for (std::uint64_t step = random->below(40); step > 0; --step) {
      const std::string name = "k" + std::string(random->below(3), 'a') + std::string(1, "abc"[random->below(3)]);
      const std::string value(random->below(5), 'v');
      if (random->below(3) == 0) {
        keys.set(name, value);
        map[name] = {value};
      } else {
        keys.add(name, value);
        map[name].push_back(value);
      }
      EXPECT_EQ(keys.find(name).list(), map[name]);
    }
    EXPECT_EQ(all_of(keys), map);
    const Keys copy = keys;
    keys.clear();
    EXPECT_EQ(all_of(copy), map) << "a copy has texts of its own";
  }
}

}  // namespace
}  // namespace brume::policy
