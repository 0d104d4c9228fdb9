#include "aws/policy/pattern.h"

#include <gtest/gtest.h>

namespace brume::policy {
namespace {

struct Case {
  const char* pattern;
  const char* value;
  bool matches;
};

Keys keys_of_alice() {
  Keys keys;
  keys.add("aws:username", "alice");
  keys.add("aws:PrincipalTag/team", "yellow");
  keys.add("aws:PrincipalTag/star", "*");
  keys.add("aws:TagKeys", "a");
  keys.add("aws:TagKeys", "b");
  return keys;
}

TEST(Pattern, MatchesWildcardsInStrings) {
  const Case cases[] = {
      {"", "", true},          {"", "a", false},           {"*", "", true},        {"*", "anything", true},
      {"a*", "a", true},       {"a*c", "abbc", true},      {"a*c", "abbd", false}, {"a?c", "abc", true},
      {"a?c", "ac", false},    {"*a*a*", "aa", true},      {"*a*a*", "a", false},  {"??", "ab", true},
      {"a:*:c", "a::c", true}, {"a*b*c", "aXbYbZc", true}, {"a**b", "ab", true},   {"*.txt", "a.txt.gz", false},
      {"?", "\xC3\xA9", true}, {"??", "\xC3\xA9", false},  {"A", "a", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Pattern(c.pattern, {}).matches(c.value, {}), c.matches) << c.pattern << " on " << c.value;
}

TEST(Pattern, ComparesLiterallyWithoutWildcards) {
  const Pattern star("a*", {.wildcards = false});
  EXPECT_TRUE(star.matches("a*", {}));
  EXPECT_FALSE(star.matches("ab", {}));
}

TEST(Pattern, IgnoresCaseWhenTold) {
  const Pattern action("S3:Get*", {.ignore_case = true});
  EXPECT_TRUE(action.matches("s3:getobject", {}));
  EXPECT_TRUE(action.matches("S3:GETOBJECT", {}));
  EXPECT_FALSE(action.matches("s3:PutObject", {}));
}

TEST(Pattern, KeepsResourceWildcardsWithinTheirSegment) {
  const Case cases[] = {
      {"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", true},
      {"arn:aws:s3:::bucket/*.json", "arn:aws:s3:::bucket/2026-03-01T10:00:00.json", true},
      {"arn:aws:s3:::*log*", "arn:aws:s3:::my-logs", true},
      {"arn:aws:ecs:eu-*:1:task/x", "arn:aws:ecs:eu-west-1:1:task/x", true},
      {"arn:aws:ecs:eu-*1:1:task/x", "arn:aws:ecs:eu-west:1:task/x", false},
      // Only a wildcard that ends its segment reaches over colons.
      {"arn:aws:ecs:eu*9:task/x", "arn:aws:ecs:eu-west-1:9:task/x", false},
      {"arn:aws:ecs:*:task/x", "arn:aws:ecs:eu-west-1:9:task/x", true},
      {"arn:aws:ecs:*", "arn:aws:ecs:eu-west-1:9:task/x", true},
      {"arn:aws:s?:::b", "arn:aws:s3:::b", true},
      {"arn:aws:s3?::b", "arn:aws:s3:::b", false},
      {"*", "*", true},
      {"*", "arn:aws:s3:::b", true},
      {"arn:aws:s3:::b", "*", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Pattern(c.pattern, {.resource = true}).matches(c.value, {}), c.matches) << c.pattern << " on " << c.value;
}

TEST(Pattern, PutsVariablesIn) {
  const Keys keys = keys_of_alice();
  const Case cases[] = {
      {"home/${aws:username}/*", "home/alice/x", true},
      {"home/${AWS:UserName}", "home/alice", true},
      {"home/${aws:username}", "home/bob", false},
      {"${aws:PrincipalTag/team, 'none'}", "yellow", true},
      {"${aws:PrincipalTag/other, 'none'}", "none", true},
      {"${aws:PrincipalTag/other,'none'}", "none", true},
      {"${aws:PrincipalTag/other}", "", false},
      // A multivalued key has no single value.
      {"${aws:TagKeys}", "a", false},
      // What a variable brings is never a wildcard.
      {"${aws:PrincipalTag/star}", "*", true},
      {"${aws:PrincipalTag/star}", "anything", false},
      {"${*}", "*", true},
      {"${*}", "a", false},
      {"a${?}", "a?", true},
      {"${$}{x}", "${x}", true},
      {"${unclosed", "${unclosed", true},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Pattern(c.pattern, {.variables = true}).matches(c.value, keys), c.matches)
        << c.pattern << " on " << c.value;
}

TEST(Pattern, TakesVariablesLiterallyInOldDocuments) {
  EXPECT_FALSE(Pattern("${aws:username}", {}).matches("alice", keys_of_alice()));
  EXPECT_TRUE(Pattern("${aws:username}", {}).matches("${aws:username}", keys_of_alice()));
}

TEST(ArnPattern, MatchesEachPartOnItsOwn) {
  // The example of "IAM JSON policy elements: Condition operators".
  const char* pattern = "arn:aws:someservice:*:111122223333:finance/*";
  const char* value = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
  EXPECT_TRUE(Pattern(pattern, {}).matches(value, {}));
  EXPECT_FALSE(ArnPattern(pattern, true).matches(value, {}));
  EXPECT_TRUE(ArnPattern(pattern, true).matches("arn:aws:someservice:eu-west-1:111122223333:finance/a:b", {}));
  EXPECT_FALSE(ArnPattern(pattern, true).matches("no arn", {}));
  EXPECT_TRUE(ArnPattern("*", true).matches("arn:aws:sns:eu-west-1:1:topic", {}));
  EXPECT_TRUE(
      ArnPattern("arn:aws:iam::1:user/${aws:username}", true).matches("arn:aws:iam::1:user/alice", keys_of_alice()));
}

TEST(Pattern, StaysQuickOnHostileInput) {
  std::string pattern, value(4000, 'a');
  for (int i = 0; i < 500; ++i) pattern += "*a";
  EXPECT_FALSE(Pattern(pattern + "b", {}).matches(value, {}));
  EXPECT_FALSE(Pattern("arn:a*a*a*a*a*b:x", {.resource = true}).matches("arn:" + value, {}));
}

}  // namespace
}  // namespace brume::policy
