// Where a request's body goes while it arrives: memory up to a limit, then a file of the spool directory, with the
// digests computed on the way. One request's; one thread at a time (the spool pool's for large bodies).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/error.h"
#include "core/file_body.h"
#include "front/http/aws_chunked.h"
#include "front/http/form_data.h"

namespace brume::http {

// How a body is to be received.
struct BodyPlan {
  std::uint64_t limit = 1 << 20;           // bytes of the decoded body: else 413
  std::uint64_t memory_limit = 64 * 1024;  // more goes to a file; not below `limit`: never
  std::vector<DigestKind> digests;         // what Body is to carry
  std::optional<AwsChunkedDecoder::Plan> aws_chunked;
  std::optional<FormPlan> form;  // a browser's form: the body is its file
};

struct ReceivedBody {
  Body body;
  Headers trailers;  // of aws-chunked, else of the chunked transfer coding
};

class BodySink {
 public:
  // `spool_path` is the file to make when memory does not suffice.
  BodySink(BodyPlan plan, std::string spool_path);
  BodySink(const BodySink&) = delete;
  BodySink& operator=(const BodySink&) = delete;
  ~BodySink();

  // A returned error is final: the rest of the body is of no use.
  std::optional<AwsError> consume(std::string_view bytes);
  std::expected<ReceivedBody, AwsError> finish();
  std::size_t held() const { return received_.body.bytes.capacity() + decoded_.capacity(); }  // bytes in memory

 private:
  std::optional<AwsError> store(std::string_view bytes);
  std::optional<AwsError> write_file(std::string_view bytes);

  BodyPlan plan_;
  std::string spool_path_;
  std::vector<std::pair<DigestKind, Digest>> digests_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::optional<FormDecoder> form_;
  std::string decoded_;  // what the decoder gave for one piece
  int fd_ = -1;
  ReceivedBody received_;
};

AwsError body_too_large(std::uint64_t limit);

}  // namespace brume::http
