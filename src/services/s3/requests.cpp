#include "services/s3/requests.h"

#include "core/scope.h"
#include "services/s3/bucket_policy.h"
#include "services/s3/conditions.h"

namespace brume::s3 {

const BucketRecord& require_bucket(const S3& s3, const RequestContext& context, const opt<std::string>& name,
                                   const opt<std::string>& expected_owner) {
  const BucketRecord* bucket = s3.find_bucket(name.get());
  if (bucket == nullptr) {
    throw no_such_bucket("The specified bucket does not exist").with("BucketName", name.get());
  }
  // Only AWS's host names stand for a region: at 127.0.0.1 all regions are served. Who signs nothing names none.
  const bool regional = context.host.find("amazonaws.com") != std::string::npos &&
                        context.principal.kind != Principal::Kind::anonymous && !context.scope.region.empty();
  if (regional && bucket->region != context.scope.region) {
    throw AwsError(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send "
        "all future requests to this endpoint.",
        301)
        .with("Endpoint", bucket->name + ".s3." + bucket->region + "." + std::string(dns_suffix_of(bucket->region)))
        .with("Bucket", bucket->name)
        .with_header("x-amz-bucket-region", bucket->region);
  }
  if (expected_owner && *expected_owner != bucket->account) throw access_denied("Access Denied");
  return *bucket;
}

std::string object_arn(const BucketRecord& bucket, std::string_view key) {
  return bucket_arn(bucket) + "/" + std::string(key);
}

void authorize(const S3& s3, const RequestContext& context, std::string_view action, const std::string& resource) {
  if (s3.needs.authorizer == nullptr) return;
  const Ask ask{std::string(action), resource, {}};
  const Verdict verdict = s3.needs.authorizer->authorize(context, ask);
  if (!verdict.allowed) throw access_denied(denial_message(context.principal, ask, verdict));
}

const std::string& require_key(const opt<std::string>& key) {
  if (key.get().size() > 1024) {
    throw AwsError("KeyTooLongError", "Your key is too long")
        .with("Size", std::to_string(key.get().size()))
        .with("MaxSizeAllowed", "1024");
  }
  return key.get();
}

AwsError missing_key(const S3& s3, const RequestContext& context, const BucketRecord& bucket, const std::string& key) {
  if (s3.needs.authorizer != nullptr) {
    const Ask ask{"s3:ListBucket", bucket_arn(bucket), {}};
    const Verdict verdict = s3.needs.authorizer->authorize(context, ask);
    if (!verdict.allowed) return access_denied(denial_message(context.principal, ask, verdict));
  }
  return no_such_key_error(key);
}

AwsError not_served(const std::string& what) {
  return AwsError("NotImplemented", "Brume does not serve " + what + ".", 501);
}

opt<std::string> shown_version(const BucketRecord& bucket, const std::string& version_id) {
  if (bucket.versioning.empty() || version_id.empty()) return kNothing;
  return version_id;
}

}  // namespace brume::s3
