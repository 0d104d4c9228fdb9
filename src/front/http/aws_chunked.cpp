#include "front/http/aws_chunked.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/text.h"
#include "front/http/head.h"

namespace brume::http {
namespace {

constexpr std::size_t kLineLimit = 4096;
constexpr std::size_t kTrailerLimit = 16 * 1024;
constexpr std::uint64_t kSmallestChunk = 8192;

AwsError incomplete_body() {
  return {"IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header", 400};
}
AwsError malformed_chunk() { return {"InvalidRequest", "The chunk encoding of the request's body is malformed.", 400}; }
AwsError malformed_trailer() {
  return {"MalformedTrailerError",
          "The request contained trailing data that was not well-formed or did not conform to our published schema.",
          400};
}
AwsError wrong_signature() {
  return {"SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check your key and signing "
          "method.",
          403};
}

}  // namespace

// "10000;chunk-signature=HEX", or just the size when chunks are unsigned.
std::optional<AwsError> AwsChunkedDecoder::read_size_line() {
  const std::string_view line = line_;
  const std::size_t semicolon = line.find(';');
  const std::string_view digits = line.substr(0, semicolon);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), chunk_size_, 16);
  if (digits.empty() || digits.size() > 12 || error != std::errc() || end != digits.data() + digits.size())
    return malformed_chunk();
  chunk_signature_.clear();
  if (semicolon != std::string_view::npos) {
    constexpr std::string_view kName = "chunk-signature=";
    const std::string_view extension = line.substr(semicolon + 1);
    if (!extension.starts_with(kName)) return malformed_chunk();
    chunk_signature_ = extension.substr(kName.size());
  }
  if (plan_.verifier != nullptr && chunk_signature_.empty()) return malformed_chunk();
  if (chunk_size_ > plan_.decoded_length - decoded_) return incomplete_body();
  // "Only the last chunk is allowed to have a size less than 8192 bytes"; the empty one that ends the body is none.
  if (plan_.verifier != nullptr && chunk_size_ > 0) {
    if (small_chunk_seen_)
      return AwsError("InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes",
                      403);
    small_chunk_seen_ = chunk_size_ < kSmallestChunk;
  }
  if (plan_.verifier != nullptr) chunk_digest_.emplace(DigestKind::sha256);
  left_ = chunk_size_;
  where_ = Where::data;
  // The last chunk has no data; trailers follow it at once, without its CRLF.
  if (chunk_size_ == 0) {
    if (auto failed = end_chunk()) return failed;
    where_ = Where::trailer;
  }
  return std::nullopt;
}

std::optional<AwsError> AwsChunkedDecoder::end_chunk() {
  if (plan_.verifier != nullptr && !plan_.verifier->verify_chunk(chunk_digest_->finish(), chunk_signature_))
    return wrong_signature();
  where_ = Where::data_end;
  return std::nullopt;
}

std::optional<AwsError> AwsChunkedDecoder::read_trailer_line() {
  if (line_.empty()) {
    // AWS's own example has an empty line before the signature, SDKs send none there.
    const bool signature_follows = plan_.verifier != nullptr && plan_.has_trailers && trailer_signature_.empty();
    return signature_follows ? std::nullopt : end_trailers();
  }
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (!plan_.has_trailers || colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return malformed_trailer();
  const std::string name = to_lower(line.substr(0, colon));
  if (!is_header_value(line.substr(colon + 1))) return malformed_trailer();  // as sent: only blanks are trimmed
  const std::string_view value = trim(line.substr(colon + 1));
  if (name == "x-amz-trailer-signature") {
    trailer_signature_ = value;
    return std::nullopt;
  }
  bool announced = false;
  for (const std::string_view allowed : split(plan_.trailer_names, ','))
    announced = announced || equals_ignoring_case(trim(allowed), name);
  if (!announced || !header_of(trailers_, name).empty()) return malformed_trailer();
  trailers_.emplace_back(name, value);
  return std::nullopt;
}

std::optional<AwsError> AwsChunkedDecoder::end_trailers() {
  where_ = Where::finished;
  for (const std::string_view name : split(plan_.trailer_names, ','))
    if (plan_.has_trailers && !trim(name).empty() && header_of(trailers_, trim(name)).empty())
      return malformed_trailer();
  if (plan_.verifier == nullptr || !plan_.has_trailers) return std::nullopt;
  Headers sorted = trailers_;
  std::sort(sorted.begin(), sorted.end());
  std::string canonical;
  for (const auto& [name, value] : sorted) canonical += name + ":" + value + "\n";
  if (!plan_.verifier->verify_trailers(canonical, trailer_signature_)) return wrong_signature();
  return std::nullopt;
}

std::optional<AwsError> AwsChunkedDecoder::end_line() {
  if (where_ == Where::size) return read_size_line();
  if (where_ == Where::trailer) return read_trailer_line();
  if (!line_.empty()) return malformed_chunk();
  where_ = Where::size;
  return std::nullopt;
}

std::optional<AwsError> AwsChunkedDecoder::feed(std::string_view input, std::string& out) {
  while (!input.empty()) {
    if (where_ == Where::finished) {
      // SDKs differ in how many empty lines they put behind the trailers.
      if (input.front() != '\r' && input.front() != '\n') return malformed_trailer();
      input.remove_prefix(1);
      continue;
    }
    if (where_ == Where::data) {
      const std::string_view data =
          input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
      input.remove_prefix(data.size());
      out.append(data);
      if (chunk_digest_) chunk_digest_->update(data);
      left_ -= data.size();
      decoded_ += data.size();
      if (left_ == 0)
        if (auto failed = end_chunk()) return failed;
      continue;
    }
    const char c = input.front();
    input.remove_prefix(1);
    const bool in_trailer = where_ == Where::trailer;
    if (c != '\n') {
      if (line_.size() >= kLineLimit || (in_trailer && ++trailer_bytes_ > kTrailerLimit)) return malformed_chunk();
      line_.push_back(c);
      continue;
    }
    // The trailer part ends its lines with "\n\r\n" in some SDKs ("… Including Trailing Headers" shows it so).
    if (!line_.empty() && line_.back() == '\r')
      line_.pop_back();
    else if (!in_trailer)
      return malformed_chunk();
    if (auto failed = end_line()) return failed;
    line_.clear();
  }
  return std::nullopt;
}

std::optional<AwsError> AwsChunkedDecoder::finish() const {
  // The last chunk may end the body: without trailers its empty line is optional.
  const bool ended = where_ == Where::finished || (where_ == Where::trailer && !plan_.has_trailers && line_.empty());
  if (!ended || decoded_ != plan_.decoded_length) return incomplete_body();
  return std::nullopt;
}

}  // namespace brume::http
