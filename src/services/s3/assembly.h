// How parts become an object: "Completing a multipart upload" (CompleteMultipartUpload). Pure functions, run on a
// worker.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/s3/records.h"

namespace brume::s3 {

inline constexpr std::uint64_t kSmallestPart = 5ULL << 20;  // but for the last

struct Assembly {
  std::vector<std::pair<std::int64_t, PartRecord>> parts;  // those named, in order
  std::uint64_t size = 0;
  std::string etag;
  StoredChecksum checksum;
};
// Throws InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest, BadDigest.
Assembly assemble(const UploadRecord& upload, const std::map<std::int64_t, PartRecord>& present,
                  const CompleteMultipartUploadInput& input);

}  // namespace brume::s3
