// Takes what the front door tells of every request, and turns it into events on a worker: one batch at a time, of what
// came within a moment, so that a request wakes nobody. put() is called on any thread; everything else belongs to the
// control thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aws/audit.h"
#include "core/random.h"
#include "core/runtime.h"
#include "services/cloudtrail/event_history.h"

namespace brume::cloudtrail {

class Recorder final : public AuditSink {
 public:
  // `recorded` is told of the trails that have something to deliver.
  using Recorded = std::function<void(const std::vector<std::string>& trail_arns)>;
  Recorder(EventHistory& history, const Clock& clock, Random& random, Control& control, Workers& workers,
           Recorded recorded);

  void put(AuditRecord record) override;

  // The trails that log, from the next request on.
  void set_trails(std::vector<TrailRecord> trails);
  // At the end, when nobody puts and nothing is posted any more: what still waits. Any thread.
  void write_rest();
  // Calls `then` on the control thread when everything that was put before is on disk.
  void flush(Function then);
  std::uint64_t lost() const;  // events that came faster than they could be written

 private:
  using Trails = std::shared_ptr<const std::vector<TrailRecord>>;  // shared with the batch that is being rendered
  // What came, with the trails that logged at that moment.
  struct Waiting {
    AuditRecord record;
    Trails trails;
  };
  enum class State { idle, gathering, writing };
  void gather();
  void begin();
  void end();
  std::vector<std::string> write(std::vector<Waiting>& given);

  EventHistory& history_;
  const Clock& clock_;
  Random& random_;
  Control& control_;
  Workers& workers_;
  Recorded recorded_;

  std::mutex write_mutex_;  // one write at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::vector<Waiting> waiting_;  // guarded by mutex_, as all below
  std::uint64_t lost_ = 0;
  State state_ = State::idle;
  bool data_events_ = false;  // somebody wants them
  Trails trails_;
  std::vector<Function> flushed_;
  std::shared_ptr<std::vector<Waiting>> batch_;  // shared with the worker that empties it
};

}  // namespace brume::cloudtrail
