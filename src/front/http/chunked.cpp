#include "front/http/chunked.h"

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "front/http/head.h"

namespace brume::http {
namespace {

constexpr std::size_t kLineLimit = 4096;  // a size with its extensions, or one trailer
constexpr std::size_t kTrailerLimit = 16 * 1024;

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::fail(std::string problem) {
  where_ = Where::failed;
  problem_ = std::move(problem);
  return {.state = State::refused};
}

// "1a2B" or "1a2b;name=value". Sizes of more than 15 digits cannot be real and would overflow.
bool ChunkedDecoder::read_size_line() {
  const std::string_view digits = std::string_view(line_).substr(0, line_.find(';'));
  if (digits.empty() || digits.size() > 15) return false;
  left_ = 0;
  for (const char c : digits) {
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<std::uint64_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<std::uint64_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<std::uint64_t>(c - 'A' + 10);
    else
      return false;
    left_ = left_ * 16 + digit;
  }
  if (!is_header_value(line_)) return false;
  where_ = left_ == 0 ? Where::trailer : Where::data;
  return true;
}

bool ChunkedDecoder::read_trailer_line() {
  if (line_.empty()) {
    where_ = Where::finished;
    return true;
  }
  const std::size_t colon = line_.find(':');
  if (colon == std::string::npos || !is_token(std::string_view(line_).substr(0, colon))) return false;
  const std::string_view value = std::string_view(line_).substr(colon + 1);
  if (!is_header_value(value)) return false;  // before it is trimmed: only spaces and tabs may surround it
  trailers_.emplace_back(line_.substr(0, colon), trim(value));
  return true;
}

bool ChunkedDecoder::end_line() {
  if (where_ == Where::size) return read_size_line();
  if (where_ == Where::trailer) return read_trailer_line();
  where_ = Where::size;  // the CRLF behind a chunk's data
  return true;
}

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && where_ != Where::finished && where_ != Where::failed) {
    const std::string_view rest = input.substr(step.consumed);
    if (where_ == Where::data) {
      const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      step.data = rest.substr(0, size);
      step.consumed += size;
      left_ -= size;
      if (left_ == 0) where_ = Where::data_end;
      return step;
    }
    // Everything else is lines. A line is kept without its CRLF; a carriage return stays at its end until the line feed
    // has come.
    const char c = rest.front();
    ++step.consumed;
    if (c != '\n') {
      if (!line_.empty() && line_.back() == '\r') return fail("A chunk has a bare carriage return.");
      if (where_ == Where::data_end && c != '\r') return fail("A chunk is longer than its size says.");
      if (where_ == Where::trailer && ++trailer_bytes_ > kTrailerLimit) return fail("The trailers are too large.");
      if (line_.size() >= kLineLimit) return fail("A chunk's size line or trailer is too long.");
      line_.push_back(c);
      continue;
    }
    if (line_.empty() || line_.back() != '\r') return fail("A chunk has a bare line feed.");
    line_.pop_back();
    if (!end_line()) return fail(where_ == Where::trailer ? "A trailer is malformed." : "A chunk's size is malformed.");
    line_.clear();
  }
  if (where_ == Where::finished) step.state = State::done;
  if (where_ == Where::failed) step.state = State::refused;
  return step;
}

}  // namespace brume::http
