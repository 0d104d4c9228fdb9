// The checksum algorithms of "Checking object integrity in Amazon S3": which one a request names, whether it fits, and
// how it is shown. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/error.h"
#include "core/file_body.h"
#include "core/text.h"
#include "services/s3/records.h"

namespace brume::s3 {

inline constexpr const char* kFullObject = "FULL_OBJECT";
inline constexpr const char* kComposite = "COMPOSITE";
// What S3 computes when the client names none.
inline constexpr const char* kDefaultAlgorithm = "CRC64NVME";

// Throws NotImplemented for AWS's other algorithms, InvalidRequest for what is none.
DigestKind digest_kind(std::string_view algorithm);
bool is_crc(std::string_view algorithm);
std::size_t digest_size(DigestKind kind);

// The digest that was computed while the body arrived; empty: it was not.
const std::string& received_digest(const Body& body, DigestKind kind);

// FULL_OBJECT or COMPOSITE for an upload in parts. Throws InvalidRequest for a pair that S3 does not have.
std::string multipart_checksum_type(std::string_view algorithm, const opt<std::string>& asked);

struct ClaimedChecksum {
  std::string algorithm;
  std::string value;  // base64 as given; empty: the algorithm only
};

namespace checksum_detail {
ClaimedChecksum choose(const std::vector<std::pair<const char*, const opt<std::string>*>>& members);
[[noreturn]] void throw_unserved(const char* algorithm);
}  // namespace checksum_detail

// The checksum member that a shape has filled in, if any. Throws InvalidRequest for more than one.
template <class Shape>
ClaimedChecksum claimed_checksum(const Shape& shape) {
  if (shape.checksum_sha512) checksum_detail::throw_unserved("SHA512");
  if (shape.checksum_md5) checksum_detail::throw_unserved("MD5");
  if (shape.checksum_xxhash64) checksum_detail::throw_unserved("XXHASH64");
  if (shape.checksum_xxhash3) checksum_detail::throw_unserved("XXHASH3");
  if (shape.checksum_xxhash128) checksum_detail::throw_unserved("XXHASH128");
  return checksum_detail::choose({{"CRC32", &shape.checksum_crc32},
                                  {"CRC32C", &shape.checksum_crc32c},
                                  {"CRC64NVME", &shape.checksum_crc64_nvme},
                                  {"SHA1", &shape.checksum_sha1},
                                  {"SHA256", &shape.checksum_sha256}});
}

// What a body's request claims: a header, else x-amz-sdk-checksum-algorithm, else what the front computed for a
// trailer; an empty algorithm: nothing.
template <class Input>
ClaimedChecksum claimed_for_body(const Input& input, const Body& body) {
  ClaimedChecksum claimed = claimed_checksum(input);
  if (!claimed.algorithm.empty()) return claimed;
  if (input.checksum_algorithm) return {*input.checksum_algorithm, {}};
  if (!body.crc32.empty()) return {"CRC32", {}};
  if (!body.crc32c.empty()) return {"CRC32C", {}};
  if (!body.crc64nvme.empty()) return {"CRC64NVME", {}};
  if (!body.sha1.empty()) return {"SHA1", {}};
  return {};
}

// Throws BadDigest when the claimed value is not the raw digest's.
void verify_claim(const ClaimedChecksum& claimed, std::string_view digest);
// Content-MD5: InvalidDigest, BadDigest.
void verify_content_md5(const opt<std::string>& claimed, const Body& body);

// Fills the member of the checksum's algorithm.
template <class Shape>
void show_checksum_value(Shape& shape, std::string_view algorithm, const std::string& value) {
  if (algorithm == "CRC32") shape.checksum_crc32 = value;
  if (algorithm == "CRC32C") shape.checksum_crc32c = value;
  if (algorithm == "CRC64NVME") shape.checksum_crc64_nvme = value;
  if (algorithm == "SHA1") shape.checksum_sha1 = value;
  if (algorithm == "SHA256") shape.checksum_sha256 = value;
}
template <class Shape>
void show_checksum(Shape& shape, const StoredChecksum& checksum) {
  if (checksum.value.empty()) return;
  show_checksum_value(shape, checksum.algorithm, checksum.value);
  shape.checksum_type = checksum.type;
}

}  // namespace brume::s3
