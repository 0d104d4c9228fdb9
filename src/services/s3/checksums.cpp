#include "services/s3/checksums.h"

namespace brume::s3 {
namespace {

std::string header_name(std::string_view algorithm) { return "x-amz-checksum-" + to_lower(algorithm); }

}  // namespace

void checksum_detail::throw_unserved(const char* algorithm) {
  throw AwsError("NotImplemented", std::string("Brume does not serve the checksum algorithm ") + algorithm + ".", 501);
}

DigestKind digest_kind(std::string_view algorithm) {
  if (algorithm == "CRC32") return DigestKind::crc32;
  if (algorithm == "CRC32C") return DigestKind::crc32c;
  if (algorithm == "CRC64NVME") return DigestKind::crc64nvme;
  if (algorithm == "SHA1") return DigestKind::sha1;
  if (algorithm == "SHA256") return DigestKind::sha256;
  for (const char* unserved : {"SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"}) {
    if (algorithm == unserved) checksum_detail::throw_unserved(unserved);
  }
  throw AwsError("InvalidRequest",
                 "Checksum algorithm provided is unsupported. Please try again with any of the valid "
                 "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

bool is_crc(std::string_view algorithm) { return algorithm.starts_with("CRC"); }

std::size_t digest_size(DigestKind kind) {
  switch (kind) {
    case DigestKind::md5:
      return 16;
    case DigestKind::sha1:
      return 20;
    case DigestKind::sha256:
      return 32;
    case DigestKind::crc64nvme:
      return 8;
    case DigestKind::crc32:
    case DigestKind::crc32c:
      break;
  }
  return 4;
}

const std::string& received_digest(const Body& body, DigestKind kind) {
  switch (kind) {
    case DigestKind::md5:
      return body.md5;
    case DigestKind::sha1:
      return body.sha1;
    case DigestKind::sha256:
      return body.sha256;
    case DigestKind::crc32:
      return body.crc32;
    case DigestKind::crc32c:
      return body.crc32c;
    case DigestKind::crc64nvme:
      break;
  }
  return body.crc64nvme;
}

std::string multipart_checksum_type(std::string_view algorithm, const opt<std::string>& asked) {
  const bool sha = !is_crc(algorithm);
  const bool only_full = algorithm == "CRC64NVME";
  const std::string type = asked ? *asked : (only_full ? kFullObject : kComposite);
  if ((sha && type == kFullObject) || (only_full && type == kComposite)) {
    throw AwsError("InvalidRequest", "The " + type + " checksum type cannot be used with the " + to_lower(algorithm) +
                                         " checksum algorithm.");
  }
  return type;
}

ClaimedChecksum checksum_detail::choose(const std::vector<std::pair<const char*, const opt<std::string>*>>& members) {
  ClaimedChecksum claimed;
  for (const auto& [algorithm, value] : members) {
    if (!value->has_value()) continue;
    if (!claimed.algorithm.empty()) {
      throw AwsError("InvalidRequest",
                     "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    claimed = {algorithm, **value};
  }
  return claimed;
}

void verify_claim(const ClaimedChecksum& claimed, std::string_view digest) {
  if (claimed.value.empty()) return;
  const std::optional<std::string> bytes = from_base64(claimed.value);
  if (!bytes || bytes->size() != digest_size(digest_kind(claimed.algorithm))) {
    throw AwsError("InvalidRequest", "Value for " + header_name(claimed.algorithm) + " header is invalid.");
  }
  if (*bytes != digest) {
    throw AwsError("BadDigest", "The " + claimed.algorithm + " you specified did not match the calculated checksum.");
  }
}

void verify_content_md5(const opt<std::string>& claimed, const Body& body) {
  if (!claimed) return;
  const std::optional<std::string> bytes = from_base64(*claimed);
  if (!bytes || bytes->size() != digest_size(DigestKind::md5)) {
    throw AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.").with("Content-MD5", *claimed);
  }
  if (*bytes != body.md5) {
    throw AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
        .with("ExpectedDigest", to_hex(*bytes))
        .with("CalculatedDigest", to_base64(body.md5));
  }
}

}  // namespace brume::s3
