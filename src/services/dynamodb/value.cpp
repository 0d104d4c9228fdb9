#include "services/dynamodb/value.h"

#include <algorithm>
#include <set>

#include "store/keyspace.h"
#include "store/record.h"

namespace brume::dynamodb {

std::string number_key(std::string_view number);  // number.cpp

namespace {

constexpr int kDeepest = 32;  // "Nested attributes: up to 32 levels deep"

template <class List>
bool has_duplicates(List list) {
  std::ranges::sort(list);
  return std::ranges::adjacent_find(list) != list.end();
}

void normalize_set(std::vector<std::string>& set, bool numbers) {
  if (set.empty()) throw validation("One or more parameter values were invalid: An string set  may not be empty");
  if (numbers) {
    for (std::string& number : set) {
      const auto normal = normalize_number(number);
      if (!normal) throw validation("The parameter cannot be converted to a numeric value: " + number);
      number = *normal;
    }
  }
  if (has_duplicates(set))
    throw validation("One or more parameter values were invalid: Input collection contains duplicates.");
}

bool same_set(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

}  // namespace

AwsError validation(std::string message) { return AwsError("ValidationException", std::move(message), 400); }

std::string_view type_of(const AttributeValue& value) {
  const std::pair<bool, std::string_view> kinds[] = {
      {value.s.has_value(), "S"},       {value.n.has_value(), "N"},   {value.b.has_value(), "B"},
      {value.ss.has_value(), "SS"},     {value.ns.has_value(), "NS"}, {value.bs.has_value(), "BS"},
      {value.m.has_value(), "M"},       {value.l.has_value(), "L"},   {value.null.has_value(), "NULL"},
      {value.bool_.has_value(), "BOOL"}};
  std::string_view found;
  for (const auto& [set, name] : kinds) {
    if (!set) continue;
    if (!found.empty()) return {};
    found = name;
  }
  return found;
}

void normalize(AttributeValue& value, int depth) {
  if (depth > kDeepest) throw validation("Nesting Levels have exceeded supported limits");
  if (type_of(value).empty())
    throw validation(
        "Supplied AttributeValue is empty or has several types, must contain exactly one of the supported datatypes");
  if (value.n) {
    const auto normal = normalize_number(*value.n);
    if (!normal) throw validation("The parameter cannot be converted to a numeric value: " + *value.n);
    value.n = *normal;
  }
  if (value.null && !*value.null)
    throw validation(
        "One or more parameter values were invalid: Null attribute value types must have the value of true");
  if (value.ss) normalize_set(*value.ss, false);
  if (value.ns) normalize_set(*value.ns, true);
  if (value.bs) normalize_set(*value.bs, false);
  if (value.m)
    for (auto& [name, member] : *value.m) normalize(member, depth + 1);
  if (value.l)
    for (AttributeValue& element : *value.l) normalize(element, depth + 1);
}

void normalize(Item& item) {
  for (auto& [name, value] : item) normalize(value);
}

bool equal(const AttributeValue& a, const AttributeValue& b) {
  if (type_of(a) != type_of(b)) return false;
  if (a.ss) return same_set(*a.ss, *b.ss);
  if (a.ns) return same_set(*a.ns, *b.ns);
  if (a.bs) return same_set(*a.bs, *b.bs);
  if (a.l)
    return std::ranges::equal(*a.l, *b.l, [](const AttributeValue& x, const AttributeValue& y) { return equal(x, y); });
  if (a.m)
    return std::ranges::equal(
        *a.m, *b.m, [](const auto& x, const auto& y) { return x.first == y.first && equal(x.second, y.second); });
  return a == b;
}

std::optional<int> compare(const AttributeValue& a, const AttributeValue& b) {
  const auto order = [](const std::string& x, const std::string& y) { return x.compare(y) < 0 ? -1 : x == y ? 0 : 1; };
  if (a.s && b.s) return order(*a.s, *b.s);
  if (a.b && b.b) return order(*a.b, *b.b);
  if (a.n && b.n) return compare_numbers(*a.n, *b.n);
  return std::nullopt;
}

void append_key_value(std::string& key, const AttributeValue& value) {
  if (value.s)
    append_key_string(key, "s" + *value.s);
  else if (value.b)
    append_key_string(key, "b" + *value.b);
  else
    append_key_string(key, "n" + number_key(value.n.get()));
}

std::size_t size_of(const AttributeValue& value) {
  if (value.s) return value.s->size();
  if (value.b) return value.b->size();
  if (value.n) return value.n->size() / 2 + 2;
  std::size_t size = 1;
  for (const auto* set : {&value.ss.get(), &value.ns.get(), &value.bs.get()})
    for (const std::string& element : *set) size += element.size();
  for (const auto& [name, member] : value.m.get()) size += name.size() + size_of(member) + 1;
  for (const AttributeValue& element : value.l.get()) size += size_of(element) + 1;
  if (value.m || value.l) size += 3;
  return size;
}

std::size_t size_of(const Item& item) {
  std::size_t size = 0;
  for (const auto& [name, value] : item) size += name.size() + size_of(value);
  return size;
}

std::string encode_item(const Item& item) {
  CborWriter out(256);
  out.map(item.empty() ? 0 : 1);
  if (!item.empty()) {
    out.text("attributes");
    write_record(out, item);
  }
  return out.take();
}

Item decode_item(std::string_view bytes) { return decode_record<ItemRecord>(bytes).attributes; }

AttributeValue string_value(std::string text) {
  AttributeValue value;
  value.s = std::move(text);
  return value;
}

AttributeValue number_value(std::string text) {
  AttributeValue value;
  value.n = std::move(text);
  return value;
}

}  // namespace brume::dynamodb
