// The members of Table; included by table.h alone. A table's key is t/TYPE/ACCOUNT/REGION/ID, its value the version of
// the type's format and the record. A type of a later version says how an older record becomes a present one with a
// function found by its argument: `void migrate(Record& record, int from_version)`.
#pragma once

#include <utility>

#include "core/error.h"
#include "store/table.h"

namespace brume {

namespace table_detail {

std::string key_prefix(std::string_view type);
struct ParsedKey {
  Scope scope;
  std::string_view id;
};
ParsedKey parse_key(std::string_view key, std::string_view prefix);
// Reads the version and returns it with the record's bytes. Throws StoreError when it is newer than ours.
std::pair<int, std::string_view> parse_value(std::string_view value, TableType type);
std::string value_prefix(int version);

}  // namespace table_detail

template <class Record>
Table<Record>::Table(Store& store, TableType type) : type_(type) {
  const std::string prefix = table_detail::key_prefix(type.name);
  store.scan(prefix, prefix_end(prefix), [&](std::string_view key, std::string_view value) {
    auto [scope, id] = table_detail::parse_key(key, prefix);
    const auto [version, bytes] = table_detail::parse_value(value, type_);
    Record record = decode_record<Record>(bytes);
    if constexpr (requires { migrate(record, 1); }) {
      if (version < type_.version) migrate(record, version);
    }
    ++counts_[scope];
    records_.emplace_hint(records_.end(), Key{std::move(scope), std::string(id)}, std::move(record));
    return true;
  });
}

template <class Record>
const Record* Table<Record>::find(const Scope& scope, std::string_view id) const {
  const auto found = records_.find(KeyView{scope, id});
  return found == records_.end() ? nullptr : &found->second;
}

template <class Record>
const Record& Table<Record>::insert(Tx& tx, const Scope& scope, std::string_view id, Record record) {
  BRUME_CHECK(find(scope, id) == nullptr);
  return put(tx, scope, id, std::move(record));
}

template <class Record>
const Record& Table<Record>::put(Tx& tx, const Scope& scope, std::string_view id, Record record) {
  tx.put(store_key(scope, id), table_detail::value_prefix(type_.version) + encode_record(record));
  const Key key{scope, std::string(id)};
  const auto found = records_.find(key);
  if (found == records_.end()) {
    tx.on_rollback([this, key] { remove(key); });
    return add(key, std::move(record));
  }
  Record& present = found->second;
  leaving(key, present);
  tx.on_rollback([this, key, old = std::move(present)]() mutable {
    Record& changed = records_.find(key)->second;
    leaving(key, changed);
    changed = std::move(old);
    entered(key, changed);
  });
  present = std::move(record);
  entered(key, present);
  return present;
}

template <class Record>
template <class Change>
const Record& Table<Record>::modify(Tx& tx, const Scope& scope, std::string_view id, Change&& change) {
  const Record* present = find(scope, id);
  BRUME_CHECK(present != nullptr);
  Record copy = *present;
  std::forward<Change>(change)(copy);
  return put(tx, scope, id, std::move(copy));
}

template <class Record>
bool Table<Record>::erase(Tx& tx, const Scope& scope, std::string_view id) {
  const Key key{scope, std::string(id)};
  const auto found = records_.find(key);
  if (found == records_.end()) return false;
  tx.erase(store_key(scope, id));
  leaving(key, found->second);
  tx.on_rollback([this, key, old = std::move(found->second)]() mutable { add(key, std::move(old)); });
  records_.erase(found);
  --counts_[key.scope];
  return true;
}

template <class Record>
Record& Table<Record>::add(Key key, Record record) {
  ++counts_[key.scope];
  const auto added = records_.emplace(std::move(key), std::move(record)).first;
  entered(added->first, added->second);
  return added->second;
}

template <class Record>
void Table<Record>::remove(const Key& key) {
  const auto found = records_.find(key);
  leaving(key, found->second);
  records_.erase(found);
  --counts_[key.scope];
}

template <class Record>
void Table<Record>::entered(const Key& key, const Record& record) {
  for (TableIndex<Record>* index : indexes_) index->add(key.scope, key.id, record);
  for (const Observer& changed : observers_) changed(key.scope, key.id);
}

template <class Record>
void Table<Record>::leaving(const Key& key, const Record& record) {
  for (TableIndex<Record>* index : indexes_) index->remove(key.scope, key.id, record);
  for (const Observer& changed : observers_) changed(key.scope, key.id);
}

template <class Record>
template <class Visit>
void Table<Record>::for_each(const Scope& scope, Visit&& visit) const {
  visit_from(scope, {}, [&](const Record& record) {
    visit(record);
    return true;
  });
}

template <class Record>
template <class Visit>
void Table<Record>::visit_from(const Scope& scope, std::string_view from, Visit&& visit) const {
  for (auto item = records_.lower_bound(KeyView{scope, from});
       item != records_.end() && item->first.scope == scope && visit(item->second); ++item) {
  }
}

template <class Record>
template <class Visit>
void Table<Record>::for_all(Visit&& visit) const {
  for (const auto& [key, record] : records_) visit(key.scope, std::string_view(key.id), record);
}

template <class Record>
template <class Matches>
std::vector<const Record*> Table<Record>::select(const Scope& scope, Matches&& matches) const {
  std::vector<const Record*> found;
  for_each(scope, [&](const Record& record) {
    if (matches(record)) found.push_back(&record);
  });
  return found;
}

template <class Record>
std::size_t Table<Record>::size() const {
  return records_.size();
}

template <class Record>
std::size_t Table<Record>::count(const Scope& scope) const {
  const auto found = counts_.find(scope);
  return found == counts_.end() ? 0 : found->second;
}

template <class Record>
std::string Table<Record>::store_key(const Scope& scope, std::string_view id) const {
  std::string key = table_detail::key_prefix(type_.name);
  key.append(scope.account).append("/").append(scope.region).append("/").append(id);
  return key;
}

template <class Record>
TableIndex<Record>::TableIndex(Table<Record>& table, TextsOf texts_of) : texts_of_(std::move(texts_of)) {
  for (const auto& [key, record] : table.records_) add(key.scope, key.id, record);
  table.indexes_.push_back(this);
}

template <class Record>
std::vector<const Record*> TableIndex<Record>::find(const Scope& scope, std::string_view text) const {
  std::vector<const Record*> found;
  for (auto item = entries_.lower_bound(EntryView{scope, text, {}});
       item != entries_.end() && item->first.text == text && item->first.scope == scope; ++item) {
    found.push_back(item->second);
  }
  return found;
}

template <class Record>
const Record* TableIndex<Record>::find_first(const Scope& scope, std::string_view text) const {
  const auto item = entries_.lower_bound(EntryView{scope, text, {}});
  return item != entries_.end() && item->first.text == text && item->first.scope == scope ? item->second : nullptr;
}

template <class Record>
void TableIndex<Record>::add(const Scope& scope, std::string_view id, const Record& record) {
  for (std::string& text : texts_of_(record)) entries_[{scope, std::move(text), std::string(id)}] = &record;
}

template <class Record>
void TableIndex<Record>::remove(const Scope& scope, std::string_view id, const Record& record) {
  for (const std::string& text : texts_of_(record)) {
    const auto found = entries_.find(EntryView{scope, text, id});
    if (found != entries_.end()) entries_.erase(found);  // a text may stand for the record twice
  }
}

}  // namespace brume
