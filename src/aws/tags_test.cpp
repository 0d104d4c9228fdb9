#include "aws/tags.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

TEST(Tags, WithinTheLimitsAreFine) {
  Tags tags{{std::string(128, 'k'), std::string(256, 'v')}, {"empty", ""}, {"my-aws:key", "x"}};
  EXPECT_EQ(tag_problem(tags), "");
  // Characters are counted, not bytes.
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ü";
  EXPECT_EQ(tag_problem({{umlauts, umlauts + umlauts}}), "");
}

TEST(Tags, BeyondThemTheyAreNot) {
  EXPECT_NE(tag_problem({{"", "x"}}), "");
  EXPECT_NE(tag_problem({{std::string(129, 'k'), "x"}}), "");
  EXPECT_NE(tag_problem({{"k", std::string(257, 'v')}}), "");
  EXPECT_NE(tag_problem({{"aws:owner", "x"}}), "");
  EXPECT_NE(tag_problem({{"AWS:owner", "x"}}), "");
  Tags many;
  for (int i = 0; i < 51; ++i) many[std::to_string(i)] = "x";
  EXPECT_NE(tag_problem(many), "");
}

}  // namespace
}  // namespace brume
