// GET /audit of the admin socket: the newest events of every account and region, oldest first.
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>

#include "app/admin.h"
#include "app/cloud.h"
#include "core/text.h"

namespace brume::app {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostEvents = 10'000;

struct Reading {
  Time from, until;
  std::size_t limit = 50;
  bool failed_only = false;
  std::vector<cloudtrail::EventRecord> events;
};

// The event that the owner of another account's resource was given: the caller's own one tells more.
bool is_copy(const cloudtrail::EventRecord& event) { return event.user_name.empty() && cloudtrail::is_shared(event); }

void read(const cloudtrail::EventHistory& history, Reading& reading) {
  for (const Scope& scope : history.scopes()) {
    std::size_t count = 0;
    history.read(scope, reading.from, reading.until, {}, [&](const std::string&, const auto& event) {
      if (is_copy(event) || (reading.failed_only && !cloudtrail::has_failed(event))) return true;
      reading.events.push_back(event);
      return ++count < reading.limit;
    });
  }
  // Newest first so far; events of one moment keep their order.
  std::multimap<std::int64_t, cloudtrail::EventRecord> ordered;
  for (auto event = reading.events.rbegin(); event != reading.events.rend(); ++event)
    ordered.emplace(event->time.ms, std::move(*event));
  reading.events.clear();
  for (auto& [time, event] : ordered) reading.events.push_back(std::move(event));
  if (reading.events.size() > reading.limit)
    reading.events.erase(reading.events.begin(), reading.events.end() - static_cast<std::ptrdiff_t>(reading.limit));
}

HttpReply reply_of(const Reading& reading) {
  json::array events;
  for (const cloudtrail::EventRecord& event : reading.events)
    events.push_back(
        json::object{{"id", event.id}, {"at", event.time.ms}, {"event", json::parse(cloudtrail::json_of(event))}});
  return {.status = 200,
          .headers = {{"Content-Type", "application/json"}},
          .body = Body::of(json::serialize(json::object{{"events", std::move(events)}}))};
}

}  // namespace

void Admin::audit(const HttpRequest& request, const Done& done) {
  auto reading = std::make_shared<Reading>();  // goes to a worker and back
  std::int64_t number = 0;
  if (parse_int(request.parameter("from"), number)) reading->from.ms = number;
  if (parse_int(request.parameter("limit"), number))
    reading->limit = static_cast<std::size_t>(std::clamp<std::int64_t>(number, 1, kMostEvents));
  reading->failed_only = request.parameter("failed") == "1";
  reading->until = cloud_.clock.now() + days(1);
  cloud_.cloudtrail.recorder.flush([this, reading, done] {
    cloud_.workers.run([this, reading] { read(cloud_.cloudtrail.history, *reading); },
                       [reading, done] { done(reply_of(*reading)); });
  });
}

}  // namespace brume::app
