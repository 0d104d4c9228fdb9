#include "front/dispatch/integrity.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/text.h"

namespace brume::front {
namespace {

using sigv4::Payload;

struct Algorithm {
  DigestKind kind;
  std::string_view name;  // in messages and in x-amz-sdk-checksum-algorithm
  std::string_view header;
  std::string Body::* value;
};
constexpr std::array kAlgorithms = std::to_array<Algorithm>({
    {DigestKind::crc32, "CRC32", "x-amz-checksum-crc32", &Body::crc32},
    {DigestKind::crc32c, "CRC32C", "x-amz-checksum-crc32c", &Body::crc32c},
    {DigestKind::crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", &Body::crc64nvme},
    {DigestKind::sha1, "SHA1", "x-amz-checksum-sha1", &Body::sha1},
    {DigestKind::sha256, "SHA256", "x-amz-checksum-sha256", &Body::sha256},
});

// The checksum headers of other operations speak of an object, not of the request's body (CompleteMultipartUpload).
bool checksums_cover_body(const model::Operation& operation) {
  return operation.streaming_input || operation.checksum.request_required ||
         !operation.checksum.request_algorithm_member.empty();
}

bool names_trailer(const Headers& headers, std::string_view name) {
  for (const std::string_view trailer : split(header_of(headers, "x-amz-trailer"), ','))
    if (equals_ignoring_case(trim(trailer), name)) return true;
  return false;
}

std::optional<AwsError> check_md5(std::string_view text, const Body& body) {
  if (text.empty()) return std::nullopt;
  const auto value = from_base64(text);
  if (!value || value->size() != 16) return AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.");
  if (*value == body.md5) return std::nullopt;
  return AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
      .with("ExpectedDigest", std::string(text))
      .with("CalculatedDigest", to_base64(body.md5));
}

std::optional<AwsError> check_checksum(const Algorithm& algorithm, std::string_view text, const Body& body) {
  if (text.empty()) return std::nullopt;
  const std::string& computed = body.*algorithm.value;
  const auto value = from_base64(text);
  if (!value || value->size() != computed.size())
    return AwsError("InvalidRequest", "Value for " + std::string(algorithm.header) + " header is invalid.");
  if (*value == computed) return std::nullopt;
  return AwsError("BadDigest",
                  "The " + std::string(algorithm.name) + " you specified did not match the calculated checksum.");
}

bool is_chunked(const Payload& payload) {
  return payload.kind == Payload::Kind::signed_chunks || payload.kind == Payload::Kind::unsigned_chunks;
}

}  // namespace

std::vector<DigestKind> digests_for(const model::Operation& operation, const Headers& headers) {
  std::vector<DigestKind> kinds = {DigestKind::md5, DigestKind::sha256};
  const std::string_view named = header_of(headers, "x-amz-sdk-checksum-algorithm");
  bool any = false;
  for (const Algorithm& algorithm : kAlgorithms) {
    const bool asked = equals_ignoring_case(named, algorithm.name) || names_trailer(headers, algorithm.header) ||
                       !header_of(headers, algorithm.header).empty();
    any = any || asked;
    if (asked && algorithm.kind != DigestKind::sha256) kinds.push_back(algorithm.kind);
  }
  if (!any && operation.streaming_input) kinds.push_back(DigestKind::crc64nvme);
  return kinds;
}

std::optional<AwsError> check_body(const model::Operation& operation, const Headers& headers, const Payload& payload,
                                   const http::ReceivedBody& received) {
  const Body& body = received.body;
  if (payload.kind == Payload::Kind::declared_hash && payload.text != to_hex(body.sha256))
    return AwsError("XAmzContentSHA256Mismatch",
                    "The provided 'x-amz-content-sha256' header does not match what was computed.")
        .with("ClientComputedContentSHA256", payload.text)
        .with("S3ComputedContentSHA256", to_hex(body.sha256));
  if (auto wrong = check_md5(header_of(headers, "content-md5"), body)) return wrong;
  if (!checksums_cover_body(operation)) return std::nullopt;
  bool any = !header_of(headers, "content-md5").empty();
  for (const Algorithm& algorithm : kAlgorithms) {
    const std::string_view in_header = header_of(headers, algorithm.header);
    const std::string_view in_trailer = header_of(received.trailers, algorithm.header);
    any = any || !in_header.empty() || !in_trailer.empty();
    if (auto wrong = check_checksum(algorithm, in_header, body)) return wrong;
    if (auto wrong = check_checksum(algorithm, in_trailer, body)) return wrong;
  }
  if (!any && operation.checksum.request_required)
    return AwsError("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  return std::nullopt;
}

ChunkPlan chunk_plan(const Headers& headers, const Payload& payload, std::unique_ptr<http::ChunkVerifier> verifier) {
  if (!is_chunked(payload)) return {};
  std::int64_t length = 0;
  if (!parse_int(header_of(headers, "x-amz-decoded-content-length"), length) || length < 0)
    return {.error = AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)};
  ChunkPlan result;
  result.plan.emplace();
  if (payload.kind == Payload::Kind::signed_chunks) result.plan->verifier = std::move(verifier);
  result.plan->has_trailers = payload.trailers;
  result.plan->trailer_names = header_of(headers, "x-amz-trailer");
  result.plan->decoded_length = static_cast<std::uint64_t>(length);
  return result;
}

Headers decoded_headers(const Headers& headers, const Payload& payload, const http::ReceivedBody& received) {
  Headers decoded;
  for (const auto& [name, value] : headers) {
    if (equals_ignoring_case(name, "content-length")) {
      decoded.emplace_back(name, std::to_string(received.body.size));
    } else if (equals_ignoring_case(name, "content-encoding") && is_chunked(payload)) {
      std::vector<std::string> kept;
      for (const std::string_view coding : split(value, ','))
        if (!equals_ignoring_case(trim(coding), "aws-chunked")) kept.emplace_back(trim(coding));
      if (!kept.empty()) decoded.emplace_back(name, join(kept, ", "));
    } else {
      decoded.emplace_back(name, value);
    }
  }
  for (const auto& trailer : received.trailers)
    if (to_lower(trailer.first).starts_with("x-amz-checksum-")) decoded.push_back(trailer);
  return decoded;
}

}  // namespace brume::front
