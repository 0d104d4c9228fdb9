// Ordered data on disk, for what is too much to be resident: object indexes, items, log events. Keys are bytes in
// bytewise order; the helpers below encode parts of a key so that their order is the values' order. Writes go through
// the control thread's Tx; snapshots are read on workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/tx.h"

namespace brume {

class Keyspace {
 public:
  // `name` never changes and has no '/': "s3.object".
  Keyspace(Store& store, std::string_view name);

  void put(Tx& tx, std::string_view key, std::string value) const;
  void erase(Tx& tx, std::string_view key) const;
  std::optional<std::string> get(const Tx& tx, std::string_view key) const;  // sees what the transaction wrote
  std::optional<std::string> get(std::string_view key) const;
  std::optional<std::string> get(const Snapshot& snapshot, std::string_view key) const;

  // The keys in [from, until) without the keyspace's own prefix; an empty `until` is the end. Does not see what an
  // open transaction wrote. Thread-safe; long scans belong on a worker.
  void scan(const Snapshot& snapshot, std::string_view from, std::string_view until, const Snapshot::Visit& visit,
            bool reverse = false) const;
  void scan_prefix(const Snapshot& snapshot, std::string_view prefix, const Snapshot::Visit& visit,
                   bool reverse = false) const;
  // At once and outside any transaction: for data that nothing refers to any more.
  void erase_range(std::string_view from, std::string_view until) const;
  // With what a transaction deletes, behind its commit: see store/erasures.h.
  void erase_range(Tx& tx, std::string_view from, std::string_view until) const;

  std::shared_ptr<Snapshot> snapshot() const { return store_.snapshot(); }

 private:
  std::string full(std::string_view key) const;
  Store& store_;
  std::string prefix_;
};

// Appends a string so that whole keys order as the tuples of their parts do: 00 becomes 00 FF, the end is 00 01.
void append_key_string(std::string& key, std::string_view part);
// Appends the part that every string starting with `part` has in common: the start of a prefix scan.
void append_key_string_start(std::string& key, std::string_view part);
void append_key_number(std::string& key, std::uint64_t number);
// Larger numbers first: the latest version, the newest event.
void append_key_number_descending(std::string& key, std::uint64_t number);

// Each takes its part off the front of `key`. Throws StoreError when it is not there.
std::string take_key_string(std::string_view& key);
std::uint64_t take_key_number(std::string_view& key);
std::uint64_t take_key_number_descending(std::string_view& key);

}  // namespace brume
