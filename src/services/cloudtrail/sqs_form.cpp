// SQS's records: what messages say is never in them ("Logging Amazon Simple Queue Service API calls using AWS
// CloudTrail").
#include <boost/json.hpp>

#include "services/cloudtrail/service_forms.h"
#include "services/cloudtrail/value_json.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;

void hide_message(json::value& value) {
  if (!value.is_object()) return;
  for (const char* name : {"messageBody", "messageAttributes"})
    if (json::value* said = value.as_object().if_contains(name)) *said = "HIDDEN_DUE_TO_SECURITY_REASONS";
}

}  // namespace

json::value sqs_request(const AuditRecord& record, const json::storage_ptr& storage) {
  json::value value = to_json(record.input->type(), record.input->get(), storage, Dates::iso8601);
  hide_message(value);
  if (json::value* entries = value.is_object() ? value.as_object().if_contains("entries") : nullptr)
    if (entries->is_array())
      for (json::value& entry : entries->as_array()) hide_message(entry);
  return value;
}

json::value sqs_response(const AuditRecord& record, const json::storage_ptr& storage) {
  if (record.operation_name == "ReceiveMessage") return nullptr;
  return to_json(record.output->type(), record.output->get(), storage, Dates::iso8601);
}

}  // namespace brume::cloudtrail
