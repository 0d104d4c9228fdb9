#include "services/sts/web_token.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <boost/json.hpp>
#include <memory>

#include "core/text.h"

namespace brume::sts {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKeys = 200;
constexpr std::size_t kMaxDepth = 16;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;

struct Algorithm {
  std::string_view name, key_type, curve, group;
  std::size_t half_bytes;  // of an EC signature
  const EVP_MD* (*digest)();
};
constexpr Algorithm kAlgorithms[] = {
    {"RS256", "RSA", "", "", 0, EVP_sha256},           {"RS384", "RSA", "", "", 0, EVP_sha384},
    {"RS512", "RSA", "", "", 0, EVP_sha512},           {"ES256", "EC", "P-256", "P-256", 32, EVP_sha256},
    {"ES384", "EC", "P-384", "P-384", 48, EVP_sha384}, {"ES512", "EC", "P-521", "P-521", 66, EVP_sha512},
};

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& algorithm : kAlgorithms)
    if (algorithm.name == name) return &algorithm;
  return nullptr;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string padded(text);
  for (char& c : padded) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  padded.append((4 - padded.size() % 4) % 4, '=');
  return from_base64(padded);
}

std::optional<json::object> read_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// NumericDate: seconds, which may have a fraction.
std::optional<std::int64_t> date_of(const json::object& object, std::string_view name) {
  constexpr double kFarAway = 253'402'300'800;  // the year 10000
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->to_number<double>();
  if (!(number >= 0 && number < kFarAway)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  std::vector<std::string> list;
  if (value != nullptr && value->is_string()) list.emplace_back(value->as_string());
  if (value != nullptr && value->is_array())
    for (const json::value& item : value->as_array())
      if (item.is_string()) list.emplace_back(item.as_string());
  return list;
}

// {"principal_tags": {"Project": ["Automation"]}, "transitive_tag_keys": ["Project"]}
void read_tags(const json::object& claims, WebToken& token) {
  const json::value* tags = claims.if_contains("https://aws.amazon.com/tags");
  if (tags == nullptr || !tags->is_object()) return;
  const json::value* given = tags->as_object().if_contains("principal_tags");
  if (given != nullptr && given->is_object())
    for (const auto& [key, value] : given->as_object()) {
      const json::value* one = value.is_array() && value.as_array().size() == 1 ? &value.as_array().front() : &value;
      if (one->is_string()) token.principal_tags[std::string(key)] = std::string(one->as_string());
    }
  token.transitive_tag_keys = texts_of(tags->as_object(), "transitive_tag_keys");
}

void read_claims(const json::object& claims, WebToken& token) {
  token.issuer = text_of(claims, "iss");
  token.subject = text_of(claims, "sub");
  token.authorized_party = text_of(claims, "azp");
  token.audiences = texts_of(claims, "aud");
  token.methods = texts_of(claims, "amr");
  token.issued = date_of(claims, "iat");
  token.expires = date_of(claims, "exp");
  token.not_before = date_of(claims, "nbf");
  token.source_identity = text_of(claims, "https://aws.amazon.com/source_identity");
  read_tags(claims, token);
  for (const auto& [name, value] : claims) {
    if (value.is_string())
      token.claims[std::string(name)] = std::string(value.as_string());
    else if (value.is_bool() || value.is_number())
      token.claims[std::string(name)] = json::serialize(value);
  }
}

Key make_key(const char* type, OSSL_PARAM_BLD* builder) {
  EVP_PKEY* made = nullptr;
  const std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Key(made);
}

Number number_of(std::string_view bytes) {
  return Number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}

Key public_key(const WebKey& key, const Algorithm& algorithm) {
  const std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  if (key.type == "RSA") {
    // Shorter ones prove nothing, longer ones only cost time.
    if (key.modulus.size() < 256 || key.modulus.size() > 1025 || key.exponent.size() > 8) return nullptr;
    const Number modulus = number_of(key.modulus), exponent = number_of(key.exponent);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    return make_key("RSA", builder.get());
  }
  if (key.curve != algorithm.curve || key.x.size() != algorithm.half_bytes || key.y.size() != algorithm.half_bytes)
    return nullptr;
  const std::string point = "\x04" + key.x + key.y, group(algorithm.group);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.c_str(), 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return make_key("EC", builder.get());
}

// A token has r and s one behind the other, OpenSSL wants them as DER.
std::string as_der(std::string_view signature, const Algorithm& algorithm) {
  if (signature.size() != 2 * algorithm.half_bytes) return {};
  const std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>> parts(ECDSA_SIG_new());
  ECDSA_SIG_set0(parts.get(), number_of(signature.substr(0, algorithm.half_bytes)).release(),
                 number_of(signature.substr(algorithm.half_bytes)).release());
  unsigned char* bytes = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

std::expected<WebToken, std::string> read_web_token(std::string_view text) {
  const auto none = std::unexpected(
      std::string("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"));
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 3) return none;
  const auto head = from_base64url(parts[0]), body = from_base64url(parts[1]), signature = from_base64url(parts[2]);
  if (!head || !body || !signature) return none;
  const auto header = read_object(*head), claims = read_object(*body);
  if (!header || !claims) return none;
  WebToken token;
  token.algorithm = text_of(*header, "alg");
  token.key_id = text_of(*header, "kid");
  // RFC 7515: what must be understood and is not makes the token invalid.
  if (header->contains("crit")) return none;
  token.signing_input = std::string(text.substr(0, parts[0].size() + 1 + parts[1].size()));
  token.signature = *signature;
  read_claims(*claims, token);
  return token;
}

std::optional<std::vector<WebKey>> read_key_set(std::string_view text) {
  const std::optional<json::object> set = read_object(text);
  const json::value* keys = set ? set->if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) return std::nullopt;
  std::vector<WebKey> list;
  for (const json::value& value : keys->as_array()) {
    if (!value.is_object() || list.size() == kMostKeys) continue;
    const json::object& object = value.as_object();
    if (object.contains("use") && text_of(object, "use") != "sig") continue;
    const auto bytes = [&](std::string_view name) {
      return from_base64url(text_of(object, name)).value_or(std::string());
    };
    WebKey key{.id = text_of(object, "kid"), .type = text_of(object, "kty"), .algorithm = text_of(object, "alg")};
    key.modulus = bytes("n");
    key.exponent = bytes("e");
    key.curve = text_of(object, "crv");
    key.x = bytes("x");
    key.y = bytes("y");
    if (key.type == "RSA" || key.type == "EC") list.push_back(std::move(key));
  }
  return list;
}

bool is_served_algorithm(std::string_view algorithm) { return find_algorithm(algorithm) != nullptr; }

bool verify(const WebToken& token, const WebKey& key) {
  const Algorithm* algorithm = find_algorithm(token.algorithm);
  if (algorithm == nullptr || algorithm->key_type != key.type) return false;
  if (!key.algorithm.empty() && key.algorithm != token.algorithm) return false;
  const Key pkey = public_key(key, *algorithm);
  const std::string signature = key.type == "EC" ? as_der(token.signature, *algorithm) : token.signature;
  const std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  if (!pkey || signature.empty() ||
      EVP_DigestVerifyInit(context.get(), nullptr, algorithm->digest(), nullptr, pkey.get()) != 1)
    return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const auto* input = reinterpret_cast<const unsigned char*>(token.signing_input.data());
  return EVP_DigestVerify(context.get(), bytes, signature.size(), input, token.signing_input.size()) == 1;
}

}  // namespace brume::sts
