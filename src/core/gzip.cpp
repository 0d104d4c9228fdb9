#include "core/gzip.h"

#include <zlib.h>

#include <stdexcept>

namespace brume {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's own way to say: gzip, and nothing else
constexpr int kMemoryLevel = 8;       // zlib's default

// zlib does not write to its input, but does not say so either.
void give(z_stream& stream, std::string_view text) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
}

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  give(stream, text);
  std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int ended = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) throw std::logic_error("deflateBound was too small");
  return packed;
}

std::expected<std::string, GzipProblem> gunzip(std::string_view packed, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
  give(stream, packed);
  std::string text;
  int result = Z_OK;
  while (result == Z_OK && text.size() <= limit) {
    char piece[16384];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(piece, sizeof piece - stream.avail_out);
  }
  const bool more = stream.avail_in > 0;
  inflateEnd(&stream);
  if (text.size() > limit) return std::unexpected(GzipProblem::too_long);
  // zlib's word for "nothing more to read, nothing more to write".
  if (result == Z_BUF_ERROR) return std::unexpected(GzipProblem::ends_early);
  if (result != Z_STREAM_END) return std::unexpected(GzipProblem::damaged);
  if (more) return std::unexpected(GzipProblem::something_follows);
  return text;
}

}  // namespace brume
