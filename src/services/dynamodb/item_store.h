// Items where they lie: keys on disk, reads and writes that keep the indexes and the table's counts true.
#pragma once

#include <optional>
#include <string>

#include "services/dynamodb/dynamodb.h"

namespace brume::dynamodb {

// The item's place: throws ValidationException unless the item has the table's keys with their types. `exact`: and
// nothing else (what Key parameters must be).
std::string item_key(const TableRecord& table, const Item& item, bool exact);
// All keys of a partition, of a table or of one of its indexes, begin with this.
std::string partition_prefix(const TableRecord& table, const IndexRecord* index, const AttributeValue& hash);
std::string whole_prefix(const TableRecord& table, const IndexRecord* index);
// The item's entry in an index; nullopt: it lacks the index's keys.
std::optional<std::string> entry_key(const TableRecord& table, const IndexRecord& index, const Item& item);

std::optional<Item> read_item(const Dynamodb& dynamodb, const Tx& tx, const std::string& key);
// Puts or, without `after`, removes. `before` is what read_item gave.
void write_item(Dynamodb& dynamodb, Tx& tx, const Scope& scope, const std::string& table, const std::string& key,
                const std::optional<Item>& before, const std::optional<Item>& after);
// Fills a global index that was just made, piece by piece; it becomes ACTIVE at the end.
void fill_index(Dynamodb& dynamodb, const Scope& scope, const std::string& table, const std::string& index);
// Everything of a table that is gone.
void erase_all(Dynamodb& dynamodb, Tx& tx, const TableRecord& table);
void erase_entries(Dynamodb& dynamodb, Tx& tx, const TableRecord& table, const std::string& index);

}  // namespace brume::dynamodb
