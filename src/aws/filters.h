// Describe filters as EC2 documents them ("Query API: filtering"): every filter must hold, one of a filter's values is
// enough, `*` stands for any text and `?` for one character, both escaped by a backslash. Values, owned by the caller.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/tags.h"

namespace brume {

struct Filter {
  std::string name;
  std::vector<std::string> values;
  bool operator==(const Filter&) const = default;
};
using Filters = std::vector<Filter>;

// Case-sensitive, over the whole text.
bool matches_wildcard(std::string_view pattern, std::string_view text);

// From the generated list of {name, values} structs.
template <class FilterList>
Filters filters_from(const FilterList& list) {
  Filters filters;
  for (const auto& filter : list) filters.push_back({filter.name.get(), filter.values.get()});
  return filters;
}

// One filter that an operation knows, and what an item answers to it: no values (the filter cannot hold) or several.
template <class Item>
struct FilterField {
  std::string_view name;
  std::vector<std::string> (*values)(const Item&);
};

// Throws InvalidParameterValue "The filter 'x' is invalid" for a name that is not among `names` nor, when the items
// have tags, tag:KEY or tag-key; FilterLimitExceeded for over 200 values.
void check_filters(const Filters& filters, std::span<const std::string_view> names, bool has_tags);

bool any_value_matches(const Filter& filter, std::span<const std::string> values);
// Whether the filter is tag:KEY or tag-key; if so `holds` says what it makes of the tags.
bool is_tag_filter(const Filter& filter, const Tags& tags, bool& holds);

template <class Item>
void check_filters(const Filters& filters, std::span<const FilterField<Item>> fields, bool has_tags) {
  std::vector<std::string_view> names;
  for (const auto& field : fields) names.push_back(field.name);
  check_filters(filters, std::span<const std::string_view>(names), has_tags);
}

// Whether a (checked) set of filters lets the item pass.
template <class Item>
bool passes_filters(const Filters& filters, std::span<const FilterField<Item>> fields, const Tags& tags,
                    const Item& item) {
  for (const Filter& filter : filters) {
    bool holds = false;
    if (!is_tag_filter(filter, tags, holds)) {
      for (const auto& field : fields) {
        if (field.name == filter.name) holds = any_value_matches(filter, field.values(item));
      }
    }
    if (!holds) return false;
  }
  return true;
}

}  // namespace brume
