#include "services/dynamodb/dynamodb.h"

#include <algorithm>

#include "core/text.h"
#include "services/dynamodb/item_store.h"

namespace brume::dynamodb {

Dynamodb::Dynamodb(const DynamodbNeeds& given)
    : needs(given),
      tables(given.store, {"dynamodb.table"}),
      counts(given.store, {"dynamodb.count"}),
      transactions(given.store, {"dynamodb.transaction"}),
      items(given.store, "dynamodb.item"),
      entries(given.store, "dynamodb.entry"),
      expiry(*this) {}

void Dynamodb::start() {
  tables.for_all([this](const Scope& scope, std::string_view, const TableRecord& table) {
    for (const IndexRecord& index : table.indexes)
      if (index.status == "CREATING") fill_index(*this, scope, table.name, index.name);
  });
  expiry.sweep();
}

std::string table_arn(const Scope& scope, const std::string& name) {
  return make_arn(scope, "dynamodb", "table/" + name);
}

const TableRecord& get_table(const Dynamodb& dynamodb, const Scope& scope, const std::string& name_or_arn) {
  const std::string name =
      name_or_arn.starts_with("arn:") ? name_or_arn.substr(name_or_arn.rfind('/') + 1) : name_or_arn;
  const TableRecord* table = dynamodb.tables.find(scope, name);
  if (table == nullptr)
    throw resource_not_found_exception("Requested resource not found: Table: " + name + " not found");
  return *table;
}

CountRecord count_of(const Dynamodb& dynamodb, const Scope& scope, const TableRecord& table) {
  const CountRecord* count = dynamodb.counts.find(scope, table.id);
  return count == nullptr ? CountRecord{table.items, table.bytes} : *count;
}

const IndexRecord* find_index(const TableRecord& table, const std::string& name) {
  const auto found = std::ranges::find(table.indexes, name, &IndexRecord::name);
  return found == table.indexes.end() ? nullptr : &*found;
}

}  // namespace brume::dynamodb
