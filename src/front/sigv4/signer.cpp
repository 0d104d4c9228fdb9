#include "front/sigv4/signer.h"

#include <algorithm>
#include <vector>

#include "core/text.h"

namespace brume::sigv4 {
namespace {

std::vector<std::string> header_names(const Headers& headers) {
  std::vector<std::string> names;
  for (const auto& header : headers) names.push_back(to_lower(header.first));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string signature_of(const UnsignedRequest& request, const SigningKeys& keys, const CredentialScope& scope,
                         const std::vector<std::string>& names, std::string_view payload_hash, Time now) {
  const SignedRequest view{request.method, request.path, request.query, &request.headers};
  const PathRule rule = scope.service == "s3" ? PathRule::s3 : PathRule::others;
  const std::string text =
      string_to_sign(basic_iso8601(now), scope, canonical_request(view, rule, names, payload_hash));
  return to_hex(derive_key(keys.secret, scope).sign(text));
}

CredentialScope scope_of(std::string_view region, std::string_view service, Time now) {
  return {basic_iso8601(now).substr(0, 8), std::string(region), std::string(service)};
}

}  // namespace

void sign(UnsignedRequest& request, const SigningKeys& keys, std::string_view region, std::string_view service,
          std::string_view payload_hash, Time now) {
  request.headers.emplace_back("X-Amz-Date", basic_iso8601(now));
  if (!keys.session_token.empty()) request.headers.emplace_back("X-Amz-Security-Token", keys.session_token);
  if (service == "s3") request.headers.emplace_back("X-Amz-Content-Sha256", payload_hash);
  const CredentialScope scope = scope_of(region, service, now);
  const std::vector<std::string> names = header_names(request.headers);
  const std::string signature = signature_of(request, keys, scope, names, payload_hash, now);
  request.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential=" + keys.access_key_id + "/" +
                                                    scope.text() + ", SignedHeaders=" + join(names, ";") +
                                                    ", Signature=" + signature);
}

void presign(UnsignedRequest& request, const SigningKeys& keys, std::string_view region, std::string_view service,
             std::int64_t expires_s, Time now) {
  const CredentialScope scope = scope_of(region, service, now);
  const std::vector<std::string> names = header_names(request.headers);
  const auto add = [&request](std::string_view name, std::string_view value) {
    if (!request.query.empty()) request.query += '&';
    request.query.append(name).append("=").append(percent_encode(value));
  };
  add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  add("X-Amz-Credential", keys.access_key_id + "/" + scope.text());
  add("X-Amz-Date", basic_iso8601(now));
  add("X-Amz-Expires", std::to_string(expires_s));
  if (!keys.session_token.empty()) add("X-Amz-Security-Token", keys.session_token);
  add("X-Amz-SignedHeaders", join(names, ";"));
  const std::string payload_hash = service == "s3" ? "UNSIGNED-PAYLOAD" : to_hex(sha256(""));
  add("X-Amz-Signature", signature_of(request, keys, scope, names, payload_hash, now));
}

}  // namespace brume::sigv4
