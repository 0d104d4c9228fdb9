#include "services/iam/devices.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/text.h"

namespace brume::iam {
namespace {

constexpr std::int64_t kStepSeconds = 30;

}  // namespace

std::vector<const DeviceRecord*> devices_of(const Iam& iam, const RequestContext& request, std::string_view user) {
  return iam.devices.select(global(request), [&](const DeviceRecord& device) {
    return device.enabled.ms != 0 && key_of(device.user) == key_of(user);
  });
}

std::string device_code(std::string_view seed, std::int64_t step) {
  std::array<unsigned char, 8> moment{};
  for (std::size_t i = 0; i < moment.size(); ++i)
    moment[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (56 - 8 * i));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha1(), seed.data(), static_cast<int>(seed.size()), moment.data(), moment.size(), digest.data(), &size);
  const std::size_t offset = digest[size - 1] & 0x0F;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8) | digest[offset + i];
  const std::string text = std::to_string((number & 0x7FFF'FFFF) % 1'000'000);
  return std::string(6 - text.size(), '0') + text;
}

std::optional<std::int64_t> step_of(std::string_view seed, std::string_view code, Time now, std::int64_t after) {
  const std::int64_t current = now.seconds() / kStepSeconds;
  for (std::int64_t step = current - 1; step <= current + 1; ++step)
    if (step > after && equal_in_constant_time(device_code(seed, step), code)) return step;
  return std::nullopt;
}

std::string to_base32(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= 5; held -= 5) text += kAlphabet[(bits >> (held - 5)) & 31];
  }
  if (held > 0) text += kAlphabet[(bits << (5 - held)) & 31];
  return text;
}

}  // namespace brume::iam
