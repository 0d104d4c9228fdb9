#include "services/cloudtrail/recorder.h"

#include <algorithm>
#include <set>

#include "core/log.h"

namespace brume::cloudtrail {
namespace {

// More than a burst of a parallel apply; beyond it, memory matters more than the trail.
constexpr std::size_t kMostWaiting = 50'000;
// Waking two threads and writing costs more than an event: a busy cloud does both fifty times a second.
constexpr Duration kGather = milliseconds(20);
constexpr std::size_t kLargestBatch = 1000;

}  // namespace

Recorder::Recorder(EventHistory& history, const Clock& clock, Random& random, Control& control, Workers& workers,
                   Recorded recorded)
    : history_(history),
      clock_(clock),
      random_(random),
      control_(control),
      workers_(workers),
      recorded_(std::move(recorded)),
      trails_(std::make_shared<const std::vector<TrailRecord>>()) {}

void Recorder::put(AuditRecord record) {
  // A request that no account is known for has no trail to go to.
  if (record.context.scope.account.empty() && recipients(record).empty()) return;
  // A megabyte that somebody read is not held until the batch is written.
  if (!tells_answer(record.operation_name)) record.output.reset();
  const std::lock_guard lock(mutex_);
  if (!data_events_ && is_data_event(record)) return;
  if (waiting_.size() >= kMostWaiting) {
    ++lost_;
    return;
  }
  waiting_.push_back({std::move(record), trails_});
  if (state_ == State::idle) {
    state_ = State::gathering;
    control_.post([this] { gather(); });
  } else if (state_ == State::gathering && waiting_.size() == kLargestBatch) {
    // The cloud's clock may be slow, or stand still.
    state_ = State::writing;
    control_.post([this] { begin(); });
  }
}

void Recorder::gather() {
  control_.at(clock_.now() + kGather, [this] {
    {
      const std::lock_guard lock(mutex_);
      if (state_ != State::gathering) return;  // somebody wanted it sooner
      state_ = State::writing;
    }
    begin();
  });
}

void Recorder::set_trails(std::vector<TrailRecord> trails) {
  const std::lock_guard lock(mutex_);
  data_events_ = std::ranges::any_of(trails, selects_data_events);
  trails_ = std::make_shared<const std::vector<TrailRecord>>(std::move(trails));
}

void Recorder::flush(Function then) {
  State before = State::idle;
  {
    const std::lock_guard lock(mutex_);
    before = state_;
    if (before != State::idle) {
      flushed_.push_back(std::move(then));
      state_ = State::writing;
    }
  }
  if (before == State::idle) return then();
  if (before == State::gathering) begin();
}

std::uint64_t Recorder::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

// One batch after the other, until nothing waits. Whoever asked for a flush before a batch began waits for that one
// only.
void Recorder::begin() {
  auto named = std::make_shared<std::vector<std::string>>();  // given from the control thread to a worker and back
  auto flushed = std::make_shared<std::vector<Function>>();
  {
    const std::lock_guard lock(mutex_);
    batch_ = std::make_shared<std::vector<Waiting>>(std::exchange(waiting_, {}));
    flushed->swap(flushed_);
  }
  workers_.run([this, batch = batch_, named] { *named = write(*batch); },
               [this, named, flushed] {
                 if (!named->empty()) recorded_(*named);
                 for (Function& then : *flushed) then();
                 end();
               });
}

void Recorder::end() {
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    batch_.reset();
    wanted = !flushed_.empty() || waiting_.size() >= kLargestBatch;
    state_ = wanted ? State::writing : waiting_.empty() ? State::idle : State::gathering;
    if (state_ == State::idle) return;
  }
  if (wanted) return begin();
  gather();
}

void Recorder::write_rest() {
  std::shared_ptr<std::vector<Waiting>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = batch_;
  }
  if (batch != nullptr) write(*batch);  // ended by now, or never begun
  write(waiting_);
}

std::vector<std::string> Recorder::write(std::vector<Waiting>& given) {
  const std::lock_guard writing(write_mutex_);
  std::vector<Waiting> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(given);
  }
  std::vector<NewEvent> events;
  std::set<std::string> named;
  for (const auto& [record, trails] : batch) {
    const std::vector<std::string> accounts = recipients(record);
    const std::string shared_id = accounts.size() > 1 ? random_.uuid() : std::string();
    for (const std::string& account : accounts) {
      NewEvent added{.scope = {account, record.context.scope.region},
                     .event = render(record, account, random_.uuid(), shared_id),
                     .trails = {}};
      // A global service's events are in us-east-1 ("Global service events").
      if (record.service != nullptr && record.service->global) added.scope.region = "us-east-1";
      for (const TrailRecord& trail : *trails)
        if (selects(trail, added.scope, added.event)) added.trails.push_back(trail.arn);
      named.insert(added.trails.begin(), added.trails.end());
      events.push_back(std::move(added));
    }
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
