#include "services/cloudtrail/json_text.h"

#include <array>

namespace brume::cloudtrail {
namespace {

// Of each byte that is not written as it is: the letter behind the backslash.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t i = 0; i < 0x20; ++i) escapes[i] = 'u';
  escapes['\b'] = 'b';
  escapes['\t'] = 't';
  escapes['\n'] = 'n';
  escapes['\f'] = 'f';
  escapes['\r'] = 'r';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

char escape_of(char character) { return kEscapes[static_cast<unsigned char>(character)]; }

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escape = escape_of(text[i]);
    if (escape == '\0') continue;
    out += text.substr(plain_from, i - plain_from);
    plain_from = i + 1;
    out += '\\';
    out += escape;
    if (escape != 'u') continue;
    out += "00";
    out += kDigits[static_cast<unsigned char>(text[i]) >> 4];
    out += kDigits[static_cast<unsigned char>(text[i]) & 15];
  }
  out += text.substr(plain_from);
  out += '"';
}

}  // namespace brume::cloudtrail
