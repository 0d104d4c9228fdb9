// What runs where. One control thread runs every handler, transaction and plan; a small pool of workers runs whatever
// takes longer than a millisecond; results come back to the control thread as posted functions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/time.h"

namespace brume {

using Function = std::move_only_function<void()>;

// The control thread's queue and timers. `post` is thread-safe; the rest is called on the control thread.
class Control {
 public:
  virtual ~Control() = default;
  virtual void post(Function function) = 0;
  using TimerId = std::uint64_t;
  // Runs `function` when the cloud's clock reaches `when`. Timers fire in order of their moments.
  virtual TimerId at(Time when, Function function) = 0;
  virtual void cancel(TimerId timer) = 0;  // a fired or unknown timer is no error

  // Something is under way whose outcome belongs to this moment: while it is held, an advance of the clock stays here
  // for a while. Thread-safe. Shared, because callbacks that carry it may be copied.
  using Hold = std::shared_ptr<void>;
  virtual Hold hold() { return nullptr; }
};

// Runs jobs off the control thread. `then` is posted to the control thread after `job` has ended.
// An exception that leaves `job` aborts: jobs catch and carry their own failures.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual void run(Function job, Function then) = 0;
};

}  // namespace brume
