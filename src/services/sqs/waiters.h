// Long polls: receives that wait until a message is there or their time is over. Owned by Sqs; control thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aws/request.h"
#include "core/deferred.h"
#include "core/runtime.h"
#include "gen/sqs.h"

namespace brume::sqs {

struct Sqs;

class Waiters {
 public:
  explicit Waiters(Sqs& sqs) : sqs_(sqs) {}
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  // Nothing is there for it: it waits until `until`.
  void wait(const Scope& queue_scope, const std::string& queue, const RequestContext& context,
            const ReceiveMessageInput& input, Deferred<ReceiveMessageOutput> reply, Time until);
  // Messages came, or became visible, with a transaction that was committed.
  void wake(const Scope& queue_scope, const std::string& queue);

 private:
  struct Waiter {
    RequestContext context;
    ReceiveMessageInput input;
    Deferred<ReceiveMessageOutput> reply;
    Time until;
    Control::TimerId timer = 0;
  };
  struct Line {
    std::deque<std::shared_ptr<Waiter>> waiters;  // shared with their timers
    std::optional<Time> due;                      // of the timer below
    Control::TimerId timer = 0;
  };
  using Place = std::pair<Scope, std::string>;
  void serve(const Place& place);
  bool serve_first(const Place& place, Line& line);
  void end(const Place& place, const std::shared_ptr<Waiter>& waiter);
  void look_again(const Place& place, Line& line);

  Sqs& sqs_;
  std::map<Place, Line> lines_;
};

}  // namespace brume::sqs
