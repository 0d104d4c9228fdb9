#include "front/protocols/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/protocols/test_models.h"

namespace brume::protocols {
namespace {

using ::testing::HasSubstr;

// The texts are AWS's own, as its services answer them.
TEST(Validate, WordsAJsonServicesViolations) {
  const auto loaded = thing_model("json");
  const auto message = [&](const std::string& body) {
    const AwsError error = refused(loaded->service(), {.body = body});
    EXPECT_EQ(error.code, "ValidationException");
    EXPECT_EQ(error.status, 400);
    return error.message;
  };
  EXPECT_EQ(message("{}"),
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null");
  EXPECT_EQ(message(R"({"Name":"ab"})"),
            "1 validation error detected: Value 'ab' at 'name' failed to satisfy constraint: Member must have length "
            "greater than or equal to 3");
  EXPECT_EQ(message(R"({"Name":"A!"})"),
            "2 validation errors detected: Value 'A!' at 'name' failed to satisfy constraint: Member must have length "
            "greater than or equal to 3; Value 'A!' at 'name' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [a-z\\u0030-\\u0039]+");
  EXPECT_EQ(message(R"({"Name":"abc","Size":4})"),
            "1 validation error detected: Value '4' at 'size' failed to satisfy constraint: Member must have value "
            "greater than or equal to 5");
  EXPECT_EQ(message(R"({"Name":"abc","Color":"blue"})"),
            "1 validation error detected: Value 'blue' at 'color' failed to satisfy constraint: Member must satisfy "
            "enum value set: [red, green]");
  EXPECT_EQ(message(R"({"Name":"abc","Tags":[{"Key":"a"},{}]})"),
            "1 validation error detected: Value null at 'tags.2.member.key' failed to satisfy constraint: Member must "
            "not be null");
  EXPECT_EQ(message(R"({"Name":"abc","Labels":["ok","too long"]})"),
            "1 validation error detected: Value '[ok, too long]' at 'labels' failed to satisfy constraint: Member must "
            "satisfy constraint: [Member must have length less than or equal to 4]");
  EXPECT_THAT(message(R"({"Name":"abc","Limits":{"x":99}})"), HasSubstr("Map value must satisfy constraint: [Member"));
  EXPECT_THAT(message(R"({"Name":"abc","Limits":{"too long":9}})"), HasSubstr("Map keys must satisfy constraint: ["));
}

TEST(Validate, NeverShowsSecrets) {
  const auto loaded = thing_model("json");
  const AwsError error = refused(loaded->service(), {.body = R"({"Name":"abc","Password":"hush"})"});
  EXPECT_THAT(error.message, HasSubstr("Value '***' at 'password'"));
  EXPECT_EQ(error.message.find("hush"), std::string::npos);
}

TEST(Validate, CountsCharactersNotBytes) {
  const auto loaded = thing_model("json");
  EXPECT_NO_THROW(decoded(loaded->service(), {.body = R"({"Name":"abc","Labels":["üüüü"]})"}));
}

TEST(Validate, EachServiceAnswersItsOwnCode) {
  const auto code = [](const std::string& protocol, const std::string& id, const std::string& body) {
    const Headers headers = protocol == "rest-json" ? Headers{{"Content-Type", "application/json"}} : Headers{};
    return refused(thing_model(protocol, id)->service(), {.body = body, .headers = headers}).code;
  };
  EXPECT_EQ(code("query", "iam", "Action=CreateThing"), "ValidationError");
  EXPECT_EQ(code("ec2", "ec2", "Action=CreateThing"), "MissingParameter");
  EXPECT_EQ(code("ec2", "ec2", "Action=CreateThing&Name=ab"), "InvalidParameterValue");
  EXPECT_EQ(code("json", "logs", "{}"), "InvalidParameterException");
  EXPECT_EQ(code("json", "dynamodb", "{}"), "ValidationException");
  EXPECT_EQ(code("rest-json", "lambda", "{}"), "ValidationException");
}

TEST(Validate, WordsEc2sAndEcrsViolations) {
  const auto message = [](const std::string& protocol, const std::string& id, const std::string& body) {
    return refused(thing_model(protocol, id)->service(), {.body = body}).message;
  };
  EXPECT_EQ(message("ec2", "ec2", "Size=7"), "The request must contain the parameter name");
  EXPECT_EQ(message("ec2", "ec2", "Name=abc&Color=blue"), "Value (blue) for parameter color is invalid.");
  EXPECT_EQ(message("ec2", "ec2", "Name=abc&Size=x"), "Value (x) for parameter size is invalid.");
  EXPECT_EQ(message("ec2", "ec2", "Name=abc&Tags.1.Value=x"), "The request must contain the parameter tags.1.Key");
  EXPECT_EQ(message("json", "ecr", R"({"Name":"AAAA"})"),
            "Invalid parameter at 'name' failed to satisfy constraint: 'must satisfy regular expression "
            "'[a-z\\u0030-\\u0039]+''");
}

TEST(MatchesPattern, AcceptsWhatRe2CannotCompile) {
  EXPECT_TRUE(matches_pattern("(?!aws:)[a-z]+", "aws:x"));
  EXPECT_TRUE(matches_pattern("\\d{3}", "123"));
  EXPECT_FALSE(matches_pattern("\\d{3}", "1234"));
  EXPECT_TRUE(matches_pattern("[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+", "a\nü"));
}

}  // namespace
}  // namespace brume::protocols
