// Writes that nobody can answer for: what was observed of the world, a timer's doing. Tried at once and then each
// second for as long as the store refuses them (its disk is full); a later write of the same key takes an earlier one's
// place. Owned by services; control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/runtime.h"

namespace brume {

class PendingWrites {
 public:
  // `name` appears in the log.
  PendingWrites(Control& control, const Clock& clock, std::string name);
  PendingWrites(const PendingWrites&) = delete;
  PendingWrites& operator=(const PendingWrites&) = delete;

  // `function` makes its transaction; a StoreError that leaves it has undone it.
  void write(const std::string& key, std::function<void()> function);
  bool empty() const { return state_->waiting.empty(); }

 private:
  struct State {
    Control& control;
    const Clock& clock;
    const std::string name;
    std::map<std::string, std::function<void()>> waiting;
    bool timer = false;
  };
  static bool try_now(State& state, const std::function<void()>& function);
  static void try_later(const std::shared_ptr<State>& state);
  // Shared with the timer, which may outlive its owner.
  std::shared_ptr<State> state_;
};

}  // namespace brume
