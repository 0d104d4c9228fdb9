#include "services/dynamodb/item_store.h"

#include <algorithm>

namespace brume::dynamodb {
namespace {

constexpr std::int64_t kLargestItem = 400 * 1024;
constexpr std::size_t kLargestHash = 2048, kLargestRange = 1024;
constexpr std::size_t kFillChunk = 500;

void check_key_value(const TableRecord& table, const std::string& name, const AttributeValue& value,
                     std::size_t largest) {
  const std::string_view expected = table.attribute_types.at(name);
  if (type_of(value) != expected)
    throw validation("One or more parameter values were invalid: Type mismatch for key " + name +
                     " expected: " + std::string(expected) + " actual: " + std::string(type_of(value)));
  if ((value.s && value.s->empty()) || (value.b && value.b->empty()))
    throw validation(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        "string value. Key: " +
        name);
  if (value.s.get().size() > largest || value.b.get().size() > largest)
    throw validation("One or more parameter values were invalid: Size of " +
                     std::string(largest == kLargestHash ? "hashkey" : "rangekey") +
                     " has exceeded the maximum size limit of" + std::to_string(largest) + " bytes");
}

// Whether an attribute that keys an index has the type that the index needs; a wrong type refuses the write.
void check_index_types(const TableRecord& table, const Item& item) {
  for (const IndexRecord& index : table.indexes)
    for (const std::string& name : {index.hash, index.range}) {
      const auto found = name.empty() ? item.end() : item.find(name);
      if (found == item.end()) continue;
      if (type_of(found->second) != table.attribute_types.at(name))
        throw validation("One or more parameter values were invalid: Type mismatch for Index Key " + name +
                         " Expected: " + table.attribute_types.at(name) +
                         " Actual: " + std::string(type_of(found->second)) + " IndexName: " + index.name);
    }
}

}  // namespace

std::string whole_prefix(const TableRecord& table, const IndexRecord* index) {
  std::string key;
  append_key_string(key, table.id);
  if (index != nullptr) append_key_string(key, index->name);
  return key;
}

std::string partition_prefix(const TableRecord& table, const IndexRecord* index, const AttributeValue& hash) {
  std::string key = whole_prefix(table, index);
  append_key_value(key, hash);
  return key;
}

std::string item_key(const TableRecord& table, const Item& item, bool exact) {
  const std::size_t wanted = table.range.empty() ? 1 : 2;
  for (const std::string& name : {table.hash, table.range})
    if (!name.empty() && !item.contains(name))
      throw validation(exact ? "The provided key element does not match the schema"
                             : "One or more parameter values were invalid: Missing the key " + name + " in the item");
  if (exact && item.size() != wanted) throw validation("The provided key element does not match the schema");
  check_key_value(table, table.hash, item.at(table.hash), kLargestHash);
  std::string key = partition_prefix(table, nullptr, item.at(table.hash));
  if (!table.range.empty()) {
    check_key_value(table, table.range, item.at(table.range), kLargestRange);
    append_key_value(key, item.at(table.range));
  }
  return key;
}

std::optional<std::string> entry_key(const TableRecord& table, const IndexRecord& index, const Item& item) {
  const auto hash = item.find(index.hash);
  if (hash == item.end()) return std::nullopt;
  std::string key = partition_prefix(table, &index, hash->second);
  if (!index.range.empty()) {
    const auto range = item.find(index.range);
    if (range == item.end()) return std::nullopt;
    append_key_value(key, range->second);
  }
  return key + item_key(table, item, false);
}

std::optional<Item> read_item(const Dynamodb& dynamodb, const Tx& tx, const std::string& key) {
  const auto value = dynamodb.items.get(tx, key);
  if (!value) return std::nullopt;
  return decode_item(*value);
}

void write_item(Dynamodb& dynamodb, Tx& tx, const Scope& scope, const std::string& name, const std::string& key,
                const std::optional<Item>& before, const std::optional<Item>& after) {
  const TableRecord& table = *dynamodb.tables.find(scope, name);
  const auto old_bytes = static_cast<std::int64_t>(before ? size_of(*before) : 0);
  const auto new_bytes = static_cast<std::int64_t>(after ? size_of(*after) : 0);
  if (after) {
    if (new_bytes > kLargestItem) throw validation("Item size has exceeded the maximum allowed size");
    check_index_types(table, *after);
    dynamodb.items.put(tx, key, encode_item(*after));
    dynamodb.expiry.note(table, after);
  } else if (before) {
    dynamodb.items.erase(tx, key);
  }
  for (const IndexRecord& index : table.indexes) {
    const auto old_entry = before ? entry_key(table, index, *before) : std::nullopt;
    const auto new_entry = after ? entry_key(table, index, *after) : std::nullopt;
    if (old_entry && old_entry != new_entry) dynamodb.entries.erase(tx, *old_entry);
    if (new_entry) dynamodb.entries.put(tx, *new_entry, key);
  }
  const auto count = static_cast<std::int64_t>(after.has_value()) - static_cast<std::int64_t>(before.has_value());
  if (count == 0 && old_bytes == new_bytes) return;
  CountRecord record = count_of(dynamodb, scope, table);
  record.items += count;
  record.bytes += new_bytes - old_bytes;
  dynamodb.counts.put(tx, scope, table.id, record);
}

namespace {

// One piece of the filling: entries of the items after `from`. Items that are written meanwhile enter by themselves.
void fill_from(Dynamodb& dynamodb, const Scope& scope, const std::string& name, const std::string& index_name,
               std::string from) {
  const TableRecord* table = dynamodb.tables.find(scope, name);
  const IndexRecord* index = table == nullptr ? nullptr : find_index(*table, index_name);
  if (index == nullptr) return;
  const std::string prefix = whole_prefix(*table, nullptr);
  if (from.empty()) from = prefix;
  std::vector<std::pair<std::string, Item>> chunk;
  dynamodb.items.scan(*dynamodb.items.snapshot(), from, prefix_end(prefix),
                      [&](std::string_view key, std::string_view value) {
                        chunk.emplace_back(key, decode_item(value));
                        return chunk.size() < kFillChunk;
                      });
  Tx tx(dynamodb.needs.store);
  for (const auto& [key, item] : chunk) {
    const auto hash = item.find(index->hash);
    if (hash == item.end() || type_of(hash->second) != table->attribute_types.at(index->hash)) continue;
    if (const auto entry = entry_key(*table, *index, item)) dynamodb.entries.put(tx, *entry, key);
  }
  if (chunk.size() < kFillChunk) {
    dynamodb.tables.modify(tx, scope, name, [&](TableRecord& record) {
      for (IndexRecord& made : record.indexes)
        if (made.name == index_name) made.status = "ACTIVE";
      record.status = "ACTIVE";
    });
  }
  tx.commit();
  if (chunk.size() == kFillChunk)
    dynamodb.needs.control.post([&dynamodb, scope, name, index_name, next = chunk.back().first + '\0'] {
      fill_from(dynamodb, scope, name, index_name, next);
    });
}

}  // namespace

void fill_index(Dynamodb& dynamodb, const Scope& scope, const std::string& table, const std::string& index) {
  dynamodb.needs.control.post([&dynamodb, scope, table, index] { fill_from(dynamodb, scope, table, index, {}); });
}

void erase_all(Dynamodb& dynamodb, Tx& tx, const TableRecord& table) {
  const std::string prefix = whole_prefix(table, nullptr);
  dynamodb.items.erase_range(tx, prefix, prefix_end(prefix));
  dynamodb.entries.erase_range(tx, prefix, prefix_end(prefix));
}

void erase_entries(Dynamodb& dynamodb, Tx& tx, const TableRecord& table, const std::string& index) {
  IndexRecord named;
  named.name = index;
  const std::string prefix = whole_prefix(table, &named);
  dynamodb.entries.erase_range(tx, prefix, prefix_end(prefix));
}

}  // namespace brume::dynamodb
