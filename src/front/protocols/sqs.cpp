// SQS's exceptions from its model: "Making query API requests" to a queue's own path, and the words of its errors.
#include "front/protocols/codec.h"
#include "front/protocols/validate.h"

namespace brume::protocols {

bool is_sqs(const model::Service& service) { return service.id == "sqs"; }

void sqs_queue_of_path(const Decoding& decoding, void* input) {
  const Member* url = decoding.operation.input->find("QueueUrl");
  if (url == nullptr || decoding.request.path.size() < 2 || url->get(input) != nullptr) return;
  static_cast<std::string*>(url->emplace(input))->assign(decoding.request.path);
}

// A form cannot tell an empty batch from none: that is EmptyBatchRequest.
bool sqs_judges(const Violation& violation) {
  return violation.kind != Violation::Kind::missing || violation.member->name == "Entries";
}

AwsError sqs_violation(const Violation& violation) {
  AwsError error("MissingRequiredParameterException",
                 "The request must contain the parameter " + violation.wire_path + ".");
  error.query_code = "MissingParameter";
  return error;
}

}  // namespace brume::protocols
