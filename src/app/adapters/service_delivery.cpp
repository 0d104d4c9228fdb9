#include "app/adapters/service_delivery.h"

#include <utility>

#include "gen/s3.h"

namespace brume::app {

std::string denial(const Authorizer& authorizer, const RequestContext& context, const Ask& ask) {
  const Verdict verdict = authorizer.authorize(context, ask);
  return verdict.allowed ? "" : denial_message(context.principal, ask, verdict);
}

std::string bucket_arn(const s3::BucketRecord& bucket) {
  return "arn:" + std::string(partition_of(bucket.region)) + ":s3:::" + bucket.name;
}

RequestContext service_context(const s3::S3& s3, const Scope& scope, const s3::BucketRecord& bucket,
                               const std::string& service) {
  RequestContext context;
  context.scope = {scope.account, bucket.region};
  context.principal = {.kind = Principal::Kind::service, .account = scope.account, .id = service};
  context.now = s3.needs.clock.now();
  return context;
}

void put_service_object(s3::S3& s3, RequestContext context, const s3::BucketRecord& bucket, s3::PutObjectInput input,
                        std::function<void(const AwsError* problem)> done) {
  context.scope.account = bucket.account;
  input.bucket = bucket.name;
  const Deferred<s3::PutObjectOutput> answer([done](const s3::PutObjectOutput&) { done(nullptr); },
                                             [done](const AwsError& error) { done(&error); });
  try {
    Tx tx(s3.needs.store);
    s3::put_object(s3, tx, Request<s3::PutObjectInput>(context, input), answer);
    tx.commit();
  } catch (const AwsError& error) {
    answer.fail(error);
  } catch (const StoreError& error) {
    answer.fail(AwsError("InternalError", error.message, 500));  // a full disk: tried again later
  }
}

std::string put_service_lines(logs::Logs& logs, Store& store, const Scope& scope, const std::string& group,
                              const std::string& stream, const std::vector<logs::NewEvent>& events) {
  try {
    Tx tx(store);
    if (logs.groups.find(scope, group) == nullptr) logs::create_group(logs, tx, scope, group, {});
    if (logs.streams.find(scope, logs::stream_key(group, stream)) == nullptr)
      logs::create_stream(logs, tx, scope, group, stream);
    logs::put_events(logs, tx, scope, group, stream, events);
    tx.commit();
  } catch (const StoreError& error) {
    return error.message;  // a full disk
  }
  return {};
}

}  // namespace brume::app
