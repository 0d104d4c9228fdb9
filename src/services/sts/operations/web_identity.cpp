#include <boost/json.hpp>

#include "core/text.h"
#include "gen/sts.h"
#include "services/sts/sts.h"

namespace brume::sts {
namespace {

// The issuer that a token names, its signature unchecked; empty when it is no JSON web token.
std::string issuer_of(const std::string& token) {
  const std::vector<std::string_view> parts = split(token, '.');
  if (parts.size() != 3) return {};
  std::string claims(parts[1]);
  for (char& c : claims) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  claims.append((4 - claims.size() % 4) % 4, '=');
  const std::optional<std::string> text = from_base64(claims);
  if (!text) return {};
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(*text, error);
  if (error || !value.is_object()) return {};
  const boost::json::value* issuer = value.as_object().if_contains("iss");
  return issuer != nullptr && issuer->is_string() ? std::string(issuer->as_string()) : std::string();
}

}  // namespace

// No account has an identity provider, as none can be made: AWS's answer for an account without one is the whole truth
// for every issuer but those that AWS knows by itself, which are refused by name.
AssumeRoleWithWebIdentityOutput assume_role_with_web_identity(Sts&, Tx&,
                                                              const Request<AssumeRoleWithWebIdentityInput>& request) {
  const AssumeRoleWithWebIdentityInput& input = request.input;
  const std::string issuer = issuer_of(*input.web_identity_token);
  const bool built_in = issuer == "accounts.google.com" || issuer == "https://accounts.google.com" ||
                        issuer == "https://cognito-identity.amazonaws.com" || input.provider_id.has_value();
  if (built_in)
    throw AwsError("NotImplemented",
                   "AssumeRoleWithWebIdentity with the identity provider " +
                       (issuer.empty() ? input.provider_id.get() : issuer) +
                       " is not served by Brume: its tokens cannot be verified here.",
                   501);
  if (issuer.empty())
    throw invalid_identity_token_exception(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
  throw invalid_identity_token_exception("No OpenIDConnect provider found in your account for " + issuer);
}

}  // namespace brume::sts
