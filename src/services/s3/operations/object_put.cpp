// PutObject. A large body's file is made on a worker; conditions are judged when the object is made, so that of two
// conditional writes one wins.
#include "services/s3/object_headers.h"
#include "services/s3/object_reads.h"

namespace brume::s3 {
namespace {

constexpr std::uint64_t kLargestPut = 5ULL << 30;  // "you can upload an object up to 5 GB in size"

struct PendingPut {
  RequestContext context;
  std::string bucket, incarnation, key;
  ObjectRecord object;
  ClaimedChecksum claimed;
  DigestKind digest = DigestKind::crc64nvme;
  opt<std::string> if_match, if_none_match;
  BodyJob job;
  BodyResult result;
};

std::shared_ptr<PendingPut> plan_put(S3& s3, const Request<PutObjectInput>& request, const BucketRecord& bucket) {
  const PutObjectInput& input = request.input;
  refuse_unserved(input);
  if (input.write_offset_bytes) throw not_served("appending to objects of directory buckets");
  const Body& body = input.body.get();
  if (body.size > kLargestPut) {
    throw AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", std::to_string(body.size))
        .with("MaxSizeAllowed", std::to_string(kLargestPut));
  }
  auto put = std::make_shared<PendingPut>(PendingPut{request, bucket.name, bucket.incarnation});
  put->key = require_key(input.key);
  put->if_match = input.if_match;
  put->if_none_match = input.if_none_match;
  verify_content_md5(input.content_md5, body);
  put->claimed = claimed_for_body(input, body);
  if (put->claimed.algorithm.empty()) put->claimed.algorithm = kDefaultAlgorithm;
  put->digest = digest_kind(put->claimed.algorithm);
  const ObjectSettings settings = object_settings(s3, request, bucket);
  put->object.headers = object_headers(input);
  put->object.storage_class = settings.storage_class;
  put->object.tags = settings.tags;
  put->object.acl = settings.acl;
  put->object.size = body.size;
  put->object.etag = to_hex(body.md5.empty() ? md5(body.bytes) : body.md5);
  put->job.body = body;
  return put;
}

// The digest that the front computed, or the job.
const std::string& digest_of_body(const PendingPut& put) {
  const std::string& received = received_digest(put.job.body, put.digest);
  return received.empty() ? put.result.digests.at(put.digest) : received;
}

PutObjectOutput finish_put(S3& s3, Tx& tx, PendingPut& put) {
  if (put.result.problem) throw AwsError(*put.result.problem);
  const std::string& digest = digest_of_body(put);
  verify_claim(put.claimed, digest);
  const BucketRecord* bucket = s3.find_bucket(put.bucket, put.incarnation);
  if (bucket == nullptr) throw no_such_bucket("The specified bucket does not exist").with("BucketName", put.bucket);
  check_write_conditions(put.if_match, put.if_none_match, s3.objects.find_current(tx, *bucket, put.key), put.key);
  const Time now = s3.needs.clock.now();
  ObjectRecord& object = put.object;
  object.last_modified = {now.ms / 1000 * 1000};
  object.checksum = {put.claimed.algorithm, to_base64(digest), kFullObject};
  PutObjectOutput output;
  show_expiration(output, *bucket, put.key, object);
  show_checksum(output, object.checksum);
  output.e_tag = quoted(object.etag);
  output.server_side_encryption = "AES256";
  const std::string version_id = s3.objects.put(tx, *bucket, put.key, std::move(object), now);
  if (version_id != "null") output.version_id = version_id;
  return output;
}

PutObjectOutput finish_written(S3& s3, PendingPut& put) {
  Tx tx(s3.needs.store);
  PutObjectOutput output = finish_put(s3, tx, put);
  tx.commit();
  return output;
}

// In the request's own transaction: a change of threads, and a file, would cost more than the body.
PutObjectOutput put_small(S3& s3, Tx& tx, PendingPut& put) {
  put.result = run_body_job(put.job);  // digests only
  if (put.object.size > 0) put.object.body = s3.bodies.keep(tx, std::move(put.job.body.bytes));
  return finish_put(s3, tx, put);
}

}  // namespace

void put_object(S3& s3, Tx& tx, const Request<PutObjectInput>& request, Deferred<PutObjectOutput> deferred) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::shared_ptr<PendingPut> put = plan_put(s3, request, bucket);
  if (received_digest(put->job.body, put->digest).empty()) put->job.digests = {put->digest};
  if (put->object.size <= kLargestStoredBody && !put->job.body.spool) return deferred.succeed(put_small(s3, tx, *put));
  put->object.body = s3.bodies.prepare(tx);
  put->job.target = s3.bodies.path(put->object.body);
  put->job.sync = s3.bodies.synced();
  tx.on_commit([&s3, put, deferred] {
    s3.needs.workers.run([put] { put->result = run_body_job(put->job); },
                         [&s3, put, deferred] {
                           answer_with_body(s3, deferred, put->object.body, [&] { return finish_written(s3, *put); });
                         });
  });
}

}  // namespace brume::s3
