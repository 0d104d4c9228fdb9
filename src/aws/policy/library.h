// Parsed documents by their text, so that a decision over ten policies parses none of them. Bounded: those go first
// that were looked up by their text the longest ago. Control thread only; owned by whoever evaluates (IAM's
// authorizer).
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aws/policy/document.h"

namespace brume::policy {

class Library {
 public:
  explicit Library(std::size_t capacity = 4096) : capacity_(capacity) {}

  // The document, or null for a text that does not parse: stored texts were parsed when they were put, so that is a
  // fault of ours, and decide() takes null for a denial.
  std::shared_ptr<const Document> get(std::string_view text, Grammar grammar);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string text;
    Grammar grammar;
    std::shared_ptr<const Document> document;  // shared with the decisions under way
  };
  // Shared, because a place may still know an entry that has gone.
  using Held = std::shared_ptr<const Entry>;
  struct Key {
    std::string_view text;  // of the entry
    Grammar grammar;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.text) * 31 + static_cast<std::size_t>(key.grammar);
    }
  };
  // Where in memory a text was met last: a record's text stays where it is while it is not changed, and comparing it is
  // ten times cheaper than hashing it.
  struct Place {
    const char* data = nullptr;
    Held entry;
  };
  Place& place_of(std::string_view text);
  Held find(std::string_view text, Grammar grammar);

  std::size_t capacity_;
  std::list<Held> entries_;  // the one looked up last first
  std::unordered_map<Key, std::list<Held>::iterator, Hash> index_;
  std::array<Place, 1024> places_;
};

}  // namespace brume::policy
