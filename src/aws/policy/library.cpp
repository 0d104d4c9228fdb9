#include "aws/policy/library.h"

#include <utility>

namespace brume::policy {

std::shared_ptr<const Document> Library::get(std::string_view text, Grammar grammar) {
  if (const auto found = index_.find({text, grammar}); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->document;
  }
  auto parsed = parse_document(text, grammar);
  std::shared_ptr<const Document> document;
  if (parsed) document = std::make_shared<const Document>(std::move(*parsed));
  entries_.push_front({std::string(text), grammar, document});
  index_.emplace(Key{entries_.front().text, grammar}, entries_.begin());
  if (entries_.size() > capacity_) {
    index_.erase({entries_.back().text, entries_.back().grammar});
    entries_.pop_back();
  }
  return document;
}

}  // namespace brume::policy
