#include "aws/policy/library.h"

#include <cstdint>
#include <utility>

namespace brume::policy {

Library::Place& Library::place_of(std::string_view text) {
  const auto address = reinterpret_cast<std::uintptr_t>(text.data());
  return places_[(address * 0x9E37'79B9'7F4A'7C15U >> 40U) % places_.size()];
}

std::shared_ptr<const Document> Library::get(std::string_view text, Grammar grammar) {
  Place& place = place_of(text);
  const bool known = place.entry != nullptr && place.data == text.data() && place.entry->grammar == grammar &&
                     place.entry->text == text;
  if (!known) place = {text.data(), find(text, grammar)};
  return place.entry->document;
}

Library::Held Library::find(std::string_view text, Grammar grammar) {
  if (const auto found = index_.find({text, grammar}); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return *found->second;
  }
  auto parsed = parse_document(text, grammar);
  std::shared_ptr<const Document> document;
  if (parsed) document = std::make_shared<const Document>(std::move(*parsed));
  Held held = std::make_shared<const Entry>(Entry{std::string(text), grammar, std::move(document)});
  entries_.push_front(held);
  index_.emplace(Key{held->text, grammar}, entries_.begin());
  if (entries_.size() > capacity_) {
    const Entry& last = *entries_.back();
    index_.erase({last.text, last.grammar});
    entries_.pop_back();
  }
  return held;
}

}  // namespace brume::policy
