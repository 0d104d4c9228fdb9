#include "front/dispatch/content_encoding.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.h"
#include "front/http/body_sink.h"

namespace brume::front {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's own way to say: gzip, and nothing else

AwsError unreadable(const std::string& what) {
  return {"SerializationException", "The request's body cannot be decompressed: " + what + ".", 400};
}

struct Inflater {
  Inflater() { ready = inflateInit2(&stream, kGzipWindow) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  z_stream stream{};
  bool ready = false;
};

std::expected<std::string, AwsError> gunzip(std::string_view body, std::size_t limit) {
  Inflater inflater;
  if (!inflater.ready) return std::unexpected(unreadable("no memory"));
  z_stream& stream = inflater.stream;
  // zlib does not write to its input, but does not say so either.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string plain;
  std::array<char, 64 * 1024> piece;
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = piece.size() - stream.avail_out;
    if (plain.size() + made > limit) return std::unexpected(http::body_too_large(limit));
    plain.append(piece.data(), made);
    if (result == Z_OK && made == 0 && stream.avail_in == 0) return std::unexpected(unreadable("it ends too early"));
    if (result == Z_BUF_ERROR) return std::unexpected(unreadable("it ends too early"));
    if (result != Z_OK && result != Z_STREAM_END) return std::unexpected(unreadable("it is not gzip"));
  }
  if (stream.avail_in > 0) return std::unexpected(unreadable("something follows its end"));
  return plain;
}

std::string_view encoding_of(const Headers& headers) {
  const std::string_view encoding = trim(header_of(headers, "content-encoding"));
  return equals_ignoring_case(encoding, "identity") ? std::string_view() : encoding;
}

}  // namespace

bool is_encoded(const Headers& headers) { return !encoding_of(headers).empty(); }

std::expected<std::string, AwsError> decode_body(const Headers& headers, std::string_view body, std::size_t limit) {
  const std::string_view encoding = encoding_of(headers);
  if (equals_ignoring_case(encoding, "gzip")) return gunzip(body, limit);
  return std::unexpected(AwsError("UnsupportedMediaTypeException",
                                  "The Content-Encoding '" + std::string(encoding) + "' is not served; gzip is.", 415));
}

}  // namespace brume::front
