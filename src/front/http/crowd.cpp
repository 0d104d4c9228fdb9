#include "front/http/crowd.h"

#include <algorithm>

#include "core/allocator.h"
#include "core/error.h"

namespace brume::http {
namespace {

constexpr std::array kGivingWay{Phase::waiting, Phase::receiving, Phase::answering};
constexpr std::size_t kMuch = 16U << 20U, kLittle = 8U << 20U;

}  // namespace

Crowd::Guest::Guest(Crowd& crowd, const std::string& label) : crowd_(crowd), group_(crowd.groups_.find(label)) {
  BRUME_CHECK(group_ != crowd.groups_.end());
  std::list<Guest*>& waiting = group_->second.in(Phase::waiting);
  place_ = waiting.insert(waiting.end(), this);
}

Crowd::Guest::~Guest() {
  hold(0);
  group_->second.in(phase_).erase(place_);
}

void Crowd::Guest::move_to(Phase phase) {
  if (phase_ == Phase::leaving) return;
  std::list<Guest*>& to = group_->second.in(phase);
  to.splice(to.end(), group_->second.in(phase_), place_);
  phase_ = phase;
  if (phase == Phase::leaving) hold(0);
}

void Crowd::Guest::hold(std::size_t bytes) {
  if (phase_ == Phase::leaving) bytes = 0;
  crowd_.held_ += bytes - held_;
  const bool more = bytes > held_;
  held_ = bytes;
  crowd_.mind_allocator();
  while (more && crowd_.held_ > crowd_.held_limit_ && crowd_.release_memory()) {
  }
}

// What is held is the memory that is used only as long as it is not much beside what the allocator keeps.
void Crowd::mind_allocator() {
  if (!holds_much_ && held_ > kMuch) {
    holds_much_ = true;
    give_back_memory_at_once(true);
  } else if (holds_much_ && held_ < kLittle) {
    holds_much_ = false;
    give_back_memory_at_once(false);
    give_back_memory();
  }
}

void Crowd::open(const std::string& label, std::size_t limit) {
  // Labels of VPCs that are gone, when their last client is.
  std::erase_if(groups_, [](const auto& entry) { return entry.second.limit == 0 && entry.second.empty(); });
  Group& group = groups_[label];
  group.limit = limit == 0 ? limit_ : limit;
}

void Crowd::close(const std::string& label) {
  const auto found = groups_.find(label);
  if (found == groups_.end()) return;
  found->second.limit = 0;
  for (const Phase phase : {Phase::waiting, Phase::receiving, Phase::answering, Phase::working})
    while (!found->second.in(phase).empty()) found->second.in(phase).front()->dismiss();
}

std::size_t Crowd::size() const {
  std::size_t size = 0;
  for (const auto& [label, group] : groups_) size += group.size();
  return size;
}

bool Crowd::make_room(const std::string& label) {
  const auto own = groups_.find(label);
  if (own == groups_.end() || own->second.limit == 0) return false;
  if (own->second.size() >= own->second.limit) return give_way(own->second);
  if (size() < limit_) return true;
  const auto largest =
      std::ranges::max_element(groups_, [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return give_way(largest->second);
}

bool Crowd::give_way(Group& group) {
  for (const Phase phase : kGivingWay) {
    if (group.in(phase).empty()) continue;
    group.in(phase).front()->dismiss();
    return true;
  }
  return false;
}

// Of those that hold more than an equal share the one that has been at it longest: a slow client that was sent to fill
// the memory, rather than a busy one that came just now.
bool Crowd::release_memory() {
  const std::size_t share = held_limit_ / std::max<std::size_t>(size(), 1);
  for (const Phase phase : kGivingWay) {
    for (auto& [label, group] : groups_) {
      const auto found =
          std::ranges::find_if(group.in(phase), [share](const Guest* guest) { return guest->held_ >= share; });
      if (found == group.in(phase).end()) continue;
      (*found)->dismiss();
      return true;
    }
  }
  return false;
}

}  // namespace brume::http
