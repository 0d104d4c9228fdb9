#include "aws/filters.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brume {
namespace {

TEST(MatchesWildcard, LiteralsAreCaseSensitiveAndWhole) {
  EXPECT_TRUE(matches_wildcard("vpc-1", "vpc-1"));
  EXPECT_FALSE(matches_wildcard("VPC-1", "vpc-1"));
  EXPECT_FALSE(matches_wildcard("vpc", "vpc-1"));
  EXPECT_TRUE(matches_wildcard("", ""));
  EXPECT_FALSE(matches_wildcard("", "x"));
}

TEST(MatchesWildcard, StarAndQuestionMark) {
  EXPECT_TRUE(matches_wildcard("*", ""));
  EXPECT_TRUE(matches_wildcard("*prod*", "my-prod-db"));
  EXPECT_TRUE(matches_wildcard("a*b*c", "aXXbYYbZc"));
  EXPECT_FALSE(matches_wildcard("a*b*c", "aXXbYYbZ"));
  EXPECT_TRUE(matches_wildcard("eu-west-1?", "eu-west-1a"));
  EXPECT_FALSE(matches_wildcard("eu-west-1?", "eu-west-1"));
}

TEST(MatchesWildcard, BackslashEscapes) {
  EXPECT_TRUE(matches_wildcard("\\*amazon\\?\\\\", "*amazon?\\"));
  EXPECT_FALSE(matches_wildcard("\\*", "x"));
  EXPECT_TRUE(matches_wildcard("x\\", "x\\"));
}

TEST(MatchesWildcard, HostilePatternEndsSoon) {
  const std::string pattern = "*a*a*a*a*a*a*a*a*a*a*a*a*b";
  EXPECT_FALSE(matches_wildcard(pattern, std::string(20'000, 'a')));
}

struct Item {
  std::string id;
  std::vector<std::string> zones;
};
constexpr FilterField<Item> kFields[] = {
    {"id", [](const Item& item) { return std::vector<std::string>{item.id}; }},
    {"zone", [](const Item& item) { return item.zones; }},
};
const std::span<const FilterField<Item>> fields = kFields;

TEST(PassesFilters, AllFiltersAndAnyValue) {
  const Item item{"x-1", {"a", "b"}};
  EXPECT_TRUE(passes_filters({{"id", {"x-2", "x-1"}}, {"zone", {"b"}}}, fields, {}, item));
  EXPECT_FALSE(passes_filters({{"id", {"x-1"}}, {"zone", {"c"}}}, fields, {}, item));
  EXPECT_FALSE(passes_filters({{"zone", {"*"}}}, fields, {}, Item{"x", {}}));
}

TEST(PassesFilters, Tags) {
  const Tags tags{{"Name", "web"}, {"Env", "prod"}};
  const Item item{"x", {}};
  EXPECT_TRUE(passes_filters({{"tag:Name", {"w*"}}}, fields, tags, item));
  EXPECT_FALSE(passes_filters({{"tag:name", {"web"}}}, fields, tags, item));
  EXPECT_TRUE(passes_filters({{"tag-key", {"Env"}}}, fields, tags, item));
  EXPECT_FALSE(passes_filters({{"tag-key", {"prod"}}}, fields, tags, item));
}

std::string code_of(const Filters& filters, bool has_tags = true) {
  try {
    check_filters(filters, fields, has_tags);
  } catch (const AwsError& error) {
    return error.code + ": " + error.message;
  }
  return "";
}

TEST(CheckFilters, UnknownNamesAreRefused) {
  EXPECT_EQ(code_of({{"id", {"1"}}, {"tag:x", {"1"}}, {"tag-key", {"1"}}}), "");
  EXPECT_EQ(code_of({{"colour", {"1"}}}), "InvalidParameterValue: The filter 'colour' is invalid");
  EXPECT_EQ(code_of({{"", {"1"}}}), "InvalidParameterValue: The filter 'null' is invalid");
  EXPECT_EQ(code_of({{"tag:x", {"1"}}}, false), "InvalidParameterValue: The filter 'tag:x' is invalid");
}

TEST(CheckFilters, TooManyValues) {
  EXPECT_EQ(code_of({{"id", std::vector<std::string>(200, "x")}}), "");
  EXPECT_EQ(code_of({{"id", std::vector<std::string>(201, "x")}}).substr(0, 19), "FilterLimitExceeded");
}

}  // namespace
}  // namespace brume
