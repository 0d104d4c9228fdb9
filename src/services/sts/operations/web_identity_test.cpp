#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>

#include "core/text.h"
#include "services/sts/testing.h"

namespace brume::sts {
namespace {

constexpr const char* kIssuer = "token.actions.githubusercontent.com";

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string number_of(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  std::string bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(number) : size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(number);
  return base64url(bytes);
}

// A key of an issuer: what it publishes, and what it signs with.
class IssuerKey {
 public:
  explicit IssuerKey(bool elliptic, std::string id = "k1")
      : key_(elliptic ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048)), elliptic_(elliptic), id_(std::move(id)) {}
  IssuerKey(const IssuerKey&) = delete;
  IssuerKey& operator=(const IssuerKey&) = delete;
  ~IssuerKey() { EVP_PKEY_free(key_); }

  std::string published() const {
    if (elliptic_)
      return R"({"kty":"EC","crv":"P-256","use":"sig","kid":")" + id_ + R"(","x":")" +
             number_of(key_, OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
             number_of(key_, OSSL_PKEY_PARAM_EC_PUB_Y, 32) + "\"}";
    return R"({"kty":"RSA","alg":"RS256","use":"sig","kid":")" + id_ + R"(","n":")" +
           number_of(key_, OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" + number_of(key_, OSSL_PKEY_PARAM_RSA_E, 0) + "\"}";
  }
  std::string token(const std::string& claims, const std::string& algorithm = {}) const {
    const std::string name = algorithm.empty() ? elliptic_ ? "ES256" : "RS256" : algorithm;
    const std::string input =
        base64url(R"({"typ":"JWT","alg":")" + name + R"(","kid":")" + id_ + "\"}") + "." + base64url(claims);
    return input + "." + base64url(sign(input));
  }

 private:
  std::string sign(const std::string& input) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_);
    std::size_t size = 512;
    std::string signature(size, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(input.data()), input.size());
    signature.resize(size);
    if (!elliptic_) return signature;
    const auto* der = reinterpret_cast<const unsigned char*>(signature.data());
    ECDSA_SIG* parts = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size));
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), out + 32, 32);
    ECDSA_SIG_free(parts);
    return raw;
  }

  EVP_PKEY* key_;
  bool elliptic_;
  std::string id_;
};

struct Federation {
  StsWorld world;
  IssuerKey rsa{false}, elliptic{true, "k2"};

  Federation() {
    world.caller = {};
    world.runtime.advance(hours(24));
    world.identities.provider = {.arn = std::string("arn:aws:iam::111111111111:oidc-provider/") + kIssuer,
                                 .url = kIssuer,
                                 .client_ids = {"sts.amazonaws.com"},
                                 .thumbprints = {"aa11"}};
    publish("{\"keys\":[" + rsa.published() + "," + elliptic.published() + "]}");
  }
  void publish(const std::string& keys) {
    const std::string url = std::string("https://") + kIssuer;
    serve(url + "/.well-known/openid-configuration", R"({"issuer":")" + url + R"(","jwks_uri":")" + url + R"(/keys"})");
    serve(url + "/keys", keys);
  }
  void serve(const std::string& url, const std::string& body) {
    world.issuers.documents[url] = {.status = 200, .body = body, .thumbprints = {"AA11"}};
  }
  std::int64_t now() const { return world.runtime.clock.now().seconds(); }
  std::string claims(const std::string& more = {}) const {
    return R"({"iss":"https://)" + std::string(kIssuer) +
           R"(","aud":"sts.amazonaws.com","sub":"repo:acme/shop:ref:refs/heads/main","repository":"acme/shop","iat":)" +
           std::to_string(now()) + R"(,"exp":)" + std::to_string(now() + 300) + more + "}";
  }
  std::string assume(const std::string& token, AssumeRoleWithWebIdentityOutput* output = nullptr) {
    return world.deferred_error<AssumeRoleWithWebIdentityOutput, AssumeRoleWithWebIdentityInput>(
        assume_role_with_web_identity, {.role_arn = kRole, .role_session_name = "deploy", .web_identity_token = token},
        output);
  }
};

std::string code_of(const std::string& error) { return error.substr(0, error.find(':')); }

