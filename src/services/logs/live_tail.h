// Live Tail ("Troubleshoot with CloudWatch Logs Live Tail", StartLiveTail): sessions that are told the events of their
// groups as these come, once a second, for three hours at most. Logs owns it. Control thread.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/events.h"
#include "core/random.h"
#include "core/runtime.h"
#include "core/scope.h"

namespace brume::logs {

struct NewEvent;
struct StartLiveTailRequest;

class LiveTail {
 public:
  LiveTail(Clock& clock, Control& control, Random& random) : clock_(clock), control_(control), random_(random) {}
  LiveTail(const LiveTail&) = delete;
  LiveTail& operator=(const LiveTail&) = delete;

  // A session over groups of the scope. Throws LimitExceededException, and what a filter pattern can be refused with.
  std::shared_ptr<EventSource> open(const Scope& scope, const std::string& request_id,
                                    const StartLiveTailRequest& input, std::vector<std::string> groups);
  bool watched() const { return !sessions_.empty(); }
  // Events that were committed.
  void feed(const Scope& scope, const std::string& group, const std::string& stream,
            const std::vector<NewEvent>& events, Time ingested);

 private:
  class Session;
  void forget_ended();

  Clock& clock_;
  Control& control_;
  Random& random_;
  std::list<std::weak_ptr<Session>> sessions_;  // each lives by its timer, or until its answer is dropped
};

}  // namespace brume::logs
