#include "front/sigv4/post_policy.h"

#include <algorithm>
#include <set>

#include "aws/policy/json_tree.h"
#include "core/scope.h"
#include "core/text.h"
#include "front/sigv4/auth_errors.h"
#include "front/sigv4/canonical.h"

namespace brume::sigv4 {
namespace {

using policy::Node;
using Failure = std::optional<AwsError>;

constexpr std::size_t kDeepest = 8;  // levels of a policy: two are enough

AwsError denied(const std::string& why) { return {"AccessDenied", "Invalid according to Policy: " + why, 403}; }

AwsError bad_policy(const std::string& why) { return {"InvalidPolicyDocument", "Invalid Policy: " + why}; }

AwsError missing_field(const std::string& name) {
  return AwsError("InvalidArgument", "Bucket POST must contain a field named '" + name +
                                         "'.  If it is specified, please check the order of the fields.")
      .with("ArgumentName", name)
      .with("ArgumentValue", "");
}

// The conditions of a policy against a form.
class PolicyReader {
 public:
  PolicyReader(const Headers& fields, std::string_view bucket, PostGrant& grant)
      : fields_(fields), bucket_(bucket), grant_(grant) {}

  Failure read(const std::string& policy, Time now) {
    std::string problem;
    const std::optional<Node> root = policy::read_json(policy, kDeepest, problem);
    if (!root || !root->is_object()) return bad_policy("Invalid JSON.");
    const Node* expiration = root->find("expiration");
    if (expiration == nullptr || !expiration->is_string()) return bad_policy("Policy missing expiration.");
    Time until;
    if (!parse_iso8601(expiration->text, until))
      return bad_policy("Invalid 'expiration' value: '" + expiration->text + "'");
    if (now > until) return denied("Policy expired.");
    const Node* conditions = root->find("conditions");
    if (conditions == nullptr || !conditions->is_array()) return bad_policy("Policy missing conditions.");
    for (const Node& condition : conditions->items)
      if (auto failure = check(condition)) return failure;
    return check_extra();
  }

 private:
  std::string_view value_of(std::string_view name) const {
    if (equals_ignoring_case(name, "bucket")) return bucket_;
    return header_of(fields_, name);
  }

  Failure check(const Node& condition) {
    if (condition.is_object()) {
      for (const auto& [name, value] : condition.members) {
        if (!value.is_string()) return bad_policy("Invalid Simple-Condition: value must be a string.");
        if (auto failure = compare("eq", name, value.text)) return failure;
      }
      return std::nullopt;
    }
    if (!condition.is_array() || condition.items.size() != 3) return bad_policy("Invalid Condition.");
    const std::string kind = to_lower(condition.items[0].text);
    const std::string& name = condition.items[1].text;
    const std::string& wanted = condition.items[2].text;
    if (kind == "content-length-range") {
      if (parse_int(name, grant_.smallest) && parse_int(wanted, grant_.largest)) return std::nullopt;
      return bad_policy("Invalid content-length-range.");
    }
    const bool texts = condition.items[1].is_string() && condition.items[2].is_string();
    if ((kind != "eq" && kind != "starts-with") || !texts || !name.starts_with('$'))
      return bad_policy("Invalid Condition.");
    return compare(kind, name.substr(1), wanted);
  }

  Failure compare(const std::string& kind, const std::string& name, const std::string& wanted) {
    named_.insert(to_lower(name));
    const std::string_view value = value_of(name);
    if (kind == "eq" ? value == wanted : value.starts_with(wanted)) return std::nullopt;
    return denied("Policy Condition failed: [\"" + kind + "\", \"$" + name + "\", \"" + wanted + "\"]");
  }

  // "Each form field that you specify … must appear in the list of conditions", but for those of the signature.
  Failure check_extra() const {
    for (const auto& [name, value] : fields_) {
      const std::string lower = to_lower(name);
      if (lower == "policy" || lower == "file" || lower == "x-amz-signature" || lower.starts_with("x-ignore-"))
        continue;
      if (!named_.contains(lower)) return denied("Extra input fields: " + lower);
    }
    return std::nullopt;
  }

