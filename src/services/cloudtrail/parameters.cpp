#include "services/cloudtrail/parameters.h"

#include <array>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "core/scope.h"
#include "services/cloudtrail/event.h"
#include "services/cloudtrail/record_size.h"
#include "services/cloudtrail/service_forms.h"
#include "services/cloudtrail/value_json.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;

bool is_of(const AuditRecord& record, std::string_view service) {
  return record.service != nullptr && record.service->id == service;
}

Dates dates_of(const AuditRecord& record) {
  for (const std::string_view service : {"iam", "elbv2", "dynamodb", "ecr"})
    if (is_of(record, service)) return Dates::english;
  return is_of(record, "sts") ? Dates::english_with_comma : Dates::iso8601;
}

json::value omitted(std::string_view field, std::size_t size, const json::storage_ptr& storage) {
  return json::object({{"omitted", true}, {"originalSize", size}, {"reason", std::string(field) + " too large"}},
                      storage);
}

json::value request_of(const AuditRecord& record, const json::storage_ptr& storage) {
  if (is_of(record, "ec2")) return ec2_request(record, storage);
  if (is_of(record, "s3")) return s3_request(record, storage);
  if (is_of(record, "dynamodb") && is_data_event(record)) return dynamodb_items_request(record, storage);
  if (is_of(record, "sqs")) return sqs_request(record, storage);
  return to_json(record.input->type(), record.input->get(), storage, dates_of(record));
}

json::value response_of(const AuditRecord& record, const json::storage_ptr& storage) {
  if (is_of(record, "ec2")) return ec2_response(record, storage);
  if (is_of(record, "s3")) return s3_response(record, storage);
  if (is_of(record, "dynamodb") && is_data_event(record)) return nullptr;
  if (is_of(record, "sqs")) return sqs_response(record, storage);
  return to_json(record.output->type(), record.output->get(), storage, dates_of(record));
}

// Only what may be too large is written to see.
json::value within_limit(std::string_view field, const model::Object& of, json::value value,
                         const json::storage_ptr& storage) {
  if (memory_of(of.type(), of.get(), kLargestField / 8) <= kLargestField / 8) return value;
  const std::size_t size = json::serialize(value).size();
  return size > kLargestField ? omitted(field, size, storage) : value;
}

}  // namespace

json::value request_parameters(const AuditRecord& record, const json::storage_ptr& storage) {
  if (record.omitted_input_bytes > 0) return omitted("requestParameters", record.omitted_input_bytes, storage);
  if (!record.input) return nullptr;
  return within_limit("requestParameters", *record.input, request_of(record, storage), storage);
}

json::value response_elements(const AuditRecord& record, const json::storage_ptr& storage) {
  if (record.omitted_output_bytes > 0) return omitted("responseElements", record.omitted_output_bytes, storage);
  if (!record.output) return nullptr;
  return within_limit("responseElements", *record.output, response_of(record, storage), storage);
}

json::value event_resources(const AuditRecord& record, const json::storage_ptr& storage) {
  if (!record.input) return nullptr;
  if (is_of(record, "s3")) return s3_resources(record, storage);
  if (!is_of(record, "sts") || record.input->type().find("RoleArn") == nullptr) return nullptr;
  const auto given = model::strings_at(record.input->type(), record.input->get(), "RoleArn");
  const std::optional<Arn> role = given.empty() ? std::nullopt : parse_arn(given.front());
  if (!role) return nullptr;
  json::array resources(storage);
  resources.push_back(
      json::object({{"accountId", role->account}, {"type", "AWS::IAM::Role"}, {"ARN", given.front()}}, storage));
  return resources;
}

std::string event_name(const AuditRecord& record) {
  // "Amazon S3 CloudTrail events".
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kFirstNames = {
      {{"ListObjectsV2", "ListObjects"},
       {"GetBucketLifecycleConfiguration", "GetBucketLifecycle"},
       {"PutBucketLifecycleConfiguration", "PutBucketLifecycle"},
       {"GetBucketNotificationConfiguration", "GetBucketNotification"},
       {"PutBucketNotificationConfiguration", "PutBucketNotification"},
       {"GetPublicAccessBlock", "GetBucketPublicAccessBlock"},
       {"PutPublicAccessBlock", "PutBucketPublicAccessBlock"},
       {"DeletePublicAccessBlock", "DeleteBucketPublicAccessBlock"}}};
  if (is_of(record, "s3"))
    for (const auto& [operation, first] : kFirstNames)
      if (operation == record.operation_name) return std::string(first);
  return record.operation_name;
}

}  // namespace brume::cloudtrail
