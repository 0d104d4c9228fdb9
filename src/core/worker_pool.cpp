#include "core/worker_pool.h"

#include <utility>

namespace brume {

WorkerPool::WorkerPool(Control& control, std::size_t threads, std::shared_ptr<Backlog> backlog)
    : control_(control), backlog_(std::move(backlog)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::run(Function job, Function then) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back({std::move(job), std::move(then), control_.hold()});
  }
  wake_.notify_one();
}

void WorkerPool::stop() {
  std::deque<Work> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  backlog_->lift();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::work() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    backlog_->wait_for_room();
    [&]() noexcept { work.job(); }();
    // What the job captured goes before the answer does: `then` may rely on files being closed.
    work.job = nullptr;
    if (work.then) control_.post([then = std::move(work.then), item = Backlog::Item(backlog_)]() mutable { then(); });
  }
}

}  // namespace brume
