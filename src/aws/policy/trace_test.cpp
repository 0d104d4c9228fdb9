#include "aws/policy/trace.h"

#include <gtest/gtest.h>

namespace brume::policy {
namespace {

constexpr const char* kDocument = R"({
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*",
     "Resource": "arn:aws:s3:::b/${aws:username}/*",
     "Condition": {"StringEquals": {"aws:SourceVpc": ["vpc-1"]}, "Bool": {"aws:SecureTransport": "true"}}},
    {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}
  ]
})";

Document document() { return *parse_document(kDocument, Grammar::identity); }

TEST(Trace, TellsWhatEachElementAskedForAndGot) {
  Principal principal;
  Keys keys;
  keys.set("aws:username", "ann");
  keys.set("aws:SecureTransport", "true");
  const Question question{principal, "s3:GetObject", "arn:aws:s3:::b/ann/1", keys};
  const Document parsed = document();
  const StatementTrace traced = trace(parsed.statements[0], 0, PolicyKind::identity, question);
  EXPECT_FALSE(traced.applied);
  ASSERT_EQ(traced.elements.size(), 4U);
  EXPECT_TRUE(traced.elements[0].matched);
  EXPECT_TRUE(traced.elements[1].matched);
  EXPECT_EQ(traced.elements[2].element, "Condition StringEquals aws:SourceVpc");
  EXPECT_FALSE(traced.elements[2].matched);
  EXPECT_EQ(traced.elements[2].wanted, std::vector<std::string>{"vpc-1"});
  EXPECT_TRUE(traced.elements[2].given.empty());
  EXPECT_TRUE(traced.elements[3].matched);
  EXPECT_FALSE(trace(parsed.statements[1], 1, PolicyKind::identity, question).applied);
}

// A trace and the engine never disagree on whether a statement applies.
TEST(Trace, AgreesWithTheEngine) {
  Principal principal;
  const Document parsed = document();
  for (const char* action : {"s3:GetObject", "s3:PutObject", "ec2:RunInstances"})
    for (const char* vpc : {"vpc-1", "vpc-2", ""}) {
      Keys keys;
      keys.set("aws:username", "ann");
      keys.set("aws:SecureTransport", "true");
      if (*vpc != '\0') keys.set("aws:SourceVpc", vpc);
      const Question question{principal, action, "arn:aws:s3:::b/ann/1", keys};
      for (std::size_t i = 0; i < 2; ++i) {
        std::string lower(action);
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        EXPECT_EQ(trace(parsed.statements[i], i, PolicyKind::identity, question).applied,
                  applies(parsed.statements[i], lower, question.resource, keys));
      }
    }
}

TEST(ContextKeys, AreThoseOfConditionsAndVariables) {
  EXPECT_EQ(context_keys(document()),
            (std::vector<std::string>{"aws:SecureTransport", "aws:SourceVpc", "aws:username"}));
}

TEST(StatementRanges, CountLinesAndColumnsFromOne) {
  const std::vector<TextRange> ranges = statement_ranges(kDocument);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].start.line, 4);
  EXPECT_EQ(ranges[0].start.column, 5);
  EXPECT_EQ(ranges[0].end.line, 6);
  EXPECT_EQ(ranges[1].start.line, 7);
  EXPECT_EQ(ranges[1].end.column, 61);
  EXPECT_TRUE(statement_ranges("no policy").empty());
  EXPECT_EQ(statement_ranges(R"({"Statement":{"a":"}"}})").front().end.column, 23);
}

TEST(OperatorName, IsReadBackAsTheSame) {
  for (const char* name : {"StringEquals", "ForAllValues:StringNotLikeIfExists", "ForAnyValue:ArnLike", "Null",
                           "DateLessThanEquals", "NotIpAddress", "BoolIfExists"})
    EXPECT_EQ(operator_name(*parse_operator(name)), name);
}

}  // namespace
}  // namespace brume::policy
