// Writes XML into a string: elements in order, escaped text. Used on one thread at a time.
#pragma once

#include <string>
#include <string_view>

namespace brume::protocols {

class XmlWriter {
 public:
  void declaration() { text_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"; }
  // An element whose attributes may follow, before any content.
  void open(std::string_view name);
  void attribute(std::string_view name, std::string_view value);
  // xmlns="uri", or xmlns:prefix="uri"; nothing when the uri is empty.
  void name_space(std::string_view uri, std::string_view prefix = {});
  void content(std::string_view text);
  void close(std::string_view name);
  void element(std::string_view name, std::string_view text);
  std::string take() { return std::move(text_); }

 private:
  void end_tag();
  void escaped(std::string_view text, bool in_attribute);
  std::string text_;
  bool tag_is_open_ = false;
};

}  // namespace brume::protocols
