#include "services/cloudtrail/signing_key.h"

#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>

#include "core/digest.h"
#include "core/text.h"

namespace brume::cloudtrail {
namespace {

constexpr int kBits = 2048;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

void check(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot make or use a signing key");
}

std::string encoded(EVP_PKEY* key, int selection, const char* structure) {
  const std::unique_ptr<OSSL_ENCODER_CTX, decltype(&OSSL_ENCODER_CTX_free)> encoder(
      OSSL_ENCODER_CTX_new_for_pkey(key, selection, "DER", structure, nullptr), &OSSL_ENCODER_CTX_free);
  unsigned char* bytes = nullptr;
  std::size_t size = 0;
  check(encoder != nullptr && OSSL_ENCODER_to_data(encoder.get(), &bytes, &size) == 1);
  std::string der(reinterpret_cast<const char*>(bytes), size);
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

KeyRecord make_signing_key(Time now) {
  const Key key(EVP_RSA_gen(kBits), &EVP_PKEY_free);
  check(key != nullptr);
  KeyRecord record{.private_der = encoded(key.get(), EVP_PKEY_KEYPAIR, "PrivateKeyInfo"),
                   .public_der = encoded(key.get(), EVP_PKEY_PUBLIC_KEY, "type-specific"),
                   .fingerprint = {},
                   .from = now};
  record.fingerprint = to_hex(digest_of(DigestKind::md5, record.public_der));
  return record;
}

std::string sign(const KeyRecord& record, std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(record.private_der.data());
  const Key key(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(record.private_der.size())), &EVP_PKEY_free);
  check(key != nullptr);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  check(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
  std::size_t size = signature.size();
  check(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  signature.resize(size);
  return to_hex(signature);
}

}  // namespace brume::cloudtrail
