#include "core/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace brume {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

// What Boost.JSON's serializer writes of every byte.
TEST(JsonText, EscapesWhatMayNotStandForItselfAndNothingElse) {
  std::string low;
  for (char byte = 0; byte < 0x20; ++byte) low += byte;
  EXPECT_EQ(json_of(low),
            R"("\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f)"
            R"(\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f")");
  std::string rest;
  for (int byte = 0x20; byte < 256; ++byte)
    if (byte != '"' && byte != '\\') rest += static_cast<char>(byte);
  EXPECT_EQ(json_of(rest), '"' + rest + '"');
  EXPECT_EQ(json_of(""), R"("")");
  EXPECT_EQ(json_of("\\"), R"("\\")");
  EXPECT_EQ(json_of("some text ends\n\""), R"("some text ends\n\"")");
}

TEST(JsonText, AnObjectHasItsMembersInTheOrderInWhichTheyCame) {
  std::string text;
  JsonObject outer(text);
  outer.text("name", "a\"b");
  JsonObject inner = outer.object("inner");
  inner.boolean("empty", false);
  inner.end();
  outer.raw("list", "[1]");
  outer.end();
  JsonObject(text).end();
  EXPECT_EQ(text, R"({"name":"a\"b","inner":{"empty":false},"list":[1]}{})");
}

}  // namespace
}  // namespace brume
