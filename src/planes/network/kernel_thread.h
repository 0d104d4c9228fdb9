// The plane's one kernel thread: jobs in order, and sockets awaited in between. It lives in an empty network namespace
// of its own from birth. `post` is thread-safe; `await` is called on the thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/runtime.h"
#include "planes/network/descriptor.h"

namespace brume::network {

class KernelThread {
 public:
  KernelThread();
  ~KernelThread();  // jobs not begun are dropped
  KernelThread(const KernelThread&) = delete;
  KernelThread& operator=(const KernelThread&) = delete;

  void post(Function job);

  // Calls `then` when the socket is ready for `events` (poll's) or the deadline has passed (`ready` false).
  using Deadline = std::chrono::steady_clock::time_point;
  using Then = std::move_only_function<void(Descriptor socket, bool ready)>;
  void await(Descriptor socket, short events, Deadline deadline, Then then);

 private:
  struct Awaited {
    Descriptor socket;
    short events;
    Deadline deadline;
    Then then;
  };
  void run();
  bool take(Function& job);
  void wait();

  Descriptor wake_;
  std::mutex mutex_;
  std::deque<Function> jobs_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  std::vector<Awaited> awaited_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace brume::network
