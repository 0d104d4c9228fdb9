#include "core/digest.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "core/text.h"

namespace brume {
namespace {

constexpr DigestKind kCrcs[] = {DigestKind::crc32, DigestKind::crc32c, DigestKind::crc64nvme};

std::string some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  seeded_random(size)->fill(bytes.data(), bytes.size());
  return bytes;
}

TEST(Digest, MatchesTheCatalogueOfCrcs) {
  EXPECT_EQ(to_hex(digest_of(DigestKind::crc32, "123456789")), "cbf43926");
  EXPECT_EQ(to_hex(digest_of(DigestKind::crc32c, "123456789")), "e3069283");
  EXPECT_EQ(to_hex(digest_of(DigestKind::crc64nvme, "123456789")), "ae8b14860a799888");
}

TEST(Digest, PiecesMakeTheWhole) {
  const std::string bytes = some_bytes(1000);
  for (const DigestKind kind : {DigestKind::md5, DigestKind::sha1, DigestKind::sha256, DigestKind::crc32,
                                DigestKind::crc32c, DigestKind::crc64nvme}) {
    Digest digest(kind);
    for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, ++size) {
      digest.update(std::string_view(bytes).substr(at, size));
    }
    EXPECT_EQ(digest.finish(), digest_of(kind, bytes));
  }
}

TEST(Digest, CombinesCrcs) {
  const std::string bytes = some_bytes(5000);
  for (const DigestKind kind : kCrcs) {
    for (const std::size_t cut : {0U, 1U, 8U, 2500U, 4999U, 5000U}) {
      const std::string_view first = std::string_view(bytes).substr(0, cut);
      const std::string_view second = std::string_view(bytes).substr(cut);
      EXPECT_EQ(combine_crc(kind, digest_of(kind, first), digest_of(kind, second), second.size()),
                digest_of(kind, bytes));
    }
  }
}

}  // namespace
}  // namespace brume
