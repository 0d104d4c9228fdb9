#include "core/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <mutex>

#include "core/error.h"

namespace brume {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill(&value, sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t limit) {
  BRUME_CHECK(limit > 0);
  // Values under 2^64 mod limit are thrown away, so that each remainder is equally likely.
  const std::uint64_t threshold = (0 - limit) % limit;
  while (true) {
    const std::uint64_t value = next();
    if (value >= threshold) return value % limit;
  }
}

std::string Random::from(std::string_view alphabet, std::size_t count) {
  std::string text(count, '\0');
  if (!std::has_single_bit(alphabet.size())) {
    for (char& character : text) character = alphabet[below(alphabet.size())];
    return text;
  }
  // Then a byte is as fair as a longer number, and none is thrown away.
  BRUME_CHECK(alphabet.size() <= 256);
  fill(text.data(), count);
  for (char& character : text) character = alphabet[static_cast<unsigned char>(character) % alphabet.size()];
  return text;
}

std::string Random::hex(std::size_t digits) { return from(kHexDigits, digits); }

std::string Random::digits(std::size_t count) { return from("0123456789", count); }

std::string Random::uuid() {
  std::array<unsigned char, 16> bytes;
  fill(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // RFC 9562: version 4,
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // and its variant
  std::string text(36, '-');
  auto digit = text.begin();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++digit;
    *digit++ = kHexDigits[bytes[i] >> 4];
    *digit++ = kHexDigits[bytes[i] & 0xf];
  }
  return text;
}

std::string Random::ec2_id(std::string_view prefix) { return std::string(prefix) + hex(17); }

namespace {

class SystemRandom final : public Random {
 public:
  void fill(void* data, std::size_t size) override {
    if (size > kPool / 8) return generate(data, size);
    const std::lock_guard lock(mutex_);
    if (left_ < size) {
      generate(pool_.data(), kPool);
      left_ = kPool;
    }
    left_ -= size;
    std::memcpy(data, pool_.data() + left_, size);
    OPENSSL_cleanse(pool_.data() + left_, size);  // what was given is not kept
  }

 private:
  static constexpr std::size_t kPool = 2048;
  static void generate(void* data, std::size_t size) {
    BRUME_CHECK(size <= 1 << 30);
    BRUME_CHECK(RAND_bytes(static_cast<unsigned char*>(data), static_cast<int>(size)) == 1);
  }
  std::mutex mutex_;
  std::array<unsigned char, kPool> pool_{};  // a call of OpenSSL's costs the same for eight bytes and for all of these
  std::size_t left_ = 0;
};

// SplitMix64 ("Fast Splittable Pseudorandom Number Generators"): repeatable on every machine.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(void* data, std::size_t size) override {
    auto* bytes = static_cast<unsigned char*>(data);
    while (size > 0) {
      const std::uint64_t value = step();
      const std::size_t count = size < sizeof value ? size : sizeof value;
      std::memcpy(bytes, &value, count);
      bytes += count;
      size -= count;
    }
  }

 private:
  std::uint64_t step() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace

std::unique_ptr<Random> system_random() { return std::make_unique<SystemRandom>(); }

std::unique_ptr<Random> seeded_random(std::uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

}  // namespace brume
