#include "front/dispatch/content_encoding.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace brume::front {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

const Headers kGzip{{"Content-Encoding", "gzip"}};

std::string code_of(std::string_view body, const Headers& headers = kGzip, std::size_t limit = 1 << 20) {
  const auto decoded = decode_body(headers, body, limit);
  return decoded ? "" : decoded.error().code;
}

TEST(ContentEncoding, DecodesGzipUpToTheLimit) {
  EXPECT_TRUE(is_encoded(kGzip));
  EXPECT_FALSE(is_encoded({}));
  EXPECT_FALSE(is_encoded({{"content-encoding", "identity"}}));
  EXPECT_EQ(decode_body(kGzip, gzip(""), 0).value(), "");
  const std::string text(100'000, 'a');
  EXPECT_EQ(decode_body(kGzip, gzip(text), text.size()).value(), text);
  EXPECT_EQ(code_of(gzip(text), kGzip, text.size() - 1), "EntityTooLarge");
}

TEST(ContentEncoding, RefusesABombAfterItsFirstBytes) {
  const std::string bomb = gzip(std::string(64 << 20, '\0'));
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(code_of(bomb), "EntityTooLarge");
}

TEST(ContentEncoding, RefusesWhatIsNoGzip) {
  const std::string body = gzip("{\"a\": 1}");
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_EQ(code_of(body.substr(0, size)), "SerializationException") << size;
  EXPECT_EQ(code_of(body + body), "SerializationException");
  EXPECT_EQ(code_of("{\"a\": 1}"), "SerializationException");
  std::string changed = body;
  changed[changed.size() - 6] = static_cast<char>(changed[changed.size() - 6] ^ 1);  // of the check sum
  EXPECT_EQ(code_of(changed), "SerializationException");
  EXPECT_EQ(code_of(body, {{"Content-Encoding", "br"}}), "UnsupportedMediaTypeException");
  EXPECT_EQ(code_of(body, {{"Content-Encoding", "gzip, gzip"}}), "UnsupportedMediaTypeException");
}

}  // namespace
}  // namespace brume::front
