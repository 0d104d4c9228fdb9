// Events on disk: the history that LookupEvents reads, and what trails have yet to deliver. Written and read on
// workers; what is added is durable when the call returns.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/scope.h"
#include "services/cloudtrail/event.h"
#include "services/cloudtrail/trail.h"
#include "store/keyspace.h"

namespace brume::cloudtrail {

// "Event history provides … the past 90 days of management events."
inline constexpr Duration kHistory = days(90);

struct NewEvent {
  EventRecord event;
  std::vector<std::string> trails;  // ARNs of those that deliver it
};

struct PendingEvent {
  std::string key, region;
  Time time;
  std::string json;
};

class EventHistory {
 public:
  explicit EventHistory(Store& store);

  void add(std::vector<NewEvent> events);

  // Newest first, from `until` back to `from`, behind `position` unless it is empty. `visit` is given the event's own
  // position and says whether to go on.
  using Visit = std::function<bool(const std::string& position, const EventRecord& event)>;
  void read(const Scope& scope, Time from, Time until, const std::string& position, const Visit& visit) const;
  void expire(const std::vector<Scope>& scopes, Time oldest) const;
  std::vector<Scope> scopes() const;  // that have events

  // The oldest events that a trail has yet to deliver.
  std::vector<PendingEvent> pending(const std::string& trail_arn, std::size_t limit) const;
  void delivered(Tx& tx, const std::vector<PendingEvent>& events) const;
  void forget(Tx& tx, const std::string& trail_arn) const;  // everything pending

 private:
  void take_over_single_events();

  Store& store_;
  Keyspace pages_;    // of its newest event: account, region, time and count descending, id → the page
  Keyspace pending_;  // trail, time, count, region → the event's JSON
  std::uint64_t count_ = 0;
};

}  // namespace brume::cloudtrail
