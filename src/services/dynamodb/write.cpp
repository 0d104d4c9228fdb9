#include "services/dynamodb/write.h"

#include <boost/json.hpp>

#include "core/text.h"
#include "services/dynamodb/item_store.h"

namespace brume::dynamodb {
namespace {

namespace json = boost::json;

json::value to_json(const AttributeValue& value) {
  const auto list = [](const std::vector<std::string>& set, bool binary) {
    json::array array;
    for (const std::string& element : set) array.emplace_back(binary ? to_base64(element) : element);
    return array;
  };
  if (value.s) return json::object{{"S", *value.s}};
  if (value.n) return json::object{{"N", *value.n}};
  if (value.b) return json::object{{"B", to_base64(*value.b)}};
  if (value.ss) return json::object{{"SS", list(*value.ss, false)}};
  if (value.ns) return json::object{{"NS", list(*value.ns, false)}};
  if (value.bs) return json::object{{"BS", list(*value.bs, true)}};
  if (value.bool_) return json::object{{"BOOL", *value.bool_}};
  if (value.l) {
    json::array array;
    for (const AttributeValue& element : *value.l) array.push_back(to_json(element));
    return json::object{{"L", std::move(array)}};
  }
  if (value.m) {
    json::object object;
    for (const auto& [name, member] : *value.m) object[name] = to_json(member);
    return json::object{{"M", std::move(object)}};
  }
  return json::object{{"NULL", true}};
}

AwsError condition_failed(const Write& write, const std::optional<Item>& before) {
  AwsError error = conditional_check_failed_exception("The conditional request failed");
  if (write.on_failure == "ALL_OLD" && before) error.with("Item", item_json(*before));
  return error;
}

}  // namespace

std::string item_json(const Item& item) {
  json::object object;
  for (const auto& [name, value] : item) object[name] = to_json(value);
  return json::serialize(object);
}

double read_units(std::size_t bytes, bool consistent) {
  const std::size_t blocks = (bytes + 4095) / 4096;
  return static_cast<double>(blocks) * (consistent ? 1.0 : 0.5);
}

double write_units(std::size_t bytes) { return static_cast<double>(std::max<std::size_t>((bytes + 1023) / 1024, 1)); }

opt<ConsumedCapacity> consumed(const opt<std::string>& asked, const std::string& table, double units) {
  if (asked.value_or("NONE") == "NONE") return kNothing;
  ConsumedCapacity capacity;
  capacity.table_name = table;
  capacity.capacity_units = units;
  if (*asked == "INDEXES") capacity.table.emplace().capacity_units = units;
  return capacity;
}

Written carry_out(Dynamodb& dynamodb, Tx& tx, const Scope& scope, Write write) {
  const TableRecord& table = get_table(dynamodb, scope, write.table);
  const std::string name = table.name;
  normalize(write.item);
  Placeholders placeholders(write.names, write.values);
  std::optional<ConditionTree> condition;
  if (write.condition) condition = parse_condition(*write.condition, placeholders, "ConditionExpression");
  Written written;
  if (write.update) written.update = parse_update(*write.update, placeholders);
  placeholders.check_all_used();
  const std::string key = item_key(table, write.item, write.kind != Write::Kind::put);
  written.before = read_item(dynamodb, tx, key);
  if (condition && !holds(*condition, written.before.value_or(Item{}))) throw condition_failed(write, written.before);
  if (write.kind == Write::Kind::check) return written;
  if (write.kind == Write::Kind::put) written.after = std::move(write.item);
  if (write.kind == Write::Kind::update) {
    // An item that is not there is made with its key.
    Item item = written.before.value_or(write.item);
    if (written.update) {
      for (const auto& clause : written.update->clauses)
        if (clause.path.front().name == table.hash || clause.path.front().name == table.range)
          throw validation("One or more parameter values were invalid: Cannot update attribute " +
                           clause.path.front().name + ". This attribute is part of the key");
      dynamodb::apply(*written.update, item);
    }
    written.after = std::move(item);
  }
  write_item(dynamodb, tx, scope, name, key, written.before, written.after);
  written.units =
      write_units(std::max(written.before ? size_of(*written.before) : 0, written.after ? size_of(*written.after) : 0));
  return written;
}

}  // namespace brume::dynamodb
