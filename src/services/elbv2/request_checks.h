// Checks that several operations share: names, tags, pages. Pure but for the pages' tokens.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gen/elbv2.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

// Throws ValidationError. `noun`: "Load balancer", "Target group".
void check_name(std::string_view noun, const std::string& name);
// Throws DuplicateTagKeys, TooManyTags or ValidationError.
Tags read_tags(const opt<std::vector<Tag>>& tags);
void check_tags(const Tags& tags);

// Cuts `items` to a page; returns the next page's marker. `key_of(item)` must ascend strictly.
template <class Item, class KeyOf>
opt<std::string> page(const Elbv2& elbv2, std::string_view purpose, const opt<std::string>& marker,
                      const opt<std::int64_t>& page_size, std::vector<Item>& items, const KeyOf& key_of) {
  const auto limit = static_cast<std::size_t>(page_size.value_or(400));
  return cut_page(elbv2.paging, purpose, marker, limit, items, key_of, validation_error("The marker is not valid"));
}

// "[a, b]".
std::string in_brackets(const std::vector<std::string>& names);

}  // namespace brume::elbv2
