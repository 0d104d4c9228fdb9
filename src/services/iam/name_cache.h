// A table's records by account and name, found by a hash: down the tree of ten thousand records nearly every step
// waits for memory. Filled by lookups; whatever changes, comes or goes is forgotten before anybody sees it. A member
// beside its table and declared after it; control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/arn_view.h"
#include "core/scope.h"
#include "store/table.h"

namespace brume::iam {

std::string key_of(std::string_view name);

template <class Record>
class NameCache {
 public:
  // `changed` is called at every change of the table, rollbacks among them.
  NameCache(Table<Record>& table, std::function<void()> changed)
      : table_(table), changed_(std::move(changed)), changes_(table, [this](const Record& record) {
          forget(record);
          changed_();
          return std::vector<std::string>();  // an index of nothing
        }) {}
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

  void forget(const Record& record) {
    const std::string key = key_of(record.name);
    const auto known = records_.find(View{view_arn(record.arn).value_or(ArnView{}).account, key});
    if (known != records_.end()) records_.erase(known);
  }

  Table<Record>& table_;
  std::function<void()> changed_;
  mutable std::unordered_map<Key, const Record*, Hash, Equal> records_;
  TableIndex<Record> changes_;
};

}  // namespace brume::iam
