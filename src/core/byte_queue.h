// Bytes of an answer that is made while it is sent: one writer, one reader, which may be on different threads.
// Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace brume {

class ByteQueue {
 public:
  // A reader that leaves more than `most` bytes waiting is given up.
  explicit ByteQueue(std::size_t most) : most_(most) {}
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;

  // The writer's. False: the reader is gone, or too slow, and what is written is dropped.
  bool write(std::string_view bytes);
  void end();
  bool closed() const;
  // `then` is called once, on any thread, when the reader is gone or given up; at once if it already is.
  void on_close(std::function<void()> then);

  // The reader's. `wake` is called on the writer's thread when there is something to take, or the end has come.
  void on_write(std::function<void()> wake);
  std::string take();   // what waits; empty: nothing
  bool at_end() const;  // ended, and all is taken
  bool broken() const;  // given up: what was written is not whole
  void close();

 private:
  mutable std::mutex mutex_;
  std::size_t most_;
  std::string bytes_;
  std::function<void()> wake_, on_close_;
  bool ended_ = false, closed_ = false, broken_ = false;
};

}  // namespace brume
