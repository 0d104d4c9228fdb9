#include "front/sigv4/auth_errors.h"

namespace brume::sigv4 {
namespace {

constexpr std::string_view kInvalidToken = "The security token included in the request is invalid.";
constexpr std::string_view kExpiredToken = "The security token included in the request is expired";
constexpr std::string_view kEc2Failure = "AWS was not able to validate the provided access credentials";
constexpr std::string_view kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.";
constexpr std::string_view kS3Mismatch =
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.";

// JSON 1.0 and 1.1 services answer authentication errors with 400, REST services with 403.
int status_of(Style style) { return style == Style::json ? 400 : 403; }

AwsError error(std::string_view code, std::string_view message, int status) {
  return {std::string(code), std::string(message), status};
}

}  // namespace

AwsError missing_authentication(Style style) {
  switch (style) {
    case Style::query:
      return error("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
    case Style::ec2:
      return error("AuthFailure", kEc2Failure, 401);
    case Style::s3:
      return error("AccessDenied", "Access Denied", 403);
    case Style::json:
    case Style::rest_json:
      break;
  }
  return error("MissingAuthenticationTokenException", "Missing Authentication Token", status_of(style));
}

AwsError incomplete_signature(Style style, const std::string& what, bool presigned) {
  switch (style) {
    case Style::query:
    case Style::ec2:
      return error("IncompleteSignature", what, 400);
    case Style::s3:
      return presigned ? error("AuthorizationQueryParametersError", what, 400)
                       : error("AuthorizationHeaderMalformed", "The authorization header is malformed; " + what, 400);
    case Style::json:
    case Style::rest_json:
      break;
  }
  return error("IncompleteSignatureException", what, status_of(style));
}

AwsError unknown_access_key(Style style, const std::string& access_key_id) {
  switch (style) {
    case Style::query:
      return error("InvalidClientTokenId", kInvalidToken, 403);
    case Style::ec2:
      return error("AuthFailure", kEc2Failure, 401);
    case Style::s3:
      return error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
          .with("AWSAccessKeyId", access_key_id);
    case Style::json:
    case Style::rest_json:
      break;
  }
  return error("UnrecognizedClientException", kInvalidToken, status_of(style));
}

AwsError wrong_session_token(Style style) {
  if (style == Style::s3) return error("InvalidToken", "The provided token is malformed or otherwise invalid.", 400);
  return unknown_access_key(style, {});
}

AwsError expired_session_token(Style style) {
  switch (style) {
    case Style::query:
      return error("ExpiredToken", kExpiredToken, 403);
    case Style::ec2:
      return error("RequestExpired", "Request has expired.", 400);
    case Style::s3:
      return error("ExpiredToken", "The provided token has expired.", 400);
    case Style::json:
    case Style::rest_json:
      break;
  }
  return error("ExpiredTokenException", kExpiredToken, status_of(style));
}

AwsError wrong_signature(Style style, const std::string& detail) {
  switch (style) {
    case Style::query:
      return error("SignatureDoesNotMatch", detail.empty() ? kMismatch : detail, 403);
    // EC2 does not say what is wrong with a signature, except that a request is too old.
    case Style::ec2:
      return error("AuthFailure", detail.empty() ? kEc2Failure : detail, 401);
    case Style::s3:
      return error("SignatureDoesNotMatch", detail.empty() ? kS3Mismatch : detail, 403);
    case Style::json:
    case Style::rest_json:
      break;
  }
  return error("InvalidSignatureException", detail.empty() ? kMismatch : detail, status_of(style));
}

AwsError wrong_scope(Style style, const std::string& detail) {
  if (style == Style::s3) return incomplete_signature(style, detail, false);
  return wrong_signature(style, detail);
}

}  // namespace brume::sigv4
