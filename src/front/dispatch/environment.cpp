#include "front/dispatch/environment.h"

#include "core/text.h"

namespace brume::front {
namespace {

std::string hex_of(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xff);
  return to_hex(bytes);
}

}  // namespace

// SplitMix64: every state gives another value.
std::uint64_t RequestIds::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t value = state_;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::string RequestIds::uuid() {
  std::string hex = hex_of(next()) + hex_of(next());
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<std::size_t>(hex[16]) % 4];
  std::string id;
  id.reserve(36);
  id.append(hex, 0, 8).append("-").append(hex, 8, 4).append("-").append(hex, 12, 4).append("-");
  return id.append(hex, 16, 4).append("-").append(hex, 20, 12);
}

std::string RequestIds::s3() {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::uint64_t value = next();
  std::string id;
  for (int i = 0; i < 16; ++i, value = i == 12 ? next() : value >> 5) id += kAlphabet[value % 32];
  return id;
}

}  // namespace brume::front
