// Whether a received body is what the request says it is: x-amz-content-sha256, Content-MD5 and the x-amz-checksum-
// headers and trailers of "Checking object integrity" (S3 user guide). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/http.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/model.h"
#include "front/http/body_sink.h"
#include "front/sigv4/verify.h"

namespace brume::front {

// What to compute while the body arrives: MD5, SHA-256 and what the request names. An upload that names nothing gets
// CRC-64/NVME, as S3 adds it by itself.
std::vector<DigestKind> digests_for(const model::Operation& operation, const Headers& headers);

// nullopt: it is. `headers` are the request's.
std::optional<AwsError> check_body(const model::Operation& operation, const Headers& headers,
                                   const sigv4::Payload& payload, const http::ReceivedBody& received);

// How an aws-chunked body is decoded; nullopt: it is none. An error when the headers do not suffice.
struct ChunkPlan {
  std::optional<http::AwsChunkedDecoder::Plan> plan;
  std::optional<AwsError> error;
};
ChunkPlan chunk_plan(const Headers& headers, const sigv4::Payload& payload,
                     std::unique_ptr<http::ChunkVerifier> verifier);

// The headers as the service is to see them: without the aws-chunked encoding, with the real length and the trailers.
Headers decoded_headers(const Headers& headers, const sigv4::Payload& payload, const http::ReceivedBody& received);

}  // namespace brume::front
