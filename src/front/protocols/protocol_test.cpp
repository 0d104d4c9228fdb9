#include "front/protocols/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.h"
#include "core/time.h"
#include "front/protocols/test_models.h"

namespace brume::protocols {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> at(const model::Object& object, std::string_view path) {
  return model::strings_at(object.type(), object.get(), path);
}

TEST(DecodeQuery, ReadsNestedListsAndMaps) {
  const auto loaded = thing_model("query");
  const auto input =
      decoded(loaded->service(), {.body = "Action=CreateThing&Version=2020-01-01&Name=abc&Size=7&Tags.member.2.Key=b"
                                          "&Tags.member.1.Key=a%20a&Tags.member.1.Value=+&Limits.entry.1.key=x"
                                          "&Limits.entry.1.value=9&Flag=true"});
  EXPECT_THAT(at(input, "Name"), ElementsAre("abc"));
  EXPECT_THAT(at(input, "Tags[].Key"), ElementsAre("a a", "b"));
  EXPECT_THAT(at(input, "Tags[].Value"), ElementsAre(" "));
  EXPECT_THAT(at(input, "Limits[]"), ElementsAre("x"));
  EXPECT_THAT(at(input, "Flag"), ElementsAre("true"));
}

TEST(DecodeQuery, KeepsTheOrderOfNumbersNotOfText) {
  const auto loaded = thing_model("ec2");
  const auto input = decoded(loaded->service(), {.body = "Name=abc&Labels.10=ten&Labels.9=nine&Labels.x=no"});
  EXPECT_THAT(at(input, "Labels[]"), ElementsAre("nine", "ten"));
}

TEST(DecodeQuery, MakesUpNoElementsAndNoValues) {
  const auto loaded = thing_model("query");
  const auto input = decoded(loaded->service(), {.body = "Name=abc&Labels.member.1.x=&Labels.member.2=two"});
  EXPECT_THAT(at(input, "Labels[]"), ElementsAre("two"));
  EXPECT_EQ(refused(loaded->service(), {.body = "Name=abc&Limits.entry.1.key=x"}).status, 400);
}

TEST(DecodeQuery, ReportsUnknownParametersButNotCommonOnes) {
  const auto loaded = thing_model("query");
  DecodeReport report;
  decoded(loaded->service(), {.body = "Action=CreateThing&Name=abc&Novel=1&X-Amz-Signature=x"}, &report);
  EXPECT_THAT(report.ignored_members, ElementsAre("CreateThing.Novel"));
}

TEST(DecodeQuery, BoundsDepthByTheLengthOfNames) {
  const auto loaded = thing_model("query");
  std::string name = "Child";
  for (int i = 0; i < 100'000; ++i) name += ".Child";
  EXPECT_EQ(refused(loaded->service(), {.body = name + ".Name=abc"}).code, "MalformedQueryString");
}

TEST(DecodeJson, ReadsMembersAndIgnoresUnknownOnes) {
  const auto loaded = thing_model("json");
  DecodeReport report;
  const auto input = decoded(loaded->service(),
                             {.body = R"({"Name":"abc","Size":7.0,"Tags":[{"Key":"a","Value":null}],"Novel":{"x":1},)"
                                      R"("Limits":{"x":9},"Data":"aGk=","When":1600000000.5})"},
                             &report);
  EXPECT_THAT(at(input, "Size"), ElementsAre("7"));
  EXPECT_THAT(at(input, "Tags[].Value"), ElementsAre());
  EXPECT_THAT(at(input, "Data"), ElementsAre("hi"));
  EXPECT_THAT(report.ignored_members, ElementsAre("CreateThing.Novel"));
  const auto* when = static_cast<const Time*>(input.type().find("When")->get(input.get()));
  EXPECT_EQ(when->ms, 1'600'000'000'500);
}

TEST(DecodeJson, RefusesWhatIsNotTheModelsType) {
  const auto loaded = thing_model("json");
  const auto refusal = [&](const std::string& body) {
    const AwsError error = refused(loaded->service(), {.body = body});
    EXPECT_EQ(error.code, "SerializationException");
    return error.message;
  };
  EXPECT_EQ(refusal(R"({"Name":5})"), "NUMBER_VALUE can not be converted to a String");
  EXPECT_EQ(refusal(R"({"Size":"5"})"), "STRING_VALUE can not be converted to an Integer");
  EXPECT_EQ(refusal(R"({"Size":5.5})"), "DECIMAL_VALUE can not be converted to an Integer");
  EXPECT_EQ(refusal(R"({"Name":{}})"), "Start of structure or map found where not expected");
  EXPECT_EQ(refusal(R"({"Name":[]})"), "Start of list found where not expected");
  refusal(R"({"Name":"abc")");
  refusal("[]");
  refusal("{\"Name\":\"\xff\"}");
  refusal(R"({"Data":"not base64!"})");
}

TEST(DecodeJson, RefusesNestingThatIsTooDeep) {
  const auto loaded = thing_model("json");
  std::string body;
  for (int i = 0; i < 5000; ++i) body += R"({"Child":)";
  EXPECT_EQ(refused(loaded->service(), {.body = body + "1"}).code, "SerializationException");
}

TEST(DecodeXml, RefusesNestingThatIsTooDeepAndBrokenDocuments) {
  const auto loaded = thing_model("rest-xml");
  std::string body = "<CreateThingRequest>";
  for (int i = 0; i < 5000; ++i) body += "<Child>";
  for (int i = 0; i < 5000; ++i) body += "</Child>";
  EXPECT_EQ(refused(loaded->service(), {.body = body + "</CreateThingRequest>"}).code, "InvalidInput");
  EXPECT_EQ(refused(loaded->service(), {.body = "<CreateThingRequest><Name>abc</CreateThingRequest>"}).code,
            "InvalidInput");
}

TEST(DecodeXml, TakesNoDocumentType) {
  const auto loaded = thing_model("rest-xml");
  const std::string thing = "<R><Name>abc</Name><Labels><member>&e;</member></Labels></R>";
  EXPECT_THAT(at(decoded(loaded->service(), {.body = thing}), "Labels[]"), ElementsAre("&e;"));
  EXPECT_THROW(decoded(loaded->service(), {.body = "<!DOCTYPE x [<!ENTITY e \"evil\">]>" + thing}), AwsError);
}

TEST(DecodeXml, ReadsReferencesToCharactersOnly) {
  const auto loaded = thing_model("rest-xml");
  const auto body = [](const std::string& text) {
    return "<R><Name>abc</Name><Tags><member><Key>" + text + "</Key></member></Tags></R>";
  };
  const auto read = [&](const std::string& text) {
    return at(decoded(loaded->service(), {.body = body(text)}), "Tags[].Key");
  };
  EXPECT_THAT(read("&lt;&gt;&amp;lt;&quot;&apos;&#65;&#x42;&#x1;"), ElementsAre("<>&lt;\"'AB\x01"));
  EXPECT_THAT(read("&#233;&#x20AC;&#x1f600;&#x10FFFF;"), ElementsAre("\u00e9\u20ac\U0001f600\U0010ffff"));
  EXPECT_THAT(read("a & b &lt c &&gt;<![CDATA[&#0;&amp;]]>"), ElementsAre("a & b &lt c &>&#0;&amp;"));
  // 4294967361 is 65 in 32 bits.
  for (const char* none : {"&#0;", "&#xd800;", "&#xDFFF;", "&#x110000;", "&#4294967361;", "&#;", "&#x;", "&#-1;",
                           "&#X41;", "&#65", "&#6&#5;", "&#99999999999999999999999;"})
    EXPECT_EQ(refused(loaded->service(), {.body = body(none)}).message, "The request's XML cannot be read.") << none;
}

model::Object thing(const model::Service& service) {
  model::Object output(*service.operations.front().output);
  const auto set = [&](const char* name) { return output.type().find(name)->emplace(output.get()); };
  *static_cast<std::string*>(set("Name")) = "a<b>&\"\n";
  static_cast<Time*>(set("When"))->ms = 1'600'000'000'120;
  *static_cast<double*>(set("Ratio")) = 0.1;
  *static_cast<std::string*>(set("Data")) = "hi";
  return output;
}

TEST(Encode, WritesJson) {
  const auto loaded = thing_model("json");
  const model::Service& service = loaded->service();
  auto output = thing(service);
  const WireReply reply = encode(service, service.operations.front(), Protocol::json, output.get(), "id-1");
  EXPECT_EQ(reply.body.bytes, R"({"Name":"a<b>&\"\n","When":1600000000.12,"Ratio":0.1,"Data":"aGk="})");
  EXPECT_EQ(header_of(reply.headers, "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(header_of(reply.headers, "x-amzn-RequestId"), "id-1");
}

TEST(Encode, WritesQueryXml) {
  const auto loaded = thing_model("query");
  const model::Service& service = loaded->service();
  auto output = thing(service);
  const WireReply reply = encode(service, service.operations.front(), Protocol::query, output.get(), "id-1");
  EXPECT_EQ(reply.body.bytes,
            "<CreateThingResponse xmlns=\"https://things.example.com/doc/\"><CreateThingResult>"
            "<Name>a&lt;b&gt;&amp;\"\n</Name><When>2020-09-13T12:26:40.120Z</When><Ratio>0.1</Ratio>"
            "<Data>aGk=</Data></CreateThingResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
            "</CreateThingResponse>");
}

TEST(Encode, WritesEc2Xml) {
  const auto loaded = thing_model("ec2", "ec2");
  const model::Service& service = loaded->service();
  model::Object output(*service.operations.front().output);
  const WireReply reply = encode(service, service.operations.front(), Protocol::ec2, output.get(), "id-1");
  EXPECT_THAT(reply.body.bytes, HasSubstr("<CreateThingResponse xmlns=\"https://things.example.com/doc/\">"
                                          "<requestId>id-1</requestId></CreateThingResponse>"));
}

}  // namespace
}  // namespace brume::protocols
