// The condition keys of one request: what policies' conditions and variables read. Names ignore case, as AWS says in
// "IAM policy elements: Variables and tags". A value, built per request by whoever asks for a decision: all texts lie
// in one buffer, so that twenty keys cost two allocations, and none when a used one is cleared and filled again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brume::policy {

class Keys {
  struct Entry {
    std::uint32_t mark;  // of the name: what differs here differs
    std::uint32_t name_at, name_size, value_at, value_size;
  };

 public:
  // A key's values in the order in which they came; none: the key is absent. Good until the keys change.
  class Values {
   public:
    std::size_t size() const { return entries_.size(); }
    bool empty() const { return entries_.empty(); }
    std::string_view operator[](std::size_t i) const { return {texts_ + entries_[i].value_at, entries_[i].value_size}; }
    template <class Test>
    bool all(const Test& test) const {
      return std::ranges::all_of(entries_, [&](const Entry& entry) { return test(text(entry)); });
    }
    template <class Test>
    bool any(const Test& test) const {
      return std::ranges::any_of(entries_, [&](const Entry& entry) { return test(text(entry)); });
    }
    std::vector<std::string> list() const;

   private:
    friend Keys;
    Values(const char* texts, std::span<const Entry> entries) : texts_(texts), entries_(entries) {}
    std::string_view text(const Entry& entry) const { return {texts_ + entry.value_at, entry.value_size}; }
    const char* texts_;
    std::span<const Entry> entries_;
  };

  // Adds one value; a second value of the same key makes it multivalued.
  void add(std::string_view name, std::string_view value);
  // Makes the key's only value this one.
  void set(std::string_view name, std::string_view value);
  // `lower_name` is in lower case.
  Values find(std::string_view lower_name) const;
  bool empty() const { return entries_.empty(); }
  void clear();
  // `visit(lower_name, values)`, in the order in which the keys came.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < entries_.size();) {
      const std::size_t count = run_at(i);
      visit(name_of(entries_[i]), Values(texts_.data(), std::span(entries_).subspan(i, count)));
      i += count;
    }
  }

 private:
  std::string_view name_of(const Entry& entry) const { return {texts_.data() + entry.name_at, entry.name_size}; }
  std::size_t run_at(std::size_t first) const;
  std::size_t first_of(std::string_view lower_name, std::uint32_t mark) const;
  Entry keep(std::string_view name);
  std::optional<std::size_t> known_or_new(Entry& entry, std::string_view name, std::string_view value);
  void keep_value(Entry& entry, std::string_view value);

  std::string texts_;
  // The entries of one key stand together. Some twenty: a scan of their marks beats a map.
  std::vector<Entry> entries_;
};

}  // namespace brume::policy
