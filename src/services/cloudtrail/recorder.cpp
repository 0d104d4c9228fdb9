#include "services/cloudtrail/recorder.h"

#include <algorithm>
#include <set>

#include "core/log.h"
#include "services/cloudtrail/parameters.h"
#include "services/cloudtrail/record_size.h"

namespace brume::cloudtrail {
namespace {

// Waking two threads and writing costs more than an event: a busy cloud does both fifty times a second.
constexpr Duration kGather = milliseconds(20);
constexpr std::size_t kLargestBatch = 1000;
// Of records that are rendered and written in one go.
constexpr std::size_t kLargestPart = 4U << 20U;

// A value that is larger than its event may show is not held for it: its size is. The bytes that are kept.
std::size_t keep_or_drop(std::optional<model::Object>& value, std::size_t& omitted) {
  if (!value) return 0;
  const model::Type& type = value->type();
  // Nor are bodies of files, which no event shows.
  if (type.payload >= 0) {
    const model::Member& payload = type.members[static_cast<std::size_t>(type.payload)];
    if (payload.type->kind == model::Kind::stream && payload.get(value->get()) != nullptr)
      payload.emplace(value->get());
  }
  const std::size_t bytes = memory_of(type, value->get(), kLargestValue);
  if (bytes <= kLargestValue) return bytes;
  omitted = bytes;
  value.reset();
  return 0;
}

}  // namespace

Recorder::Recorder(EventHistory& history, const Clock& clock, Random& random, Control& control, Workers& workers,
                   Recorded recorded, RecorderLimits limits)
    : history_(history),
      clock_(clock),
      random_(random),
      control_(control),
      workers_(workers),
      recorded_(std::move(recorded)),
      limits_(limits),
      trails_(std::make_shared<const std::vector<TrailRecord>>()) {}

void Recorder::put(AuditRecord record) {
  // A request that no account is known for has no trail to go to.
  if (record.context.scope.account.empty() && recipients(record).empty()) return;
  // A megabyte that somebody read is not held until the batch is written.
  if (!tells_answer(record.operation_name)) record.output.reset();
  const std::size_t bytes = memory_of_context(record) + keep_or_drop(record.input, record.omitted_input_bytes) +
                            keep_or_drop(record.output, record.omitted_output_bytes);
  auto added = std::make_unique<Waiting>(std::move(record), nullptr, bytes);
  std::unique_lock lock(mutex_);
  if (!data_events_ && is_data_event(added->record)) return;
  if (is_full(bytes)) {
    lock.unlock();
    make_room(bytes);
    lock.lock();
  }
  added->trails = trails_;
  waiting_.records.push_back(std::move(added));
  bytes_ += bytes;
  if (state_ == State::idle) {
    state_ = State::gathering;
    control_.post([this] { gather(); });
  } else if (state_ == State::gathering && waiting_.size() == kLargestBatch) {
    // The cloud's clock may be slow, or stand still.
    state_ = State::writing;
    control_.post([this] { begin(); });
  }
}

bool Recorder::is_full(std::size_t more) const {
  return waiting_.size() >= limits_.records || (bytes_ > 0 && bytes_ + more > limits_.bytes);
}

// On the thread of a request: it waits for the disk, as the worker does. That slows what comes down to what can be
// recorded.
void Recorder::make_room(std::size_t bytes) {
  std::vector<std::string> named;
  for (;;) {
    std::shared_ptr<Queue> batch;
    {
      const std::lock_guard lock(mutex_);
      if (!is_full(bytes)) break;
      batch = batch_;  // the oldest
    }
    if (!(batch != nullptr && write_some(*batch, named)) && !write_some(waiting_, named)) break;
  }
  if (!named.empty()) control_.post([this, named] { recorded_(named); });
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
  std::unique_lock lock(mutex_);
  const State before = state_;
  if (before == State::idle) {
    lock.unlock();
    return then();
  }
  flushed_.push_back(std::move(then));
  state_ = State::writing;
  lock.unlock();
  if (before == State::gathering) begin();
}

std::size_t Recorder::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
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
    batch_ = std::make_shared<Queue>(std::exchange(waiting_, {}));
    flushed->swap(flushed_);
  }
  workers_.run([this, batch = batch_, named] { *named = write_all(*batch); },
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
    state_ = wanted ? State::writing : waiting_.size() == 0 ? State::idle : State::gathering;
    if (state_ == State::idle) return;
  }
  if (wanted) return begin();
  gather();
}

void Recorder::write_rest() {
  std::shared_ptr<Queue> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = batch_;
  }
  if (batch != nullptr) write_all(*batch);  // ended by now, or never begun
  write_all(waiting_);
}

std::vector<std::string> Recorder::write_all(Queue& given) {
  std::vector<std::string> named;
  while (write_some(given, named)) {
  }
  std::ranges::sort(named);
  named.erase(std::ranges::unique(named).begin(), named.end());
  return named;
}

// The oldest part of what is given. False: nothing was left.
bool Recorder::write_some(Queue& given, std::vector<std::string>& named) {
  const std::lock_guard writing(write_mutex_);
  Part part;
  std::size_t bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    for (; given.size() > 0 && part.size() < kLargestBatch && bytes < kLargestPart; ++given.taken) {
      bytes += given.records[given.taken]->bytes;
      part.push_back(std::move(given.records[given.taken]));
    }
    // What was taken is cleared away in proportion to what is left.
    if (given.taken >= given.size()) {
      given.records.erase(given.records.begin(), given.records.begin() + static_cast<std::ptrdiff_t>(given.taken));
      given.taken = 0;
    }
  }
  if (part.empty()) return false;
  const std::vector<std::string> found = write(part);
  named.insert(named.end(), found.begin(), found.end());
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  return true;
}

std::vector<std::string> Recorder::write(const Part& part) {
  std::vector<NewEvent> events;
  events.reserve(part.size());
  std::set<std::string> named;
  for (const auto& waiting : part) {
    const AuditRecord& record = waiting->record;
    const std::vector<std::string> accounts = recipients(record);
    const std::string shared_id = accounts.size() > 1 ? random_.uuid() : std::string();
    for (const std::string& account : accounts) {
      NewEvent added{.event = render(record, account, random_.uuid(), shared_id), .trails = {}};
      for (const TrailRecord& trail : *waiting->trails)
        if (selects(trail, added.event.scope, added.event)) added.trails.push_back(trail.arn);
      named.insert(added.trails.begin(), added.trails.end());
      events.push_back(std::move(added));
    }
  }
  const std::size_t count = events.size();
  try {
    history_.add(std::move(events));
  } catch (const StoreError& error) {
    log::error("cloudtrail", "events of " + std::to_string(count) + " requests are lost: " + error.message);
    const std::lock_guard lock(mutex_);
    lost_ += count;
    return {};
  }
  return {named.begin(), named.end()};
}

}  // namespace brume::cloudtrail
