// The one embedded store: ordered keys, atomic batches, snapshots. RocksDB behind it; nobody else names RocksDB.
// Thread-safe. A write is acknowledged when it survives `kill -9`; with Durability::power_loss also a power cut.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/runtime.h"

namespace brume {

struct Batch {
  struct Change {
    std::string key;
    std::optional<std::string> value;  // nullopt: erase
  };
  std::vector<Change> changes;
};

enum class Durability { process_death, power_loss };

// A frozen view of the store, readable on any thread.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual std::optional<std::string> get(std::string_view key) const = 0;
  // Calls `visit` for each key in [from, until) in order, or in reverse order; stops when it returns false. An empty
  // `until` is the end.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  virtual void scan(std::string_view from, std::string_view until, const Visit& visit, bool reverse = false) const = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void write(const Batch& batch) = 0;  // throws StoreFull, StoreError
  virtual std::shared_ptr<Snapshot> snapshot() const = 0;
  virtual std::optional<std::string> get(std::string_view key) const = 0;
  virtual void scan(std::string_view from, std::string_view until, const Snapshot::Visit& visit,
                    bool reverse = false) const = 0;
  virtual void erase_range(std::string_view from, std::string_view until) = 0;  // not part of a batch
  virtual void sync() = 0;
  // Runs `then` when everything that was written before this call is acknowledged, as durability() means it: at once,
  // or with Durability::power_loss later, on the commit thread. Whoever tells anybody of a write, or of what it read
  // after one, does so from here.
  virtual void when_durable(Function then) = 0;
  // What an acknowledged write survives; files written beside the store must match it.
  virtual Durability durability() const = 0;
};

struct StoreError : std::exception {
  explicit StoreError(std::string message) : message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }
  std::string message;
};
struct StoreFull final : StoreError {
  using StoreError::StoreError;
};

// Opens or creates the store in `directory`. Throws StoreError saying what to do when it is locked, damaged or newer.
std::unique_ptr<Store> open_store(const std::string& directory, Durability durability);
// For unit tests.
std::unique_ptr<Store> memory_store();

// The first key after every key that starts with `prefix`.
std::string prefix_end(std::string_view prefix);

}  // namespace brume