  const Headers& fields_;
  std::string_view bucket_;
  PostGrant& grant_;
  std::set<std::string> named_;
};

// The credential's scope: "AKID/20260301/eu-west-1/s3/aws4_request".
Failure read_scope(const std::string& text, std::string_view region, std::string& key, CredentialScope& scope) {
  const auto parts = split(text, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request")
    return AwsError("InvalidArgument", "Invalid credential: " + text)
        .with("ArgumentName", "X-Amz-Credential")
        .with("ArgumentValue", text);
  key = parts[0];
  scope = {std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
  if (scope.service != "s3")
    return incomplete_signature(Style::s3,
                                "incorrect service \"" + scope.service + "\". This endpoint belongs to \"s3\".", false);
  if (region.empty() ? is_region(scope.region) : scope.region == region) return std::nullopt;
  return incomplete_signature(Style::s3,
                              "the region '" + scope.region + "' is wrong; expecting '" +
                                  std::string(region.empty() ? "us-east-1" : region) + "'",
                              false);
}

Failure verify_signature(const Headers& fields, const std::string& policy, std::string_view region, Time now,
                         const Credentials& credentials, PostGrant& grant) {
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"})
    if (header_of(fields, name).empty()) return missing_field(name);
  if (header_of(fields, "x-amz-algorithm") != "AWS4-HMAC-SHA256")
    return AwsError("InvalidRequest", "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  CredentialScope scope;
  if (auto failure = read_scope(std::string(header_of(fields, "x-amz-credential")), region, grant.access_key_id, scope))
    return failure;
  if (!header_of(fields, "x-amz-date").starts_with(scope.date))
    return incomplete_signature(Style::s3, "Invalid credential date \"" + scope.date + "\".", false);
  std::optional<Credential> credential = credentials.find(grant.access_key_id);
  if (!credential || !credential->active) return unknown_access_key(Style::s3, grant.access_key_id);
  if (!equal_in_constant_time(credential->session_token, header_of(fields, "x-amz-security-token")))
    return wrong_session_token(Style::s3);
  const std::string expected = to_hex(derive_key(credential->secret, scope).sign(policy));
  if (!equal_in_constant_time(expected, header_of(fields, "x-amz-signature")))
    return wrong_signature(Style::s3)
        .with("AWSAccessKeyId", grant.access_key_id)
        .with("StringToSign", policy)
        .with("SignatureProvided", std::string(header_of(fields, "x-amz-signature")));
  if (credential->principal.expires.ms != 0 && now >= credential->principal.expires)
    return expired_session_token(Style::s3);
  grant.principal = std::move(credential->principal);
  return std::nullopt;
}

}  // namespace

std::expected<PostGrant, AwsError> read_post(const Headers& fields, std::string_view bucket, std::string_view region,
                                             Time now, const Credentials& credentials) {
  PostGrant grant;
  if (header_of(fields, "key").empty()) return std::unexpected(missing_field("key"));
  const std::string policy(header_of(fields, "policy"));
  if (policy.empty()) {
    // Nothing is signed: what an anonymous caller may do is the bucket's business.
    if (!header_of(fields, "x-amz-signature").empty()) return std::unexpected(missing_field("policy"));
    return grant;
  }
  if (auto failure = verify_signature(fields, policy, region, now, credentials, grant))
    return std::unexpected(*std::move(failure));
  const auto document = from_base64(policy);
  if (!document) return std::unexpected(bad_policy("Invalid Base64 encoding."));
  if (auto failure = PolicyReader(fields, bucket, grant).read(*document, now))
    return std::unexpected(*std::move(failure));
  return grant;
}

std::optional<AwsError> check_post_size(const PostGrant& grant, std::uint64_t size) {
  const auto bytes = static_cast<std::int64_t>(size);
  if (bytes > grant.largest)
    return AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", std::to_string(size))
        .with("MaxSizeAllowed", std::to_string(grant.largest));
  if (bytes < grant.smallest)
    return AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        .with("ProposedSize", std::to_string(size))
        .with("MinSizeAllowed", std::to_string(grant.smallest));
  return std::nullopt;
}

}  // namespace brume::sigv4
