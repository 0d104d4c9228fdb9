#include <algorithm>

#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/validate.h"
#include "front/protocols/xml_writer.h"

namespace brume::protocols {

bool is_s3(const model::Service& service) { return service.id == "s3"; }

// As "Amazon S3 API Reference" shows them under Response Syntax.
std::string_view s3_root(std::string_view operation) {
  struct Root {
    std::string_view operation, element;
  };
  constexpr Root roots[] = {
      {"CompleteMultipartUpload", "CompleteMultipartUploadResult"},
      {"CreateMultipartUpload", "InitiateMultipartUploadResult"},
      {"DeleteObjects", "DeleteResult"},
      {"GetBucketAccelerateConfiguration", "AccelerateConfiguration"},
      {"GetBucketAcl", "AccessControlPolicy"},
      {"GetBucketCors", "CORSConfiguration"},
      {"GetBucketLifecycleConfiguration", "LifecycleConfiguration"},
      {"GetBucketLogging", "BucketLoggingStatus"},
      {"GetBucketNotificationConfiguration", "NotificationConfiguration"},
      {"GetBucketRequestPayment", "RequestPaymentConfiguration"},
      {"GetBucketTagging", "Tagging"},
      {"GetBucketVersioning", "VersioningConfiguration"},
      {"GetBucketWebsite", "WebsiteConfiguration"},
      {"GetObjectAcl", "AccessControlPolicy"},
      {"GetObjectAttributes", "GetObjectAttributesResponse"},
      {"GetObjectTagging", "Tagging"},
      {"ListBuckets", "ListAllMyBucketsResult"},
      {"ListMultipartUploads", "ListMultipartUploadsResult"},
      {"ListObjectVersions", "ListVersionsResult"},
      {"ListObjects", "ListBucketResult"},
      {"ListObjectsV2", "ListBucketResult"},
      {"ListParts", "ListPartsResult"},
  };
  const auto found = std::ranges::find(roots, operation, &Root::operation);
  return found == std::end(roots) ? std::string_view() : found->element;
}

bool encode_s3_location(const model::Operation& operation, const void* output, WireReply& reply) {
  if (operation.name != "GetBucketLocation") return false;
  const Member* member = operation.output->find("LocationConstraint");
  const void* location = member != nullptr ? member->get(output) : nullptr;
  XmlWriter writer;
  writer.declaration();
  writer.open("LocationConstraint");
  writer.name_space(kS3Namespace);
  if (location != nullptr && !static_cast<const std::string*>(location)->empty())
    writer.content(*static_cast<const std::string*>(location));
  writer.close("LocationConstraint");
  reply.headers.emplace_back("Content-Type", "application/xml");
  reply.body = Body::of(writer.take());
  return true;
}

// The deletions' 204 are in the model.
int s3_status(const model::Operation& operation) {
  const bool no_content = operation.name == "PutBucketPolicy" || operation.name == "PutBucketTagging";
  return no_content ? 204 : operation.status;
}

// A location may be none that the model lists: which error that is depends on the endpoint's region.
bool s3_judges(const Violation& violation) {
  return violation.kind == Violation::Kind::enumeration && violation.member->name == "LocationConstraint";
}

AwsError s3_invalid_argument(const std::string& name, const std::string& value) {
  std::string message = "Argument " + name + " is not valid.";
  if (name == "max-keys" || name == "max-parts" || name == "max-uploads")
    message = "Provided " + name + " not an integer or within integer range";
  if (name == "partNumber") message = "Part number must be an integer between 1 and 10000, inclusive";
  return AwsError("InvalidArgument", message).with("ArgumentName", name).with("ArgumentValue", value);
}

AwsError s3_violation(const model::Operation& operation, const Violation& violation) {
  const std::string name(violation.member->wire_name());
  const bool missing = violation.kind == Violation::Kind::missing;
  if (violation.in_body) {
    const std::int16_t payload = operation.input->payload;
    if (missing && payload >= 0 && &operation.input->members[static_cast<std::size_t>(payload)] == violation.member)
      return AwsError("MissingRequestBodyError", "Request Body is empty");
    return AwsError("MalformedXML",
                    "The XML you provided was not well-formed or did not validate against our published schema");
  }
  if (missing && violation.member->location == model::Location::header)
    return AwsError("InvalidRequest", "Missing required header for this request: " + name);
  if (missing) return AwsError("InvalidArgument", "This operation needs the parameter " + name + ".");
  if (violation.member->name == "StorageClass")
    return AwsError("InvalidStorageClass", "The storage class you specified is not valid")
        .with("StorageClassRequested", violation.value);
  if (violation.member->name == "ServerSideEncryption")
    return AwsError("InvalidArgument", "The encryption method specified is not supported")
        .with("ArgumentName", name)
        .with("ArgumentValue", violation.value);
  return s3_invalid_argument(name, violation.value);
}

std::string s3_host_id(std::string_view request_id) { return to_base64(sha256("host " + std::string(request_id))); }

}  // namespace brume::protocols
