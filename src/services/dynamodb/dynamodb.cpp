#include "services/dynamodb/dynamodb.h"

#include <algorithm>

#include "core/text.h"
#include "services/dynamodb/item_store.h"

namespace brume::dynamodb {
namespace {

// AWS removes expired items within a few days; here within a minute of cloud time.
constexpr Duration kSweepEvery = minutes(1);
constexpr std::size_t kSweptAtOnce = 1000;

struct Sweep {
  Scope scope;
  std::string table, ttl_attribute, prefix;
  std::vector<std::string> expired;
};

bool is_expired(const Item& item, const std::string& attribute, Time now) {
  const auto found = item.find(attribute);
  std::int64_t at = 0;
  return found != item.end() && found->second.n && parse_int(*found->second.n, at) && at <= now.seconds() &&
         at > now.seconds() - 5 * 365 * 86'400;  // "more than 5 years in the past" is not expired
}

void erase_expired(Dynamodb& dynamodb, const Sweep& sweep) {
  const TableRecord* table = dynamodb.tables.find(sweep.scope, sweep.table);
  if (table == nullptr || table->ttl_attribute != sweep.ttl_attribute) return;
  Tx tx(dynamodb.needs.store);
  for (const std::string& key : sweep.expired) {
    const auto item = read_item(dynamodb, tx, key);
    // It may have been written since: looked at again.
    if (item && is_expired(*item, sweep.ttl_attribute, dynamodb.needs.clock.now()))
      write_item(dynamodb, tx, sweep.scope, sweep.table, key, item, std::nullopt);
  }
  tx.commit();
}

void sweep_expired(Dynamodb& dynamodb) {
  const Time now = dynamodb.needs.clock.now();
  dynamodb.tables.for_all([&](const Scope& scope, std::string_view, const TableRecord& table) {
    if (table.ttl_attribute.empty()) return;
    auto sweep = std::make_shared<Sweep>(
        Sweep{scope, table.name, table.ttl_attribute, whole_prefix(table, nullptr), {}});  // shared with the worker
    auto snapshot = dynamodb.items.snapshot();
    dynamodb.needs.workers.run(
        [&dynamodb, sweep, snapshot, now] {
          dynamodb.items.scan_prefix(*snapshot, sweep->prefix, [&](std::string_view key, std::string_view value) {
            if (is_expired(decode_record<ItemRecord>(value).attributes, sweep->ttl_attribute, now))
              sweep->expired.emplace_back(key);
            return sweep->expired.size() < kSweptAtOnce;
          });
        },
        [&dynamodb, sweep] {
          if (!sweep->expired.empty()) erase_expired(dynamodb, *sweep);
        });
  });
  dynamodb.needs.control.at(now + kSweepEvery, [&dynamodb] { sweep_expired(dynamodb); });
}

}  // namespace

Dynamodb::Dynamodb(const DynamodbNeeds& given)
    : needs(given),
      tables(given.store, {"dynamodb.table"}),
      transactions(given.store, {"dynamodb.transaction"}),
      items(given.store, "dynamodb.item"),
      entries(given.store, "dynamodb.entry") {}

void Dynamodb::start() {
  tables.for_all([this](const Scope& scope, std::string_view, const TableRecord& table) {
    for (const IndexRecord& index : table.indexes)
      if (index.status == "CREATING") fill_index(*this, scope, table.name, index.name);
  });
  sweep_expired(*this);
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

const IndexRecord* find_index(const TableRecord& table, const std::string& name) {
  const auto found = std::ranges::find(table.indexes, name, &IndexRecord::name);
  return found == table.indexes.end() ? nullptr : &*found;
}

}  // namespace brume::dynamodb