TEST(AssumeRoleWithWebIdentity, GivesASessionForASignedToken) {
  Federation federation;
  AssumeRoleWithWebIdentityOutput output;
  EXPECT_EQ(federation.assume(federation.rsa.token(federation.claims()), &output), "");
  EXPECT_EQ(*output.assumed_role_user->arn, "arn:aws:sts::111111111111:assumed-role/app/deploy");
  EXPECT_EQ(*output.subject_from_web_identity_token, "repo:acme/shop:ref:refs/heads/main");
  EXPECT_EQ(*output.audience, "sts.amazonaws.com");
  EXPECT_EQ(*output.provider, federation.world.identities.provider->arn);
  EXPECT_TRUE(federation.world.bearer(*output.credentials));
  const Ask& ask = federation.world.authorizer.asked.back();
  EXPECT_EQ(ask.action, "sts:AssumeRoleWithWebIdentity");
  EXPECT_EQ(ask.keys.find(std::string(kIssuer) + ":sub")->second, "repo:acme/shop:ref:refs/heads/main");
  EXPECT_EQ(ask.keys.find(std::string(kIssuer) + ":aud")->second, "sts.amazonaws.com");
  EXPECT_EQ(ask.keys.find(std::string(kIssuer) + ":repository")->second, "acme/shop");
  // The elliptic key is known by now: nothing is fetched again.
  const int fetched = federation.world.issuers.fetched;
  EXPECT_EQ(federation.assume(federation.elliptic.token(federation.claims())), "");
  EXPECT_EQ(federation.world.issuers.fetched, fetched);
}

TEST(AssumeRoleWithWebIdentity, RefusesTokensThatAreNotTheIssuers) {
  Federation federation;
  const IssuerKey stranger(false);
  EXPECT_EQ(federation.assume(stranger.token(federation.claims())),
            "InvalidIdentityToken: The token's signature is not valid");
  std::string changed = federation.rsa.token(federation.claims());
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code_of(federation.assume(changed)), "InvalidIdentityToken");
  const std::string none = federation.rsa.token(federation.claims(), "none");
  EXPECT_EQ(federation.assume(none), "InvalidIdentityToken: The token's signature algorithm \"none\" is not supported");
  EXPECT_EQ(code_of(federation.assume(none.substr(0, none.rfind('.') + 1))), "InvalidIdentityToken");
  // An HMAC "signed" with the public key is the oldest trick.
  EXPECT_EQ(federation.assume(federation.rsa.token(federation.claims(), "HS256")),
            "InvalidIdentityToken: The token's signature algorithm \"HS256\" is not supported");
  EXPECT_EQ(code_of(federation.assume(federation.rsa.token(federation.claims(), "ES256"))), "InvalidIdentityToken");
  EXPECT_EQ(federation.assume("no token"),
            "InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an "
            "Access Token)");
  EXPECT_EQ(federation.world.key_ring.size(), 0U);
  EXPECT_EQ(federation.assume(federation.rsa.token(federation.claims())), "");
}

TEST(AssumeRoleWithWebIdentity, JudgesTimesAudienceAndIssuer) {
  Federation federation;
  const std::string good = federation.rsa.token(federation.claims());
  EXPECT_EQ(federation.assume(good), "");
  EXPECT_EQ(federation.assume(good), "");  // within its time a token may be used again, as on AWS
  federation.world.runtime.advance(seconds(300));
  EXPECT_EQ(code_of(federation.assume(good)), "ExpiredTokenException");
  EXPECT_EQ(federation.assume(
                federation.rsa.token(federation.claims(R"(,"nbf":)" + std::to_string(federation.now() + 1000)))),
            "InvalidIdentityToken: The token is not valid yet");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string claims = federation.claims();
    claims.replace(claims.find(from), from.size(), to);
    return federation.assume(federation.rsa.token(claims));
  };
  EXPECT_EQ(with("\"sts.amazonaws.com\"", "\"other\""), "InvalidIdentityToken: Incorrect token audience");
  EXPECT_EQ(with("\"sts.amazonaws.com\"", "[\"x\",\"sts.amazonaws.com\"]"), "");
  EXPECT_EQ(with(kIssuer, "evil.example"),
            "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://evil.example");
  EXPECT_EQ(code_of(with("https://token.actions.githubusercontent.com", "https://accounts.google.com")),
            "NotImplemented");
  EXPECT_EQ(code_of(with("\"exp\"", "\"no\"")), "InvalidIdentityToken");
}

