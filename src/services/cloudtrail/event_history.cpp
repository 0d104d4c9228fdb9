#include "services/cloudtrail/event_history.h"

#include "store/record.h"

namespace brume::cloudtrail {
namespace {

constexpr std::size_t kKeyBytes = 128;  // more than most keys have

std::string scope_key(const Scope& scope) {
  std::string key;
  key.reserve(kKeyBytes);
  append_key_string(key, scope.account);
  append_key_string(key, scope.region);
  return key;
}

std::uint64_t number(Time time) { return static_cast<std::uint64_t>(time.ms); }

// Where the events of a scope that are not newer than `time` begin.
std::string start_key(const Scope& scope, Time time) {
  std::string key = scope_key(scope);
  append_key_number_descending(key, number(time));
  return key;
}

EventRecord read_event(std::string_view key, std::string_view value) {
  EventRecord event = decode_record<EventRecord>(value);
  event.scope.account = take_key_string(key);
  event.scope.region = take_key_string(key);
  event.time.ms = static_cast<std::int64_t>(take_key_number_descending(key));
  take_key_number_descending(key);  // the count
  event.id = take_key_string(key);
  return event;
}

}  // namespace

EventHistory::EventHistory(Store& store)
    : store_(store), events_(store, "cloudtrail.event"), pending_(store, "cloudtrail.pending") {}

void EventHistory::add(const std::vector<NewEvent>& events) {
  Tx tx(store_);
  for (const NewEvent& added : events) {
    // The count orders the events of a millisecond; the id keeps them apart over restarts.
    const std::uint64_t count = ++count_;
    std::string key = start_key(added.event.scope, added.event.time);
    append_key_number_descending(key, count);
    append_key_string(key, added.event.id);
    events_.put(tx, key, encode_record(added.event));
    if (added.trails.empty()) continue;
    const std::string json = json_of(added.event);
    for (const std::string& trail : added.trails) {
      std::string waiting;
      append_key_string(waiting, trail);
      append_key_number(waiting, number(added.event.time));
      append_key_number(waiting, count);
      append_key_string(waiting, added.event.scope.region);
      append_key_string(waiting, added.event.id);
      pending_.put(tx, waiting, json);
    }
  }
  tx.commit();
}

void EventHistory::read(const Scope& scope, Time from, Time until, const std::string& position,
                        const Visit& visit) const {
  const auto snapshot = events_.snapshot();
  const std::string start = position.empty() ? start_key(scope, until) : position + '\0';
  const std::string end = prefix_end(start_key(scope, from));
  events_.scan(*snapshot, start, end, [&](std::string_view key, std::string_view value) {
    return visit(std::string(key), read_event(key, value));
  });
}

std::vector<Scope> EventHistory::scopes() const {
  std::vector<Scope> found;
  const auto snapshot = events_.snapshot();
  // One look for each scope: behind everything of the last one.
  for (std::string from;;) {
    std::optional<Scope> next;
    events_.scan(*snapshot, from, {}, [&](std::string_view key, std::string_view) {
      next.emplace();
      next->account = take_key_string(key);
      next->region = take_key_string(key);
      return false;
    });
    if (!next) return found;
    found.push_back(*next);
    from = prefix_end(scope_key(*next));
  }
}

void EventHistory::expire(const std::vector<Scope>& scopes, Time oldest) const {
  for (const Scope& scope : scopes) events_.erase_range(start_key(scope, oldest), prefix_end(scope_key(scope)));
}

std::vector<PendingEvent> EventHistory::pending(const std::string& trail_arn, std::size_t limit) const {
  std::vector<PendingEvent> found;
  std::string prefix;
  append_key_string(prefix, trail_arn);
  pending_.scan_prefix(*pending_.snapshot(), prefix, [&](std::string_view key, std::string_view value) {
    PendingEvent event{.key = std::string(key), .region = {}, .time = {}, .json = std::string(value)};
    take_key_string(key);
    event.time.ms = static_cast<std::int64_t>(take_key_number(key));
    take_key_number(key);
    event.region = take_key_string(key);
    found.push_back(std::move(event));
    return found.size() < limit;
  });
  return found;
}

void EventHistory::delivered(Tx& tx, const std::vector<PendingEvent>& events) const {
  for (const PendingEvent& event : events) pending_.erase(tx, event.key);
}

void EventHistory::forget(Tx& tx, const std::string& trail_arn) const {
  std::string prefix;
  append_key_string(prefix, trail_arn);
  pending_.erase_range(tx, prefix, prefix_end(prefix));
}

}  // namespace brume::cloudtrail
