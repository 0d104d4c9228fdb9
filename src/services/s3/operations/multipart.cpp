// Multipart uploads: start, parts, abort, and what is under way. Completing one is in multipart_complete.cpp.
#include <algorithm>

#include "services/s3/acl.h"
#include "services/s3/copy_source.h"
#include "services/s3/listing.h"
#include "services/s3/multipart.h"
#include "services/s3/object_headers.h"

namespace brume::s3 {
namespace {

constexpr std::uint64_t kLargestPart = 5ULL << 30;

// A part whose body is being made.
struct PendingPart {
  std::string bucket, incarnation, key, upload_id;
  std::int64_t number = 0;
  PartRecord part;
  std::string algorithm;              // of the upload
  ClaimedChecksum claimed;            // what the client says, maybe of another algorithm
  std::shared_ptr<SpoolFile> source;  // of a copy
  opt<std::string> source_version;
  BodyJob job;
  BodyResult result;
};

std::int64_t require_part_number(const opt<std::int64_t>& number) {
  if (number.get() < 1 || number.get() > 10'000) {
    throw AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        .with("ArgumentName", "partNumber")
        .with("ArgumentValue", std::to_string(number.get()));
  }
  return *number;
}

template <class Input>
std::shared_ptr<PendingPart> plan_part(const S3& s3, const Tx& tx, const Request<Input>& request,
                                       const BucketRecord& bucket) {
  const Input& input = request.input;
  refuse_customer_keys(input);
  auto part = std::make_shared<PendingPart>(PendingPart{bucket.name, bucket.incarnation});
  part->key = require_key(input.key);
  part->upload_id = input.upload_id.get();
  part->number = require_part_number(input.part_number);
  part->algorithm = require_upload(s3, tx, bucket, part->key, part->upload_id).checksum_algorithm;
  return part;
}

// Wants `kind` of the job unless the front has it.
void want_digest(PendingPart& part, DigestKind kind) {
  if (received_digest(part.job.body, kind).empty()) part.job.digests.push_back(kind);
}
const std::string& digest_of_part(const PendingPart& part, DigestKind kind) {
  const auto found = part.result.digests.find(kind);
  return found != part.result.digests.end() ? found->second : received_digest(part.job.body, kind);
}

void prepare_body(S3& s3, Tx& tx, PendingPart& part) {
  if (part.part.size == 0) return;
  part.part.body = s3.bodies.prepare(tx);
  part.job.target = s3.bodies.path(part.part.body);
  part.job.sync = s3.bodies.synced();
}

void keep_part(S3& s3, PendingPart& part) {
  if (part.result.problem) throw AwsError(*part.result.problem);
  if (!part.claimed.value.empty())
    verify_claim(part.claimed, digest_of_part(part, digest_kind(part.claimed.algorithm)));
  const BucketRecord* bucket = s3.find_bucket(part.bucket, part.incarnation);
  if (bucket == nullptr) throw no_such_bucket("The specified bucket does not exist").with("BucketName", part.bucket);
  Tx tx(s3.needs.store);
  require_upload(s3, tx, *bucket, part.key, part.upload_id);
  part.part.md5 = digest_of_part(part, DigestKind::md5);
  part.part.checksum = digest_of_part(part, digest_kind(part.algorithm));
  part.part.last_modified = {s3.needs.clock.now().ms / 1000 * 1000};
  s3.uploads.put_part(tx, part.upload_id, part.number, part.part);
  tx.commit();
}

std::string part_etag(const PartRecord& part) { return quoted(to_hex(part.md5)); }

UploadPartOutput finish_part(S3& s3, PendingPart& part) {
  keep_part(s3, part);
  UploadPartOutput output;
  output.e_tag = part_etag(part.part);
  output.server_side_encryption = "AES256";
  show_checksum_value(output, part.algorithm, to_base64(part.part.checksum));
  return output;
}

UploadPartCopyOutput finish_part_copy(S3& s3, PendingPart& part) {
  keep_part(s3, part);
  UploadPartCopyOutput output;
  CopyPartResult& result = output.copy_part_result.ensure();
  result.e_tag = part_etag(part.part);
  result.last_modified = part.part.last_modified;
  show_checksum_value(result, part.algorithm, to_base64(part.part.checksum));
  output.copy_source_version_id = part.source_version;
  output.server_side_encryption = "AES256";
  return output;
}

template <class Output, class Finish>
void run_part(S3& s3, Tx& tx, const std::shared_ptr<PendingPart>& part, const Deferred<Output>& deferred,
              Finish finish) {
  prepare_body(s3, tx, *part);
  tx.on_commit([&s3, part, deferred, finish] {
    s3.needs.workers.run([part] { part->result = run_body_job(part->job); },
                         [&s3, part, deferred, finish] {
                           answer_with_body(s3, deferred, part->part.body, [&] { return finish(s3, *part); });
                         });
  });
}

}  // namespace

UploadRecord require_upload(const S3& s3, const Tx& tx, const BucketRecord& bucket, const std::string& key,
                            const std::string& upload_id) {
  // One that is being completed takes no more changes.
  std::optional<UploadRecord> upload;
  if (!s3.completing.contains(upload_id)) upload = s3.uploads.find(tx, bucket, key, upload_id);
  if (!upload) {
    throw no_such_upload(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.")
        .with("UploadId", upload_id);
  }
  return *upload;
}

CreateMultipartUploadOutput create_multipart_upload(S3& s3, Tx& tx,
                                                    const Request<CreateMultipartUploadInput>& request) {
  const CreateMultipartUploadInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  refuse_unserved(input);
  const std::string& key = require_key(input.key);
  const ObjectSettings settings = object_settings(s3, request, bucket);
  UploadRecord upload;
  upload.initiated = {s3.needs.clock.now().ms / 1000 * 1000};
  upload.headers = object_headers(input);
  upload.storage_class = settings.storage_class;
  upload.tags = settings.tags;
  upload.acl = settings.acl;
  upload.initiator_arn = request.principal.arn;
  upload.checksum_chosen = input.checksum_algorithm.has_value();
  upload.checksum_algorithm = input.checksum_algorithm.value_or(kDefaultAlgorithm);
  digest_kind(upload.checksum_algorithm);
  upload.checksum_type = multipart_checksum_type(upload.checksum_algorithm, input.checksum_type);
  CreateMultipartUploadOutput output;
  if (upload.checksum_chosen) {
    output.checksum_algorithm = upload.checksum_algorithm;
    output.checksum_type = upload.checksum_type;
  }
  if (const auto abort = abort_of(bucket.lifecycle, key, upload.initiated)) {
    output.abort_date = abort->date;
    output.abort_rule_id = abort->rule_id;
  }
  output.bucket = bucket.name;
  output.key = key;
  output.server_side_encryption = "AES256";
  output.upload_id = s3.uploads.start(tx, bucket, key, std::move(upload));
  return output;
}

void upload_part(S3& s3, Tx& tx, const Request<UploadPartInput>& request, Deferred<UploadPartOutput> deferred) {
  const UploadPartInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::shared_ptr<PendingPart> part = plan_part(s3, tx, request, bucket);
  const Body& body = input.body.get();
  if (body.size > kLargestPart) {
    throw AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", std::to_string(body.size))
        .with("MaxSizeAllowed", std::to_string(kLargestPart));
  }
  verify_content_md5(input.content_md5, body);
  part->claimed = claimed_for_body(input, body);
  const bool chosen = require_upload(s3, tx, bucket, part->key, part->upload_id).checksum_chosen;
  if (chosen && !part->claimed.algorithm.empty() && part->claimed.algorithm != part->algorithm) {
    throw invalid_request("Checksum Type mismatch occurred, expected checksum Type: " + to_lower(part->algorithm) +
                          ", actual checksum Type: " + to_lower(part->claimed.algorithm));
  }
  part->job.body = body;
  part->part.size = body.size;
  want_digest(*part, DigestKind::md5);
  want_digest(*part, digest_kind(part->algorithm));
  if (!part->claimed.value.empty() && part->claimed.algorithm != part->algorithm) {
    want_digest(*part, digest_kind(part->claimed.algorithm));
  }
  run_part(s3, tx, part, deferred, finish_part);
}

void upload_part_copy(S3& s3, Tx& tx, const Request<UploadPartCopyInput>& request,
                      Deferred<UploadPartCopyOutput> deferred) {
  const UploadPartCopyInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::shared_ptr<PendingPart> part = plan_part(s3, tx, request, bucket);
  const CopySource source = require_copy_source(s3, tx, request);
  ByteRange range{0, source.object.size};
  if (input.copy_source_range) range = parse_copy_range(*input.copy_source_range, source.object.size);
  if (range.size > kLargestPart) {
    throw invalid_request("The specified copy source is larger than the maximum allowable size for a copy source: " +
                          std::to_string(kLargestPart));
  }
  part->part.size = range.size;
  part->source_version = shown_version(*source.bucket, source.object.version_id);
  if (range.size > 0) {
    Piece& piece = part->job.pieces.emplace_back(Piece{.offset = range.offset, .size = range.size});
    if (BodyFiles::is_stored(source.object.body)) {
      piece.bytes = s3.bodies.stored(source.object.body).substr(range.offset, range.size);
    } else {
      part->source = s3.bodies.hold(source.object.body);
      piece.path = part->source->path();
    }
  }
  part->job.digests = {DigestKind::md5, digest_kind(part->algorithm)};
  run_part(s3, tx, part, deferred, finish_part_copy);
}

AbortMultipartUploadOutput abort_multipart_upload(S3& s3, Tx& tx, const Request<AbortMultipartUploadInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (request.input.if_match_initiated_time) throw not_served("conditions of directory buckets");
  const std::string& upload_id = request.input.upload_id.get();
  require_upload(s3, tx, bucket, request.input.key.get(), upload_id);
  s3.uploads.end(tx, bucket, request.input.key.get(), upload_id);
  return {};
}

}  // namespace brume::s3
