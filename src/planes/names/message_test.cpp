#include "planes/names/message.h"

#include <gtest/gtest.h>

namespace brume::names {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text.push_back(static_cast<char>(value));
  return text;
}

Query query_for(const std::string& name, RecordType type, std::uint16_t edns = 0) {
  auto query = parse_query(write_query(7, name, type, edns));
  EXPECT_TRUE(query.has_value());
  return query.value_or(Query{});
}

TEST(ParseQuery, ReadsNameTypeAndEdns) {
  const auto query = parse_query(write_query(0x1234, "sts.eu-west-1.amazonaws.com", RecordType::aaaa, 4096));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->id, 0x1234);
  EXPECT_EQ(query->name, "sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(query->type, 28);
  EXPECT_TRUE(query->recursion_desired);
  EXPECT_TRUE(query->edns);
  EXPECT_EQ(query->udp_bytes, 4096);
}

TEST(ParseQuery, NeverAnswersAResponseOrAStump) {
  std::string response = write_query(1, "a", RecordType::a);
  response[2] = static_cast<char>(0x80);
  ASSERT_FALSE(parse_query(response));
  EXPECT_FALSE(parse_query(response).error().id);
  EXPECT_EQ(write_rejection(parse_query(response).error()), "");
  EXPECT_FALSE(parse_query("short").error().id);
}

TEST(ParseQuery, RejectsOtherOpcodesAndQuestionCounts) {
  std::string status = write_query(1, "a", RecordType::a);
  status[2] = 0x10;
  EXPECT_EQ(parse_query(status).error().code, Code::not_implemented);
  std::string two = write_query(1, "a", RecordType::a);
  two[5] = 2;
  EXPECT_EQ(parse_query(two).error().code, Code::format_error);
  EXPECT_EQ(write_rejection(parse_query(two).error()).size(), kHeaderBytes);
}

TEST(ParseQuery, AnswersAnUnknownEdnsVersionWithBadVersion) {
  std::string query = write_query(1, "a", RecordType::a, 1232);
  query[query.size() - 5] = 1;
  ASSERT_FALSE(parse_query(query));
  EXPECT_EQ(parse_query(query).error().code, Code::bad_version);
  // The code's upper bits are in the OPT record: 16 is 1 there and 0 in the header.
  const std::string answer = write_rejection(parse_query(query).error());
  EXPECT_EQ(answer[3] & 0xf, 0);
  EXPECT_EQ(answer[kHeaderBytes + 5], 1);
}

TEST(ParseQuery, RefusesACompressedQuestion) {
  const std::string query = bytes({0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0xc0, 2, 0, 1, 0, 1});
  ASSERT_FALSE(parse_query(query));
  EXPECT_EQ(parse_query(query).error().code, Code::format_error);
}

TEST(ReadName, RefusesLoopsForwardPointersAndTooLongNames) {
  std::size_t offset = 0;
  std::string name;
  EXPECT_FALSE(read_name(bytes({0xc0, 0x00}), offset, name)) << "points to itself";
  offset = 2;
  EXPECT_FALSE(read_name(bytes({0xc0, 0x02, 0xc0, 0x00}), offset, name)) << "two point to each other";
  offset = 0;
  EXPECT_FALSE(read_name(bytes({0xc0, 0x02, 1, 'a', 0}), offset, name)) << "points forward";
  offset = 0;
  EXPECT_FALSE(read_name(bytes({0x40, 'a', 0}), offset, name)) << "reserved label type";
  offset = 0;
  EXPECT_FALSE(read_name(bytes({5, 'a', 'b'}), offset, name)) << "cut";
  std::string longest;
  for (int i = 0; i < 128; ++i) longest += bytes({1, 'a'});
  longest.push_back('\0');
  offset = 0;
  EXPECT_FALSE(read_name(longest, offset, name)) << "257 octets";
  offset = 4;  // "a" at 1, the name is b + pointer to it
  EXPECT_TRUE(read_name(bytes({9, 1, 'a', 0, 1, 'b', 0xc0, 1, 77}), offset, name));
  EXPECT_EQ(name, "b.a");
  EXPECT_EQ(offset, 8U);
}

