// CopyObject. The copy is a body of its own; that of a file is made on a worker (where the file system allows, a second
// name of the same bytes).
#include "services/s3/copy_source.h"
#include "services/s3/object_headers.h"

namespace brume::s3 {
namespace {

constexpr std::uint64_t kLargestCopy = 5ULL << 30;

struct PendingCopy {
  std::string bucket, incarnation, key;
  ObjectRecord object;
  std::string algorithm;
  bool needs_checksum = false;
  std::shared_ptr<SpoolFile> source;  // held: it may be deleted meanwhile
  opt<std::string> if_match, if_none_match;
  opt<std::string> source_version;
  BodyJob job;
  BodyResult result;
};

void refuse_copy_onto_itself(const CopyObjectInput& input, const CopySource& source, const BucketRecord& bucket) {
  const bool itself = source.bucket == &bucket && source.name.key == input.key.get() && !source.name.version_id;
  // Naming one of them is enough, even with the value that it has.
  if (itself && input.metadata_directive.get() != "REPLACE" && !input.storage_class &&
      !input.website_redirect_location && !input.server_side_encryption) {
    throw invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.");
  }
}

void settle_settings(S3& s3, const Request<CopyObjectInput>& request, const BucketRecord& bucket,
                     const CopySource& source, ObjectRecord& object) {
  const CopyObjectInput& input = request.input;
  const ObjectSettings settings = object_settings(s3, request, bucket);
  object.storage_class = settings.storage_class;
  object.acl = settings.acl;
  object.headers = input.metadata_directive.get() == "REPLACE" ? object_headers(input) : source.object.headers;
  // Never copied: "you must specify it in the request".
  object.headers.website_redirect_location = input.website_redirect_location.get();
  object.tags = settings.tags;
  if (input.tagging_directive.get() != "REPLACE" && !source.object.tags.empty()) {
    authorize(s3, request, "s3:GetObjectTagging", object_arn(*source.bucket, source.name.key));
    authorize(s3, request, "s3:PutObjectTagging", object_arn(bucket, input.key.get()));
    object.tags = source.object.tags;
  }
  refuse_copy_onto_itself(input, source, bucket);
}

std::shared_ptr<PendingCopy> plan_copy(S3& s3, const Tx& tx, const Request<CopyObjectInput>& request,
                                       const BucketRecord& bucket) {
  const CopyObjectInput& input = request.input;
  refuse_unserved(input);
  if (input.annotation_directive) throw not_served("object annotations");
  auto copy = std::make_shared<PendingCopy>(PendingCopy{bucket.name, bucket.incarnation});
  copy->key = require_key(input.key);
  copy->if_match = input.if_match;
  copy->if_none_match = input.if_none_match;
  const CopySource source = require_copy_source(s3, tx, request);
  if (source.object.size > kLargestCopy) {
    throw invalid_request("The specified copy source is larger than the maximum allowable size for a copy source: " +
                          std::to_string(kLargestCopy));
  }
  settle_settings(s3, request, bucket, source, copy->object);
  copy->object.size = source.object.size;
  copy->source_version = shown_version(*source.bucket, source.object.version_id);
  // The algorithm asked for, else the source's, else the default; the source's value where it is of the whole object.
  const StoredChecksum& present = source.object.checksum;
  copy->algorithm =
      input.checksum_algorithm.value_or(present.algorithm.empty() ? kDefaultAlgorithm : present.algorithm);
  const DigestKind digest = digest_kind(copy->algorithm);
  if (present.algorithm == copy->algorithm && present.type == kFullObject) {
    copy->object.checksum = present;
  } else {
    copy->job.digests.push_back(digest);
    copy->needs_checksum = true;
  }
  // A copy is one piece, so an ETag of parts becomes the MD5 of the whole.
  copy->object.etag = source.object.etag;
  if (source.object.etag.find('-') != std::string::npos) {
    copy->object.etag.clear();
    copy->job.digests.push_back(DigestKind::md5);
  }
  if (BodyFiles::is_stored(source.object.body)) {
    copy->job.body = Body::of(s3.bodies.stored(source.object.body));
  } else if (source.object.size > 0) {
    copy->source = s3.bodies.hold(source.object.body);
    copy->job.pieces = {{.path = copy->source->path(), .size = source.object.size}};
  }
  return copy;
}

CopyObjectOutput finish_copy(S3& s3, PendingCopy& copy) {
  if (copy.result.problem) throw AwsError(*copy.result.problem);
  const BucketRecord* bucket = s3.find_bucket(copy.bucket, copy.incarnation);
  if (bucket == nullptr) throw no_such_bucket("The specified bucket does not exist").with("BucketName", copy.bucket);
  Tx tx(s3.needs.store);
  check_write_conditions(copy.if_match, copy.if_none_match, s3.objects.find_current(tx, *bucket, copy.key), copy.key);
  ObjectRecord& object = copy.object;
  if (copy.needs_checksum) {
    object.checksum = {copy.algorithm, to_base64(copy.result.digests.at(digest_kind(copy.algorithm))), kFullObject};
  }
  if (object.etag.empty()) object.etag = to_hex(copy.result.digests.at(DigestKind::md5));
  const Time now = s3.needs.clock.now();
  object.last_modified = {now.ms / 1000 * 1000};
  CopyObjectOutput output;
  CopyObjectResult& result = output.copy_object_result.ensure();
  result.e_tag = quoted(object.etag);
  result.last_modified = object.last_modified;
  show_checksum(result, object.checksum);
  show_expiration(output, *bucket, copy.key, object);
  output.server_side_encryption = "AES256";
  output.copy_source_version_id = copy.source_version;
  if (!copy.job.body.bytes.empty()) object.body = s3.bodies.keep(tx, copy.job.body.bytes);
  const std::string version_id = s3.objects.put(tx, *bucket, copy.key, std::move(object), now);
  tx.commit();
  if (version_id != "null") output.version_id = version_id;
  return output;
}

}  // namespace

void copy_object(S3& s3, Tx& tx, const Request<CopyObjectInput>& request, Deferred<CopyObjectOutput> deferred) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::shared_ptr<PendingCopy> copy = plan_copy(s3, tx, request, bucket);
  if (!copy->job.pieces.empty()) {
    copy->object.body = s3.bodies.prepare(tx);
    copy->job.target = s3.bodies.path(copy->object.body);
    copy->job.sync = s3.bodies.synced();
  }
  tx.on_commit([&s3, copy, deferred] {
    s3.needs.workers.run([copy] { copy->result = run_body_job(copy->job); },
                         [&s3, copy, deferred] {
                           answer_with_body(s3, deferred, copy->object.body, [&] { return finish_copy(s3, *copy); });
                         });
  });
}

}  // namespace brume::s3
