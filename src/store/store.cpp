#include "store/store.h"

#include <map>
#include <mutex>
#include <shared_mutex>

namespace brume {

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

namespace {

using Map = std::map<std::string, std::string, std::less<>>;

std::optional<std::string> get_from(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

void scan_map(const Map& map, std::string_view from, std::string_view until, const Snapshot::Visit& visit,
              bool reverse) {
  if (!until.empty() && until <= from) return;
  auto first = map.lower_bound(from);
  auto last = until.empty() ? map.end() : map.lower_bound(until);
  if (!reverse) {
    for (; first != last; ++first) {
      if (!visit(first->first, first->second)) return;
    }
    return;
  }
  while (last != first) {
    --last;
    if (!visit(last->first, last->second)) return;
  }
}

class MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(Map map) : map_(std::move(map)) {}
  std::optional<std::string> get(std::string_view key) const override { return get_from(map_, key); }
  void scan(std::string_view from, std::string_view until, const Visit& visit, bool reverse) const override {
    scan_map(map_, from, until, visit, reverse);
  }

 private:
  Map map_;
};

class MemoryStore final : public Store {
 public:
  void write(const Batch& batch) override {
    const std::lock_guard lock(mutex_);
    for (const Batch::Change& change : batch.changes) {
      if (change.value) {
        map_.insert_or_assign(change.key, *change.value);
      } else {
        map_.erase(change.key);
      }
    }
  }
  std::shared_ptr<Snapshot> snapshot() const override { return std::make_shared<MemorySnapshot>(copy()); }
  std::optional<std::string> get(std::string_view key) const override {
    const std::shared_lock lock(mutex_);
    return get_from(map_, key);
  }
  // Over a copy, so that `visit` may use the store.
  void scan(std::string_view from, std::string_view until, const Snapshot::Visit& visit, bool reverse) const override {
    scan_map(copy(), from, until, visit, reverse);
  }
  void erase_range(std::string_view from, std::string_view until) override {
    const std::lock_guard lock(mutex_);
    if (!until.empty() && until <= from) return;
    map_.erase(map_.lower_bound(from), until.empty() ? map_.end() : map_.lower_bound(until));
  }
  void sync() override {}
  void when_durable(Function then) override { then(); }
  Durability durability() const override { return Durability::process_death; }

 private:
  Map copy() const {
    const std::shared_lock lock(mutex_);
    return map_;
  }
  mutable std::shared_mutex mutex_;
  Map map_;
};

}  // namespace

std::unique_ptr<Store> memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace brume
