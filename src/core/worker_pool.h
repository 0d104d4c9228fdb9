// A few threads for what takes longer than a millisecond: file bodies, hashing, long reads. Made by app.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/backlog.h"
#include "core/runtime.h"

namespace brume {

class WorkerPool final : public Workers {
 public:
  // `backlog`: of what the control thread has not taken yet; shared with whoever takes what it makes of it.
  WorkerPool(Control& control, std::size_t threads, std::shared_ptr<Backlog> backlog = std::make_shared<Backlog>());
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() override;  // stops

  // Thread-safe. Jobs start in the order given.
  void run(Function job, Function then) override;
  // Waits for the jobs that run; those that have not started are dropped. Before the control loop ends.
  void stop();

 private:
  struct Work {
    Function job, then;
    Control::Hold hold;
  };
  void work();

  Control& control_;
  std::shared_ptr<Backlog> backlog_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace brume
