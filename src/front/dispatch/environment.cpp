#include "front/dispatch/environment.h"

namespace brume::front {
namespace {

void append_hex(std::string& out, std::uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 15U];
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
  const std::uint64_t first = next();
  const std::uint64_t last = next();
  std::string id;
  id.reserve(36);
  append_hex(id, first >> 32U, 8);
  append_hex(id += '-', first >> 16U, 4);
  append_hex(id += "-4", first, 3);  // version 4
  append_hex(id += '-', (last >> 48U & 0x3fffU) | 0x8000U, 4);
  append_hex(id += '-', last, 12);
  return id;
}

std::string RequestIds::s3() {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::uint64_t value = next();
  std::string id;
  for (int i = 0; i < 16; ++i, value = i == 12 ? next() : value >> 5) id += kAlphabet[value % 32];
  return id;
}

}  // namespace brume::front
