// What unit tests stand on: a clock that is set by hand, a runtime without threads, a directory that goes away. Tests
// only.
#pragma once

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "core/control_loop.h"
#include "core/error.h"
#include "core/runtime.h"
#include "core/time.h"

namespace brume {

class ManualClock final : public Clock {
 public:
  // 2026-03-01T12:00:00Z
  explicit ManualClock(Time start = {1'772'366'400'000}) : now_(start.ms) {}
  Time now() const override { return {now_.load()}; }
  void set(Time time) { now_ = time.ms; }
  void advance(Duration span) { now_ += span.ms; }

 private:
  std::atomic<std::int64_t> now_;
};

// Runs jobs on the control loop: in order, off the caller's stack, without threads.
class ManualWorkers final : public Workers {
 public:
  explicit ManualWorkers(Control& control) : control_(control) {}
  void run(Function job, Function then) override {
    control_.post([this, job = std::move(job), then = std::move(then)]() mutable {
      job();
      job = nullptr;
      if (then) control_.post(std::move(then));
    });
  }

 private:
  Control& control_;
};

struct ManualRuntime {
  ManualClock clock;
  ControlLoop control{clock};
  ManualWorkers workers{control};

  void run() { control.run_until_idle(); }
  // Lets `span` pass: each timer on the way fires at its own moment.
  void advance(Duration span) {
    const Time end = clock.now() + span;
    run();
    while (control.next_timer() && *control.next_timer() <= end) {
      if (*control.next_timer() > clock.now()) clock.set(*control.next_timer());
      run();
    }
    clock.set(end);
  }
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "brume-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp " + name);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace brume
