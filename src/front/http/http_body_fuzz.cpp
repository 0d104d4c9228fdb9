// Fuzz target: the framing of bodies. The decoder of the chunked coding agrees with a literal reading of the RFC and
// takes not a byte more than the body has; neither it nor aws-chunked cares how the input was cut. The first byte is
// the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "front/http/aws_chunked.h"
#include "front/http/chunked.h"
#include "front/http/test_framing.h"

namespace brume::http {
namespace {

struct Decoded {
  ChunkedDecoder::State state = ChunkedDecoder::State::more;
  std::string data;
  std::size_t taken = 0;
  Headers trailers;
  bool operator==(const Decoded&) const = default;
};

Decoded decode_chunked(std::string_view bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  Decoded out;
  while (!bytes.empty()) {
    const std::string_view input = bytes.substr(0, piece);
    const ChunkedDecoder::Step step = decoder.feed(input);
    if (step.state == ChunkedDecoder::State::refused) {
      BRUME_CHECK(!decoder.problem().empty());
      return {.state = step.state};
    }
    BRUME_CHECK(step.consumed > 0 && step.consumed <= input.size());
    BRUME_CHECK(step.data.empty() || (step.data.data() >= input.data() &&
                                      step.data.data() + step.data.size() <= input.data() + input.size()));
    out.data += step.data;
    out.taken += step.consumed;
    out.state = step.state;
    if (step.state == ChunkedDecoder::State::done) break;
    bytes.remove_prefix(step.consumed);
  }
  out.trailers = decoder.trailers();
  return out;
}

void check_chunked(std::string_view bytes, std::size_t piece) {
  const Decoded whole = decode_chunked(bytes, bytes.size() + 1);
  BRUME_CHECK(whole == decode_chunked(bytes, piece));
  const reference::ChunkedBody expected = reference::chunked_body(std::string(bytes));
  using State = reference::ChunkedBody::State;
  if (expected.state == State::refused) BRUME_CHECK(whole.state == ChunkedDecoder::State::refused);
  if (expected.state == State::done)
    BRUME_CHECK(whole.state == ChunkedDecoder::State::done && whole.data == expected.data &&
                whole.taken == expected.size);
  // What has not ended may have been refused already, but never have ended.
  if (expected.state == State::more) BRUME_CHECK(whole.state != ChunkedDecoder::State::done);
  if (expected.state == State::more && whole.state == ChunkedDecoder::State::more)
    BRUME_CHECK(whole.data == expected.data);
}

struct AwsDecoded {
  std::string error, data;
  Headers trailers;
  bool operator==(const AwsDecoded&) const = default;
};

AwsDecoded decode_aws_chunked(std::string_view bytes, std::size_t piece, std::uint64_t length, bool trailers) {
  AwsChunkedDecoder decoder({.has_trailers = trailers,
                             .trailer_names = trailers ? "x-amz-checksum-crc32, x-amz-checksum-sha256" : "",
                             .decoded_length = length});
  AwsDecoded out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (const auto failed = decoder.feed(bytes.substr(0, piece), out.data)) return {.error = failed->code};
    BRUME_CHECK(out.data.size() <= length);
  }
  if (const auto failed = decoder.finish()) return {.error = failed->code};
  // What was accepted is whole.
  BRUME_CHECK(out.data.size() == length);
  out.trailers = decoder.trailers();
  if (trailers) BRUME_CHECK(out.trailers.size() == 2);
  return out;
}

}  // namespace
}  // namespace brume::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::http;
  if (size < 2) return 0;
  const std::size_t piece = 1 + data[0] % 32U;
  const std::uint64_t length = data[1] % 64U;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  check_chunked(bytes, piece);
  const bool trailers = data[1] >= 128;
  BRUME_CHECK(decode_aws_chunked(bytes, bytes.size() + 1, length, trailers) ==
              decode_aws_chunked(bytes, piece, length, trailers));
  return 0;
}
