// Turns of the control thread for other threads: what is too short to be worth waking another thread, a request most of
// all, runs where it is. "The control thread" is whoever has the turn: one function runs at a time, and sees what those
// before it did. ControlLoop gives them; the front door takes them on its I/O thread.
#pragma once

#include "core/runtime.h"

namespace brume {

class Turns {
 public:
  virtual ~Turns() = default;
  // Thread-safe. Runs `function` at once on the calling thread when nothing else runs or waits, else posts it. Whether
  // it has run.
  virtual bool perform(Function function) = 0;
};

}  // namespace brume
