// Configurations that Brume does not serve. Reading them answers AWS's absence; putting what would change nothing is
// fine; anything else is refused by name, since a configuration without effect would be a lie.
#include "services/s3/requests.h"

namespace brume::s3 {

GetBucketAccelerateConfigurationOutput get_bucket_accelerate_configuration(
    S3& s3, Tx&, const Request<GetBucketAccelerateConfigurationInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  GetBucketAccelerateConfigurationOutput output;
  if (!bucket.accelerate.empty()) output.status = bucket.accelerate;
  return output;
}

PutBucketAccelerateConfigurationOutput put_bucket_accelerate_configuration(
    S3& s3, Tx& tx, const Request<PutBucketAccelerateConfigurationInput>& request) {
  BucketRecord bucket = require_bucket(s3, request);
  if (request.input.accelerate_configuration.get().status.get() != "Suspended")
    throw not_served("S3 Transfer Acceleration");
  bucket.accelerate = "Suspended";
  s3.put_bucket(tx, std::move(bucket));
  return {};
}

GetBucketLoggingOutput get_bucket_logging(S3& s3, Tx&, const Request<GetBucketLoggingInput>& request) {
  require_bucket(s3, request);
  return {};
}

PutBucketLoggingOutput put_bucket_logging(S3& s3, Tx&, const Request<PutBucketLoggingInput>& request) {
  require_bucket(s3, request);
  if (request.input.bucket_logging_status.get().logging_enabled) throw not_served("server access logging");
  return {};
}

GetBucketNotificationConfigurationOutput get_bucket_notification_configuration(
    S3& s3, Tx&, const Request<GetBucketNotificationConfigurationInput>& request) {
  require_bucket(s3, request);
  return {};
}

PutBucketNotificationConfigurationOutput put_bucket_notification_configuration(
    S3& s3, Tx&, const Request<PutBucketNotificationConfigurationInput>& request) {
  require_bucket(s3, request);
  const NotificationConfiguration& configuration = request.input.notification_configuration.get();
  if (!configuration.topic_configurations.get().empty() || !configuration.queue_configurations.get().empty() ||
      !configuration.lambda_function_configurations.get().empty() || configuration.event_bridge_configuration) {
    throw not_served("bucket notifications");
  }
  return {};
}

GetBucketReplicationOutput get_bucket_replication(S3& s3, Tx&, const Request<GetBucketReplicationInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  throw AwsError("ReplicationConfigurationNotFoundError", "The replication configuration was not found", 404)
      .with("BucketName", bucket.name);
}

DeleteBucketReplicationOutput delete_bucket_replication(S3& s3, Tx&,
                                                        const Request<DeleteBucketReplicationInput>& request) {
  require_bucket(s3, request);
  return {};
}

GetBucketRequestPaymentOutput get_bucket_request_payment(S3& s3, Tx&,
                                                         const Request<GetBucketRequestPaymentInput>& request) {
  require_bucket(s3, request);
  GetBucketRequestPaymentOutput output;
  output.payer = "BucketOwner";
  return output;
}

PutBucketRequestPaymentOutput put_bucket_request_payment(S3& s3, Tx&,
                                                         const Request<PutBucketRequestPaymentInput>& request) {
  require_bucket(s3, request);
  if (request.input.request_payment_configuration.get().payer.get() != "BucketOwner") {
    throw not_served("Requester Pays buckets");
  }
  return {};
}

GetBucketWebsiteOutput get_bucket_website(S3& s3, Tx&, const Request<GetBucketWebsiteInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  throw AwsError("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", 404)
      .with("BucketName", bucket.name);
}

DeleteBucketWebsiteOutput delete_bucket_website(S3& s3, Tx&, const Request<DeleteBucketWebsiteInput>& request) {
  require_bucket(s3, request);
  return {};
}

GetObjectLockConfigurationOutput get_object_lock_configuration(
    S3& s3, Tx&, const Request<GetObjectLockConfigurationInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  throw AwsError("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket",
                 404)
      .with("BucketName", bucket.name);
}

}  // namespace brume::s3
