#include "front/sigv4/presigned_v2.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/text.h"
#include "front/sigv4/auth_errors.h"

namespace brume::sigv4 {
namespace {

// The regions that were there before Signature Version 4 was the only one.
constexpr std::array<std::string_view, 8> kRegions = {"us-east-1",      "us-west-1",      "us-west-2",
                                                      "eu-west-1",      "ap-southeast-1", "ap-southeast-2",
                                                      "ap-northeast-1", "sa-east-1"};

// The parameters that name another resource than the path alone, or change the answer's headers.
constexpr std::array kSubresources = std::to_array<std::string_view>({"accelerate",
                                                                      "acl",
                                                                      "analytics",
                                                                      "cors",
                                                                      "defaultObjectAcl",
                                                                      "delete",
                                                                      "inventory",
                                                                      "lifecycle",
                                                                      "location",
                                                                      "logging",
                                                                      "metrics",
                                                                      "notification",
                                                                      "object-lock",
                                                                      "partNumber",
                                                                      "policy",
                                                                      "replication",
                                                                      "requestPayment",
                                                                      "response-cache-control",
                                                                      "response-content-disposition",
                                                                      "response-content-encoding",
                                                                      "response-content-language",
                                                                      "response-content-type",
                                                                      "response-expires",
                                                                      "restore",
                                                                      "select",
                                                                      "select-type",
                                                                      "storageClass",
                                                                      "tagging",
                                                                      "torrent",
                                                                      "uploadId",
                                                                      "uploads",
                                                                      "versionId",
                                                                      "versioning",
                                                                      "versions",
                                                                      "website"});

using Parameters = std::vector<std::pair<std::string, std::optional<std::string>>>;

Parameters parameters_of(std::string_view query) {
  Parameters parameters;
  for (const std::string_view pair : split(query, '&')) {
    const std::size_t equals = pair.find('=');
    std::optional<std::string> value;
    if (equals != std::string_view::npos)
      value = percent_decode(pair.substr(equals + 1), true).value_or(std::string(pair.substr(equals + 1)));
    parameters.emplace_back(pair.substr(0, equals), std::move(value));
  }
  return parameters;
}

std::string value_of(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (equals_ignoring_case(key, name)) return value.value_or("");
  return {};
}

// A presigned link carries in its query what would be a header.
std::string header_or_parameter(const SignedRequest& request, const Parameters& parameters, std::string_view name) {
  const std::string_view header = header_of(*request.headers, name);
  return header.empty() ? value_of(parameters, name) : std::string(header);
}

std::string amz_headers(const SignedRequest& request, const Parameters& parameters) {
  std::map<std::string, std::string> found;
  const auto add = [&found](std::string_view name, std::string_view value) {
    std::string lower = to_lower(name);
    if (!lower.starts_with("x-amz-")) return;
    std::string& held = found[std::move(lower)];
    if (!held.empty()) held += ',';
    held += trim(value);
  };
  for (const auto& [name, value] : *request.headers) add(name, value);
  for (const auto& [name, value] : parameters) add(name, value.value_or(""));
  std::string text;
  for (const auto& [name, value] : found) text.append(name).append(":").append(value).append("\n");
  return text;
}

std::string subresources(Parameters parameters) {
  std::erase_if(parameters, [](const auto& each) {
    return std::find(kSubresources.begin(), kSubresources.end(), each.first) == kSubresources.end();
  });
  std::sort(parameters.begin(), parameters.end());
  std::string text;
  for (const auto& [name, value] : parameters) {
    text.append(text.empty() ? "?" : "&").append(name);
    if (value) text.append("=").append(*value);
  }
  return text;
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned int size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), value.data(), &size);
  return {reinterpret_cast<const char*>(value.data()), size};
}

}  // namespace

bool is_presigned_v2(const SignedRequest& request) {
  if (!header_of(*request.headers, "authorization").empty()) return false;
  return !query_parameter(request.query, "AWSAccessKeyId").empty() &&
         !query_parameter(request.query, "Signature").empty();
}

std::string string_to_sign_v2(const SignedRequest& request, std::string_view resource) {
  const Parameters parameters = parameters_of(request.query);
  std::string text(request.method);
  text.append("\n").append(header_or_parameter(request, parameters, "content-md5"));
  text.append("\n").append(header_or_parameter(request, parameters, "content-type"));
  text.append("\n").append(value_of(parameters, "Expires")).append("\n");
  return text.append(amz_headers(request, parameters)).append(resource).append(subresources(parameters));
}

std::expected<Principal, AwsError> verify_presigned_v2(const SignedRequest& request, std::string_view resource,
                                                       std::string_view region, Time now,
                                                       const Credentials& credentials) {
  if (!region.empty() && std::find(kRegions.begin(), kRegions.end(), region) == kRegions.end())
    return std::unexpected(
        AwsError("InvalidRequest",
                 "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."));
  const Parameters parameters = parameters_of(request.query);
  const std::string access_key_id = value_of(parameters, "AWSAccessKeyId");
  std::int64_t expires_s = 0;
  if (!parse_int(value_of(parameters, "Expires"), expires_s))
    return std::unexpected(
        AwsError("AccessDenied",
                 "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters", 403));
  if (now.seconds() > expires_s)
    return std::unexpected(AwsError("AccessDenied", "Request has expired", 403)
                               .with("Expires", iso8601(Time{expires_s * 1000}))
                               .with("ServerTime", iso8601(now)));
  std::optional<Credential> credential = credentials.find(access_key_id);
  if (!credential || !credential->active) return std::unexpected(unknown_access_key(Style::s3, access_key_id));
  if (!equal_in_constant_time(credential->session_token,
                              header_or_parameter(request, parameters, "x-amz-security-token")))
    return std::unexpected(wrong_session_token(Style::s3));
  const std::string text = string_to_sign_v2(request, resource);
  const std::string signature = value_of(parameters, "Signature");
  if (!equal_in_constant_time(to_base64(hmac_sha1(credential->secret, text)), signature))
    return std::unexpected(wrong_signature(Style::s3)
                               .with("AWSAccessKeyId", access_key_id)
                               .with("StringToSign", text)
                               .with("SignatureProvided", signature));
  if (credential->principal.expires.ms != 0 && now >= credential->principal.expires)
    return std::unexpected(expired_session_token(Style::s3));
  return std::move(credential->principal);
}

}  // namespace brume::sigv4
