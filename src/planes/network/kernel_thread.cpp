#include "planes/network/kernel_thread.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "core/log.h"
#include "planes/network/namespaces.h"

namespace brume::network {

KernelThread::KernelThread() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw_errno("eventfd");
  thread_ = std::thread([this] { run(); });
}

KernelThread::~KernelThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void KernelThread::post(Function job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ::eventfd_write(wake_.get(), 1);
}

void KernelThread::await(Descriptor socket, short events, Deadline deadline, Then then) {
  awaited_.push_back({std::move(socket), events, deadline, std::move(then)});
}

bool KernelThread::take(Function& job) {
  const std::lock_guard lock(mutex_);
  if (jobs_.empty()) return false;
  job = std::move(jobs_.front());
  jobs_.pop_front();
  return true;
}

void KernelThread::run() {
  try {
    leave_host_namespace();
  } catch (const PlaneError& error) {
    // Every job will say so: without this right no namespace can be made either.
    log::error("network", std::string("no network namespace can be made: ") + error.what());
  }
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    Function job;
    if (take(job))
      job();
    else
      wait();
  }
}

void KernelThread::wait() {
  std::vector<pollfd> polls = {{wake_.get(), POLLIN, 0}};
  auto earliest = Deadline::max();
  for (const Awaited& awaited : awaited_) {
    polls.push_back({awaited.socket.get(), awaited.events, 0});
    earliest = std::min(earliest, awaited.deadline);
  }
  int timeout_ms = -1;
  if (earliest != Deadline::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(earliest - std::chrono::steady_clock::now()).count();
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  if (::poll(polls.data(), polls.size(), timeout_ms) < 0) return;
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  const auto now = std::chrono::steady_clock::now();
  // `then` may await anew: take the finished ones out first.
  std::vector<std::pair<Awaited, bool>> finished;
  std::vector<Awaited> rest;
  for (std::size_t i = 0; i < awaited_.size(); ++i) {
    const bool ready = polls[i + 1].revents != 0;
    if (ready || awaited_[i].deadline <= now)
      finished.emplace_back(std::move(awaited_[i]), ready);
    else
      rest.push_back(std::move(awaited_[i]));
  }
  awaited_ = std::move(rest);
  for (auto& [awaited, ready] : finished) awaited.then(std::move(awaited.socket), ready);
}

}  // namespace brume::network
