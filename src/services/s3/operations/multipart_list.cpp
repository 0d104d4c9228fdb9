// What multipart uploads are under way, and their parts. Read from a snapshot on a worker.
#include <algorithm>

#include "core/text.h"
#include "services/s3/acl.h"
#include "services/s3/checksums.h"
#include "services/s3/conditions.h"
#include "services/s3/lifecycle.h"
#include "services/s3/listing.h"
#include "services/s3/multipart.h"

namespace brume::s3 {
namespace {

Initiator initiator_of(const UploadRecord& upload) {
  Initiator initiator;
  initiator.id = upload.initiator_arn;
  return initiator;
}

MultipartUpload shown_upload(const std::string& key, const UploadRecord& upload, const Owner& owner) {
  MultipartUpload shown;
  shown.upload_id = upload.upload_id;
  shown.key = key;
  shown.initiated = upload.initiated;
  shown.storage_class = upload.storage_class;
  shown.owner = owner;
  shown.initiator = initiator_of(upload);
  if (upload.checksum_chosen) {
    shown.checksum_algorithm = upload.checksum_algorithm;
    shown.checksum_type = upload.checksum_type;
  }
  return shown;
}

struct UploadsQuery {
  std::string bucket, prefix, delimiter, key_marker, upload_id_marker;
  std::size_t limit = 1000;
};

// Uploads in the order of keys, each common prefix once.
void list_uploads(const Uploads& uploads, const Snapshot& snapshot, const UploadsQuery& query, const Owner& owner,
                  ListMultipartUploadsOutput& output) {
  std::size_t count = 0;
  bool passed_upload_marker = query.upload_id_marker.empty();
  std::string last_group = query.key_marker;
  output.is_truncated = false;
  uploads.scan(snapshot, query.bucket, query.prefix, [&](const std::string& key, const UploadRecord& upload) {
    if (key < query.key_marker) return true;
    if (key == query.key_marker) {
      // With an upload id as marker the key's later uploads follow; without, none does.
      const bool skip = !passed_upload_marker || query.upload_id_marker.empty();
      if (upload.upload_id == query.upload_id_marker) passed_upload_marker = true;
      if (skip) return true;
    }
    const std::string group = common_prefix(key, query.prefix, query.delimiter);
    if (!group.empty() && group == last_group) return true;
    if (count == query.limit) {
      output.is_truncated = true;
      return false;
    }
    ++count;
    if (group.empty()) {
      output.uploads.ensure().push_back(shown_upload(key, upload, owner));
      output.next_upload_id_marker = upload.upload_id;
      output.next_key_marker = key;
      return true;
    }
    last_group = group;
    CommonPrefix prefix;
    prefix.prefix = group;
    output.common_prefixes.ensure().push_back(std::move(prefix));
    output.next_key_marker = group;
    output.next_upload_id_marker.reset();
    return true;
  });
  if (!output.is_truncated.get()) {
    output.next_key_marker.reset();
    output.next_upload_id_marker.reset();
  }
}

void encode_keys(ListMultipartUploadsOutput& output) {
  const auto encode = [](opt<std::string>& text) {
    if (text) text = percent_encode(*text, true);
  };
  for (MultipartUpload& upload : output.uploads.ensure()) encode(upload.key);
  for (CommonPrefix& prefix : output.common_prefixes.ensure()) encode(prefix.prefix);
  for (opt<std::string>* text : {&output.prefix, &output.delimiter, &output.key_marker, &output.next_key_marker}) {
    encode(*text);
  }
}

}  // namespace

void list_multipart_uploads(S3& s3, Tx&, const Request<ListMultipartUploadsInput>& request,
                            Deferred<ListMultipartUploadsOutput> deferred) {
  const ListMultipartUploadsInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::int64_t limit = std::min<std::int64_t>(1000, input.max_uploads.value_or(1000));
  if (limit < 1) {
    throw AwsError("InvalidArgument", "Argument max-uploads must be an integer between 1 and 1000")
        .with("ArgumentName", "max-uploads");
  }
  const UploadsQuery query{bucket.name,
                           input.prefix.get(),
                           input.delimiter.get(),
                           input.key_marker.get(),
                           input.upload_id_marker.get(),
                           static_cast<std::size_t>(limit)};
  answer_from_worker(s3, deferred, [&s3, input, query, owner = owner_of(bucket), snapshot = s3.uploads.snapshot()] {
    ListMultipartUploadsOutput output;
    list_uploads(s3.uploads, *snapshot, query, owner, output);
    output.bucket = query.bucket;
    output.key_marker = query.key_marker;
    output.upload_id_marker = query.upload_id_marker;
    output.prefix = query.prefix;
    output.delimiter = input.delimiter;
    output.max_uploads = static_cast<std::int64_t>(query.limit);
    output.encoding_type = input.encoding_type;
    if (input.encoding_type) encode_keys(output);
    return output;
  });
}

void list_parts(S3& s3, Tx& tx, const Request<ListPartsInput>& request, Deferred<ListPartsOutput> deferred) {
  const ListPartsInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::string& key = require_key(input.key);
  const UploadRecord upload = require_upload(s3, tx, bucket, key, input.upload_id.get());
  ListPartsOutput output;
  output.bucket = bucket.name;
  output.key = key;
  output.upload_id = upload.upload_id;
  output.part_number_marker = input.part_number_marker.get();
  output.max_parts = std::clamp<std::int64_t>(input.max_parts.value_or(1000), 0, 1000);
  output.owner = owner_of(bucket);
  output.initiator = initiator_of(upload);
  output.storage_class = upload.storage_class;
  if (upload.checksum_chosen) {
    output.checksum_algorithm = upload.checksum_algorithm;
    output.checksum_type = upload.checksum_type;
  }
  if (const auto abort = abort_of(bucket.lifecycle, key, upload.initiated)) {
    output.abort_date = abort->date;
    output.abort_rule_id = abort->rule_id;
  }
  answer_from_worker(s3, deferred, [&s3, output, upload, snapshot = s3.uploads.snapshot()]() mutable {
    output.is_truncated = false;
    const std::int64_t after = output.part_number_marker.get();
    s3.uploads.scan_parts(*snapshot, upload.upload_id, after, [&](std::int64_t number, const PartRecord& record) {
      if (static_cast<std::int64_t>(output.parts.get().size()) == output.max_parts.get()) {
        output.is_truncated = true;
        return false;
      }
      Part part;
      part.part_number = number;
      part.size = static_cast<std::int64_t>(record.size);
      part.e_tag = quoted(to_hex(record.md5));
      part.last_modified = record.last_modified;
      show_checksum_value(part, upload.checksum_algorithm, to_base64(record.checksum));
      output.parts.ensure().push_back(std::move(part));
      output.next_part_number_marker = number;
      return true;
    });
    return output;
  });
}

}  // namespace brume::s3
