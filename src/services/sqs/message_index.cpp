#include "services/sqs/message_index.h"

#include <algorithm>

#include "core/error.h"
#include "store/keyspace.h"

namespace brume::sqs {
namespace {

constexpr std::uint64_t kFormat = 1;

void append_time(std::string& bytes, Time time) { append_key_number(bytes, static_cast<std::uint64_t>(time.ms)); }
Time take_time(std::string_view& bytes) { return Time{static_cast<std::int64_t>(take_key_number(bytes))}; }

}  // namespace

std::string encode_state(const MessageState& state) {
  std::string bytes;
  append_key_number(bytes, kFormat);
  for (const Time time : {state.sent_at, state.visible_at, state.received_at, state.first_received_at})
    append_time(bytes, time);
  append_key_number(bytes, static_cast<std::uint64_t>(state.receives));
  append_key_number(bytes, static_cast<std::uint64_t>(state.receives_before));
  return bytes + state.group;
}

MessageState decode_state(std::string_view bytes) {
  if (take_key_number(bytes) != kFormat) throw StoreError("a message's state has a format of a later version");
  MessageState state;
  state.sent_at = take_time(bytes);
  state.visible_at = take_time(bytes);
  state.received_at = take_time(bytes);
  state.first_received_at = take_time(bytes);
  state.receives = static_cast<std::int64_t>(take_key_number(bytes));
  state.receives_before = static_cast<std::int64_t>(take_key_number(bytes));
  state.group = bytes;
  return state;
}

Sequence MessageIndex::next_sequence(Time now) {
  // The moment is in it, so that it goes on rising when all messages are gone and the daemon begins anew.
  last_ = std::max(last_ + 1, static_cast<Sequence>(now.ms) << 12);
  return last_;
}

std::size_t& MessageIndex::count(Phase phase) {
  return phase == Phase::ready ? counts_.ready : phase == Phase::delayed ? counts_.delayed : counts_.in_flight;
}

void MessageIndex::enter(Sequence sequence, Entry& entry, Phase phase) {
  entry.phase = phase;
  ++count(phase);
  if (phase != Phase::ready) hidden_.emplace(entry.state.visible_at.ms, sequence);
  if (entry.group != nullptr) {
    if (phase == Phase::in_flight) ++entry.group->in_flight;
    refresh(*entry.group);
  } else if (phase == Phase::ready) {
    ready_.insert(sequence);
  }
}

void MessageIndex::leave(Sequence sequence, Entry& entry) {
  --count(entry.phase);
  if (entry.phase != Phase::ready) hidden_.erase({entry.state.visible_at.ms, sequence});
  if (entry.group == nullptr)
    ready_.erase(sequence);
  else if (entry.phase == Phase::in_flight)
    --entry.group->in_flight;
}

void MessageIndex::refresh(Group& group) {
  const bool free = group.in_flight == 0 && !group.messages.empty() &&
                    entries_.find(*group.messages.begin())->second.phase == Phase::ready;
  const std::optional<Sequence> place = free ? std::optional(*group.messages.begin()) : std::nullopt;
  if (place == group.free_at) return;
  if (group.free_at) free_groups_.erase(*group.free_at);
  if (place) free_groups_[*place] = &group;
  group.free_at = place;
}

void MessageIndex::add(Sequence sequence, MessageState state, Time now) {
  last_ = std::max(last_, sequence);
  const bool hidden = state.visible_at > now;
  const bool received = state.receives > state.receives_before;
  Entry& entry = entries_[sequence];
  entry.state = std::move(state);
  by_age_.emplace(entry.state.sent_at.ms, sequence);
  if (fifo_) {
    entry.group = &groups_[entry.state.group];
    entry.group->name = entry.state.group;
    entry.group->messages.insert(sequence);
  }
  enter(sequence, entry, !hidden ? Phase::ready : received ? Phase::in_flight : Phase::delayed);
}

void MessageIndex::erase(Sequence sequence) {
  const auto found = entries_.find(sequence);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  leave(sequence, entry);
  by_age_.erase({entry.state.sent_at.ms, sequence});
  Group* group = entry.group;
  entries_.erase(found);
  if (group == nullptr) return;
  group->messages.erase(sequence);
  refresh(*group);
  if (group->messages.empty()) groups_.erase(std::string(group->name));
}

const MessageState* MessageIndex::find(Sequence sequence) const {
  const auto found = entries_.find(sequence);
  return found == entries_.end() ? nullptr : &found->second.state;
}

MessageIndex::Phase MessageIndex::phase_of(Sequence sequence) const {
  const auto found = entries_.find(sequence);
  BRUME_CHECK(found != entries_.end());
  return found->second.phase;
}

void MessageIndex::hide(Sequence sequence, const MessageState& state) {
  Entry& entry = entries_.at(sequence);
  leave(sequence, entry);
  entry.state = state;
  enter(sequence, entry, Phase::in_flight);
}

void MessageIndex::delay(Sequence sequence, Time until) {
  Entry& entry = entries_.at(sequence);
  leave(sequence, entry);
  entry.state.visible_at = until;
  enter(sequence, entry, Phase::delayed);
}

void MessageIndex::advance(Time now) {
  while (!hidden_.empty() && hidden_.begin()->first <= now.ms) {
    const Sequence sequence = hidden_.begin()->second;
    Entry& entry = entries_.at(sequence);
    leave(sequence, entry);
    enter(sequence, entry, Phase::ready);
  }
}

std::vector<Sequence> MessageIndex::available(std::size_t most) const {
  std::vector<Sequence> found;
  for (const Sequence sequence : ready_) {
    if (found.size() >= most) return found;
    found.push_back(sequence);
  }
  for (const auto& [first, group] : free_groups_) {
    for (const Sequence sequence : group->messages) {
      if (found.size() >= most) return found;
      if (entries_.at(sequence).phase != Phase::ready) break;
      found.push_back(sequence);
    }
  }
  return found;
}

std::vector<Sequence> MessageIndex::sent_until(Time moment, std::size_t most) const {
  std::vector<Sequence> found;
  for (const auto& [sent, sequence] : by_age_) {
    if (sent > moment.ms || found.size() >= most) break;
    found.push_back(sequence);
  }
  return found;
}

std::vector<Sequence> MessageIndex::delayed() const {
  std::vector<Sequence> found;
  for (const auto& [visible, sequence] : hidden_)
    if (entries_.at(sequence).phase == Phase::delayed) found.push_back(sequence);
  return found;
}

std::optional<Time> MessageIndex::next_visible() const {
  if (hidden_.empty()) return std::nullopt;
  return Time{hidden_.begin()->first};
}

}  // namespace brume::sqs
