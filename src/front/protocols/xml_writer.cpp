#include "front/protocols/xml_writer.h"

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

void XmlWriter::escaped(std::string_view text, bool in_attribute) {
  for (const char character : text) {
    switch (character) {
      case '&':
        text_ += "&amp;";
        break;
      case '<':
        text_ += "&lt;";
        break;
      case '>':
        text_ += "&gt;";
        break;
      case '"':
        text_ += in_attribute ? "&quot;" : "\"";
        break;
      default:
        // A carriage return would be read back as a line feed; S3 writes other control characters as references too,
        // although XML 1.0 has no place for them.
        if (static_cast<unsigned char>(character) < 0x20 &&
            (in_attribute || (character != '\n' && character != '\t'))) {
          constexpr std::string_view digits = "0123456789abcdef";
          const auto code = static_cast<unsigned char>(character);
          text_ += "&#x";
          if (code >= 16) text_ += digits[code / 16];
          text_ += digits[code % 16];
          text_ += ';';
        } else {
          text_ += character;
        }
    }
  }
}

}  // namespace brume::protocols
