#include "services/cloudtrail/event_history.h"

#include <algorithm>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <map>
#include <optional>
#include <tuple>

#include "core/log.h"
#include "store/record.h"

namespace brume::cloudtrail {

// Events of one account and region that were written together, the newest first.
struct EventPage {
  EventRecord common;  // members that all of them have alike, which are absent from each
  std::vector<EventRecord> events;
};
BOOST_DESCRIBE_STRUCT(EventPage, (), (common, events))

namespace {

constexpr std::size_t kKeyBytes = 128;       // more than most keys have
constexpr std::size_t kMostEvents = 250;     // of a page: all are read for one
constexpr Duration kPageSpan = seconds(10);  // how much older than a page's newest event the others may be

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

// Its place in the order of a scope: the newest first. The count restarts with the program; the id keeps two apart.
std::string key_of(const EventRecord& event) {
  std::string key = start_key(event.scope, event.time);
  append_key_number_descending(key, event.count);
  append_key_string(key, event.id);
  return key;
}

Scope take_scope(std::string_view& key) {
  Scope scope;
  scope.account = take_key_string(key);
  scope.region = take_key_string(key);
  return scope;
}

// Calls visit(pointer to member) for each member that is written.
template <class Visit>
void for_each_member(const Visit& visit) {
  using Members = boost::describe::describe_members<EventRecord, boost::describe::mod_any_access>;
  boost::mp11::mp_for_each<Members>([&](auto member) { visit(member.pointer); });
}

// What the page's events have in common is in `common` and not in each of them.
void factor_out(EventPage& page) {
  static const EventRecord defaults;
  const EventRecord first = page.events.front();
  for_each_member([&](auto member) {
    for (const EventRecord& event : page.events)
      if (!(event.*member == first.*member)) return;
    page.common.*member = first.*member;
    for (EventRecord& event : page.events) event.*member = defaults.*member;
  });
}

std::vector<EventRecord> read_page(std::string_view key, std::string_view value) {
  static const EventRecord defaults;
  EventPage page = decode_record<EventPage>(value);
  const Scope scope = take_scope(key);
  for (EventRecord& event : page.events) {
    event.scope = scope;
    for_each_member([&](auto member) {
      if (!(page.common.*member == defaults.*member)) event.*member = page.common.*member;
    });
  }
  return std::move(page.events);
}

bool fits(const EventPage& page, const EventRecord& event) {
  if (page.events.empty()) return true;
  return page.events.size() < kMostEvents && page.events.front().scope == event.scope &&
         page.events.front().time - event.time <= kPageSpan;
}

void put_page(Tx& tx, const Keyspace& pages, EventPage page) {
  if (page.events.empty()) return;
  const std::string key = key_of(page.events.front());
  factor_out(page);
  pages.put(tx, key, encode_record(page));
}

// The events, in any order. They are large: each is moved once.
void put_pages(Tx& tx, const Keyspace& pages, std::vector<EventRecord*> events) {
  std::ranges::sort(events, [](const EventRecord* a, const EventRecord* b) {
    return std::tie(a->scope, b->time, b->count) < std::tie(b->scope, a->time, a->count);
  });
  EventPage page;
  for (EventRecord* event : events) {
    if (!fits(page, *event)) put_page(tx, pages, std::exchange(page, {}));
    if (page.events.empty()) page.events.reserve(std::min(events.size(), kMostEvents));
    page.events.push_back(std::move(*event));
  }
  put_page(tx, pages, std::move(page));
}

}  // namespace

EventHistory::EventHistory(Store& store)
    : store_(store), pages_(store, "cloudtrail.page"), pending_(store, "cloudtrail.pending") {
  try {
    take_over_single_events();
  } catch (const StoreError& error) {  // a full disk
    log::warning("cloudtrail",
                 "what an earlier program recorded is not shown until a start can take it over: " + error.message);
  }
}

// Programs before kept each event by itself, its account, region, time and id in the key alone.
void EventHistory::take_over_single_events() {
  const Keyspace singles(store_, "cloudtrail.event");
  for (;;) {
    std::vector<EventRecord> events;
    events.reserve(kMostEvents);
    std::string last;
    singles.scan(*store_.snapshot(), {}, {}, [&](std::string_view key, std::string_view value) {
      EventRecord& event = events.emplace_back(decode_record<EventRecord>(value));
      last = key;
      event.scope = take_scope(key);
      event.time.ms = static_cast<std::int64_t>(take_key_number_descending(key));
      event.count = take_key_number_descending(key);
      event.id = take_key_string(key);
      return events.size() < kMostEvents;
    });
    if (events.empty()) return;
    std::vector<EventRecord*> all;
    for (EventRecord& event : events) all.push_back(&event);
    Tx tx(store_);
    put_pages(tx, pages_, std::move(all));
    singles.erase_range(tx, {}, last + '\0');
    tx.commit();
  }
}

void EventHistory::add(std::vector<NewEvent> events) {
  Tx tx(store_);
  std::vector<EventRecord*> all;
  all.reserve(events.size());
  for (NewEvent& added : events) {
    EventRecord& event = added.event;
    event.count = ++count_;
    if (!added.trails.empty()) {
      const std::string json = json_of(event);
      for (const std::string& trail : added.trails) {
        std::string waiting;
        append_key_string(waiting, trail);
        append_key_number(waiting, number(event.time));
        append_key_number(waiting, event.count);
        append_key_string(waiting, event.scope.region);
        append_key_string(waiting, event.id);
        pending_.put(tx, waiting, json);
      }
    }
    all.push_back(&event);
  }
  put_pages(tx, pages_, std::move(all));
  tx.commit();
}

// Pages overlap in time: a request is told of when it has ended, and bears the time at which it came. What was read of
// a page waits until no later page can have anything newer.
void EventHistory::read(const Scope& scope, Time from, Time until, const std::string& position,
                        const Visit& visit) const {
  const std::string start = position.empty() ? start_key(scope, until) : position + '\0';
  const std::string end = prefix_end(start_key(scope, from));
  std::map<std::string, EventRecord> waiting;  // by key
  bool wanted = true;
  const auto visit_before = [&](std::string_view key) {
    for (auto first = waiting.begin(); wanted && first != waiting.end() && first->first < key;
         first = waiting.erase(first))
      wanted = visit(first->first, first->second);
    return wanted;
  };
  std::string_view rest = start;
  take_scope(rest);
  const Time newest{static_cast<std::int64_t>(take_key_number_descending(rest))};
  const auto snapshot = pages_.snapshot();
  pages_.scan(*snapshot, start_key(scope, newest + kPageSpan), end, [&](std::string_view key, std::string_view value) {
    if (!visit_before(key)) return false;
    for (EventRecord& event : read_page(key, value)) {
      std::string own = key_of(event);
      if (own >= start && own < end) waiting.emplace(std::move(own), std::move(event));
    }
    return true;
  });
  visit_before(end);
}

std::vector<Scope> EventHistory::scopes() const {
  std::vector<Scope> found;
  const auto snapshot = pages_.snapshot();
  // One look for each scope: behind everything of the last one.
  for (std::string from;;) {
    std::optional<Scope> next;
    pages_.scan(*snapshot, from, {}, [&](std::string_view key, std::string_view) {
      next = take_scope(key);
      return false;
    });
    if (!next) return found;
    found.push_back(*next);
    from = prefix_end(scope_key(*next));
  }
}

void EventHistory::expire(const std::vector<Scope>& scopes, Time oldest) const {
  for (const Scope& scope : scopes) pages_.erase_range(start_key(scope, oldest), prefix_end(scope_key(scope)));
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
