#include "services/iam/sealed_message.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "core/gzip.h"
#include "core/text.h"

namespace brume::iam {
namespace {

constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;
constexpr std::size_t kLongestText = std::size_t{1} << 20;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Cipher begin(std::string_view secret, std::string_view nonce, bool encrypt) {
  const std::string key = hmac_sha256(secret, "key of authorization messages");
  Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  if (!cipher ||
      EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce), encrypt ? 1 : 0) != 1)
    throw std::runtime_error("AES-256-GCM cannot be begun");
  return cipher;
}

std::string run(EVP_CIPHER_CTX* cipher, std::string_view input) {
  std::string output(input.size(), '\0');
  int length = 0;
  if (EVP_CipherUpdate(cipher, reinterpret_cast<unsigned char*>(output.data()), &length,
                       reinterpret_cast<const unsigned char*>(input.data()), static_cast<int>(input.size())) != 1)
    throw std::runtime_error("AES-256-GCM cannot go on");
  return output;
}

}  // namespace

std::string seal_message(std::string_view secret, std::string_view text) {
  // A nonce made from the text is never used for another text.
  const std::string nonce = hmac_sha256(secret, text).substr(0, kNonceBytes);
  const Cipher cipher = begin(secret, nonce, true);
  std::string sealed = run(cipher.get(), gzip(text));
  std::string tag(kTagBytes, '\0');
  unsigned char nothing[kTagBytes];
  int length = 0;
  if (EVP_CipherFinal_ex(cipher.get(), nothing, &length) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) != 1)
    throw std::runtime_error("AES-256-GCM gives no tag");
  return to_base64(nonce + sealed + tag);
}

std::optional<std::string> open_message(std::string_view secret, std::string_view sealed) {
  const std::optional<std::string> bytes = from_base64(sealed);
  if (!bytes || bytes->size() < kNonceBytes + kTagBytes || bytes->size() > kLongestText) return std::nullopt;
  const std::string_view all = *bytes;
  const Cipher cipher = begin(secret, all.substr(0, kNonceBytes), false);
  const std::string text = run(cipher.get(), all.substr(kNonceBytes, all.size() - kNonceBytes - kTagBytes));
  std::string tag(all.substr(all.size() - kTagBytes));
  unsigned char nothing[kTagBytes];
  int length = 0;
  if (EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), nothing, &length) != 1)
    return std::nullopt;
  auto plain = gunzip(text, kLongestText);
  if (!plain) return std::nullopt;
  return *std::move(plain);
}

}  // namespace brume::iam
