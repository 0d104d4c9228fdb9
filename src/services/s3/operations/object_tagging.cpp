// Tags and ACLs of objects.
#include "services/s3/acl.h"
#include "services/s3/object_reads.h"
#include "services/s3/tagging.h"

namespace brume::s3 {
namespace {

template <class Input>
ObjectRecord find_version(const S3& s3, const Tx& tx, const Request<Input>& request, const BucketRecord& bucket,
                          const char* method) {
  const std::string& key = require_key(request.input.key);
  return require_object(s3, tx, request, bucket, key, request.input.version_id, method);
}

}  // namespace

GetObjectTaggingOutput get_object_tagging(S3& s3, Tx& tx, const Request<GetObjectTaggingInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const ObjectRecord object = find_version(s3, tx, request, bucket, "GET");
  GetObjectTaggingOutput output;
  output.tag_set = tags_to<Tag>(object.tags);
  output.version_id = shown_version(bucket, object.version_id);
  return output;
}

PutObjectTaggingOutput put_object_tagging(S3& s3, Tx& tx, const Request<PutObjectTaggingInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  ObjectRecord object = find_version(s3, tx, request, bucket, "PUT");
  object.tags = parse_tag_set(request.input.tagging.get().tag_set.get(), kObjectTags);
  s3.objects.update(tx, bucket, *request.input.key, object);
  PutObjectTaggingOutput output;
  output.version_id = shown_version(bucket, object.version_id);
  return output;
}

DeleteObjectTaggingOutput delete_object_tagging(S3& s3, Tx& tx, const Request<DeleteObjectTaggingInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  ObjectRecord object = find_version(s3, tx, request, bucket, "DELETE");
  object.tags.clear();
  s3.objects.update(tx, bucket, *request.input.key, object);
  DeleteObjectTaggingOutput output;
  output.version_id = shown_version(bucket, object.version_id);
  return output;
}

GetObjectAclOutput get_object_acl(S3& s3, Tx& tx, const Request<GetObjectAclInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const ObjectRecord object = find_version(s3, tx, request, bucket, "GET");
  GetObjectAclOutput output;
  output.owner = owner_of(bucket);
  output.grants = grants_of(bucket, object.acl);
  return output;
}

PutObjectAclOutput put_object_acl(S3& s3, Tx& tx, const Request<PutObjectAclInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  ObjectRecord object = find_version(s3, tx, request, bucket, "PUT");
  const std::string acl = requested_acl(acl_request(request.input), bucket, false);
  if (acl.empty()) throw AwsError("MissingSecurityHeader", "Your request was missing a required header");
  object.acl = acl;
  s3.objects.update(tx, bucket, *request.input.key, object);
  return {};
}

}  // namespace brume::s3
