#include "core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace brume {
namespace {

TEST(Random, ASeedRepeats) {
  const auto a = seeded_random(1);
  const auto b = seeded_random(1);
  const auto c = seeded_random(2);
  EXPECT_EQ(a->hex(40), b->hex(40));
  EXPECT_NE(a->hex(40), c->hex(40));
}

TEST(Random, BelowReachesEveryValueAndNoOther) {
  const auto random = seeded_random(3);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) {
    const std::uint64_t value = random->below(7);
    ASSERT_LT(value, 7U);
    ++seen[value];
  }
  for (const int count : seen) EXPECT_NEAR(count, 1000, 150);
}

TEST(Random, IdsHaveTheirForms) {
  const auto random = system_random();
  const std::string id = random->ec2_id("vpc-");
  EXPECT_EQ(id.size(), 21U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef", 4), std::string::npos);
  const std::string uuid = random->uuid();
  EXPECT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(uuid[dash], '-');
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) all.insert(random->uuid());
  EXPECT_EQ(all.size(), 1000U);
  for (std::size_t i = 0; i < 36; ++i) {
    std::set<char> seen;
    for (const std::string& each : all) seen.insert(each[i]);
    const std::set<std::size_t> dashes = {8, 13, 18, 23};
    EXPECT_EQ(seen.size(), dashes.contains(i) || i == 14 ? 1U : i == 19 ? 4U : 16U) << i;
  }
}

}  // namespace
}  // namespace brume
