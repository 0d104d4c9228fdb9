// An object that a service writes into a bucket under its own name: CloudTrail's files, flow logs. Whoever calls has
// asked the authorizer. Control thread.
#pragma once

#include <functional>
#include <string>

#include "services/s3/s3.h"

namespace brume::app {

std::string bucket_arn(const s3::BucketRecord& bucket);

// `scope` is the account that the service works for; `service` its principal ("cloudtrail.amazonaws.com").
RequestContext service_context(const s3::S3& s3, const Scope& scope, const s3::BucketRecord& bucket,
                               const std::string& service);

// Writes as the bucket's owner. `done` is given the problem, or null.
void put_service_object(s3::S3& s3, RequestContext context, const s3::BucketRecord& bucket, s3::PutObjectInput input,
                        std::function<void(const AwsError* problem)> done);

}  // namespace brume::app
