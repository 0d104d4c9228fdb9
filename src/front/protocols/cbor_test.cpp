#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/text.h"
#include "front/protocols/cbor_items.h"
#include "front/protocols/protocol.h"
#include "front/protocols/test_models.h"

namespace brume::protocols {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> at(const model::Object& object, std::string_view path) {
  return model::strings_at(object.type(), object.get(), path);
}

// Bytes written as hex with comments of text: "bf 64'Name' ff" is a map that begins, four letters, and a stop.
std::string cbor(std::string_view notation) {
  std::string bytes, digits;
  bool quoted = false;
  for (const char c : notation) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (quoted) {
      bytes += c;
    } else if (c != ' ') {
      digits += c;
      if (digits.size() < 2) continue;
      bytes += from_hex(digits).value();
      digits.clear();
    }
  }
  return bytes;
}

TEST(DecodeCbor, ReadsEveryFormOfAValue) {
  const auto loaded = thing_model("smithy-rpc-v2-cbor");
  DecodeReport report;
  const auto input = decoded(loaded->service(),
                             {.body = cbor("bf"
                                           " 64'Name' 7f 62'ab' 61'c' ff"  // a text in chunks
                                           " 64'Size' 190007"              // an integer wider than need be
                                           " 64'Flag' f5"
                                           " 64'When' c1 fb 41d7d78400200000"  // a tagged double
                                           " 64'Data' 5f 41'h' 41'i' ff"       // bytes in chunks
                                           " 66'Limits' a1 61'x' 09"
                                           " 66'Labels' 82 61'a' f6"  // null in a list is left out
                                           " 65'Novel' 9f 01 a1 61'x' f6 c1 f93c00 ff"
                                           " 65'Child' f6"
                                           " ff")},
                             &report);
  EXPECT_THAT(at(input, "Name"), ElementsAre("abc"));
  EXPECT_THAT(at(input, "Size"), ElementsAre("7"));
  EXPECT_THAT(at(input, "Flag"), ElementsAre("true"));
  EXPECT_THAT(at(input, "Data"), ElementsAre("hi"));
  EXPECT_THAT(at(input, "Limits[]"), ElementsAre("x"));
  EXPECT_THAT(at(input, "Labels[]"), ElementsAre("a"));
  EXPECT_THAT(at(input, "Child.Name"), ElementsAre());
  EXPECT_THAT(report.ignored_members, ElementsAre("CreateThing.Novel"));
  const auto* when = static_cast<const Time*>(input.type().find("When")->get(input.get()));
  EXPECT_EQ(when->ms, 1'600'000'000'500);
}

TEST(DecodeCbor, RefusesWhatIsNotTheModelsType) {
  const auto loaded = thing_model("smithy-rpc-v2-cbor");
  const char* documents[] = {
      "a1 64'Name' 07",                  // an integer for a string
      "a1 64'Name' 43'abc'",             // bytes for a string
      "a1 64'Size' 61'7'",               // text for an integer
      "a1 64'Size' fb401c000000000000",  // a float for an integer
      "a1 64'Size' 1bffffffffffffffff",  // beyond 64 bits with a sign
      "a1 64'Data' 62'hi'",              // text for bytes
      "a1 64'When' 1a5f5e1000",          // no tag
      "a1 64'When' c0 1a5f5e1000",       // the tag of dates as text
      "a1 64'Tags' a0",                  // a map for a list
      "a1 07 07",                        // a key that is no text
      "80",                              // no map at all
  };
  for (const char* document : documents)
    EXPECT_EQ(refused(loaded->service(), {.body = cbor(document)}).code, "SerializationException") << document;
}

