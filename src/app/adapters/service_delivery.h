// What services deliver: objects that one writes into a bucket under its own name, lines into a log group (CloudTrail's
// trails, flow logs). Control thread.
#pragma once

#include <functional>
#include <string>

#include "aws/authorization.h"
#include "services/logs/logs.h"
#include "services/s3/s3.h"

namespace brume::app {

// Why the context's principal may not, or "".
std::string denial(const Authorizer& authorizer, const RequestContext& context, const Ask& ask);

std::string bucket_arn(const s3::BucketRecord& bucket);

// `scope` is the account that the service works for; `service` its principal ("cloudtrail.amazonaws.com").
RequestContext service_context(const s3::S3& s3, const Scope& scope, const s3::BucketRecord& bucket,
                               const std::string& service);

// Writes as the bucket's owner, after the authorizer was asked. `done` is given the problem, or null.
void put_service_object(s3::S3& s3, RequestContext context, const s3::BucketRecord& bucket, s3::PutObjectInput input,
                        std::function<void(const AwsError* problem)> done);

// Into the group and the stream, which are made when they are missing, after the authorizer was asked. The problem, or
// "".
std::string put_service_lines(logs::Logs& logs, Store& store, const Scope& scope, const std::string& group,
                              const std::string& stream, const std::vector<logs::NewEvent>& events);

}  // namespace brume::app
