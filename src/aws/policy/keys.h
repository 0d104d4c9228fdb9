// The condition keys of one request: what policies' conditions and variables read. Names ignore case, as AWS says in
// "IAM policy elements: Variables and tags". A value, built per request by whoever asks for a decision.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::policy {

class Keys {
 public:
  // Adds one value; a second value of the same key makes it multivalued.
  void add(std::string_view name, std::string value);
  // Makes the key's only value this one.
  void set(std::string_view name, std::string value);
  // The key's values, at least one, or null when it is absent. `lower_name` is in lower case.
  const std::vector<std::string>* find(std::string_view lower_name) const;
  bool empty() const { return entries_.empty(); }
  const std::vector<std::pair<std::string, std::vector<std::string>>>& entries() const { return entries_; }

 private:
  std::vector<std::string>& values_of(std::string_view name);
  // Some twenty entries: a scan beats a map.
  std::vector<std::pair<std::string, std::vector<std::string>>> entries_;
};

}  // namespace brume::policy
