#include "front/sigv4/verify.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/scope.h"
#include "core/text.h"

namespace brume::sigv4 {
namespace {

constexpr Duration kSkew = minutes(15);
constexpr std::size_t kCachedKeys = 4096;
constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

using Problem = std::optional<AwsError>;

bool is_lower_hex_digest(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string hex_bytes(std::string_view text) {
  std::string spaced;
  for (const char c : text) spaced += (spaced.empty() ? "" : " ") + to_hex(std::string_view(&c, 1));
  return spaced;
}

// The texts that "Troubleshoot signed requests for AWS APIs" lists.
std::string expired_text(const Claim& claim, Time now, Duration allowed) {
  return "Signature expired: " + claim.timestamp + " is now earlier than " + basic_iso8601(now - allowed) + " (" +
         basic_iso8601(now) + " - " + std::to_string(allowed.ms / 60'000) + " min.)";
}
std::string early_text(const Claim& claim, Time now) {
  return "Signature not yet current: " + claim.timestamp + " is still later than " + basic_iso8601(now + kSkew) + " (" +
         basic_iso8601(now) + " + 15 min.)";
}

Problem check_s3_time(const Claim& claim, Time now) {
  if (!claim.presigned) {
    if (claim.time >= now - kSkew && claim.time <= now + kSkew) return std::nullopt;
    return AwsError("RequestTimeTooSkewed",
                    "The difference between the request time and the current time is too large.", 403)
        .with("RequestTime", claim.timestamp)
        .with("ServerTime", iso8601(now))
        .with("MaxAllowedSkewMilliseconds", "900000");
  }
  if (claim.time > now + kSkew)
    return AwsError("AccessDenied", "Request is not valid yet", 403)
        .with("X-Amz-Date", claim.timestamp)
        .with("ServerTime", iso8601(now));
  const Time end = claim.time + seconds(claim.expires_s);
  if (now <= end) return std::nullopt;
  return AwsError("AccessDenied", "Request has expired", 403)
      .with("X-Amz-Expires", std::to_string(claim.expires_s))
      .with("Expires", iso8601(end))
      .with("ServerTime", iso8601(now));
}

Problem check_time(const Claim& claim, Style style, Time now) {
  if (style == Style::s3) return check_s3_time(claim, now);
  const Duration allowed = claim.presigned ? seconds(claim.expires_s) : kSkew;
  const bool early = claim.time > now + kSkew;
  if (!early && claim.time >= now - allowed) return std::nullopt;
  // "Error codes for the Amazon EC2 API": the same for a date in the future.
  if (style == Style::ec2) return AwsError("RequestExpired", "Request has expired.", 400);
  return wrong_signature(style, early ? early_text(claim, now) : expired_text(claim, now, allowed));
}

Problem check_scope(const Claim& claim, const Expectation& expectation) {
  const Style style = expectation.style;
  const CredentialScope& scope = claim.scope;
  const std::string_view date = std::string_view(claim.timestamp).substr(0, 8);
  if (scope.date != date) {
    if (style == Style::s3)
      return incomplete_signature(style,
                                  "Invalid credential date \"" + scope.date +
                                      "\". This date is not the same as X-Amz-Date: \"" + std::string(date) + "\".",
                                  claim.presigned);
    return wrong_signature(style,
                           "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
                           "HTTP: '" +
                               scope.date + "' != '" + std::string(date) + "', from '" + claim.timestamp + "'.");
  }
  if (scope.service != expectation.service) {
    if (style == Style::s3)
      return incomplete_signature(
          style, "incorrect service \"" + scope.service + "\". This endpoint belongs to \"s3\".", claim.presigned);
    return wrong_scope(style,
                       "Credential should be scoped to correct service: '" + std::string(expectation.service) + "'. ");
  }
  const bool right = expectation.region.empty() ? is_region(scope.region) : scope.region == expectation.region;
  if (right) return std::nullopt;
  if (style != Style::s3)
    return wrong_scope(style, "Credential should be scoped to a valid region, not '" + scope.region + "'. ");
  const std::string expected = expectation.region.empty() ? "us-east-1" : std::string(expectation.region);
  return incomplete_signature(style, "the region '" + scope.region + "' is wrong; expecting '" + expected + "'",
                              claim.presigned)
      .with("Region", expected);
}

Problem check_signed_headers(const SignedRequest& request, const Claim& claim, Style style) {
  const auto is_signed = [&claim](std::string_view name) {
    return std::find(claim.signed_headers.begin(), claim.signed_headers.end(), name) != claim.signed_headers.end();
  };
  if (style != Style::s3) {
    if (is_signed("host")) return std::nullopt;
    return wrong_signature(style, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  // "Create a signed AWS API request": S3 wants host and every x-amz- header signed.
  std::string not_signed = is_signed("host") ? "" : "host";
  for (const auto& [name, value] : *request.headers) {
    if (!equals_ignoring_case(std::string_view(name).substr(0, 6), "x-amz-")) continue;
    const std::string lower = to_lower(name);
    if (!is_signed(lower)) not_signed += (not_signed.empty() ? "" : ", ") + lower;
  }
  if (not_signed.empty()) return std::nullopt;
  return AwsError("AccessDenied", "There were headers present in the request which were not signed", 403)
      .with("HeadersNotSigned", not_signed);
}

AwsError mismatch(Style style, const Claim& claim, const std::string& text, const std::string& canonical) {
  AwsError error = wrong_signature(style);
  if (style == Style::s3)
    error.with("AWSAccessKeyId", claim.access_key_id)
        .with("StringToSign", text)
        .with("SignatureProvided", claim.signature)
        .with("StringToSignBytes", hex_bytes(text))
        .with("CanonicalRequest", canonical)
        .with("CanonicalRequestBytes", hex_bytes(canonical));
  return error;
}

class ChainVerifier final : public http::ChunkVerifier {
 public:
  ChainVerifier(const Verified& verified, const Claim& claim)
      : key_(verified.key),
        previous_(verified.signature),
        head_("\n" + claim.timestamp + "\n" + claim.scope.text() + "\n") {}

  bool verify_chunk(std::string_view data_sha256, std::string_view signature) override {
    return verify("AWS4-HMAC-SHA256-PAYLOAD", std::string(kEmptySha256) + "\n" + to_hex(data_sha256), signature);
  }
  bool verify_trailers(std::string_view canonical_trailers, std::string_view signature) override {
    return verify("AWS4-HMAC-SHA256-TRAILER", to_hex(sha256(canonical_trailers)), signature);
  }

 private:
  bool verify(std::string_view algorithm, const std::string& end, std::string_view signature) {
    std::string expected = to_hex(key_.sign(std::string(algorithm) + head_ + previous_ + "\n" + end));
    if (!equal_in_constant_time(expected, signature)) return false;
    previous_ = std::move(expected);
    return true;
  }

  SigningKey key_;
  std::string previous_;
  std::string head_;
};

}  // namespace

std::expected<Payload, AwsError> read_payload(const SignedRequest& request, Style style, bool presigned) {
  if (style != Style::s3) return Payload{};
  const std::string_view text = header_of(*request.headers, "x-amz-content-sha256");
  if (text.empty()) {
    const std::string from_query = presigned ? query_parameter(request.query, "X-Amz-Content-Sha256") : "";
    if (is_lower_hex_digest(from_query)) return Payload{Payload::Kind::declared_hash, from_query};
    if (presigned) return Payload{Payload::Kind::unsigned_body, "UNSIGNED-PAYLOAD"};
    return std::unexpected(
        AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256"));
  }
  if (text == "UNSIGNED-PAYLOAD") return Payload{Payload::Kind::unsigned_body, std::string(text)};
  if (text == "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    return Payload{Payload::Kind::unsigned_chunks, std::string(text), true};
  if (text == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return Payload{Payload::Kind::signed_chunks, std::string(text)};
  if (text == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
    return Payload{Payload::Kind::signed_chunks, std::string(text), true};
  if (is_lower_hex_digest(text)) return Payload{Payload::Kind::declared_hash, std::string(text)};
  return std::unexpected(AwsError("InvalidArgument",
                                  "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                                  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or "
                                  "a valid sha256 value.")
                             .with("ArgumentName", "x-amz-content-sha256")
                             .with("ArgumentValue", std::string(text)));
}

const SigningKey& KeyCache::key(const std::string& access_key_id, const std::string& secret,
                                const CredentialScope& scope) {
  std::string name;
  name.reserve(128);
  name.append(access_key_id).append("/").append(scope.date).append("/").append(scope.region).append("/");
  name.append(scope.service);
  if (const auto found = entries_.find(name); found != entries_.end()) {
    if (found->second.secret == secret) return found->second.key;
    entries_.erase(found);
  }
  if (entries_.size() >= kCachedKeys) entries_.clear();
  return entries_.emplace(name, Entry{secret, derive_key(secret, scope)}).first->second.key;
}

Time in_cloud_time(const Claim& claim, const Clock& clock, Time now) {
  if (!claim.presigned && claim.time >= now - kSkew && claim.time <= now + kSkew) return claim.time;
  const Time machine = clock.machine_now();
  if (claim.time > machine + kSkew) return claim.time;
  if (!claim.presigned) return claim.time < machine - kSkew ? claim.time : now;
  // Dates are whole seconds: the second's end may lie after a change of the clock that its beginning lies before.
  const Time translated = std::min(clock.at_machine_time(claim.time + milliseconds(999)), now);
  if (claim.time > now + kSkew) return translated;
  return std::max(claim.time, translated);
}

std::expected<Verified, AwsError> verify(const SignedRequest& request, const Claim& claim,
                                         const Expectation& expectation, std::string_view payload_hash, Time now,
                                         const Credentials& credentials, KeyCache& cache) {
  const Style style = expectation.style;
  if (auto problem = check_time(claim, style, now)) return std::unexpected(*std::move(problem));
  if (auto problem = check_scope(claim, expectation)) return std::unexpected(*std::move(problem));
  if (auto problem = check_signed_headers(request, claim, style)) return std::unexpected(*std::move(problem));

  std::optional<Credential> credential = credentials.find(claim.access_key_id);
  if (!credential || !credential->active) return std::unexpected(unknown_access_key(style, claim.access_key_id));
  if (!equal_in_constant_time(credential->session_token, claim.session_token))
    return std::unexpected(wrong_session_token(style));

  const PathRule path_rule = style == Style::s3 ? PathRule::s3 : PathRule::others;
  const std::string canonical = canonical_request(request, path_rule, claim.signed_headers, payload_hash);
  const std::string text = string_to_sign(claim.timestamp, claim.scope, canonical);
  const SigningKey& key = cache.key(claim.access_key_id, credential->secret, claim.scope);
  if (!key.matches(text, claim.signature)) return std::unexpected(mismatch(style, claim, text, canonical));
  if (credential->principal.expires.ms != 0 && now >= credential->principal.expires)
    return std::unexpected(expired_session_token(style));
  return std::expected<Verified, AwsError>(std::in_place, std::move(credential->principal), key, claim.signature);
}

std::unique_ptr<http::ChunkVerifier> chunk_verifier(const Verified& verified, const Claim& claim) {
  return std::make_unique<ChainVerifier>(verified, claim);
}

}  // namespace brume::sigv4
