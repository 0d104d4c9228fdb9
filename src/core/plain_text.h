// Where a text has a byte that must be looked at, eight bytes at a time: of what is read and written nearly all stands
// for itself. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace brume {

constexpr std::uint64_t kEachByte = 0x0101010101010101;
constexpr std::uint64_t kEachHighBit = 0x8080808080808080;

// Not zero: one of the eight bytes is less than `limit`, which is at most 0x80.
constexpr std::uint64_t any_below(std::uint64_t bytes, unsigned char limit) {
  return (bytes - kEachByte * limit) & ~bytes & kEachHighBit;
}
// Not zero: one of the eight bytes is `byte`.
constexpr std::uint64_t any_equal(std::uint64_t bytes, char byte) {
  return any_below(bytes ^ (kEachByte * static_cast<unsigned char>(byte)), 1);
}
// Not zero: one of the eight bytes is no ASCII.
constexpr std::uint64_t any_high(std::uint64_t bytes) { return bytes & kEachHighBit; }

// One to seven bytes as eight, some of them more than once.
inline std::uint64_t spread(const char* text, std::size_t size) {
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, text, sizeof first);
    std::memcpy(&last, text + size - sizeof last, sizeof last);
    return std::uint64_t{last} << 32U | first;
  }
  const auto byte = [text](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(text[i])}; };
  return (byte(0) | byte(size / 2) << 8U | byte(size - 1) << 16U) * 0x0001000001 | byte(0) << 48U | byte(0) << 56U;
}

// The first byte from `from` on that is_special; the text's size: there is none. `may_have` is asked of eight bytes at
// once, and may be wrong when it says so, not when it denies it.
template <class MayHave, class IsSpecial>
std::size_t find_special(std::string_view text, std::size_t from, const MayHave& may_have,
                         const IsSpecial& is_special) {
  while (from < text.size()) {
    std::uint64_t bytes = 0;
    const std::size_t count = text.size() - from < sizeof bytes ? text.size() - from : sizeof bytes;
    if (count == sizeof bytes)
      std::memcpy(&bytes, text.data() + from, sizeof bytes);
    else
      bytes = spread(text.data() + from, count);
    if (may_have(bytes) == 0) {
      from += count;
      continue;
    }
    for (const std::size_t end = from + count; from < end; ++from)
      if (is_special(text[from])) return from;
  }
  return text.size();
}

}  // namespace brume
