#include "store/pending_writes.h"

#include <utility>

#include "core/log.h"
#include "store/store.h"

namespace brume {

PendingWrites::PendingWrites(Control& control, const Clock& clock, std::string name)
    : state_(std::make_shared<State>(State{control, clock, std::move(name), {}})) {}

void PendingWrites::write(const std::string& key, std::function<void()> function) {
  state_->waiting.erase(key);
  if (try_now(*state_, function)) return;
  state_->waiting[key] = std::move(function);
  if (!std::exchange(state_->timer, true)) try_later(state_);
}

bool PendingWrites::try_now(State& state, const std::function<void()>& function) {
  try {
    function();
    return true;
  } catch (const StoreError& error) {
    if (state.waiting.empty()) log::warning(state.name, "a change waits until it can be written: " + error.message);
    return false;
  }
}

void PendingWrites::try_later(const std::shared_ptr<State>& state) {
  state->control.at(state->clock.now() + seconds(1), [weak = std::weak_ptr(state)] {
    const std::shared_ptr<State> alive = weak.lock();
    if (!alive) return;
    for (auto& [key, function] : std::exchange(alive->waiting, {})) {
      // What the writes before it brought about may have replaced this one.
      if (alive->waiting.contains(key)) continue;
      if (!try_now(*alive, function)) alive->waiting[key] = std::move(function);
    }
    alive->timer = !alive->waiting.empty();
    if (alive->timer) try_later(alive);
  });
}

}  // namespace brume
