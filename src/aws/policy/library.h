// Parsed documents by their text, so that a decision over ten policies parses none of them. Bounded: the least recently
// used go first. Control thread only; owned by whoever evaluates (IAM's authorizer).
#pragma once

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

  std::size_t capacity_;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<Key, std::list<Entry>::iterator, Hash> index_;
};

}  // namespace brume::policy
