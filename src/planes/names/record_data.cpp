#include "planes/names/record_data.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/text.h"
#include "planes/names/message.h"

namespace brume::names {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
}

// The bytes of one label written as text.
std::optional<std::string> label_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 4) return std::nullopt;
    std::int64_t code = 0;
    if (!parse_int(text.substr(i + 1, 3), code) || code < 0 || code > 255) return std::nullopt;
    bytes.push_back(static_cast<char>(code));
    i += 3;
  }
  if (bytes.empty() || bytes.size() > 63) return std::nullopt;
  return bytes;
}

std::string_view without_final_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

// The words of a zone-file value; words in double quotes may hold spaces and \" \\ .
std::optional<std::vector<std::string>> words(std::string_view text) {
  std::vector<std::string> result;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    std::string word;
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        word.push_back(text[i]);
      }
      if (i++ == text.size()) return std::nullopt;
    } else {
      while (i < text.size() && text[i] != ' ') word.push_back(text[i++]);
    }
    result.push_back(std::move(word));
  }
  return result;
}

bool append_number(std::string& out, const std::string& word, std::int64_t largest) {
  std::int64_t number = 0;
  if (!parse_int(word, number) || number < 0 || number > largest) return false;
  if (largest > 0xffff)
    append_u32(out, static_cast<std::uint32_t>(number));
  else
    append_u16(out, static_cast<std::uint16_t>(number));
  return true;
}

bool append_text(std::string& out, const std::vector<std::string>& strings) {
  if (strings.empty()) return false;
  for (const std::string& text : strings) {
    if (text.size() > 255) return false;
    out.push_back(static_cast<char>(text.size()));
    out += text;
  }
  return true;
}

bool append_caa(std::string& out, const std::vector<std::string>& parts) {
  std::int64_t flags = 0;
  if (parts.size() != 3 || !parse_int(parts[0], flags) || flags < 0 || flags > 255 || parts[1].empty() ||
      parts[1].size() > 15)
    return false;
  out.push_back(static_cast<char>(flags));
  out.push_back(static_cast<char>(parts[1].size()));
  out += parts[1] + parts[2];
  return true;
}

bool append_soa(NameWriter& writer, const std::vector<std::string>& parts) {
  if (parts.size() != 7 || !writer.append(parts[0]) || !writer.append(parts[1])) return false;
  for (std::size_t i = 2; i < 7; ++i)
    if (!append_number(writer.out(), parts[i], 0xffffffffLL)) return false;
  return true;
}

bool append_srv(NameWriter& writer, const std::vector<std::string>& parts) {
  if (parts.size() != 4) return false;
  for (std::size_t i = 0; i < 3; ++i)
    if (!append_number(writer.out(), parts[i], 0xffff)) return false;
  const auto target = name_to_wire(parts[3]);  // RFC 2782: never compressed
  if (!target) return false;
  writer.out() += *target;
  return true;
}

bool append_address(std::string& out, int family, std::size_t size, const std::string& value) {
  std::array<char, 16> bytes{};
  if (inet_pton(family, value.c_str(), bytes.data()) != 1) return false;
  out.append(bytes.data(), size);
  return true;
}

std::optional<std::string> read_numbers_and_name(std::string_view message, std::size_t data, std::size_t end,
                                                 std::size_t numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers; ++i, data += 2) {
    if (end - data < 2) return std::nullopt;
    text +=
        std::to_string((static_cast<std::uint8_t>(message[data]) << 8) | static_cast<std::uint8_t>(message[data + 1])) +
        " ";
  }
  std::string name;
  if (!read_name(message.substr(0, end), data, name) || data != end) return std::nullopt;
  return text + (name.empty() ? "." : name);  // the root: RFC 7505's "0 ." is a domain that takes no mail
}

std::optional<std::string> read_strings(std::string_view data) {
  if (data.empty()) return std::nullopt;  // RFC 1035 3.3.14: one string at least
  std::string text;
  while (!data.empty()) {
    const auto length = static_cast<std::uint8_t>(data[0]);
    if (data.size() - 1 < length) return std::nullopt;
    if (!text.empty()) text += " ";
    text += "\"";
    for (char c : data.substr(1, length)) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += "\"";
    data.remove_prefix(std::size_t{length} + 1);
  }
  return text;
}

std::optional<std::string> read_address(std::string_view data, int family, std::size_t size) {
  if (data.size() != size) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, data.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return text.data();
}

}  // namespace

void append_u16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

