// What one thread has made and the next has not taken: the workers' results for the control thread, its answers for the
// I/O thread. A megabyte each may be, and nothing else counts them, so whoever makes more than a few waits for the next
// thread. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace brume {

class Backlog {
 public:
  static constexpr std::size_t kMost = 32;

  // Counts until it is gone.
  class Item {
   public:
    explicit Item(std::shared_ptr<Backlog> backlog);
    Item(Item&& other) noexcept : backlog_(std::exchange(other.backlog_, nullptr)) {}
    Item& operator=(Item&&) = delete;
    ~Item();

   private:
    std::shared_ptr<Backlog> backlog_;  // shared with who makes and who takes; null: moved from
  };

  bool is_full() const;
  // Until it is not full, or lifted.
  void wait_for_room();
  // Nobody waits any more: the threads end.
  void lift();

 private:
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::size_t count_ = 0;
  bool lifted_ = false;
};

}  // namespace brume
