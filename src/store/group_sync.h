// The commit thread of --durable: writes are numbered as they are made, one thread syncs the log for all that came
// meanwhile, and whoever waits for a number is told when it is on disk. Owned by the store; thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/runtime.h"

namespace brume {

class GroupSync {
 public:
  // `sync` brings everything that was written before the call to disk; false when that cannot be said. It then ends the
  // program: what the system has dropped from its cache after a failed sync is on no disk, and another try would lie.
  explicit GroupSync(std::function<bool()> sync);
  GroupSync(const GroupSync&) = delete;
  GroupSync& operator=(const GroupSync&) = delete;
  ~GroupSync();  // syncs what is left and tells everybody

  // A write was made. After it, not before: a sync that has begun meanwhile does not count for it.
  void note_written();
  // Runs `then` when every write noted so far is on disk: at once when it is, else on the commit thread, in order.
  void when_synced(Function then);

 private:
  struct Waiter {
    std::uint64_t number;
    Function then;
  };
  void run();
  std::deque<Waiter> take_synced(std::uint64_t number);

  std::function<bool()> sync_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::uint64_t written_ = 0, synced_ = 0;
  std::deque<Waiter> waiters_;  // in the order of their numbers
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace brume