TEST(DecodeCbor, RefusesDamage) {
  const auto loaded = thing_model("smithy-rpc-v2-cbor");
  const char* documents[] = {
      "a1",                              // ends early
      "a1 64'Na'",                       // ends in a key
      "a1 64'Name' 7bffffffffffffffff",  // a length beyond everything
      "bbffffffffffffffff",              // a count beyond everything
      "a1 65'Novel' 9bffffffffffffffff 01",
      "a1 64'Name' 7f 43'abc' ff",  // a chunk of another type
      "a1 64'Name' 7f 7f ff ff",    // chunks in chunks
      "a1 65'Novel' ff",            // a stop without a start
      "a1 65'Novel' fc",            // a reserved head
      "a0 00",                      // something behind the document
      "1f",
  };
  for (const char* document : documents)
    EXPECT_EQ(refused(loaded->service(), {.body = cbor(document)}).code, "SerializationException") << document;
}

TEST(DecodeCbor, RefusesNestingThatIsTooDeep) {
  const auto loaded = thing_model("smithy-rpc-v2-cbor");
  std::string known, unknown = cbor("a1 65'Novel'");
  for (int i = 0; i < 5000; ++i) known += cbor("a1 65'Child'");
  for (int i = 0; i < 100'000; ++i) unknown += '\x81';
  EXPECT_EQ(refused(loaded->service(), {.body = known + "\xf6"}).code, "SerializationException");
  EXPECT_EQ(refused(loaded->service(), {.body = unknown + "\xf6"}).code, "SerializationException");
}

TEST(CborItems, ReadsFloatsOfEveryWidth) {
  const auto number = [](std::string_view notation) {
    const std::string bytes = cbor(notation);
    return CborItems(bytes).next().number;
  };
  EXPECT_EQ(number("f93c00"), 1);
  EXPECT_EQ(number("f90001"), 5.960464477539063e-8);
  EXPECT_EQ(number("f9fc00"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(number("f97e00")));
  EXPECT_EQ(number("fa47c35000"), 100000);
  EXPECT_EQ(number("fb3ff199999999999a"), 1.1);
}

TEST(CborItemWriter, WritesTheShortestHeads) {
  const auto written = [](std::int64_t value) {
    std::string out;
    CborItemWriter(out).integer(value);
    return to_hex(out);
  };
  EXPECT_EQ(written(0), "00");
  EXPECT_EQ(written(23), "17");
  EXPECT_EQ(written(24), "1818");
  EXPECT_EQ(written(256), "190100");
  EXPECT_EQ(written(65'536), "1a00010000");
  EXPECT_EQ(written(4'294'967'296), "1b0000000100000000");
  EXPECT_EQ(written(-1), "20");
  EXPECT_EQ(written(INT64_MIN), "3b7fffffffffffffff");
}

TEST(EncodeCbor, WritesWhatIsThere) {
  const auto loaded = thing_model("smithy-rpc-v2-cbor");
  const model::Service& service = loaded->service();
  model::Object output(*service.operations.front().output);
  *static_cast<std::string*>(output.type().find("Name")->emplace(output.get())) = "abc";
  static_cast<Time*>(output.type().find("When")->emplace(output.get()))->ms = 1'600'000'000'500;
  const WireReply reply = encode(service, service.operations.front(), Protocol::rpc_v2_cbor, output.get(), "id-1");
  EXPECT_EQ(reply.body.bytes, cbor("a2 64'Name' 63'abc' 64'When' c1 fb 41d7d78400200000"));
  EXPECT_EQ(header_of(reply.headers, "Content-Type"), "application/cbor");
  EXPECT_EQ(header_of(reply.headers, "Smithy-Protocol"), "rpc-v2-cbor");
  EXPECT_EQ(header_of(reply.headers, "x-amzn-RequestId"), "id-1");
}

TEST(EncodeCbor, WritesAnErrorsMembersByTheirTypes) {
  const auto loaded = thing_model("smithy-rpc-v2-cbor");
  const AwsError error = AwsError("ThingExists", "It exists.", 409).with("Owner", "me").with("Count", "7");
  const WireReply reply = encode_error(loaded->service(), nullptr, Protocol::rpc_v2_cbor, error, "id-1", "POST");
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.body.bytes,
            cbor("a4 66'__type' 6b'ThingExists' 67'message' 6a'It exists.' 65'Owner' 62'me' 65'Count' 07"));
}

}  // namespace
}  // namespace brume::protocols
