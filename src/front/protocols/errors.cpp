#include <algorithm>

#include "core/json_text.h"
#include "core/text.h"
#include "front/protocols/cbor_items.h"
#include "front/protocols/codec.h"
#include "front/protocols/validate.h"
#include "front/protocols/xml_writer.h"

namespace brume::protocols {

AwsError malformed(Protocol protocol, const model::Service& service, std::string what) {
  switch (protocol) {
    case Protocol::query:
    case Protocol::ec2:
      return AwsError("MalformedQueryString", std::move(what));
    case Protocol::json:
    case Protocol::rest_json:
    case Protocol::rpc_v2_cbor:
      return AwsError("SerializationException", std::move(what));
    case Protocol::rest_xml:
      break;
  }
  if (is_s3(service))
    return AwsError("MalformedXML",
                    "The XML you provided was not well-formed or did not validate against our published schema");
  return AwsError("InvalidInput", std::move(what));
}

AwsError unreadable_value(const Decoding& decoding, const Member& member, std::string_view wire_name,
                          std::string_view text) {
  const std::string name(wire_name);
  const std::string value(member.sensitive ? "***" : text);
  switch (decoding.protocol) {
    case Protocol::ec2:
      return AwsError("InvalidParameterValue",
                      "Value (" + value + ") for parameter " + lower_camel(name) + " is invalid.");
    case Protocol::query:
      return AwsError("MalformedInput", "Value '" + value + "' for parameter " + name + " cannot be read.");
    case Protocol::rest_xml:
      if (is_s3(decoding.service)) return s3_invalid_argument(name, value);
      return AwsError("InvalidInput", "Value '" + value + "' at '" + name + "' cannot be read.");
    case Protocol::json:
    case Protocol::rest_json:
    case Protocol::rpc_v2_cbor:
      break;
  }
  return AwsError("SerializationException", "Value '" + value + "' at '" + name + "' cannot be read.");
}

namespace {

AwsError ec2_violation(const Violation& violation) {
  std::string name = lower_camel(violation.wire_path);
  if (violation.kind == Violation::Kind::missing)
    return AwsError("MissingParameter", "The request must contain the parameter " + name);
  std::string message = "Value (" + violation.value + ") for parameter " + name + " is invalid.";
  const auto& limits = violation.member->type->constraints;
  if (limits != nullptr && violation.kind == Violation::Kind::too_small)
    message += " Expecting a value greater than or equal to " + format_number(limits->min) + ".";
  if (limits != nullptr && violation.kind == Violation::Kind::too_large)
    message += " Expecting a value less than or equal to " + format_number(limits->max) + ".";
  return AwsError("InvalidParameterValue", std::move(message));
}

// ECR words its own: "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy …'".
AwsError ecr_violation(const Violation& violation) {
  std::string constraint = violation.constraint;
  if (constraint.starts_with("Member ")) constraint.erase(0, 7);
  constexpr std::string_view pattern_words = "must satisfy regular expression pattern: ";
  if (constraint.starts_with(pattern_words))
    constraint = "must satisfy regular expression '" + constraint.substr(pattern_words.size()) + "'";
  return AwsError("InvalidParameterException",
                  "Invalid parameter at '" + violation.path + "' failed to satisfy constraint: '" + constraint + "'");
}

// Most JSON services answer ValidationException; these answer an error of their own.
bool answers_invalid_parameter(std::string_view service) { return service == "logs" || service == "ecs"; }

}  // namespace

void validate(const model::Service& service, const model::Operation& operation, Protocol protocol, const void* input) {
  constexpr std::size_t kMostViolations = 20;
  auto violations = find_violations(*operation.input, input, kMostViolations);
  if (is_s3(service)) std::erase_if(violations, s3_judges);
  if (is_sqs(service)) std::erase_if(violations, sqs_judges);
  if (violations.empty()) return;
  if (is_sqs(service)) throw sqs_violation(violations.front());
  switch (protocol) {
    case Protocol::ec2:
      throw ec2_violation(violations.front());
    case Protocol::query:
      throw AwsError("ValidationError", validation_message(violations));
    case Protocol::rest_xml:
      if (is_s3(service)) throw s3_violation(operation, violations.front());
      throw AwsError("InvalidInput", validation_message(violations));
    case Protocol::json:
      if (service.id == "ecr") throw ecr_violation(violations.front());
      if (answers_invalid_parameter(service.id))
        throw AwsError("InvalidParameterException", validation_message(violations));
      break;
    case Protocol::rest_json:
    case Protocol::rpc_v2_cbor:
      break;
  }
  throw AwsError("ValidationException", validation_message(violations));
}

namespace {

AwsError not_served(const std::string& name, Protocol protocol, std::string_view service_name) {
  std::string message = "Brume does not serve the operation " + std::string(service_name) + ":" + name + ".";
  switch (protocol) {
    case Protocol::query:
    case Protocol::ec2:
      return AwsError("InvalidAction", std::move(message), 501);
    case Protocol::rest_xml:
      return AwsError("NotImplemented", std::move(message), 501);
    case Protocol::json:
    case Protocol::rest_json:
    case Protocol::rpc_v2_cbor:
      break;
  }
  return AwsError("UnknownOperationException", std::move(message), 501);
}

}  // namespace

AwsError refusal(const Lookup& lookup, Protocol protocol, std::string_view service_name, std::string_view api_version) {
  const std::string& name = lookup.operation_name;
  if (lookup.kind == Lookup::Kind::known) return not_served(name, protocol, service_name);
  switch (protocol) {
    case Protocol::query:
      if (name.empty()) return AwsError("MissingAction", "The request must contain the parameter Action");
      return AwsError("InvalidAction", "Could not find operation " + name + " for version " + std::string(api_version));
    case Protocol::ec2:
      if (name.empty()) return AwsError("MissingAction", "The request must contain the parameter Action");
      return AwsError("InvalidAction", "The action " + name + " is not valid for this web service.");
    case Protocol::rest_xml:
      return AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
    case Protocol::rest_json:
      return AwsError("UnknownOperationException", "", 404);
    case Protocol::json:
    case Protocol::rpc_v2_cbor:
      break;
  }
  return AwsError("UnknownOperationException", "");
}

namespace {

struct ErrorView {
  const AwsError& error;
  const model::ErrorShape* shape;  // null: not modelled
  std::string code;                // as this protocol has it
  bool sender;
  std::string_view message_name;  // "message" or "Message"
};

ErrorView view_of(const model::Service& service, Protocol protocol, const AwsError& error) {
  ErrorView view{error, service.find_error(error.code), error.code, error.status < 500, "message"};
  const bool named_by_shape =
      protocol != Protocol::query && protocol != Protocol::ec2 && protocol != Protocol::rest_xml;
  if (view.shape != nullptr) {
    view.code = named_by_shape ? view.shape->name : view.shape->code;
    if (protocol == Protocol::query && !view.shape->query_code.empty()) view.code = view.shape->query_code;
    for (const Member& member : view.shape->type->members)
      if (equals_ignoring_case(member.name, "message")) view.message_name = member.wire_name();
  } else if (protocol == Protocol::query && !error.query_code.empty()) {
    view.code = error.query_code;
  }
  return view;
}

const Member* member_of(const model::ErrorShape* shape, const std::string& name) {
  if (shape == nullptr) return nullptr;
  for (const Member& each : shape->type->members)
    if (each.wire_name() == name || each.name == name) return &each;
  return nullptr;
}

bool is_header(const ErrorView& view, const std::string& name) {
  const Member* member = member_of(view.shape, name);
  return member != nullptr && member->location == model::Location::header;
}

// Whether a member of an error is more than text: the handler gave its JSON.
bool is_json(const model::ErrorShape* shape, const std::string& name) {
  const Member* member = member_of(shape, name);
  return member != nullptr && member->type->kind != Kind::string && member->type->kind != Kind::blob;
}

// An error whose shape has no message says none, unless there is one to say.
bool has_message(const ErrorView& view) {
  return view.shape == nullptr || !view.error.message.empty() ||
         std::ranges::any_of(view.shape->type->members,
                             [](const Member& member) { return equals_ignoring_case(member.name, "message"); });
}

void append_member(const model::ErrorShape* shape, const std::string& name, const std::string& value, JsonObject& out) {
  const Member* member = member_of(shape, name);
  const std::string_view wire_name = member != nullptr ? member->wire_name() : name;
  is_json(shape, name) ? out.raw(wire_name, value) : out.text(wire_name, value);
}

model::Object object_of(const model::Service& service, const Member& member, const std::string& json) {
  model::Object object(*member.type);
  decode_own_json(service, *member.type, json, object.get());
  return object;
}

void write_query_error(const model::Service& service, const ErrorView& view, WireReply& reply) {
  if (!service.query_compatible) return;
  const std::string_view from_shape = view.shape != nullptr ? view.shape->query_code : std::string_view();
  std::string code = view.error.query_code.empty() ? std::string(from_shape) : view.error.query_code;
  if (code.empty()) code = view.code;
  reply.headers.emplace_back("x-amzn-query-error", code + (view.sender ? ";Sender" : ";Receiver"));
}

// DynamoDB and SQS name the assembly of an error, the others do not.
std::string type_text(const model::Service& service, const ErrorView& view) {
  if (is_sqs(service)) return (view.shape != nullptr ? "com.amazonaws.sqs#" : "com.amazon.coral.service#") + view.code;
  if (service.id != "dynamodb") return view.code;
  if (view.shape != nullptr) return "com.amazonaws.dynamodb.v20120810#" + view.code;
  if (view.code == "ValidationException") return "com.amazon.coral.validate#" + view.code;
  return "com.amazon.coral.service#" + view.code;
}

void write_json(const model::Service& service, Protocol protocol, const ErrorView& view, WireReply& reply) {
  std::string text;
  JsonObject out(text);
  if (protocol == Protocol::json) {
    out.text("__type", type_text(service, view));
    reply.headers.emplace_back("Content-Type", "application/x-amz-json-" + std::string(service.json_version));
    write_query_error(service, view, reply);
  } else {
    reply.headers.emplace_back("Content-Type", "application/json");
    reply.headers.emplace_back("x-amzn-ErrorType", view.code);
  }
  if (has_message(view)) out.text(view.message_name, view.error.message);
  for (const auto& [name, value] : view.error.members)
    if (!is_header(view, name)) append_member(view.shape, name, value, out);
  out.end();
  reply.body = Body::of(std::move(text));
}

void write_cbor(const model::Service& service, const ErrorView& view, WireReply& reply) {
  std::string text;
  CborItemWriter out(text);
  out.map(2 + view.error.members.size());
  out.text("__type");
  out.text(view.code);
  out.text(view.message_name);
  out.text(view.error.message);
  for (const auto& [name, value] : view.error.members) {
    out.text(name);
    if (is_json(view.shape, name)) {
      const Member& member = *member_of(view.shape, name);
      encode_cbor(*member.type, object_of(service, member, value).get(), text);
    } else {
      out.text(value);
    }
  }
  reply.headers.emplace_back("Content-Type", "application/cbor");
  reply.headers.emplace_back("Smithy-Protocol", "rpc-v2-cbor");
  write_query_error(service, view, reply);
  reply.body = Body::of(std::move(text));
}

void write_error_element(const model::Service& service, XmlWriter& writer, const ErrorView& view, bool with_type) {
  writer.open("Error");
  if (with_type) writer.element("Type", view.sender ? "Sender" : "Receiver");
  writer.element("Code", view.code);
  if (!view.error.message.empty()) writer.element("Message", view.error.message);
  for (const auto& [name, value] : view.error.members) {
    if (is_header(view, name)) continue;
    const Member* member = member_of(view.shape, name);
    if (!is_json(view.shape, name) || is_scalar(member->type->kind)) {
      writer.element(name, value);
    } else {
      const model::Object object = object_of(service, *member, value);
      encode_xml_element(writer, xml_style(service), name, *member->type, member, object.get(), {});
    }
  }
}

void write_xml(const model::Service& service, Protocol protocol, const ErrorView& view, std::string_view request_id,
               WireReply& reply) {
  XmlWriter writer;
  writer.declaration();
  if (protocol == Protocol::ec2) {
    writer.open("Response");
    writer.open("Errors");
    write_error_element(service, writer, view, false);
    writer.close("Error");
    writer.close("Errors");
    writer.element("RequestID", request_id);
    writer.close("Response");
  } else if (is_s3(service)) {
    write_error_element(service, writer, view, false);
    writer.element("RequestId", request_id);
    writer.element("HostId", s3_host_id(request_id));
    writer.close("Error");
  } else {
    writer.open("ErrorResponse");
    writer.name_space(service.xml_namespace);
    write_error_element(service, writer, view, true);
    writer.close("Error");
    writer.element("RequestId", request_id);
    writer.close("ErrorResponse");
  }
  reply.headers.emplace_back("Content-Type", is_s3(service)              ? "application/xml"
                                             : protocol == Protocol::ec2 ? "text/xml;charset=UTF-8"
                                                                         : "text/xml");
  reply.body = Body::of(writer.take());
}

}  // namespace

void add_request_id(const model::Service& service, std::string_view request_id, Headers& headers) {
  if (is_s3(service)) {
    headers.emplace_back("x-amz-request-id", std::string(request_id));
    headers.emplace_back("x-amz-id-2", s3_host_id(request_id));
  } else {
    headers.emplace_back("x-amzn-RequestId", std::string(request_id));
  }
}

WireReply encode_error(const model::Service& service, const model::Operation*, Protocol protocol, const AwsError& error,
                       std::string_view request_id, std::string_view method) {
  const ErrorView view = view_of(service, protocol, error);
  WireReply reply;
  reply.status = error.status;
  add_request_id(service, request_id, reply.headers);
  for (const auto& header : error.headers) reply.headers.push_back(header);
  for (const auto& [name, value] : error.members)
    if (is_header(view, name)) reply.headers.emplace_back(member_of(view.shape, name)->wire_name(), value);
  if (method == "HEAD" || error.status == 304) return reply;
  switch (protocol) {
    case Protocol::query:
    case Protocol::ec2:
    case Protocol::rest_xml:
      write_xml(service, protocol, view, request_id, reply);
      break;
    case Protocol::json:
    case Protocol::rest_json:
      write_json(service, protocol, view, reply);
      break;
    case Protocol::rpc_v2_cbor:
      write_cbor(service, view, reply);
      break;
  }
  return reply;
}

}  // namespace brume::protocols
