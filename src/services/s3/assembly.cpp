#include "services/s3/assembly.h"

#include "core/error.h"
#include "core/text.h"
#include "services/s3/checksums.h"

namespace brume::s3 {
namespace {

AwsError invalid_part(const UploadRecord& upload, std::int64_t number, const std::string& etag) {
  return AwsError("InvalidPart",
                  "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                  "specified entity tag may not match the part's entity tag.")
      .with("UploadId", upload.upload_id)
      .with("PartNumber", std::to_string(number))
      .with("ETag", etag);
}

std::string bare(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

// "The complete request must include the checksum for each part" of an upload with a composite checksum.
void check_part_checksum(const UploadRecord& upload, const CompletedPart& named, const PartRecord& part) {
  const ClaimedChecksum claimed = claimed_checksum(named);
  const std::int64_t number = named.part_number.get();
  if (claimed.algorithm.empty()) {
    if (!upload.checksum_chosen || upload.checksum_type != kComposite) return;
    throw AwsError("InvalidRequest", "The upload was created using a " + to_lower(upload.checksum_algorithm) +
                                         " checksum. The complete request must include the checksum for each part. It "
                                         "was missing for part " +
                                         std::to_string(number) + " in the request.");
  }
  if (claimed.algorithm == upload.checksum_algorithm && claimed.value != to_base64(part.checksum)) {
    throw invalid_part(upload, number, named.e_tag.get());
  }
}

const PartRecord& find_part(const UploadRecord& upload, const std::map<std::int64_t, PartRecord>& present,
                            const CompletedPart& named) {
  const auto found = present.find(named.part_number.get());
  if (found == present.end() || to_hex(found->second.md5) != bare(named.e_tag.get())) {
    throw invalid_part(upload, named.part_number.get(), named.e_tag.get());
  }
  check_part_checksum(upload, named, found->second);
  return found->second;
}

void check_sizes(const Assembly& assembly) {
  for (std::size_t i = 0; i + 1 < assembly.parts.size(); ++i) {
    const auto& [number, part] = assembly.parts[i];
    if (part.size >= kSmallestPart) continue;
    throw AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        .with("ProposedSize", std::to_string(part.size))
        .with("MinSizeAllowed", std::to_string(kSmallestPart))
        .with("PartNumber", std::to_string(number))
        .with("ETag", to_hex(part.md5));
  }
}

StoredChecksum checksum_of(const UploadRecord& upload, const Assembly& assembly) {
  const DigestKind kind = digest_kind(upload.checksum_algorithm);
  StoredChecksum checksum{upload.checksum_algorithm, {}, upload.checksum_type};
  if (upload.checksum_type == kFullObject) {
    std::string whole = digest_of(kind, {});
    for (const auto& [number, part] : assembly.parts) whole = combine_crc(kind, whole, part.checksum, part.size);
    checksum.value = to_base64(whole);
    return checksum;
  }
  std::string all;
  for (const auto& [number, part] : assembly.parts) all += part.checksum;
  checksum.value = to_base64(digest_of(kind, all)) + "-" + std::to_string(assembly.parts.size());
  return checksum;
}

// What the client says of the whole object.
void check_claims(const CompleteMultipartUploadInput& input, const Assembly& assembly) {
  if (input.mpu_object_size && static_cast<std::uint64_t>(*input.mpu_object_size) != assembly.size) {
    throw AwsError("InvalidRequest", "The provided 'x-amz-mp-object-size' header value " +
                                         std::to_string(*input.mpu_object_size) +
                                         " does not match what was computed: " + std::to_string(assembly.size));
  }
  const ClaimedChecksum claimed = claimed_checksum(input);
  if (claimed.algorithm.empty() || claimed.algorithm != assembly.checksum.algorithm) return;
  if (claimed.value != assembly.checksum.value) {
    throw AwsError("BadDigest", "The " + claimed.algorithm + " you specified did not match the calculated checksum.");
  }
}

}  // namespace

Assembly assemble(const UploadRecord& upload, const std::map<std::int64_t, PartRecord>& present,
                  const CompleteMultipartUploadInput& input) {
  const std::vector<CompletedPart>& named = input.multipart_upload.get().parts.get();
  if (named.empty()) {
    throw AwsError("MalformedXML",
                   "The XML you provided was not well-formed or did not validate against our published schema");
  }
  if (input.checksum_type && upload.checksum_chosen && *input.checksum_type != upload.checksum_type) {
    throw AwsError("InvalidRequest", "The upload was created using the " + upload.checksum_type +
                                         " checksum mode. The complete request must use the same checksum mode.");
  }
  Assembly assembly;
  std::string md5s;
  for (const CompletedPart& each : named) {
    const std::int64_t number = each.part_number.get();
    if (!assembly.parts.empty() && number <= assembly.parts.back().first) {
      throw AwsError("InvalidPartOrder",
                     "The list of parts was not in ascending order. Parts must be ordered by part number.")
          .with("UploadId", upload.upload_id);
    }
    const PartRecord& part = find_part(upload, present, each);
    assembly.parts.emplace_back(number, part);
    assembly.size += part.size;
    md5s += part.md5;
  }
  check_sizes(assembly);
  assembly.etag = to_hex(md5(md5s)) + "-" + std::to_string(named.size());
  assembly.checksum = checksum_of(upload, assembly);
  check_claims(input, assembly);
  return assembly;
}

}  // namespace brume::s3
