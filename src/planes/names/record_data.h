// The data of resource records between their zone-file text and their wire form, and names on the wire with
// compression. Pure; used by the DNS message codec.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "planes/names/names.h"

namespace brume::names {

void append_u16(std::string& out, std::uint16_t value);
void append_u32(std::string& out, std::uint32_t value);

// Appends a label as text; bytes that are not letters, digits, '-', '_' or '*' become \DDD.
void append_label_text(std::string& name, std::string_view label);
// The wire form of a name given as text, uncompressed; nullopt when a label is empty or over 63 octets, or the whole
// over 255.
std::optional<std::string> name_to_wire(std::string_view text);

// Appends names to a message and points to earlier ones where it can (RFC 1035 4.1.4).
class NameWriter {
 public:
  explicit NameWriter(std::string& out) : out_(out) {}
  std::string& out() { return out_; }
  // The name at this offset was written by others.
  void know(const std::string& name, std::size_t offset);
  bool append(const std::string& name);
  // Takes back everything from `size` on.
  void cut(std::size_t size);

 private:
  std::string& out_;
  std::map<std::string, std::size_t> offsets_;
};

// Appends the data of a record without its length. False when the value is not of that type's form; then bytes may have
// been appended.
bool append_record_data(NameWriter& writer, RecordType type, const std::string& value);
// The zone-file text of a record's data; nullopt if it is malformed or of a type not known here.
std::optional<std::string> read_record_data(std::string_view message, std::size_t data, std::size_t bytes,
                                            RecordType type);

}  // namespace brume::names
