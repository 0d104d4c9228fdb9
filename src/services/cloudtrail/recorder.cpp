#include "services/cloudtrail/recorder.h"

#include <algorithm>
#include <set>

#include "core/log.h"

namespace brume::cloudtrail {
namespace {

// More than a burst of a parallel apply; beyond it, memory matters more than the trail.
constexpr std::size_t kMostWaiting = 50'000;

}  // namespace

Recorder::Recorder(EventHistory& history, Random& random, Control& control, Workers& workers, Recorded recorded)
    : history_(history),
      random_(random),
      control_(control),
      workers_(workers),
      recorded_(std::move(recorded)),
      trails_(std::make_shared<const std::vector<TrailRecord>>()) {}

void Recorder::put(AuditRecord record) {
  const std::lock_guard lock(mutex_);
  // A request that no account is known for has no trail to go to.
  if (record.context.scope.account.empty()) return;
  if (!data_events_ && is_data_event(record)) return;
  if (waiting_.size() >= kMostWaiting) {
    ++lost_;
    return;
  }
  waiting_.push_back(std::move(record));
  if (std::exchange(writing_, true)) return;
  control_.post([this] { begin(); });
}

void Recorder::set_trails(std::vector<TrailRecord> trails) {
  const std::lock_guard lock(mutex_);
  data_events_ = std::ranges::any_of(trails, selects_data_events);
  trails_ = std::make_shared<const std::vector<TrailRecord>>(std::move(trails));
}

void Recorder::flush(Function then) {
  {
    const std::lock_guard lock(mutex_);
    if (writing_) {
      flushed_.push_back(std::move(then));
      return;
    }
  }
  then();
}

std::uint64_t Recorder::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

// One batch after the other, until nothing waits. Whoever asked for a flush before a batch began waits for that one
// only.
void Recorder::begin() {
  auto batch = std::make_shared<std::vector<AuditRecord>>();  // given from the control thread to a worker and back
  auto named = std::make_shared<std::vector<std::string>>();
  auto flushed = std::make_shared<std::vector<Function>>();
  Trails trails;
  {
    const std::lock_guard lock(mutex_);
    batch->swap(waiting_);
    flushed->swap(flushed_);
    trails = trails_;
    writing_ = !batch->empty();
  }
  const auto end = [this, named, flushed] {
    if (!named->empty()) recorded_(*named);
    for (Function& then : *flushed) then();
  };
  if (batch->empty()) return end();
  workers_.run([this, batch, named, trails] { *named = write(std::move(*batch), trails); },
               [this, end] {
                 end();
                 begin();
               });
}

std::vector<std::string> Recorder::write(std::vector<AuditRecord> batch, const Trails& trails) {
  std::vector<NewEvent> events;
  std::set<std::string> named;
  for (const AuditRecord& record : batch) {
    NewEvent added{.scope = record.context.scope, .event = render(record, random_.uuid()), .trails = {}};
    // A global service's events are in us-east-1 ("Global service events").
    if (record.service != nullptr && record.service->global) added.scope.region = "us-east-1";
    for (const TrailRecord& trail : *trails)
      if (selects(trail, added.scope, added.event)) added.trails.push_back(trail.arn);
    named.insert(added.trails.begin(), added.trails.end());
    events.push_back(std::move(added));
  }
  try {
    history_.add(events);
  } catch (const StoreError& error) {
    log::error("cloudtrail", "events of " + std::to_string(events.size()) + " requests are lost: " + error.message);
    const std::lock_guard lock(mutex_);
    lost_ += events.size();
    return {};
  }
  return {named.begin(), named.end()};
}

}  // namespace brume::cloudtrail
