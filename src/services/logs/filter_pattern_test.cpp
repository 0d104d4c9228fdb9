// Filter patterns, as the examples of the CloudWatch Logs user guide go.
#include "services/logs/filter_pattern.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brume::logs {
namespace {

bool matches(const std::string& pattern, const std::string& message) {
  return FilterPattern::parse(pattern).matches(message);
}

TEST(FilterPattern, Terms) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("ERROR", "[ERROR 400] BAD REQUEST"));
  EXPECT_FALSE(matches("ERROR", "[error 400]")) << "terms are case-sensitive";
  EXPECT_TRUE(matches("ERROR ARGUMENTS", "ERROR 419 MISSING ARGUMENTS"));
  EXPECT_FALSE(matches("ERROR ARGUMENTS", "ERROR 400"));
  EXPECT_TRUE(matches("?ERROR ?ARGUMENTS", "INVALID ARGUMENTS"));
  EXPECT_FALSE(matches("?ERROR ?WARN", "INFO"));
  EXPECT_TRUE(matches("\"INTERNAL SERVER ERROR\"", "500 INTERNAL SERVER ERROR"));
  EXPECT_FALSE(matches("\"SERVER INTERNAL\"", "500 INTERNAL SERVER ERROR"));
  EXPECT_FALSE(matches("ERROR -ARGUMENTS", "ERROR 419 ARGUMENTS"));
}

TEST(FilterPattern, JsonConditions) {
  const std::string event =
      R"({"level":"error","status":503,"user":{"name":"ana"},"tags":["a","b"],"ok":true,"none":null,"path":"/api/x"})";
  EXPECT_TRUE(matches("{ $.level = \"error\" }", event));
  EXPECT_TRUE(matches("{ $.status >= 500 }", event));
  EXPECT_FALSE(matches("{ $.status < 500 }", event));
  EXPECT_TRUE(matches("{ $.status = 5* && $.user.name = ana }", R"({"status":"503","user":{"name":"ana"}})"));
  EXPECT_TRUE(matches("{ ($.status = 200) || ($.path = \"/api/*\") }", event));
  EXPECT_TRUE(matches("{ $.tags[1] = b }", event));
  EXPECT_TRUE(matches("{ $.ok IS TRUE && $.none IS NULL && $.absent NOT EXISTS }", event));
  EXPECT_FALSE(matches("{ $.absent = 1 }", event));
  EXPECT_FALSE(matches("{ $.absent != 1 }", event)) << "a member that is not there matches nothing";
  EXPECT_FALSE(matches("{ $.level = \"error\" }", "level error")) << "not JSON";
}

TEST(FilterPattern, AnIndexIsAWholeNumber) {
  const std::string message = R"({"list":["a","b"]})";
  EXPECT_TRUE(matches("{ $.list[1] = \"b\" }", message));
  for (const char* index : {"2", "-1", "0.5", "1e300", "inf", "99999999999999999999"})
    EXPECT_FALSE(matches("{ $.list[" + std::string(index) + "] EXISTS }", message)) << index;
}

TEST(FilterPattern, Values) {
  const FilterPattern pattern = FilterPattern::parse("{ $.ms > 0 }");
  double value = 0;
  EXPECT_TRUE(pattern.value_of("$.ms", R"({"ms":12.5})", value));
  EXPECT_EQ(value, 12.5);
  EXPECT_TRUE(pattern.value_of("1", "{}", value));
  EXPECT_EQ(value, 1);
  EXPECT_FALSE(pattern.value_of("$.text", R"({"text":"x"})", value));
}

TEST(FilterPattern, RefusesWhatItCannotRead) {
  for (const char* pattern : {"{ $.a }", "{ a = 1 }", "{ $.a = 1", "[ip, user]", "{ ($.a = 1 }", "\"open", "{ $.a = }"})
    EXPECT_THROW(FilterPattern::parse(pattern), AwsError) << pattern;
  EXPECT_THROW(FilterPattern::parse("{" + std::string(1000, '(') + "$.a = 1"), AwsError) << "nested too deeply";
}

}  // namespace
}  // namespace brume::logs
