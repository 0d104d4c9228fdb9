// CompleteMultipartUpload. A worker reads the parts' records, judges the request and puts the bytes together; the
// upload takes no changes meanwhile.
#include "services/s3/assembly.h"
#include "services/s3/multipart.h"
#include "services/s3/object_reads.h"

namespace brume::s3 {
namespace {

struct PendingCompletion {
  std::string bucket, incarnation, key;
  UploadRecord upload;
  CompleteMultipartUploadInput input;
  std::string location;
  std::string body;
  BodyJob job;
  Assembly assembly;
  std::optional<AwsError> problem;
};

void put_together(const S3& s3, const Snapshot& snapshot, PendingCompletion& completion) {
  try {
    std::map<std::int64_t, PartRecord> present;
    s3.uploads.scan_parts(snapshot, completion.upload.upload_id, 0, [&](std::int64_t number, PartRecord part) {
      present.emplace(number, std::move(part));
      return true;
    });
    completion.assembly = assemble(completion.upload, present, completion.input);
    for (const auto& [number, part] : completion.assembly.parts) {
      if (part.size > 0) completion.job.pieces.push_back({.path = s3.bodies.path(part.body), .size = part.size});
    }
    if (completion.assembly.size > 0) completion.problem = run_body_job(completion.job).problem;
  } catch (const AwsError& error) {
    completion.problem = error;
  } catch (const StoreError& error) {
    completion.problem = internal_error(error);
  }
}

ObjectRecord assembled_object(const PendingCompletion& completion, Time now) {
  const Assembly& assembly = completion.assembly;
  ObjectRecord object;
  object.headers = completion.upload.headers;
  object.tags = completion.upload.tags;
  object.storage_class = completion.upload.storage_class;
  object.acl = completion.upload.acl;
  object.size = assembly.size;
  object.etag = assembly.etag;
  object.checksum = assembly.checksum;
  object.last_modified = {now.ms / 1000 * 1000};
  object.upload_id = completion.upload.upload_id;
  if (assembly.size > 0) object.body = completion.body;
  for (const auto& [number, part] : assembly.parts) {
    object.parts.push_back({number, part.size, to_base64(part.checksum)});
  }
  return object;
}

CompleteMultipartUploadOutput shown(const BucketRecord& bucket, const std::string& key, const ObjectRecord& object,
                                    const std::string& location) {
  CompleteMultipartUploadOutput output;
  output.location = location;
  output.bucket = bucket.name;
  output.key = key;
  output.e_tag = quoted(object.etag);
  output.server_side_encryption = "AES256";
  show_checksum(output, object.checksum);
  show_expiration(output, bucket, key, object);
  return output;
}

CompleteMultipartUploadOutput finish(S3& s3, PendingCompletion& completion) {
  if (completion.problem) throw AwsError(*completion.problem);
  const BucketRecord* bucket = s3.find_bucket(completion.bucket, completion.incarnation);
  if (bucket == nullptr) {
    throw no_such_bucket("The specified bucket does not exist").with("BucketName", completion.bucket);
  }
  Tx tx(s3.needs.store);
  check_write_conditions(completion.input.if_match, completion.input.if_none_match,
                         s3.objects.find_current(tx, *bucket, completion.key), completion.key);
  const Time now = s3.needs.clock.now();
  ObjectRecord object = assembled_object(completion, now);
  CompleteMultipartUploadOutput output = shown(*bucket, completion.key, object, completion.location);
  if (object.body.empty()) s3.bodies.discard(tx, completion.body);
  s3.uploads.end(tx, *bucket, completion.key, completion.upload.upload_id);
  const std::string version_id = s3.objects.put(tx, *bucket, completion.key, std::move(object), now);
  tx.commit();
  if (version_id != "null") output.version_id = version_id;
  return output;
}

}  // namespace

void complete_multipart_upload(S3& s3, Tx& tx, const Request<CompleteMultipartUploadInput>& request,
                               Deferred<CompleteMultipartUploadOutput> deferred) {
  const CompleteMultipartUploadInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::string& key = require_key(input.key);
  const std::string location = request.endpoint + "/" + bucket.name + "/" + percent_encode(key, true);
  // A client that did not hear the answer asks again, and is told it again while the object is the current one.
  const auto current = s3.objects.find_current(tx, bucket, key);
  if (current && !current->upload_id.empty() && current->upload_id == input.upload_id.get()) {
    CompleteMultipartUploadOutput output = shown(bucket, key, *current, location);
    if (current->version_id != "null") output.version_id = current->version_id;
    return deferred.succeed(std::move(output));
  }
  auto completion = std::make_shared<PendingCompletion>(PendingCompletion{bucket.name, bucket.incarnation, key});
  completion->upload = require_upload(s3, tx, bucket, key, input.upload_id.get());
  completion->input = input;
  completion->location = location;
  completion->body = s3.bodies.prepare(tx);
  completion->job.target = s3.bodies.path(completion->body);
  completion->job.sync = s3.bodies.synced();
  tx.on_commit([&s3, completion, deferred] {
    s3.completing.insert(completion->upload.upload_id);
    s3.needs.workers.run(
        [&s3, completion, snapshot = s3.uploads.snapshot()] { put_together(s3, *snapshot, *completion); },
        [&s3, completion, deferred] {
          s3.completing.erase(completion->upload.upload_id);
          answer_with_body(s3, deferred, completion->body, [&] { return finish(s3, *completion); });
        });
  });
}

}  // namespace brume::s3
