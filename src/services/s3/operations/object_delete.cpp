// Deleting objects, one and many.
#include "services/s3/conditions.h"
#include "services/s3/object_changes.h"
#include "services/s3/requests.h"

namespace brume::s3 {
namespace {

// Deletions made by one turn of the control thread.
constexpr std::size_t kSlice = 100;

void refuse_directory_conditions(const auto& identifier) {
  if constexpr (requires { identifier.if_match_size; }) {
    if (identifier.if_match_size || identifier.if_match_last_modified_time) {
      throw not_served("conditions of directory buckets");
    }
  } else {
    if (identifier.size || identifier.last_modified_time) throw not_served("conditions of directory buckets");
  }
}

Deletion delete_one(S3& s3, Tx& tx, const BucketRecord& bucket, const std::string& key,
                    const opt<std::string>& version_id, const opt<std::string>& if_match) {
  if (version_id && !version_id->empty()) return delete_version(s3, tx, bucket, key, *version_id);
  if (if_match) check_write_conditions(if_match, kNothing, s3.objects.find_current(tx, bucket, key), key);
  return delete_current(s3, tx, bucket, key);
}

// One DeleteObjects request. Every key is deleted in a transaction of its own, as S3 promises nothing over keys, and
// other requests have their turn between slices.
struct DeleteMany : std::enable_shared_from_this<DeleteMany> {
  DeleteMany(S3& s3_, const Request<DeleteObjectsInput>& request, const BucketRecord& bucket,
             Deferred<DeleteObjectsOutput> deferred_)
      : s3(s3_),
        context(request),
        name(bucket.name),
        incarnation(bucket.incarnation),
        objects(request.input.delete_.get().objects.get()),
        quiet(request.input.delete_.get().quiet.get()),
        deferred(std::move(deferred_)) {}

  void run_slice() {
    const std::size_t end = std::min(next + kSlice, objects.size());
    for (; next < end; ++next) delete_object(objects[next]);
    if (next == objects.size()) return deferred.succeed(std::move(output));
    s3.needs.control.post([self = shared_from_this()] { self->run_slice(); });
  }

  void delete_object(const ObjectIdentifier& object) {
    try {
      refuse_directory_conditions(object);
      const BucketRecord* bucket = s3.find_bucket(name, incarnation);
      if (bucket == nullptr) throw no_such_bucket("The specified bucket does not exist");
      // Each key is asked for by itself: what may not be deleted is an error beside what was.
      authorize(s3, context, object.version_id.get().empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion",
                object_arn(*bucket, object.key.get()));
      Tx tx(s3.needs.store);
      const Deletion deletion = delete_one(s3, tx, *bucket, object.key.get(), object.version_id, object.e_tag);
      tx.commit();
      if (!quiet) report(object, deletion);
    } catch (const AwsError& error) {
      report(object, error);
    } catch (const StoreError& error) {
      report(object, internal_error(error));
    }
  }

  void report(const ObjectIdentifier& object, const Deletion& deletion) {
    DeletedObject deleted;
    deleted.key = object.key;
    if (object.version_id && !object.version_id->empty()) deleted.version_id = object.version_id;
    if (deletion.delete_marker) {
      deleted.delete_marker = true;
      deleted.delete_marker_version_id = deletion.version_id;
    }
    output.deleted.ensure().push_back(std::move(deleted));
  }
  void report(const ObjectIdentifier& object, const AwsError& problem) {
    Error error;
    error.key = object.key;
    error.version_id = object.version_id;
    error.code = problem.code;
    error.message = problem.message;
    output.errors.ensure().push_back(std::move(error));
  }

  S3& s3;
  RequestContext context;
  std::string name, incarnation;
  std::vector<ObjectIdentifier> objects;
  bool quiet;
  Deferred<DeleteObjectsOutput> deferred;
  DeleteObjectsOutput output;
  std::size_t next = 0;
};

}  // namespace

// S3 answers 204 whether or not there was such a key.
DeleteObjectOutput delete_object(S3& s3, Tx& tx, const Request<DeleteObjectInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::string& key = require_key(request.input.key);
  refuse_directory_conditions(request.input);
  const Deletion deletion = delete_one(s3, tx, bucket, key, request.input.version_id, request.input.if_match);
  DeleteObjectOutput output;
  if (!deletion.version_id.empty()) output.version_id = deletion.version_id;
  if (deletion.delete_marker) output.delete_marker = true;
  return output;
}

void delete_objects(S3& s3, Tx& tx, const Request<DeleteObjectsInput>& request,
                    Deferred<DeleteObjectsOutput> deferred) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::size_t count = request.input.delete_.get().objects.get().size();
  if (count == 0 || count > 1000) {
    throw AwsError("MalformedXML",
                   "The XML you provided was not well-formed or did not validate against our published schema");
  }
  const auto work = std::make_shared<DeleteMany>(s3, request, bucket, std::move(deferred));
  tx.on_commit([&s3, work] { s3.needs.control.post([work] { work->run_slice(); }); });
}

}  // namespace brume::s3
