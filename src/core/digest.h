// Streaming digests: feed bytes in pieces, take the raw digest once. A value; use it on one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace brume {

enum class DigestKind { md5, sha1, sha256, crc32, crc32c, crc64nvme };

class Digest {
 public:
  explicit Digest(DigestKind kind);
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void update(std::string_view bytes);
  // The raw bytes, big-endian for the CRCs as S3 encodes them. Ends the digest.
  std::string finish();

 private:
  struct Hash;
  std::unique_ptr<Hash> hash_;  // of md5, sha1 and sha256
  std::uint64_t crc_ = 0;
  DigestKind kind_;
};

std::string digest_of(DigestKind kind, std::string_view bytes);

// The CRC of a concatenation from the raw CRCs of its two pieces and the second one's length in bytes.
std::string combine_crc(DigestKind kind, std::string_view first, std::string_view second, std::uint64_t second_size);

}  // namespace brume
