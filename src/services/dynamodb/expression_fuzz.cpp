// Fuzz target: DynamoDB's expressions over an item. Conditions obey logic whatever is in them; an update leaves an item
// that can be stored; a projection gives a part of the item and is the same done twice. The first byte chooses the
// kind.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "services/dynamodb/expression.h"
#include "store/record.h"

namespace brume::dynamodb {
namespace {

AttributeValue list_value(std::vector<AttributeValue> elements) {
  AttributeValue value;
  value.l = std::move(elements);
  return value;
}

AttributeValue map_value(Item members) {
  AttributeValue value;
  value.m = std::move(members);
  return value;
}

Item sample_item() {
  AttributeValue set, bytes, flag, null;
  set.ns = std::vector<std::string>{"1", "2"};
  bytes.b = "\x01\x02";
  flag.bool_ = true;
  null.null = true;
  return {{"id", string_value("one")},
          {"n", number_value("5")},
          {"s", string_value("text")},
          {"set", set},
          {"bytes", bytes},
          {"flag", flag},
          {"null", null},
          {"list", list_value({number_value("1"), string_value("two"), list_value({number_value("3")})})},
          {"map", map_value({{"a", number_value("1")}, {"b", map_value({{"c", string_value("deep")}})}})}};
}

Placeholders placeholders() {
  AttributeValue set;
  set.ns = std::vector<std::string>{"2", "3"};
  const std::map<std::string, std::string> names = {{"#n", "n"}, {"#map", "map"}, {"#odd", "odd.name"}};
  return {names,
          {{":n", number_value("5")},
           {":s", string_value("te")},
           {":type", string_value("S")},
           {":set", set},
           {":list", list_value({number_value("9")})},
           {":big", number_value("99999999999999999999999999999999999999")}}};
}

template <class Act>
auto attempt(const Act& act) -> std::optional<decltype(act())> {
  try {
    return act();
  } catch (const AwsError& error) {
    BRUME_CHECK(error.code == "ValidationException" && !error.message.empty());
    return std::nullopt;
  }
}

std::optional<bool> judge(const std::string& text, const Item& item) {
  return attempt([&] {
    Placeholders given = placeholders();
    return holds(parse_condition(text, given, "ConditionExpression"), item);
  });
}

void check_condition(const std::string& text, const Item& item) {
  const auto held = judge(text, item);
  if (!held || text.size() > 1000 || !judge("(" + text + ")", item)) return;
  BRUME_CHECK(judge("(" + text + ")", item) == *held);
  // Longer ones may be over the limit of operators; then they are refused, not judged otherwise.
  if (const auto negated = judge("NOT (" + text + ")", item)) BRUME_CHECK(*negated != *held);
  if (const auto twice = judge("NOT (NOT (" + text + "))", item)) BRUME_CHECK(*twice == *held);
  if (const auto all = judge("(" + text + ") AND (" + text + ")", item)) BRUME_CHECK(*all == *held);
  if (const auto any = judge("id <> id OR (" + text + ")", item)) BRUME_CHECK(*any == *held);
  if (const auto none = judge("id <> id AND (" + text + ")", item)) BRUME_CHECK(!*none);
}

std::string stored(const Item& item) { return encode_item(item); }

void check_update(const std::string& text, const Item& item) {
  const auto updated = attempt([&] {
    Placeholders given = placeholders();
    Item changed = item;
    dynamodb::apply(parse_update(text, given), changed);
    return changed;
  });
  if (!updated) return;
  for (const auto& [name, value] : *updated) BRUME_CHECK(!name.empty() && !type_of(value).empty());
  Item normal = *updated;
  if (attempt([&] {
        normalize(normal);
        return true;
      }))
    BRUME_CHECK(stored(decode_item(stored(normal))) == stored(normal));
}

void check_projection(const std::string& text, const Item& item) {
  const auto part = attempt([&] {
    Placeholders given = placeholders();
    return project(parse_projection(text, given), item);
  });
  if (!part) return;
  BRUME_CHECK(size_of(*part) <= size_of(item));
  for (const auto& [name, value] : *part) {
    const auto whole = item.find(name);
    BRUME_CHECK(whole != item.end() && type_of(value) == type_of(whole->second));
  }
  Placeholders given = placeholders();
  for (const Path& path : parse_projection(text, given))
    if (find(item, path) == nullptr && path.size() == 1) BRUME_CHECK(!part->contains(path[0].name));
}

}  // namespace
}  // namespace brume::dynamodb

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::dynamodb;
  if (size < 2) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const Item item = sample_item();
  if (data[0] % 3 == 0) check_condition(text, item);
  if (data[0] % 3 == 1) check_update(text, item);
  if (data[0] % 3 == 2) check_projection(text, item);
  return 0;
}
