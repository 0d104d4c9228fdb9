#include "services/s3/object_reads.h"

#include "services/s3/object_changes.h"

namespace brume::s3 {
namespace {

AwsError delete_marker_error(AwsError error, const ObjectRecord& marker) {
  error.with_header("x-amz-delete-marker", "true").with_header("x-amz-version-id", marker.version_id);
  return error;
}

}  // namespace

ObjectRecord require_object(const S3& s3, const Tx& tx, const RequestContext& context, const BucketRecord& bucket,
                            const std::string& key, const opt<std::string>& version_id, const char* method) {
  if (!version_id) {
    std::optional<ObjectRecord> current = s3.objects.find_current(tx, bucket, key);
    if (!current) throw missing_key(s3, context, bucket, key);
    if (current->delete_marker) throw delete_marker_error(missing_key(s3, context, bucket, key), *current);
    return *current;
  }
  check_version_id(*version_id);
  std::optional<ObjectRecord> version = s3.objects.find_version(tx, bucket, key, *version_id);
  if (!version) {
    throw AwsError("NoSuchVersion", "The specified version does not exist.", 404)
        .with("Key", key)
        .with("VersionId", *version_id);
  }
  if (version->delete_marker) {
    AwsError error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
    error.with("Method", method).with("ResourceType", "DeleteMarker").with_header("Allow", "DELETE");
    error.with_header("Last-Modified", http_date(version->last_modified));
    throw delete_marker_error(std::move(error), *version);
  }
  return *version;
}

Extent requested_extent(const ObjectRecord& object, const opt<std::string>& range, const opt<std::int64_t>& part) {
  if (part && range) {
    throw invalid_request("Cannot specify both Range header and partNumber query parameter");
  }
  Extent whole{0, object.size, false, {}};
  if (range) {
    const std::optional<ByteRange> asked = parse_range(*range, object.size);
    return asked ? Extent{asked->offset, asked->size, true, {}} : whole;
  }
  if (!part) return whole;
  if (object.parts.empty() && *part == 1) {
    whole.partial = true;
    return whole;
  }
  std::uint64_t offset = 0;
  for (const ObjectPartRecord& each : object.parts) {
    if (each.number == *part) return {offset, each.size, true, each.checksum};
    offset += each.size;
  }
  throw AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)
      .with("PartNumberRequested", std::to_string(*part))
      .with("ActualPartCount", std::to_string(std::max<std::size_t>(1, object.parts.size())));
}

}  // namespace brume::s3
