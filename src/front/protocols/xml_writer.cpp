#include "front/protocols/xml_writer.h"

#include "core/plain_text.h"

namespace brume::protocols {

void XmlWriter::end_tag() {
  if (tag_is_open_) text_ += '>';
  tag_is_open_ = false;
}

void XmlWriter::open(std::string_view name) {
  end_tag();
  text_ += '<';
  text_ += name;
  tag_is_open_ = true;
}

void XmlWriter::attribute(std::string_view name, std::string_view value) {
  text_ += ' ';
  text_ += name;
  text_ += "=\"";
  escaped(value, true);
  text_ += '"';
}

void XmlWriter::name_space(std::string_view uri, std::string_view prefix) {
  if (uri.empty()) return;
  attribute(prefix.empty() ? "xmlns" : "xmlns:" + std::string(prefix), uri);
}

void XmlWriter::content(std::string_view text) {
  end_tag();
  escaped(text, false);
}

void XmlWriter::close(std::string_view name) {
  if (tag_is_open_) {
    text_ += "/>";
    tag_is_open_ = false;
    return;
  }
  text_ += "</";
  text_ += name;
  text_ += '>';
}

void XmlWriter::element(std::string_view name, std::string_view text) {
  open(name);
  content(text);
  close(name);
}

namespace {

// What a character is written as, or an empty view when it stands for itself. Quotes matter in attributes only. A
// carriage return would be read back as a line feed; S3 writes other control characters as references too, although
// XML 1.0 has no place for them.
std::string_view escape_of(char character, bool in_attribute, char (&buffer)[8]) {
  switch (character) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return in_attribute ? "&quot;" : "";
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(character);
  if (code >= 0x20 || (!in_attribute && (character == '\n' || character == '\t'))) return {};
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t size = 0;
  for (const char each : {'&', '#', 'x', code >= 16 ? '1' : '0', digits[code % 16], ';'}) buffer[size++] = each;
  return {buffer, size};
}

std::uint64_t may_have_escaped(std::uint64_t bytes) {
  return any_below(bytes, 0x20) | any_equal(bytes, '&') | any_equal(bytes, '<') | any_equal(bytes, '>') |
         any_equal(bytes, '"');
}

}  // namespace

void XmlWriter::escaped(std::string_view text, bool in_attribute) {
  char buffer[8];
  std::size_t plain_from = 0;
  const auto is_escaped = [&](char character) { return !escape_of(character, in_attribute, buffer).empty(); };
  for (;;) {
    const std::size_t special = find_special(text, plain_from, may_have_escaped, is_escaped);
    text_ += text.substr(plain_from, special - plain_from);
    if (special == text.size()) return;
    text_ += escape_of(text[special], in_attribute, buffer);
    plain_from = special + 1;
  }
}

}  // namespace brume::protocols
