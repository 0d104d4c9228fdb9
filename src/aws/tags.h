// Tags, as every service has them, and the rules that AWS documents in "Tag naming limits and requirements".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/opt.h"

namespace brume {

using Tags = std::map<std::string, std::string>;

// From and to the generated list of {key, value} structs, whatever their member spelling is (key/value after
// snake_case).
template <class TagList>
Tags tags_from(const TagList& list) {
  Tags tags;
  for (const auto& tag : list) tags[tag.key.get()] = tag.value.get();
  return tags;
}
template <class Tag>
std::vector<Tag> tags_to(const Tags& tags) {
  std::vector<Tag> list;
  for (const auto& [key, value] : tags) {
    Tag tag;
    tag.key = key;
    tag.value = value;
    list.push_back(std::move(tag));
  }
  return list;
}

// Why the tags cannot be put ("aws:" prefix, a key over 128 or a value over 256 characters, over 50 tags), or empty.
std::string tag_problem(const Tags& tags);

}  // namespace brume
