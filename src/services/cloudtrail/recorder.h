// Takes what the front door tells of every request, and turns it into events on a worker: one batch at a time, whatever
// came meanwhile being the next. put() is called on any thread; everything else belongs to the control thread.
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
  Recorder(EventHistory& history, Random& random, Control& control, Workers& workers, Recorded recorded);

  void put(AuditRecord record) override;

  // The trails that log, from the next batch on.
  void set_trails(std::vector<TrailRecord> trails);
  // Calls `then` on the control thread when everything that was put before is on disk.
  void flush(Function then);
  std::uint64_t lost() const;  // events that came faster than they could be written

 private:
  using Trails = std::shared_ptr<const std::vector<TrailRecord>>;  // shared with the batch that is being rendered
  void begin();
  std::vector<std::string> write(std::vector<AuditRecord> batch, const Trails& trails);

  EventHistory& history_;
  Random& random_;
  Control& control_;
  Workers& workers_;
  Recorded recorded_;

  mutable std::mutex mutex_;
  std::vector<AuditRecord> waiting_;  // guarded by mutex_, as all below
  std::uint64_t lost_ = 0;
  bool writing_ = false;
  bool data_events_ = false;  // somebody wants them
  Trails trails_;
  std::vector<Function> flushed_;
};

}  // namespace brume::cloudtrail
