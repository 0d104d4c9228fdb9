#include "core/backlog.h"

namespace brume {

Backlog::Item::Item(std::shared_ptr<Backlog> backlog) : backlog_(std::move(backlog)) {
  const std::lock_guard lock(backlog_->mutex_);
  ++backlog_->count_;
}

Backlog::Item::~Item() {
  if (backlog_ == nullptr) return;
  {
    const std::lock_guard lock(backlog_->mutex_);
    --backlog_->count_;
  }
  backlog_->room_.notify_one();
}

bool Backlog::is_full() const {
  const std::lock_guard lock(mutex_);
  return count_ >= kMost;
}

void Backlog::wait_for_room() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return count_ < kMost || lifted_; });
}

void Backlog::lift() {
  {
    const std::lock_guard lock(mutex_);
    lifted_ = true;
  }
  room_.notify_all();
}

}  // namespace brume
