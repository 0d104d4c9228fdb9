// One conditional write, as PutItem, UpdateItem, DeleteItem and the items of a transaction have it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "services/dynamodb/dynamodb.h"
#include "services/dynamodb/expression.h"

namespace brume::dynamodb {

struct Write {
  enum class Kind { put, update, erase, check } kind = Kind::put;
  std::string table;
  Item item;  // put: the item; else the key
  opt<std::string> condition, update;
  std::map<std::string, std::string> names;
  Item values;
  std::string on_failure;  // ALL_OLD: the error carries the item
};

struct Written {
  std::optional<Item> before, after;
  std::optional<UpdateTree> update;  // of an update: what it touched
  double units = 0;                  // write capacity
};

// Carries it out in the transaction. Throws ConditionalCheckFailedException (with the item when asked for).
Written carry_out(Dynamodb& dynamodb, Tx& tx, const Scope& scope, Write write);

// An item as JSON of the wire, for errors that carry one.
std::string item_json(const Item& item);
// ConsumedCapacity when the request asked for it.
opt<ConsumedCapacity> consumed(const opt<std::string>& asked, const std::string& table, double units);
double read_units(std::size_t bytes, bool consistent);
double write_units(std::size_t bytes);

}  // namespace brume::dynamodb