TEST(ReadName, EscapesBytesThatAreNoHostName) {
  std::size_t offset = 0;
  std::string name;
  ASSERT_TRUE(read_name(bytes({3, 'a', '.', 'b', 1, '\\', 0}), offset, name));
  EXPECT_EQ(name, "a\\046b.\\092");
  const auto written = parse_query(write_query(1, name, RecordType::a));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->name, name);
}

TEST(WriteResponse, KeepsTheQuestionsLetters) {
  const Query query = query_for("ApI.ExAmPlE.cOm", RecordType::a);
  EXPECT_EQ(query.name, "api.example.com");
  const auto answer = parse_response(write_response(query, {.answers = {{RecordType::a, 60, "198.19.0.1"}}}, 512));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->question_name, "ApI.ExAmPlE.cOm");
  EXPECT_EQ(answer->id, 7);
  ASSERT_EQ(answer->records.size(), 1U);
  EXPECT_EQ(answer->records[0].value, "198.19.0.1");
}

TEST(WriteResponse, WritesEveryTypeAsItReadsIt) {
  const Query query = query_for("example.com", RecordType::any);
  const std::vector<Record> records = {{RecordType::a, 1, "198.19.0.1"},
                                       {RecordType::aaaa, 2, "2001:db8::1"},
                                       {RecordType::ns, 3, "ns1.example.com"},
                                       {RecordType::mx, 4, "10 mail.example.com"},
                                       {RecordType::mx, 4, "0 ."},  // RFC 7505: takes no mail
                                       {RecordType::txt, 5, "\"v=spf1 -all\" \"a \\\"b\\\"\""},
                                       {RecordType::srv, 6, "0 5 5060 sip.example.com"},
                                       {RecordType::ptr, 7, "host.example.com"}};
  const auto answer = parse_response(write_response(query, {.answers = records}, 1232));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records, records);
}

TEST(WriteResponse, PointsToEarlierNames) {
  const Query query = query_for("a-long-name.region.elb.amazonaws.com", RecordType::ns);
  std::vector<Record> records;
  for (int i = 0; i < 10; ++i)
    records.push_back({RecordType::ns, 60, "ns" + std::to_string(i) + ".region.elb.amazonaws.com"});
  const std::string text = write_response(query, {.answers = records}, 1232);
  // Owner: 2 octets; fixed part: 10; target: 4 of its own and a pointer of 2.
  EXPECT_EQ(text.size(), kHeaderBytes + query.question.size() + 10 * (2 + 10 + 4 + 2));
  EXPECT_EQ(parse_response(text)->records, records);
}

TEST(WriteResponse, TruncatesAtTheLimitAndSaysSo) {
  const Query query = query_for("example.com", RecordType::a);
  Response response;
  for (int i = 0; i < 100; ++i) response.answers.push_back({RecordType::a, 60, "198.19.0." + std::to_string(i)});
  const std::string text = write_response(query, response, 512);
  EXPECT_LE(text.size(), 512U);
  EXPECT_TRUE(parse_response(text)->truncated);
  EXPECT_FALSE(parse_response(text)->records.empty());
  EXPECT_EQ(parse_response(write_response(query, response, kLargestMessage))->records.size(), 100U);
}

TEST(WriteResponse, LeavesOutWhatCannotBeWritten) {
  const Query query = query_for("example.com", RecordType::any);
  const Response response{.answers = {{RecordType::a, 60, "not an address"},
                                      {RecordType::txt, 60, "\"open"},
                                      {RecordType::mx, 60, "mail"},
                                      {RecordType::a, 60, "198.19.0.9"}}};
  const auto answer = parse_response(write_response(query, response, 512));
  ASSERT_EQ(answer->records.size(), 1U);
  EXPECT_EQ(answer->records[0].value, "198.19.0.9");
}

TEST(Answers, ComparesIdAndQuestion) {
  const Query query = query_for("example.com", RecordType::a);
  const std::string right = write_response(query, {}, 512);
  EXPECT_TRUE(answers(right, 7, query));
  EXPECT_FALSE(answers(right, 8, query));
  EXPECT_FALSE(answers(write_response(query_for("example.org", RecordType::a), {}, 512), 7, query));
  EXPECT_FALSE(answers(write_response(query_for("example.com", RecordType::mx), {}, 512), 7, query));
  EXPECT_FALSE(answers(write_query(7, "example.com", RecordType::a), 7, query)) << "a question is no answer";
}

}  // namespace
}  // namespace brume::names
