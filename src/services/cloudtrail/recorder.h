// Takes what the front door tells of every request, and turns it into events on a worker: one batch at a time, of what
// came within a moment, so that a request wakes nobody. What waits is bounded in number and in bytes: who comes when it
// is full writes the oldest part before being taken, so nothing is lost for haste. put() is called on any thread;
// everything else belongs to the control thread.
#pragma once

#include <cstddef>
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

// Of what waits to be written.
struct RecorderLimits {
  std::size_t records = 50'000;  // more than a burst of a parallel apply
  std::size_t bytes = 64U << 20U;
};

class Recorder final : public AuditSink {
 public:
  // `recorded` is told of the trails that have something to deliver.
  using Recorded = std::function<void(const std::vector<std::string>& trail_arns)>;
  Recorder(EventHistory& history, const Clock& clock, Random& random, Control& control, Workers& workers,
           Recorded recorded, RecorderLimits limits = {});

  void put(AuditRecord record) override;

  // The trails that log, from the next request on.
  void set_trails(std::vector<TrailRecord> trails);
  // At the end, when nobody puts and nothing is posted any more: what still waits. Any thread.
  void write_rest();
  // Calls `then` on the control thread when everything that was put before is on disk.
  void flush(Function then);

  std::uint64_t lost() const;         // events that the disk did not take. Any thread.
  std::size_t waiting_bytes() const;  // of what is not on disk yet. Any thread.

 private:
  using Trails = std::shared_ptr<const std::vector<TrailRecord>>;  // shared with the batch that is being rendered
  // What came, with the trails that logged at that moment.
  struct Waiting {
    AuditRecord record;
    Trails trails;
    std::size_t bytes = 0;
  };
  // Handed on by pointer: a record is large.
  using Part = std::vector<std::unique_ptr<Waiting>>;
  // The oldest first; those before `taken` are gone.
  struct Queue {
    Part records;
    std::size_t taken = 0;
    std::size_t size() const { return records.size() - taken; }
  };
  enum class State { idle, gathering, writing };
  void gather();
  void begin();
  void end();
  bool is_full(std::size_t more) const;  // mutex_ is held
  void make_room(std::size_t bytes);
  std::vector<std::string> write_all(Queue& given);
  bool write_some(Queue& given, std::vector<std::string>& named);
  std::vector<std::string> write(const Part& part);

  EventHistory& history_;
  const Clock& clock_;
  Random& random_;
  Control& control_;
  Workers& workers_;
  Recorded recorded_;
  const RecorderLimits limits_;

  std::mutex write_mutex_;  // one write at a time; taken before mutex_
  mutable std::mutex mutex_;
  Queue waiting_;  // guarded by mutex_, as all below
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
  State state_ = State::idle;
  bool data_events_ = false;  // somebody wants them
  Trails trails_;
  std::vector<Function> flushed_;
  std::shared_ptr<Queue> batch_;  // shared with the worker that empties it
};

}  // namespace brume::cloudtrail
