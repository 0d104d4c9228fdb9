#include "core/reconcile.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/log.h"

namespace brume {

struct ReconcileLoop::State : std::enable_shared_from_this<State> {
  struct Key {
    bool running = false;
    bool queued = false;  // posted, or to run again after the present run
    int failures = 0;
    std::string error;
    Control::TimerId timer = 0;  // of a back-off or an add_after; 0: none
  };

  State(Control& control_, const Clock& clock_, std::string name_, Handler handler_, Backoff backoff_)
      : control(control_), clock(clock_), name(std::move(name_)), handler(std::move(handler_)), backoff(backoff_) {}

  void add(const std::string& id) {
    Key& key = keys[id];
    cancel_timer(key);
    if (key.queued) return;
    key.queued = true;
    if (!key.running) post_run(id);
  }

  void add_after(const std::string& id, Duration delay) {
    Key& key = keys[id];
    if (key.queued) return;
    cancel_timer(key);
    key.timer = control.at(clock.now() + delay, [weak = weak_from_this(), id] {
      const std::shared_ptr<State> self = weak.lock();
      if (!self || self->closed) return;
      self->keys[id].timer = 0;
      self->add(id);
    });
  }

  void post_run(const std::string& id) {
    control.post([weak = weak_from_this(), id] {
      const std::shared_ptr<State> self = weak.lock();
      if (self && !self->closed) self->run(id);
    });
  }

  // Answers with a failure when the handler lets go of it.
  struct Answer {
    Answer(std::weak_ptr<State> state_, std::string id_) : state(std::move(state_)), id(std::move(id_)) {}
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() { give(Outcome::retry("the handler dropped its answer")); }
    void give(Outcome outcome) {
      if (std::exchange(given, true)) return;
      const std::shared_ptr<State> self = state.lock();
      if (self && !self->closed) self->finished(id, std::move(outcome));
    }
    std::weak_ptr<State> state;
    std::string id;
    bool given = false;
  };

  void run(const std::string& id) {
    Key& key = keys[id];
    key.queued = false;
    key.running = true;
    const auto answer = std::make_shared<Answer>(weak_from_this(), id);
    try {
      handler(id, [answer](Outcome outcome) { answer->give(std::move(outcome)); });
    } catch (const std::exception& error) {
      answer->give(Outcome::retry(error.what()));
    }
  }

  void finished(const std::string& id, Outcome outcome) {
    Key& key = keys[id];
    key.running = false;
    const bool again = std::exchange(key.queued, false);
    if (!outcome.ok) {
      if (key.error != outcome.error) log::warning(name, id + ": " + outcome.error);
      key.error = std::move(outcome.error);
      // Also when the key was added meanwhile: a handler whose failure adds its own key must not spin.
      add_after(id, delay_after(++key.failures));
      return;
    }
    if (key.failures > 0) log::info(name, id + ": recovered");
    key.failures = 0;
    key.error.clear();
    if (again) {
      add(id);
    } else if (key.timer == 0) {
      keys.erase(id);
    }
  }

  Duration delay_after(int failures) const {
    Duration delay = backoff.first;
    for (int i = 1; i < failures && delay < backoff.cap; ++i) delay.ms *= 2;
    return std::min(delay, backoff.cap);
  }

  void cancel_timer(Key& key) {
    if (key.timer != 0) control.cancel(std::exchange(key.timer, 0));
  }

  Control& control;
  const Clock& clock;
  std::string name;
  Handler handler;
  Backoff backoff;
  std::map<std::string, Key> keys;
  bool closed = false;
};

ReconcileLoop::ReconcileLoop(Control& control, const Clock& clock, std::string name, Handler handler)
    : ReconcileLoop(control, clock, std::move(name), std::move(handler), Backoff()) {}

ReconcileLoop::ReconcileLoop(Control& control, const Clock& clock, std::string name, Handler handler, Backoff backoff)
    : state_(std::make_shared<State>(control, clock, std::move(name), std::move(handler), backoff)) {}

ReconcileLoop::~ReconcileLoop() {
  state_->closed = true;
  for (auto& [id, key] : state_->keys) state_->cancel_timer(key);
}

void ReconcileLoop::add(const std::string& key) { state_->add(key); }
void ReconcileLoop::add_after(const std::string& key, Duration delay) { state_->add_after(key, delay); }
bool ReconcileLoop::idle() const { return state_->keys.empty(); }

std::string ReconcileLoop::error_of(const std::string& key) const {
  const auto found = state_->keys.find(key);
  return found == state_->keys.end() ? std::string() : found->second.error;
}

}  // namespace brume
