// What every Describe operation does: ids, filters, pages. A record is rendered to its AWS shape first; filters read
// the shape, so that what is filtered on is what is shown.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "aws/filters.h"
#include "aws/paging.h"
#include "services/ec2/ec2.h"

namespace brume::ec2 {

// A filter's values from a shape's member: none when it is absent.
using Values = std::vector<std::string>;
inline Values one(const opt<std::string>& value) { return value ? Values{*value} : Values{}; }
inline Values flag(const opt<bool>& value) { return value ? Values{*value ? "true" : "false"} : Values{}; }
inline Values number(const opt<std::int64_t>& value) { return value ? Values{std::to_string(*value)} : Values{}; }
// For filters that AWS knows and that nothing of Brume's can answer (IPv6, outposts).
template <class Shape>
Values none(const Shape&) {
  return {};
}
// One value per element of a list member: each(shape.associations, [](auto& a) { return a.subnet_id; }).
template <class List, class Member>
Values each(const opt<List>& list, const Member& member) {
  Values values;
  for (const auto& item : list.get()) {
    for (std::string& value : member(item)) values.push_back(std::move(value));
  }
  return values;
}

template <class Shape>
Tags tags_of(const Shape& shape) {
  if constexpr (requires { shape.tags; }) {
    return tags_from(shape.tags.get());
  } else if constexpr (requires { shape.tag_set; }) {
    return tags_from(shape.tag_set.get());
  } else {
    return {};
  }
}
template <class Shape>
inline constexpr bool kHasTags = requires(Shape shape) { shape.tags; } || requires(Shape shape) { shape.tag_set; };

// The values of a filter that can be looked up: it is there and has no wildcards.
const std::vector<std::string>* literal_values(const Filters& filters, std::string_view name);

// How the records with a filter's value are found without looking at all.
template <class Record>
struct LookUp {
  std::string_view filter;
  std::function<std::vector<const Record*>(const std::string& value)> find;
};

// The records that may be meant, in the order of ids: those with the ids, else those with the values of the first
// filter that can be looked up, else all. Filters must still be applied.
template <class Record>
std::vector<const Record*> candidates(const Table<Record>& table, const Scope& scope, const IdKind& kind,
                                      const std::vector<std::string>& ids, const Filters& filters,
                                      std::initializer_list<LookUp<Record>> look_ups = {}) {
  std::map<std::string_view, const Record*> found;
  for (const std::string& id : ids) check_form(kind, id);
  for (const std::string& id : ids) {
    const Record& record = get(table, scope, kind, id);
    found[record.id] = &record;
  }
  const std::vector<std::string>* values = nullptr;
  for (auto look_up = look_ups.begin(); ids.empty() && values == nullptr && look_up != look_ups.end(); ++look_up) {
    values = literal_values(filters, look_up->filter);
    if (values == nullptr) continue;
    for (const std::string& value : *values) {
      for (const Record* record : look_up->find(value)) found[record->id] = record;
    }
  }
  if (ids.empty() && values == nullptr) return table.select(scope, [](const Record&) { return true; });
  std::vector<const Record*> records;
  for (const auto& [id, record] : found) records.push_back(record);
  return records;
}

template <class Shape>
void apply_filters(const Filters& filters, std::span<const FilterField<Shape>> fields, std::vector<Shape>& shapes) {
  check_filters(filters, fields, kHasTags<Shape>);
  if (filters.empty()) return;
  std::erase_if(shapes, [&](const Shape& shape) { return !passes_filters(filters, fields, tags_of(shape), shape); });
}

// AWS's bounds of MaxResults; answers over the largest page are cut at 1000 as well.
std::size_t page_limit(const opt<std::int64_t>& max_results);
AwsError invalid_next_token();

template <class Input>
Filters filters_of(const Input& input) {
  if constexpr (requires { input.filters; }) {
    return filters_from(input.filters.get());
  } else if constexpr (requires { input.filter; }) {
    return filters_from(input.filter.get());
  } else {
    return {};
  }
}

// The page of `records` (in the order of ids) that is asked for: rendered by `shape_of` into `shapes` and filtered
// until it is full, since a listing's cost is to be that of what it shows. Returns the next page's token.
template <class Shape, class Input, class Record, class ShapeOf>
opt<std::string> show_page(const Ec2& ec2, const Request<Input>& request, std::string_view operation,
                           std::type_identity_t<std::span<const FilterField<Shape>>> fields,
                           const std::vector<const Record*>& records, std::vector<Shape>& shapes,
                           const ShapeOf& shape_of) {
  const Filters filters = filters_of(request.input);
  check_filters(filters, fields, kHasTags<Shape>);
  const std::size_t limit = page_limit(request.input.max_results);
  const std::string purpose = paging_purpose(operation, request.scope);
  const std::string start = page_start(ec2.paging, purpose, request.input.next_token, invalid_next_token());
  const std::string* last = nullptr;
  for (auto at = std::ranges::upper_bound(records, start, {}, [](const Record* record) { return record->id; });
       at != records.end(); ++at) {
    Shape shape = shape_of(**at);
    if (!passes_filters(filters, fields, tags_of(shape), shape)) continue;
    if (shapes.size() == limit) return ec2.paging.seal(purpose, *last);
    shapes.push_back(std::move(shape));
    last = &(*at)->id;
  }
  return kNothing;
}

// Keeps one page of `shapes`, which ascend by `key_of`, and returns the next page's token.
template <class Input, class Shape, class KeyOf>
opt<std::string> page(const Ec2& ec2, const Request<Input>& request, std::string_view operation,
                      std::vector<Shape>& shapes, const KeyOf& key_of) {
  return cut_page(ec2.paging, paging_purpose(operation, request.scope), request.input.next_token,
                  page_limit(request.input.max_results), shapes, key_of, invalid_next_token());
}

}  // namespace brume::ec2
