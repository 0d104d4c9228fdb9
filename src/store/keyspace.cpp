#include "store/keyspace.h"

#include <array>

#include "core/error.h"
#include "store/cbor.h"
#include "store/erasures.h"

namespace brume {

Keyspace::Keyspace(Store& store, std::string_view name) : store_(store), prefix_("k/" + std::string(name) + "/") {
  BRUME_CHECK(name.find('/') == std::string_view::npos);
}

std::string Keyspace::full(std::string_view key) const { return prefix_ + std::string(key); }

void Keyspace::put(Tx& tx, std::string_view key, std::string value) const { tx.put(full(key), std::move(value)); }
void Keyspace::erase(Tx& tx, std::string_view key) const { tx.erase(full(key)); }

std::optional<std::string> Keyspace::get(const Tx& tx, std::string_view key) const { return tx.get(full(key)); }
std::optional<std::string> Keyspace::get(std::string_view key) const { return store_.get(full(key)); }
std::optional<std::string> Keyspace::get(const Snapshot& snapshot, std::string_view key) const {
  return snapshot.get(full(key));
}

void Keyspace::scan(const Snapshot& snapshot, std::string_view from, std::string_view until,
                    const Snapshot::Visit& visit, bool reverse) const {
  snapshot.scan(
      full(from), until.empty() ? prefix_end(prefix_) : full(until),
      [&](std::string_view key, std::string_view value) { return visit(key.substr(prefix_.size()), value); }, reverse);
}

void Keyspace::scan_prefix(const Snapshot& snapshot, std::string_view prefix, const Snapshot::Visit& visit,
                           bool reverse) const {
  scan(snapshot, prefix, prefix_end(prefix), visit, reverse);
}

void Keyspace::erase_range(std::string_view from, std::string_view until) const {
  store_.erase_range(full(from), until.empty() ? prefix_end(prefix_) : full(until));
}

void Keyspace::erase_range(Tx& tx, std::string_view from, std::string_view until) const {
  erase_range_after(tx, full(from), until.empty() ? prefix_end(prefix_) : full(until));
}

void append_key_string_start(std::string& key, std::string_view part) {
  for (;;) {
    const std::size_t zero = part.find('\0');  // hardly ever there is one
    key += part.substr(0, zero);
    if (zero == std::string_view::npos) return;
    key += '\0';
    key += '\xff';
    part.remove_prefix(zero + 1);
  }
}

void append_key_string(std::string& key, std::string_view part) {
  append_key_string_start(key, part);
  key += '\0';
  key += '\x01';
}

void append_key_number(std::string& key, std::uint64_t number) {
  std::array<char, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (56 - 8 * i) & 0xff);
  key.append(bytes.data(), bytes.size());
}

void append_key_number_descending(std::string& key, std::uint64_t number) { append_key_number(key, ~number); }

std::string take_key_string(std::string_view& key) {
  std::string part;
  while (true) {
    const std::size_t zero = key.find('\0');
    if (zero == std::string_view::npos || zero + 1 >= key.size()) throw_damaged_record("its key has no such part");
    part += key.substr(0, zero);
    const char after = key[zero + 1];
    key.remove_prefix(zero + 2);
    if (after == '\x01') return part;
    if (after != '\xff') throw_damaged_record("its key has an unknown escape");
    part += '\0';
  }
}

std::uint64_t take_key_number(std::string_view& key) {
  if (key.size() < 8) throw_damaged_record("its key has no such part");
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(key[i]);
  key.remove_prefix(8);
  return number;
}

std::uint64_t take_key_number_descending(std::string_view& key) { return ~take_key_number(key); }

}  // namespace brume
