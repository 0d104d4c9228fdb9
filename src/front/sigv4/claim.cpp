#include "front/sigv4/claim.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.h"

namespace brume::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kWeek_s = 604'800;

// Credential=…, SignedHeaders=…, Signature=… of the Authorization header.
struct HeaderParts {
  std::string_view credential, signed_headers, signature;
};

HeaderParts split_authorization(std::string_view parameters) {
  HeaderParts parts;
  while (!parameters.empty()) {
    const std::size_t comma = parameters.find(',');
    std::string_view item = parameters.substr(0, comma);
    if (item.starts_with(' ') || item.ends_with(' ') || item.find('\t') != std::string_view::npos) item = trim(item);
    parameters.remove_prefix(comma == std::string_view::npos ? parameters.size() : comma + 1);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = item.substr(equals + 1);
    if (name == "Credential") parts.credential = value;
    if (name == "SignedHeaders") parts.signed_headers = value;
    if (name == "Signature") parts.signature = value;
  }
  return parts;
}

// False: it has more or fewer than five fields.
bool split_credential(std::string_view credential, std::array<std::string_view, 5>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t slash = credential.find('/');
    if ((slash == std::string_view::npos) != (i + 1 == fields.size())) return false;
    fields[i] = credential.substr(0, slash);
    if (slash != std::string_view::npos) credential.remove_prefix(slash + 1);
  }
  return true;
}

// "AKID/20260301/eu-west-1/sts/aws4_request". An access key id may not hold a slash, so the last four fields are the
// scope. Returns why it cannot be read, or an empty text.
std::string read_credential(std::string_view credential, std::string& access_key_id, CredentialScope& scope) {
  std::array<std::string_view, 5> fields;
  if (!split_credential(credential, fields) || fields[0].empty())
    return "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
           std::string(credential) + "'";
  access_key_id = fields[0];
  scope = {std::string(fields[1]), std::string(fields[2]), std::string(fields[3])};
  if (fields[4] != "aws4_request")
    return "Credential should be scoped with a valid terminator: 'aws4_request', not '" + std::string(fields[4]) + "'.";
  return {};
}

