#include "front/dispatch/style.h"

#include <utility>

namespace brume::front {

using sigv4::Style;

Style style_of(const model::Service& service, model::Protocol protocol) {
  if (service.id == "s3") return Style::s3;
  switch (protocol) {
    case model::Protocol::ec2:
      return Style::ec2;
    case model::Protocol::json:
    case model::Protocol::rpc_v2_cbor:
      return Style::json;
    case model::Protocol::rest_json:
      return Style::rest_json;
    case model::Protocol::query:
    case model::Protocol::rest_xml:
      break;
  }
  return Style::query;
}

AwsError access_denied(Style style, const Principal& principal, const Ask& ask, const Verdict& verdict) {
  const std::string message = denial_message(principal, ask, verdict);
  switch (style) {
    case Style::s3:
      if (principal.kind == Principal::Kind::anonymous) return {"AccessDenied", "Access Denied", 403};
      return {"AccessDenied", message, 403};
    case Style::ec2:
      return {"UnauthorizedOperation", "You are not authorized to perform this operation. " + message, 403};
    case Style::query:
      return {"AccessDenied", message, 403};
    case Style::json: {
      AwsError error("AccessDeniedException", message, 400);
      error.query_code = "AccessDenied";
      return error;
    }
    case Style::rest_json:
      break;
  }
  return {"AccessDeniedException", message, 403};
}

AwsError internal_failure(Style style) {
  switch (style) {
    case Style::s3:
      return {"InternalError", "We encountered an internal error. Please try again.", 500};
    case Style::ec2:
      return {"InternalError", "An internal error has occurred", 500};
    case Style::query:
    case Style::json:
    case Style::rest_json:
      break;
  }
  return {"InternalFailure", "The request processing has failed because of an unknown error, exception or failure.",
          500};
}

AwsError disk_full(Style style) {
  AwsError error = internal_failure(style);
  error.message = "Brume's state directory has no space left: nothing was changed. Free some space on its disk.";
  error.status = 507;
  return error;
}

AwsError in_style(Style style, AwsError body_error) {
  if (body_error.code != "EntityTooLarge") return body_error;
  if (style == Style::s3)
    body_error.status = 400;  // "Error responses" of the S3 API reference
  else
    body_error.code =
        style == Style::query || style == Style::ec2 ? "RequestEntityTooLarge" : "RequestEntityTooLargeException";
  return body_error;
}

}  // namespace brume::front
