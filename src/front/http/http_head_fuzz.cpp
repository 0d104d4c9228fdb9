// Fuzz target: the head of a request. The parser agrees with a literal reading of the RFC about what is accepted and
// what it says, and a head that comes in pieces is read as the whole one. The first byte is the size of the pieces.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "front/http/head.h"
#include "front/http/test_framing.h"

namespace brume::http {
namespace {

void check_whole(std::string_view bytes, const HeadResult& whole, const RequestHead& head) {
  if (whole.state == HeadResult::State::incomplete) return;
  const bool ended = bytes.substr(bytes.starts_with("\r\n") ? 2 : 0).find("\r\n\r\n") != std::string_view::npos;
  if (!ended) BRUME_CHECK(whole.state == HeadResult::State::refused);  // early, so that nobody waits
  if (!ended) return;
  const auto expected = reference::head(std::string(bytes));
  BRUME_CHECK((whole.state == HeadResult::State::complete) == expected.has_value());
  if (!expected) {
    BRUME_CHECK(whole.problem.status >= 400 && whole.problem.status < 600 && !whole.problem.message.empty());
    return;
  }
  BRUME_CHECK(whole.size == expected->head_bytes);
  BRUME_CHECK(head.method == expected->method && head.path == expected->path && head.query == expected->query);
  BRUME_CHECK(head.host == expected->host && head.headers == expected->headers);
  BRUME_CHECK(head.content_length == expected->length && head.chunked == expected->chunked);
  BRUME_CHECK(head.keep_alive == expected->keep_alive && head.upgrade == expected->upgrade);
  for (const auto& [name, value] : head.headers) BRUME_CHECK(head.has_header(name) && head.header(name).size() < 5000);
}

// Pieces may be refused earlier than the whole, never accepted differently.
void check_pieces(std::string_view bytes, std::size_t piece, const HeadLimits& limits, const HeadResult& whole) {
  RequestHead head;
  std::size_t searched = 0;
  for (std::size_t size = piece; searched < bytes.size(); size += piece) {
    const std::string_view seen = bytes.substr(0, size);
    const HeadResult part = parse_head(seen, searched, limits, head);
    searched = seen.size();
    if (part.state == HeadResult::State::incomplete) continue;
    if (part.state == HeadResult::State::complete)
      BRUME_CHECK(whole.state == HeadResult::State::complete && part.size == whole.size);
    return;
  }
  BRUME_CHECK(whole.state == HeadResult::State::incomplete);
}

}  // namespace
}  // namespace brume::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::http;
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The agreement is about grammar: with limits that no input reaches. Small limits are for the pieces.
  RequestHead head;
  check_whole(bytes, parse_head(bytes, 0, HeadLimits{.headers = 5000}, head), head);
  const HeadLimits small{.head_bytes = 300, .target_bytes = 100, .headers = 8};
  const HeadResult limited = parse_head(bytes, 0, small, head);
  if (limited.state == HeadResult::State::complete)
    BRUME_CHECK(limited.size <= small.head_bytes + 2 && head.headers.size() <= small.headers);
  check_pieces(bytes, 1 + data[0] % 32U, small, limited);
  return 0;
}
