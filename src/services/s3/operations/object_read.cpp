// Reading objects: get, head, attributes.
#include <algorithm>

#include "services/s3/object_headers.h"
#include "services/s3/object_reads.h"

namespace brume::s3 {
namespace {

bool is_archived(const ObjectRecord& object) {
  return object.storage_class == "GLACIER" || object.storage_class == "DEEP_ARCHIVE";
}

template <class Input>
ObjectRecord find_readable(const S3& s3, const Tx& tx, const Request<Input>& request, const BucketRecord& bucket) {
  const std::string& key = require_key(request.input.key);
  refuse_customer_keys(request.input);
  return require_object(s3, tx, request, bucket, key, request.input.version_id);
}

GetObjectAttributesParts attribute_parts(const ObjectRecord& object, const GetObjectAttributesInput& input) {
  GetObjectAttributesParts parts;
  const std::int64_t after = input.part_number_marker.get();
  const std::int64_t limit = std::min<std::int64_t>(1000, input.max_parts.value_or(1000));
  parts.total_parts_count = static_cast<std::int64_t>(object.parts.size());
  parts.part_number_marker = after;
  parts.max_parts = limit;
  parts.is_truncated = false;
  std::vector<ObjectPart>& list = parts.parts.ensure();
  for (const ObjectPartRecord& each : object.parts) {
    if (each.number <= after) continue;
    if (static_cast<std::int64_t>(list.size()) == limit) {
      parts.is_truncated = true;
      break;
    }
    ObjectPart part;
    part.part_number = each.number;
    part.size = static_cast<std::int64_t>(each.size);
    if (!each.checksum.empty()) show_checksum_value(part, object.checksum.algorithm, each.checksum);
    parts.next_part_number_marker = each.number;
    list.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

GetObjectOutput get_object(S3& s3, Tx& tx, const Request<GetObjectInput>& request) {
  const GetObjectInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const ObjectRecord object = find_readable(s3, tx, request, bucket);
  check_read_conditions(read_conditions(input), object);
  if (is_archived(object)) {
    throw invalid_object_state("The operation is not valid for the object's storage class")
        .with("StorageClass", object.storage_class);
  }
  const Extent extent = requested_extent(object, input.range, input.part_number);
  GetObjectOutput output;
  show_object(output, request, bucket, object, extent);
  output.body = s3.bodies.read(object.body, extent.offset, extent.size);
  return output;
}

HeadObjectOutput head_object(S3& s3, Tx& tx, const Request<HeadObjectInput>& request) {
  const HeadObjectInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const ObjectRecord object = find_readable(s3, tx, request, bucket);
  check_read_conditions(read_conditions(input), object);
  HeadObjectOutput output;
  show_object(output, request, bucket, object, requested_extent(object, input.range, input.part_number));
  return output;
}

GetObjectAttributesOutput get_object_attributes(S3& s3, Tx& tx, const Request<GetObjectAttributesInput>& request) {
  const GetObjectAttributesInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const ObjectRecord object = find_readable(s3, tx, request, bucket);
  const auto wants = [&](std::string_view name) {
    const auto& names = input.object_attributes.get();
    return std::ranges::find(names, name) != names.end();
  };
  GetObjectAttributesOutput output;
  output.last_modified = object.last_modified;
  output.version_id = shown_version(bucket, object.version_id);
  if (wants("ETag")) output.e_tag = object.etag;
  if (wants("Checksum") && !object.checksum.value.empty()) {
    // Without the number of parts, which the headers show behind a composite checksum.
    StoredChecksum checksum = object.checksum;
    checksum.value = checksum.value.substr(0, checksum.value.find('-'));
    show_checksum(output.checksum.emplace(), checksum);
  }
  if (wants("ObjectParts") && !object.parts.empty()) output.object_parts = attribute_parts(object, input);
  if (wants("StorageClass")) output.storage_class = object.storage_class;
  if (wants("ObjectSize")) output.object_size = static_cast<std::int64_t>(object.size);
  return output;
}

}  // namespace brume::s3
