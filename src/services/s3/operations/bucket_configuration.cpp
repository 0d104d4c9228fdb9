// What is configured on a bucket and has its effect here: versioning, tags, encryption, ownership, public access, ACL.
#include "services/s3/acl.h"
#include "services/s3/bucket_policy.h"
#include "services/s3/requests.h"
#include "services/s3/tagging.h"

namespace brume::s3 {
namespace {

AwsError malformed_xml() {
  return AwsError("MalformedXML",
                  "The XML you provided was not well-formed or did not validate against our published schema");
}

}  // namespace

GetBucketVersioningOutput get_bucket_versioning(S3& s3, Tx&, const Request<GetBucketVersioningInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  GetBucketVersioningOutput output;
  if (!bucket.versioning.empty()) output.status = bucket.versioning;
  return output;
}

PutBucketVersioningOutput put_bucket_versioning(S3& s3, Tx& tx, const Request<PutBucketVersioningInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const VersioningConfiguration& configuration = request.input.versioning_configuration.get();
  if (configuration.mfa_delete.get() == "Enabled" || request.input.mfa) throw not_served("MFA delete");
  if (!configuration.status) {
    throw AwsError("IllegalVersioningConfigurationException", "The Versioning element must be specified");
  }
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.versioning = *configuration.status; });
  return {};
}

GetBucketTaggingOutput get_bucket_tagging(S3& s3, Tx&, const Request<GetBucketTaggingInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (bucket.tags.empty()) {
    throw AwsError("NoSuchTagSet", "The TagSet does not exist", 404).with("BucketName", bucket.name);
  }
  GetBucketTaggingOutput output;
  output.tag_set = tags_to<Tag>(bucket.tags);
  return output;
}

PutBucketTaggingOutput put_bucket_tagging(S3& s3, Tx& tx, const Request<PutBucketTaggingInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  Tags tags = parse_tag_set(request.input.tagging.get().tag_set.get(), kBucketTags);
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.tags = std::move(tags); });
  return {};
}

DeleteBucketTaggingOutput delete_bucket_tagging(S3& s3, Tx& tx, const Request<DeleteBucketTaggingInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.tags.clear(); });
  return {};
}

GetBucketEncryptionOutput get_bucket_encryption(S3& s3, Tx&, const Request<GetBucketEncryptionInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  ServerSideEncryptionRule rule;
  if (bucket.encryption) {
    rule = *bucket.encryption;
  } else {
    rule.apply_server_side_encryption_by_default.emplace().sse_algorithm = "AES256";
    rule.bucket_key_enabled = false;
  }
  GetBucketEncryptionOutput output;
  output.server_side_encryption_configuration.emplace().rules = std::vector{rule};
  return output;
}

PutBucketEncryptionOutput put_bucket_encryption(S3& s3, Tx& tx, const Request<PutBucketEncryptionInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const auto& rules = request.input.server_side_encryption_configuration.get().rules.get();
  if (rules.size() != 1) throw malformed_xml();
  const ServerSideEncryptionByDefault& by_default = rules.front().apply_server_side_encryption_by_default.get();
  if (by_default.sse_algorithm.value_or("AES256") != "AES256") {
    throw not_served("the default encryption " + by_default.sse_algorithm.get());
  }
  if (by_default.kms_master_key_id) {
    throw AwsError("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms");
  }
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.encryption = rules.front(); });
  return {};
}

// "Resets the default encryption for the bucket as server-side encryption with Amazon S3 managed keys."
DeleteBucketEncryptionOutput delete_bucket_encryption(S3& s3, Tx& tx,
                                                      const Request<DeleteBucketEncryptionInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.encryption.reset(); });
  return {};
}

GetBucketOwnershipControlsOutput get_bucket_ownership_controls(
    S3& s3, Tx&, const Request<GetBucketOwnershipControlsInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (bucket.ownership.empty()) {
    throw AwsError("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", 404)
        .with("BucketName", bucket.name);
  }
  OwnershipControlsRule rule;
  rule.object_ownership = bucket.ownership;
  GetBucketOwnershipControlsOutput output;
  output.ownership_controls.emplace().rules = std::vector{rule};
  return output;
}

PutBucketOwnershipControlsOutput put_bucket_ownership_controls(
    S3& s3, Tx& tx, const Request<PutBucketOwnershipControlsInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const auto& rules = request.input.ownership_controls.get().rules.get();
  if (rules.size() != 1) throw malformed_xml();
  const std::string& ownership = rules.front().object_ownership.get();
  if (ownership == kOwnerEnforced && is_public_acl(bucket.acl)) {
    throw AwsError("InvalidBucketAclWithObjectOwnership",
                   "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  }
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.ownership = ownership; });
  return {};
}

DeleteBucketOwnershipControlsOutput delete_bucket_ownership_controls(
    S3& s3, Tx& tx, const Request<DeleteBucketOwnershipControlsInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.ownership.clear(); });
  return {};
}

GetPublicAccessBlockOutput get_public_access_block(S3& s3, Tx&, const Request<GetPublicAccessBlockInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (!bucket.public_access_block) {
    throw AwsError("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", 404)
        .with("BucketName", bucket.name);
  }
  GetPublicAccessBlockOutput output;
  output.public_access_block_configuration = *bucket.public_access_block;
  return output;
}

PutPublicAccessBlockOutput put_public_access_block(S3& s3, Tx& tx, const Request<PutPublicAccessBlockInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  PublicAccessBlockConfiguration block = request.input.public_access_block_configuration.get();
  // What is not said is off, and read back so.
  for (opt<bool>* setting : {&block.block_public_acls, &block.ignore_public_acls, &block.block_public_policy,
                             &block.restrict_public_buckets}) {
    setting->ensure();
  }
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.public_access_block = block; });
  return {};
}

DeletePublicAccessBlockOutput delete_public_access_block(S3& s3, Tx& tx,
                                                         const Request<DeletePublicAccessBlockInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.public_access_block.reset(); });
  return {};
}

GetBucketAclOutput get_bucket_acl(S3& s3, Tx&, const Request<GetBucketAclInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  GetBucketAclOutput output;
  output.owner = owner_of(bucket);
  output.grants = grants_of(bucket, bucket.acl);
  return output;
}

PutBucketAclOutput put_bucket_acl(S3& s3, Tx& tx, const Request<PutBucketAclInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::string acl = requested_acl(acl_request(request.input), bucket, true);
  if (acl.empty()) throw AwsError("MissingSecurityHeader", "Your request was missing a required header");
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.acl = acl; });
  return {};
}

}  // namespace brume::s3