void append_u32(std::string& out, std::uint32_t value) {
  append_u16(out, static_cast<std::uint16_t>(value >> 16));
  append_u16(out, static_cast<std::uint16_t>(value & 0xffff));
}

void append_label_text(std::string& name, std::string_view label) {
  for (char c : label) {
    if (is_plain(c)) {
      name.push_back(c);
      continue;
    }
    const unsigned code = static_cast<std::uint8_t>(c);
    name.push_back('\\');
    name.push_back(static_cast<char>('0' + code / 100));
    name.push_back(static_cast<char>('0' + code / 10 % 10));
    name.push_back(static_cast<char>('0' + code % 10));
  }
}

std::optional<std::string> name_to_wire(std::string_view text) {
  text = without_final_dot(text);
  std::string wire;
  if (!text.empty())
    for (std::string_view label : split(text, '.')) {
      const auto bytes = label_bytes(label);
      if (!bytes) return std::nullopt;
      wire.push_back(static_cast<char>(bytes->size()));
      wire += *bytes;
    }
  wire.push_back('\0');
  if (wire.size() > 255) return std::nullopt;
  return wire;
}

void NameWriter::know(const std::string& name, std::size_t offset) {
  // The name was written label by label from `offset`; each of its suffixes can be pointed to.
  std::string_view rest = name;
  while (!rest.empty() && offset < 0x3fff) {
    offsets_.try_emplace(std::string(rest), offset);
    const std::size_t dot = rest.find('.');
    const auto bytes = label_bytes(rest.substr(0, dot));
    if (!bytes || dot == std::string_view::npos) return;
    offset += bytes->size() + 1;
    rest.remove_prefix(dot + 1);
  }
}

bool NameWriter::append(const std::string& name) {
  if (!name_to_wire(name)) return false;
  const std::string_view whole = without_final_dot(name);
  const std::string lower = to_lower(whole);
  const std::size_t start = out_.size();
  std::size_t at = 0;
  while (at < whole.size()) {
    const auto known = offsets_.find(lower.substr(at));
    if (known != offsets_.end()) {
      append_u16(out_, static_cast<std::uint16_t>(0xc000U | known->second));
      break;
    }
    const std::size_t dot = std::min(whole.find('.', at), whole.size());
    const auto bytes = label_bytes(whole.substr(at, dot - at));
    out_.push_back(static_cast<char>(bytes->size()));
    out_ += *bytes;
    at = dot + 1;
  }
  if (at >= whole.size()) out_.push_back('\0');
  know(lower, start);
  return true;
}

void NameWriter::cut(std::size_t size) {
  out_.resize(size);
  std::erase_if(offsets_, [size](const auto& entry) { return entry.second >= size; });
}

bool append_record_data(NameWriter& writer, RecordType type, const std::string& value) {
  std::string& out = writer.out();
  if (type == RecordType::a) return append_address(out, AF_INET, 4, value);
  if (type == RecordType::aaaa) return append_address(out, AF_INET6, 16, value);
  const auto parts = words(value);
  if (!parts || parts->empty()) return false;
  switch (type) {
    case RecordType::ns:
    case RecordType::cname:
    case RecordType::ptr:
      return parts->size() == 1 && writer.append((*parts)[0]);
    case RecordType::mx:
      return parts->size() == 2 && append_number(out, (*parts)[0], 0xffff) && writer.append((*parts)[1]);
    case RecordType::soa:
      return append_soa(writer, *parts);
    case RecordType::srv:
      return append_srv(writer, *parts);
    case RecordType::txt:
      return append_text(out, *parts);
    case RecordType::caa:
      return append_caa(out, *parts);
    default:
      return false;
  }
}

std::optional<std::string> read_record_data(std::string_view message, std::size_t data, std::size_t bytes,
                                            RecordType type) {
  const std::string_view bare = message.substr(data, bytes);
  switch (type) {
    case RecordType::a:
      return read_address(bare, AF_INET, 4);
    case RecordType::aaaa:
      return read_address(bare, AF_INET6, 16);
    case RecordType::ns:
    case RecordType::cname:
    case RecordType::ptr:
      return read_numbers_and_name(message, data, data + bytes, 0);
    case RecordType::mx:
      return read_numbers_and_name(message, data, data + bytes, 1);
    case RecordType::srv:
      return read_numbers_and_name(message, data, data + bytes, 3);
    case RecordType::txt:
      return read_strings(bare);
    default:
      return std::nullopt;
  }
}

}  // namespace brume::names
