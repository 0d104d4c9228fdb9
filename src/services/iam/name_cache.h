// A table's records by account and name, found by a hash: down the tree of ten thousand records nearly every step
// waits for memory. Filled by lookups; whatever changes, comes or goes is forgotten before anybody sees it. A member
// beside its table and declared after it; control thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/scope.h"
#include "store/table.h"

namespace brume::iam {

template <class Record>
class NameCache {
 public:
  explicit NameCache(Table<Record>& table) : table_(table) {
    table.observe([this](const Scope& scope, std::string_view key) {
      const auto known = records_.find(View{scope.account, key});
      if (known != records_.end()) records_.erase(known);
    });
  }
  NameCache(const NameCache&) = delete;
  NameCache& operator=(const NameCache&) = delete;

  // By the name's key; null: there is none.
  const Record* find(std::string_view account, std::string_view key) const {
    const auto known = records_.find(View{account, key});
    if (known != records_.end()) return known->second;
    const Record* record = table_.find({std::string(account), ""}, key);
    if (record != nullptr) records_.emplace(Key{std::string(account), std::string(key)}, record);
    return record;
  }

 private:
  struct View {
    std::string_view account, key;
    bool operator==(const View&) const = default;
  };
  struct Key {
    std::string account, key;
  };
  static View view(const Key& key) { return {key.account, key.key}; }
  static View view(const View& key) { return key; }
  struct Hash {
    using is_transparent = void;
    template <class K>
    std::size_t operator()(const K& key) const {
      const std::hash<std::string_view> hash;
      return hash(view(key).key) * 31 + hash(view(key).account);
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return view(a) == view(b);
    }
  };

  Table<Record>& table_;
  mutable std::unordered_map<Key, const Record*, Hash, Equal> records_;
};

}  // namespace brume::iam
