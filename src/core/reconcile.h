// A keyed queue for a reconciler: each key's handler runs alone, again when the key was added meanwhile, and again
// later with exponential back-off when it failed. Level-triggered: how often a key was added does not matter. Control
// thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/runtime.h"

namespace brume {

class ReconcileLoop {
 public:
  struct Outcome {
    bool ok = true;
    std::string error;
    static Outcome done() { return {}; }
    static Outcome retry(std::string error) { return {false, std::move(error)}; }
  };
  // Answered once, on the control thread, now or later. Dropped unanswered, it counts as a failure.
  using Done = std::function<void(Outcome)>;
  // An exception that leaves the handler is a failure with its text.
  using Handler = std::function<void(const std::string& key, Done done)>;
  struct Backoff {
    Duration first = milliseconds(100);
    Duration cap = seconds(30);
  };

  // `name` appears in the log. The loop must be destroyed on the control thread, or after it has stopped.
  ReconcileLoop(Control& control, const Clock& clock, std::string name, Handler handler);
  ReconcileLoop(Control& control, const Clock& clock, std::string name, Handler handler, Backoff backoff);
  ~ReconcileLoop();
  ReconcileLoop(const ReconcileLoop&) = delete;
  ReconcileLoop& operator=(const ReconcileLoop&) = delete;

  // The handler runs soon, never inside this call. A key that waits out its back-off runs now.
  void add(const std::string& key);
  // The handler runs when `delay` has passed, sooner when the key is added before.
  void add_after(const std::string& key, Duration delay);
  // Neither queued, waiting nor running.
  bool idle() const;
  // The last failure of a key that has not succeeded since; empty otherwise.
  std::string error_of(const std::string& key) const;

 private:
  struct State;
  // Shared with posted functions and timers, which outlive the loop when it is destroyed first.
  std::shared_ptr<State> state_;
};

}  // namespace brume
