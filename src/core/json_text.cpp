#include "core/json_text.h"

#include "core/plain_text.h"

namespace brume {
namespace {

bool is_escaped(char character) {
  return character == '"' || character == '\\' || static_cast<unsigned char>(character) < 0x20;
}

std::uint64_t may_have_escaped(std::uint64_t bytes) {
  return any_below(bytes, 0x20) | any_equal(bytes, '"') | any_equal(bytes, '\\');
}

// The letter behind the backslash; 'u': the code follows.
char escape_of(char character) {
  switch (character) {
    case '"':
    case '\\':
      return character;
    case '\b':
      return 'b';
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\f':
      return 'f';
    case '\r':
      return 'r';
    default:
      return 'u';
  }
}

void append_escape(char character, std::string& out) {
  const char escape = escape_of(character);
  out += '\\';
  out += escape;
  if (escape != 'u') return;
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(character);
  out += "00";
  out += kDigits[code / 16];
  out += kDigits[code % 16];
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t plain_from = 0;
  for (;;) {
    const std::size_t special = find_special(text, plain_from, may_have_escaped, is_escaped);
    out += text.substr(plain_from, special - plain_from);
    if (special == text.size()) break;
    append_escape(text[special], out);
    plain_from = special + 1;
  }
  out += '"';
}

}  // namespace brume
