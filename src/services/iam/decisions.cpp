#include "services/iam/decisions.h"

namespace brume::iam {

DecisionRecord& Decisions::next() {
  if (ring_.size() < capacity_) {
    newest_ = ring_.size();
    return ring_.emplace_back();
  }
  newest_ = (newest_ + 1) % capacity_;
  return ring_[newest_];
}

std::vector<const DecisionRecord*> Decisions::find(std::string_view request_id) const {
  std::vector<const DecisionRecord*> found;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const DecisionRecord& record = ring_[(newest_ + 1 + i) % ring_.size()];
    if (record.request_id == request_id) found.push_back(&record);
  }
  return found;
}

std::vector<const DecisionRecord*> Decisions::denials(std::size_t most) const {
  std::vector<const DecisionRecord*> found;
  for (std::size_t i = 0; i < ring_.size() && found.size() < most; ++i) {
    const DecisionRecord& record = ring_[(newest_ + ring_.size() - i) % ring_.size()];
    if (!record.decision.allowed && !record.request_id.empty()) found.push_back(&record);
  }
  return found;
}

}  // namespace brume::iam
