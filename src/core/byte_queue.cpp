#include "core/byte_queue.h"

#include <utility>

namespace brume {

bool ByteQueue::write(std::string_view bytes) {
  std::function<void()> wake, closed;
  bool written = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || ended_) return false;
    if (bytes_.size() + bytes.size() > most_) {
      closed_ = broken_ = true;
      bytes_.clear();
      closed = std::exchange(on_close_, nullptr);
    } else {
      bytes_ += bytes;
      written = true;
    }
    wake = wake_;
  }
  if (wake) wake();
  if (closed) closed();
  return written;
}

void ByteQueue::end() {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    wake = wake_;
    on_close_ = nullptr;  // nobody is left to be told
  }
  if (wake) wake();
}

bool ByteQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void ByteQueue::on_close(std::function<void()> then) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      on_close_ = std::move(then);
      return;
    }
  }
  then();
}

void ByteQueue::on_write(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

std::string ByteQueue::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(bytes_, {});
}

bool ByteQueue::at_end() const {
  const std::lock_guard lock(mutex_);
  return ended_ && bytes_.empty();
}

bool ByteQueue::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void ByteQueue::close() {
  std::function<void()> closed;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    bytes_.clear();
    wake_ = nullptr;
    closed = std::exchange(on_close_, nullptr);
  }
  if (closed) closed();
}

}  // namespace brume
