// What the codecs of this folder share: one body format each, and the state of one decoding. Not for other folders.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "front/protocols/protocol.h"
#include "front/protocols/scalars.h"
#include "front/protocols/type_facts.h"

namespace brume::protocols {

class XmlWriter;
struct Violation;

// The state of one decoding.
struct Decoding {
  const model::Service& service;
  const model::Operation& operation;
  Protocol protocol;
  const WireRequest& request;
  const ModelFacts* facts;  // null: the service's tables are generated
  DecodeReport report;

  const TypeFacts& facts_of(const Type& type) const {
    return facts != nullptr ? facts->of(type) : generated_facts(service, type);
  }
  // Whether an integer fits its type's width. Most do without asking.
  bool fits(const Type& type, std::int64_t value) const {
    if (facts == nullptr && value >= INT32_MIN && value <= INT32_MAX) return true;
    const std::uint8_t bits = facts_of(type).bits;
    const std::int64_t limit = std::int64_t{1} << (bits == 64 ? 62 : bits - 1);
    return bits == 64 || (value >= -limit && value < limit);
  }
  // A scalar as this protocol's servers read it; false, with the value untouched or of no use, when it does not fit.
  bool read(const Type& type, TimestampFormat format, std::string_view text, void* value) const {
    if (!(exact() ? parse_exact_scalar : parse_scalar)(type, format, text, value)) return false;
    return type.kind != Kind::integer || fits(type, *static_cast<const std::int64_t*>(value));
  }

  // Whether values are read exactly, as Smithy's servers do. The older protocols' services are more lenient.
  bool exact() const { return protocol == Protocol::rest_json; }

  void ignore(std::string_view name) {
    if (report.ignored_members.size() < 20)
      report.ignored_members.push_back(std::string(operation.name) + "." + std::string(name));
  }
};

// Outputs have no URI and no query: their members bound there travel in the body.
bool is_body_of_output(const Member& member);

// A member's name in forms, and in XML where the service is another protocol's (SQS).
inline std::string_view query_name_of(const Member& member) {
  return member.query_name.empty() ? member.wire_name() : member.query_name;
}

// Whether the elements of a flattened list go by the list's own name for them, as in SQS's query protocol
// (AttributeName.1): the list is flattened, not only this member of its type, and the member has no name of its own.
bool names_elements(const Member& member);

// --- query and ec2 (query_decode.cpp): a form in the body or the query, with members as dotted names.
void decode_query(Decoding& decoding, void* input);

// --- json (json_decode.cpp, json_encode.cpp).
void decode_json(Decoding& decoding, const Type& type, std::string_view text, void* value);
// A value that this program wrote: a structure or list in an error, as the handler gave it.
void decode_own_json(const model::Service& service, const Type& type, std::string_view text, void* value);
// Members whose location is not the body are left out.
void encode_json(const Type& type, TimestampFormat timestamps, const void* value, std::string& out);

// --- What a rest-json request says about its body and the answer's (media_types.cpp): UnsupportedMediaTypeException,
// NotAcceptableException.
void check_media_types(const Decoding& decoding);

// --- Smithy's own validation (smithy_validation.cpp), of services whose ValidationException lists fields.
bool lists_fields(const model::Service& service);
void validate_fields(const Decoding& decoding, const void* input);

// --- rest-json and rest-xml (rest_decode.cpp, rest_encode.cpp): members in the URI, the query and headers.
void decode_rest(Decoding& decoding, void* input);
WireReply encode_rest(const model::Service& service, const model::Operation& operation, Protocol protocol,
                      void* output);

// --- rpc-v2-cbor (rpc_v2_cbor.cpp).
void decode_rpc_v2_cbor(Decoding& decoding, void* input);
WireReply encode_rpc_v2_cbor(const model::Operation& operation, const void* output);
void encode_cbor(const Type& type, const void* value, std::string& out);

// --- XML (xml_decode.cpp, xml_encode.cpp).
void decode_xml(Decoding& decoding, const Type& type, const Member* payload, std::string_view text, void* value);

struct XmlStyle {
  TimestampFormat timestamps = TimestampFormat::iso8601;
  // EC2 and S3 write milliseconds always, IAM and STS never; unset: when they are not zero.
  std::optional<bool> milliseconds;
  bool query_names = false;  // of the query protocol
};
XmlStyle xml_style(const model::Service& service);
// The element's content: its body members.
void encode_xml_members(XmlWriter& writer, const XmlStyle& style, const Type& type, const void* value);
// The element itself, in the namespace of the member or its type, else in the one given.
void encode_xml_element(XmlWriter& writer, const XmlStyle& style, std::string_view name, const Type& type,
                        const Member* member, const void* value, std::string_view default_namespace);
WireReply encode_query_reply(const model::Service& service, const model::Operation& operation, Protocol protocol,
                             const void* output, std::string_view request_id);

// --- Errors (errors.cpp).
// The request cannot be read: SerializationException, MalformedXML, MalformedInput… `what` is a sentence.
AwsError malformed(Protocol protocol, const model::Service& service, std::string what);
// A scalar that does not fit its type, in the query, a header, the URI or a form.
AwsError unreadable_value(const Decoding& decoding, const Member& member, std::string_view wire_name,
                          std::string_view text);
// The last label of a shape or operation name in lower camel case: "TableName" is 'tableName' in AWS's messages.
std::string lower_camel(std::string_view name);

void add_request_id(const model::Service& service, std::string_view request_id, Headers& headers);

// --- S3's exceptions from its own model (s3.cpp).
inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
bool is_s3(const model::Service& service);
// The root element of an output, which S3's model does not name; empty: the model's.
std::string_view s3_root(std::string_view operation);
// GetBucketLocation answers a root element with text in it. False: the operation is an ordinary one.
bool encode_s3_location(const model::Operation& operation, const void* output, WireReply& reply);
// The status of a success: AWS's models leave out what "Amazon S3 API Reference" shows under Sample Response.
int s3_status(const model::Operation& operation);
// Whether the service itself, and not its model, decides about a value that breaks the model.
bool s3_judges(const Violation& violation);
AwsError s3_invalid_argument(const std::string& name, const std::string& value);
AwsError s3_violation(const model::Operation& operation, const Violation& violation);
// The x-amz-id-2 of a request: S3's second id, here made from the first.
std::string s3_host_id(std::string_view request_id);

// --- SQS's exceptions from its own model (sqs.cpp).
bool is_sqs(const model::Service& service);
// A query request to a queue's own path names the queue by it.
void sqs_queue_of_path(const Decoding& decoding, void* input);
bool sqs_judges(const Violation& violation);
AwsError sqs_violation(const Violation& violation);

}  // namespace brume::protocols
