#include "core/digest.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_Init and its kin, see Hash
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace brume {
namespace {

// Reflected polynomials: CRC-32 (ISO-HDLC), CRC-32C (Castagnoli), CRC-64/NVME.
constexpr std::uint64_t kCrc32 = 0xedb88320;
constexpr std::uint64_t kCrc32c = 0x82f63b78;
constexpr std::uint64_t kCrc64Nvme = 0x9a6c9329ac4bc9b5;

// Slicing by eight: table k holds the effect of a byte that k more bytes follow.
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;
constexpr Tables make_tables(std::uint64_t polynomial) {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
    tables[0][byte] = value;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint64_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

const Tables& tables_of(DigestKind kind) {
  static const Tables crc32_tables = make_tables(kCrc32);
  static const Tables crc32c_tables = make_tables(kCrc32c);
  static const Tables crc64_tables = make_tables(kCrc64Nvme);
  if (kind == DigestKind::crc32) return crc32_tables;
  return kind == DigestKind::crc32c ? crc32c_tables : crc64_tables;
}

std::uint64_t polynomial_of(DigestKind kind) {
  if (kind == DigestKind::crc32) return kCrc32;
  return kind == DigestKind::crc32c ? kCrc32c : kCrc64Nvme;
}

bool is_crc(DigestKind kind) { return kind >= DigestKind::crc32; }
int crc_bits(DigestKind kind) { return kind == DigestKind::crc64nvme ? 64 : 32; }
std::uint64_t all_ones(DigestKind kind) { return kind == DigestKind::crc64nvme ? ~std::uint64_t{0} : 0xffffffff; }

std::uint64_t update_crc(const Tables& tables, std::uint64_t crc, std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  const char* data = bytes.data();
  std::size_t size = bytes.size();
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; size > 0; ++data, --size) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*data)) & 0xff];
  return crc;
}

std::string crc_bytes(DigestKind kind, std::uint64_t crc) {
  std::string bytes;
  for (int shift = crc_bits(kind) - 8; shift >= 0; shift -= 8) bytes += static_cast<char>((crc >> shift) & 0xff);
  return bytes;
}

std::uint64_t crc_of_bytes(std::string_view bytes) {
  std::uint64_t crc = 0;
  for (const char byte : bytes) crc = (crc << 8) | static_cast<unsigned char>(byte);
  return crc;
}

// The product of two polynomials modulo the CRC's, bit-reflected: the highest bit is the constant term.
std::uint64_t multiply(DigestKind kind, std::uint64_t a, std::uint64_t b) {
  const std::uint64_t polynomial = polynomial_of(kind);
  std::uint64_t product = 0;
  for (std::uint64_t mask = std::uint64_t{1} << (crc_bits(kind) - 1); mask != 0; mask >>= 1) {
    if ((a & mask) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ polynomial : b >> 1;
  }
  return product;
}

const EVP_MD* md_of(DigestKind kind) {
  static const EVP_MD* md5_md = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* sha1_md = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return kind == DigestKind::md5 ? md5_md : sha1_md;
}

}  // namespace

// SHA-256 goes past EVP: several are made of each request, and there the context costs more than the hash.
struct Digest::Hash {
  explicit Hash(DigestKind kind) {
    if (kind == DigestKind::sha256) {
      SHA256_Init(&sha256);
      return;
    }
    context = EVP_MD_CTX_new();
    BRUME_CHECK(context != nullptr && EVP_DigestInit_ex(context, md_of(kind), nullptr) == 1);
  }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  ~Hash() { EVP_MD_CTX_free(context); }
  EVP_MD_CTX* context = nullptr;  // null: it is SHA-256
  SHA256_CTX sha256;
};

Digest::Digest(DigestKind kind) : kind_(kind) {
  if (is_crc(kind)) {
    crc_ = all_ones(kind);
  } else {
    hash_ = std::make_unique<Hash>(kind);
  }
}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::string_view bytes) {
  if (is_crc(kind_)) {
    crc_ = update_crc(tables_of(kind_), crc_, bytes);
  } else if (hash_->context == nullptr) {
    SHA256_Update(&hash_->sha256, bytes.data(), bytes.size());
  } else {
    BRUME_CHECK(EVP_DigestUpdate(hash_->context, bytes.data(), bytes.size()) == 1);
  }
}

std::string Digest::finish() {
  if (is_crc(kind_)) return crc_bytes(kind_, crc_ ^ all_ones(kind_));
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned int size = SHA256_DIGEST_LENGTH;
  if (hash_->context == nullptr)
    SHA256_Final(value, &hash_->sha256);
  else
    BRUME_CHECK(EVP_DigestFinal_ex(hash_->context, value, &size) == 1);
  return {reinterpret_cast<const char*>(value), size};
}

std::string digest_of(DigestKind kind, std::string_view bytes) {
  if (kind == DigestKind::sha256) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes.data(), bytes.size());
    std::string value(SHA256_DIGEST_LENGTH, '\0');
    SHA256_Final(reinterpret_cast<unsigned char*>(value.data()), &context);
    return value;
  }
  Digest digest(kind);
  digest.update(bytes);
  return digest.finish();
}

std::string combine_crc(DigestKind kind, std::string_view first, std::string_view second, std::uint64_t second_size) {
  BRUME_CHECK(is_crc(kind));
  // Appending n bytes multiplies the first CRC by x^(8n): square and multiply.
  const std::uint64_t one = std::uint64_t{1} << (crc_bits(kind) - 1);
  std::uint64_t power = one >> 8;  // x^8
  std::uint64_t shift = one;
  for (std::uint64_t n = second_size; n != 0; n >>= 1) {
    if ((n & 1) != 0) shift = multiply(kind, shift, power);
    power = multiply(kind, power, power);
  }
  return crc_bytes(kind, multiply(kind, shift, crc_of_bytes(first)) ^ crc_of_bytes(second));
}

}  // namespace brume