void read_signed_headers(std::string_view text, Claim& claim) {
  claim.signed_headers.reserve(12);
  for (;;) {
    const std::size_t end = text.find(';');
    claim.signed_headers.push_back(to_lower(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// The headers that say something about a signature, found in one pass; of several the first.
struct AuthHeaders {
  explicit AuthHeaders(const Headers& headers) {
    for (const auto& [name, value] : headers) {
      const auto is = [&name](std::string_view wanted) {
        return name.size() == wanted.size() && equals_ignoring_case(name, wanted);
      };
      if (is("authorization")) {
        if (++authorizations == 1) authorization = value;
      } else if (is("x-amz-date")) {
        if (amz_date.data() == nullptr) amz_date = value;
      } else if (is("date")) {
        if (date.data() == nullptr) date = value;
      } else if (is("x-amz-security-token")) {
        if (token.data() == nullptr) token = value;
      }
    }
  }
  std::string_view authorization, amz_date, date, token;
  int authorizations = 0;
};

// The date of a header-signed request: X-Amz-Date, else Date in either form.
bool read_date(const AuthHeaders& headers, Claim& claim) {
  const std::string_view date = headers.amz_date.empty() ? headers.date : headers.amz_date;
  if (parse_basic_iso8601(date, claim.time)) {
    claim.timestamp = date;
    return true;
  }
  if (!parse_http_date(date, claim.time)) return false;
  claim.timestamp = basic_iso8601(claim.time);
  return true;
}

std::string_view authorization_of(const SignedRequest& request) { return header_of(*request.headers, "authorization"); }

bool has_parameter(std::string_view query, std::string_view name) {
  if (query.empty()) return false;
  for (const std::string_view pair : split(query, '&'))
    if (pair.substr(0, pair.find('=')) == name) return true;
  return false;
}

std::expected<std::optional<Claim>, AwsError> read_header_claim(const AuthHeaders& headers, Style style) {
  const std::string_view authorization = headers.authorization;
  const std::size_t space = authorization.find(' ');
  const std::string_view algorithm = authorization.substr(0, space);
  if (algorithm != kAlgorithm) {
    if (style == Style::s3)
      return std::unexpected(
          AwsError("InvalidRequest",
                   "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."));
    return std::unexpected(
        incomplete_signature(style, "Unsupported AWS 'algorithm': '" + std::string(algorithm) + "'.", false));
  }
  const HeaderParts parts =
      split_authorization(space == std::string_view::npos ? std::string_view() : authorization.substr(space + 1));
  std::expected<std::optional<Claim>, AwsError> result(std::in_place, std::in_place);
  Claim& claim = **result;
  std::string missing;
  if (parts.credential.empty()) missing += "Authorization header requires 'Credential' parameter. ";
  if (parts.signature.empty()) missing += "Authorization header requires 'Signature' parameter. ";
  if (parts.signed_headers.empty()) missing += "Authorization header requires 'SignedHeaders' parameter. ";
  const bool dated = read_date(headers, claim);
  if (!dated && missing.empty() && style == Style::s3)
    return std::unexpected(
        AwsError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403));
  if (!dated) missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  if (!missing.empty())
    return std::unexpected(incomplete_signature(style, missing + "Authorization=" + std::string(algorithm), false));
  const std::string problem = read_credential(parts.credential, claim.access_key_id, claim.scope);
  if (!problem.empty()) return std::unexpected(incomplete_signature(style, problem, false));
  read_signed_headers(parts.signed_headers, claim);
  claim.signature = parts.signature;
  claim.session_token = headers.token;
  return result;
}

// "X-Amz-Expires" of S3: required, a number, at most a week. Returns why not, or an empty text.
std::string read_expires(const std::string& text, Style style, Claim& claim) {
  if (text.empty() && style != Style::s3) {
    claim.expires_s = 900;
    return {};
  }
  if (!parse_int(text, claim.expires_s)) return "X-Amz-Expires should be a number";
  if (claim.expires_s < 0) return "X-Amz-Expires must be non-negative";
  if (claim.expires_s > kWeek_s)
    return "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
           "604800 seconds";
  return {};
}

std::expected<std::optional<Claim>, AwsError> read_query_claim(const SignedRequest& request, Style style) {
  const auto parameter = [&request](std::string_view name) { return query_parameter(request.query, name); };
  const auto refused = [style](const std::string& what) {
    return std::unexpected(incomplete_signature(style, what, true));
  };
  const std::string algorithm = parameter("X-Amz-Algorithm");
  if (algorithm != kAlgorithm)
    return refused(style == Style::s3 ? "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""
                                      : "Unsupported AWS 'algorithm': '" + algorithm + "'.");
  const std::string credential = parameter("X-Amz-Credential");
  const std::string signed_headers = parameter("X-Amz-SignedHeaders");
  const std::string expires = parameter("X-Amz-Expires");
  std::expected<std::optional<Claim>, AwsError> result(std::in_place, std::in_place);
  Claim& claim = **result;
  claim.presigned = true;
  claim.signature = parameter("X-Amz-Signature");
  claim.timestamp = parameter("X-Amz-Date");
  claim.session_token = parameter("X-Amz-Security-Token");
  if (credential.empty() || signed_headers.empty() || claim.signature.empty() || claim.timestamp.empty() ||
      (style == Style::s3 && expires.empty()))
    return refused(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
        "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  if (!parse_basic_iso8601(claim.timestamp, claim.time))
    return refused("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  std::string problem = read_expires(expires, style, claim);
  if (problem.empty()) problem = read_credential(credential, claim.access_key_id, claim.scope);
  if (!problem.empty()) return refused(problem);
  read_signed_headers(signed_headers, claim);
  return result;
}

}  // namespace

std::optional<CredentialScope> peek_scope(const SignedRequest& request) {
  std::string credential;
  const std::string_view authorization = authorization_of(request);
  if (const std::size_t space = authorization.find(' '); space != std::string_view::npos)
    credential = split_authorization(authorization.substr(space + 1)).credential;
  else
    credential = query_parameter(request.query, "X-Amz-Credential");
  const std::vector<std::string_view> fields = split(credential, '/');
  if (fields.size() < 4) return std::nullopt;
  return CredentialScope{std::string(fields[1]), std::string(fields[2]), std::string(fields[3])};
}

std::expected<std::optional<Claim>, AwsError> read_claim(const SignedRequest& request, Style style) {
  const AuthHeaders headers(*request.headers);
  const bool in_header = !headers.authorization.empty();
  const bool in_query = has_parameter(request.query, "X-Amz-Algorithm") ||
                        has_parameter(request.query, "X-Amz-Signature") ||
                        has_parameter(request.query, "X-Amz-Credential");
  if (in_header && in_query) {
    if (style == Style::s3)
      return std::unexpected(AwsError("InvalidArgument",
                                      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                                      "Signature query string parameter or the Authorization header should be "
                                      "specified"));
    return std::unexpected(incomplete_signature(style, "The request has two signatures.", false));
  }
  // Several of them could be read as different ones by different readers.
  if (headers.authorizations > 1)
    return std::unexpected(incomplete_signature(style, "There is more than one Authorization header.", false));
  if (in_header) return read_header_claim(headers, style);
  if (in_query) return read_query_claim(request, style);
  return std::nullopt;
}

}  // namespace brume::sigv4
