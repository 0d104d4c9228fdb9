// Bucket policies, CORS and lifecycle rules.
#include "services/s3/bucket_policy.h"

#include "services/s3/lifecycle.h"
#include "services/s3/requests.h"

namespace brume::s3 {
namespace {

const std::string& require_policy(const BucketRecord& bucket) {
  if (bucket.policy.empty()) {
    throw AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404).with("BucketName", bucket.name);
  }
  return bucket.policy;
}

}  // namespace

GetBucketPolicyOutput get_bucket_policy(S3& s3, Tx&, const Request<GetBucketPolicyInput>& request) {
  GetBucketPolicyOutput output;
  output.policy = require_policy(require_bucket(s3, request));
  return output;
}

GetBucketPolicyStatusOutput get_bucket_policy_status(S3& s3, Tx&, const Request<GetBucketPolicyStatusInput>& request) {
  GetBucketPolicyStatusOutput output;
  output.policy_status.emplace().is_public = is_public_policy(require_policy(require_bucket(s3, request)));
  return output;
}

PutBucketPolicyOutput put_bucket_policy(S3& s3, Tx& tx, const Request<PutBucketPolicyInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  const std::string& policy = request.input.policy.get();
  validate_bucket_policy(policy, bucket);
  if (bucket.public_access_block.get().block_public_policy.get() && is_public_policy(policy)) {
    throw access_denied("User: " + request.principal.arn +
                        " is not authorized to perform: s3:PutBucketPolicy on resource: \"" + bucket_arn(bucket) +
                        "\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public "
                        "Access.");
  }
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.policy = policy; });
  return {};
}

DeleteBucketPolicyOutput delete_bucket_policy(S3& s3, Tx& tx, const Request<DeleteBucketPolicyInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.policy.clear(); });
  return {};
}

GetBucketCorsOutput get_bucket_cors(S3& s3, Tx&, const Request<GetBucketCorsInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (bucket.cors.empty()) {
    throw AwsError("NoSuchCORSConfiguration", "The CORS configuration does not exist", 404)
        .with("BucketName", bucket.name);
  }
  GetBucketCorsOutput output;
  output.cors_rules = bucket.cors;
  return output;
}

PutBucketCorsOutput put_bucket_cors(S3& s3, Tx& tx, const Request<PutBucketCorsInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (!s3.needs.serves_cors) throw not_served("CORS configurations");
  const std::vector<CORSRule>& rules = request.input.cors_configuration.get().cors_rules.get();
  validate_cors(rules);
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) { copy.cors = rules; });
  return {};
}

DeleteBucketCorsOutput delete_bucket_cors(S3& s3, Tx& tx, const Request<DeleteBucketCorsInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.cors.clear(); });
  return {};
}

GetBucketLifecycleConfigurationOutput get_bucket_lifecycle_configuration(
    S3& s3, Tx&, const Request<GetBucketLifecycleConfigurationInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (bucket.lifecycle.empty()) {
    throw AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404)
        .with("BucketName", bucket.name);
  }
  GetBucketLifecycleConfigurationOutput output;
  output.rules = bucket.lifecycle;
  output.transition_default_minimum_object_size = bucket.transition_default_minimum_object_size;
  return output;
}

PutBucketLifecycleConfigurationOutput put_bucket_lifecycle_configuration(
    S3& s3, Tx& tx, const Request<PutBucketLifecycleConfigurationInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  std::vector<LifecycleRule> rules = request.input.lifecycle_configuration.get().rules.get();
  check_lifecycle(rules, s3.needs.random);
  const std::string minimum = request.input.transition_default_minimum_object_size.value_or(kAllClasses128K);
  change_bucket(s3, tx, bucket, [&](BucketRecord& copy) {
    copy.lifecycle = std::move(rules);
    copy.transition_default_minimum_object_size = minimum;
  });
  PutBucketLifecycleConfigurationOutput output;
  output.transition_default_minimum_object_size = minimum;
  return output;
}

DeleteBucketLifecycleOutput delete_bucket_lifecycle(S3& s3, Tx& tx,
                                                    const Request<DeleteBucketLifecycleInput>& request) {
  change_bucket(s3, tx, require_bucket(s3, request), [](BucketRecord& copy) { copy.lifecycle.clear(); });
  return {};
}

}  // namespace brume::s3