TEST(AssumeRoleWithWebIdentity, NeedsAnIssuerThatVouches) {
  Federation federation;
  federation.world.identities.provider->thumbprints = {"bb22"};
  const std::string token = federation.rsa.token(federation.claims());
  EXPECT_EQ(federation.assume(token),
            "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint");
  federation.world.identities.provider->thumbprints = {"aa11"};
  federation.world.issuers.documents.clear();
  EXPECT_EQ(code_of(federation.assume(token)), "IDPCommunicationError");
  federation.publish("no keys");
  EXPECT_EQ(code_of(federation.assume(token)), "InvalidIdentityToken");
  federation.publish("{\"keys\":[" + federation.rsa.published() + "]}");
  EXPECT_EQ(federation.assume(token), "");
}

TEST(AssumeRoleWithWebIdentity, FetchesKeysAgainWhenTheyRotate) {
  Federation federation;
  EXPECT_EQ(federation.assume(federation.rsa.token(federation.claims())), "");
  const IssuerKey fresh(false, "k3");
  EXPECT_EQ(code_of(federation.assume(fresh.token(federation.claims()))), "InvalidIdentityToken");
  federation.publish("{\"keys\":[" + fresh.published() + "]}");
  EXPECT_EQ(federation.assume(fresh.token(federation.claims())), "");
  EXPECT_EQ(code_of(federation.assume(federation.rsa.token(federation.claims()))), "InvalidIdentityToken");
}

TEST(AssumeRoleWithWebIdentity, LeavesTheRestToTheTrustPolicy) {
  Federation federation;
  federation.world.authorizer.allows = [](const RequestContext& context, const Ask& ask) {
    return context.principal.id.ends_with(kIssuer) && ask.action != "sts:TagSession";
  };
  EXPECT_EQ(federation.assume(federation.rsa.token(federation.claims())), "");
  const std::string tagged = federation.claims(
      R"(,"https://aws.amazon.com/tags":{"principal_tags":{"team":["red"]},"transitive_tag_keys":["team"]})");
  EXPECT_EQ(federation.assume(federation.rsa.token(tagged)),
            "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity");
  federation.world.authorizer.allows = [](const auto&, const auto&) { return true; };
  AssumeRoleWithWebIdentityOutput output;
  EXPECT_EQ(federation.assume(federation.rsa.token(tagged), &output), "");
  EXPECT_EQ(federation.world.bearer(*output.credentials)->principal.session_tags, (Tags{{"team", "red"}}));
}

TEST(GetFederationToken, IsAFederatedUserOfTheCaller) {
  StsWorld world;
  const auto output = world.call(
      get_federation_token,
      {.name = "bob",
       .policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})"});
  EXPECT_EQ(*output.federated_user->arn, "arn:aws:sts::111111111111:federated-user/bob");
  EXPECT_EQ(*output.federated_user->federated_user_id, "111111111111:bob");
  const Principal bearer = world.bearer(*output.credentials)->principal;
  EXPECT_EQ(bearer.kind, Principal::Kind::federated_user);
  EXPECT_EQ(bearer.role_arn, "arn:aws:iam::111111111111:user/alice");
  world.caller = world.context_of(bearer);
  EXPECT_EQ(world.error(get_federation_token, {.name = "eve"}),
            "AccessDenied: Cannot call GetFederationToken with session credentials");
}

TEST(DecodeAuthorizationMessage, ReadsWhatIsOurs) {
  StsWorld world;
  EXPECT_EQ(*world.call(decode_authorization_message, {.encoded_message = "encoded"}).decoded_message,
            "{\"allowed\":false}");
  EXPECT_EQ(world.error(decode_authorization_message, {.encoded_message = "else"}),
            "InvalidAuthorizationMessageException: Message is not valid");
}

}  // namespace
}  // namespace brume::sts
