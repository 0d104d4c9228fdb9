// Decoder of S3's aws-chunked content encoding: "Signature Calculations for the Authorization Header: Transferring
// Payload in Multiple Chunks" and "… Including Trailing Headers". Every chunk's signature is checked as it ends; what
// was already handed on is thrown away by the caller when one fails. One request's, one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/http.h"
#include "core/digest.h"
#include "core/error.h"

namespace brume::http {

// Checks the chain of signatures that the request's own signature starts. Implemented by sigv4.
class ChunkVerifier {
 public:
  virtual ~ChunkVerifier() = default;
  // `signature` is what came with the chunk, in hex.
  virtual bool verify_chunk(std::string_view data_sha256, std::string_view signature) = 0;
  // `canonical_trailers` is "name:value\n" for each trailer.
  virtual bool verify_trailers(std::string_view canonical_trailers, std::string_view signature) = 0;
};

class AwsChunkedDecoder {
 public:
  struct Plan {
    std::unique_ptr<ChunkVerifier> verifier;  // null: chunks are unsigned (STREAMING-UNSIGNED-PAYLOAD-TRAILER)
    bool has_trailers = false;
    std::string trailer_names;         // x-amz-trailer as sent: which trailers may come
    std::uint64_t decoded_length = 0;  // x-amz-decoded-content-length
  };
  explicit AwsChunkedDecoder(Plan plan) : plan_(std::move(plan)) {}

  // Appends what `input` decodes to. A returned error ends the request.
  std::optional<AwsError> feed(std::string_view input, std::string& out);
  // The input has ended.
  std::optional<AwsError> finish() const;
  // Without the signature of the trailers.
  const Headers& trailers() const { return trailers_; }

 private:
  enum class Where { size, data, data_end, trailer, finished };
  std::optional<AwsError> end_line();
  std::optional<AwsError> read_size_line();
  std::optional<AwsError> end_chunk();
  std::optional<AwsError> read_trailer_line();
  std::optional<AwsError> end_trailers();

  Plan plan_;
  Where where_ = Where::size;
  std::string line_;
  std::uint64_t chunk_size_ = 0, left_ = 0, decoded_ = 0;
  std::string chunk_signature_, trailer_signature_;
  std::optional<Digest> chunk_digest_;
  bool small_chunk_seen_ = false;
  std::size_t trailer_bytes_ = 0;
  Headers trailers_;
};

}  // namespace brume::http
