// Whatever bytes a client sends: the head parser and the decoders of bodies neither crash nor disagree with themselves
// about where a message ends.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "front/http/aws_chunked.h"
#include "front/http/chunked.h"
#include "front/http/head.h"

namespace brume::http {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// A head that is accepted whole is accepted at the same byte when it arrives in pieces, and says one thing only.
void check_head(std::string_view bytes, std::size_t piece) {
  const HeadLimits limits{.head_bytes = 4096, .target_bytes = 1024, .headers = 32};
  RequestHead head;
  const HeadResult whole = parse_head(bytes, 0, limits, head);
  if (whole.state == HeadResult::State::complete) {
    require(whole.size <= bytes.size() && whole.size <= limits.head_bytes + 2);
    require(!(head.chunked && head.content_length));
    require(head.headers.size() <= limits.headers && is_token(head.method));
    for (const auto& [name, value] : head.headers) require(is_token(name) && is_header_value(value));
    require(head.path == "*" || head.path.starts_with('/'));
  }
  std::size_t searched = 0;
  for (std::size_t size = piece; searched < bytes.size(); size += piece) {
    const std::string_view seen = bytes.substr(0, size);
    const HeadResult part = parse_head(seen, searched, limits, head);
    searched = seen.size();
    if (part.state == HeadResult::State::incomplete) continue;
    // Pieces may be refused earlier than the whole, never accepted differently.
    if (part.state == HeadResult::State::complete)
      require(whole.state == HeadResult::State::complete && part.size == whole.size);
    break;
  }
}

// The decoded bytes do not depend on how the input was cut.
std::string decode_chunked(std::string_view bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  std::string out;
  while (!bytes.empty()) {
    const ChunkedDecoder::Step step = decoder.feed(bytes.substr(0, piece));
    if (step.state == ChunkedDecoder::State::refused) return "refused";
    out += step.data;
    if (step.state == ChunkedDecoder::State::done) return out + "|" + std::to_string(bytes.size() - step.consumed);
    require(step.consumed > 0);
    bytes.remove_prefix(step.consumed);
  }
  return out + "|more";
}

std::string decode_aws_chunked(std::string_view bytes, std::size_t piece) {
  AwsChunkedDecoder decoder({.has_trailers = true, .trailer_names = "x-amz-checksum-crc32", .decoded_length = 64});
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    if (decoder.feed(bytes.substr(0, piece), out)) return "refused";
  require(out.size() <= 64);
  return decoder.finish() ? "refused" : out;
}

}  // namespace
}  // namespace brume::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::http;
  if (size < 1 || size > 16'384) return 0;
  const std::size_t piece = 1 + data[0] % 32U;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_head(bytes, piece);
  require(decode_chunked(bytes, bytes.size() + 1) == decode_chunked(bytes, piece));
  require(decode_aws_chunked(bytes, bytes.size() + 1) == decode_aws_chunked(bytes, piece));
  return 0;
}
