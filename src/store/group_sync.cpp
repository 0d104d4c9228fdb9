#include "store/group_sync.h"

#include <utility>

#include "core/error.h"
#include "core/fault.h"
#include "core/log.h"

namespace brume {

GroupSync::GroupSync(std::function<bool()> sync) : sync_(std::move(sync)), thread_([this] { run(); }) {}

GroupSync::~GroupSync() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void GroupSync::note_written() {
  {
    const std::lock_guard lock(mutex_);
    ++written_;
  }
  wake_.notify_one();
}

void GroupSync::when_synced(Function then) {
  {
    const std::lock_guard lock(mutex_);
    // Not before those who came earlier: whoever waits is told in order.
    if (synced_ != written_ || !waiters_.empty()) {
      waiters_.push_back({written_, std::move(then)});
      return;
    }
  }
  then();
}

std::deque<GroupSync::Waiter> GroupSync::take_synced(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  synced_ = number;
  std::deque<Waiter> told;
  while (!waiters_.empty() && waiters_.front().number <= number) {
    told.push_back(std::move(waiters_.front()));
    waiters_.pop_front();
  }
  return told;
}

void GroupSync::run() {
  while (true) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || synced_ != written_; });
      if (synced_ == written_) return;
      number = written_;
    }
    fault_point("store.sync");
    if (!sync_()) {
      log::error("store", "the disk does not keep what was written: the daemon ends; start it again when it does");
      BRUME_CHECK(false && "the log can be synced");
    }
    fault_point("store.synced");
    for (Waiter& waiter : take_synced(number)) waiter.then();
  }
}

}  // namespace brume
