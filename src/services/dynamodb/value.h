// Attribute values: compared, ordered, encoded as keys, measured. Follows "Naming rules and data types supported in
// Amazon DynamoDB". Pure functions.
#pragma once

#include <boost/describe/class.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gen/dynamodb.h"

namespace brume::dynamodb {

BOOST_DESCRIBE_STRUCT(AttributeValue, (), (s, n, b, ss, ns, bs, m, l, null, bool_))

using Item = std::map<std::string, AttributeValue>;
struct ItemRecord {
  Item attributes;
};
BOOST_DESCRIBE_STRUCT(ItemRecord, (), (attributes))
// That record's bytes, made without a copy of the item; decode_item throws StoreError for damaged ones.
std::string encode_item(const Item& item);
Item decode_item(std::string_view bytes);

// "S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL" or "BOOL"; empty when no member, or several, are set.
std::string_view type_of(const AttributeValue& value);
// Checks types, numbers, sets and nesting; normalizes numbers ("1.0" → "1"). Throws ValidationException.
void normalize(AttributeValue& value, int depth = 0);
void normalize(Item& item);

// A number in its shortest decimal form, at most 38 significant digits; nullopt: not a number of DynamoDB's.
std::optional<std::string> normalize_number(std::string_view text);
// a + b and a - b, exact; throws ValidationException when more than 38 digits would be needed.
std::string add_numbers(const std::string& a, const std::string& b);
std::string negate_number(const std::string& number);
int compare_numbers(std::string_view a, std::string_view b);  // both normalized

// Equal as DynamoDB compares: sets without order.
bool equal(const AttributeValue& a, const AttributeValue& b);
// <0, 0, >0 for two strings, numbers or binaries; nullopt: they have no order.
std::optional<int> compare(const AttributeValue& a, const AttributeValue& b);

// The value as a part of a key whose bytewise order is DynamoDB's: numbers by value, strings and binaries by bytes.
void append_key_value(std::string& key, const AttributeValue& value);

// The size that counts against 400 KB: names and values.
std::size_t size_of(const AttributeValue& value);
std::size_t size_of(const Item& item);

AttributeValue string_value(std::string text);
AttributeValue number_value(std::string text);
AwsError validation(std::string message);

}  // namespace brume::dynamodb
