#include "front/protocols/utf8.h"

#include <cstddef>

#include "core/plain_text.h"

namespace brume::protocols {

bool is_utf8(std::string_view text) {
  const auto is_high = [](char character) { return static_cast<unsigned char>(character) >= 0x80; };
  for (;;) {
    text.remove_prefix(find_special(text, 0, any_high, is_high));
    if (text.empty()) return true;
    const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || first > 0xf4 || text.size() < size) return false;
    for (std::size_t i = 1; i < size; ++i)
      if ((byte(i) & 0xc0) != 0x80) return false;
    const unsigned char second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f))
      return false;
    text.remove_prefix(size);
  }
}

}  // namespace brume::protocols
