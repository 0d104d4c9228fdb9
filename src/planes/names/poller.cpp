#include "planes/names/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/error.h"

namespace brume::names {

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (epoll_ < 0 || event_ < 0) throw_errno("epoll");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) != 0) throw_errno("epoll_ctl");
}

Poller::~Poller() {
  close(epoll_);
  close(event_);
}

void Poller::add(int descriptor, std::uint32_t events, Handler handler) {
  const std::uint64_t token = next_++;
  epoll_event event{.events = events, .data = {.u64 = token}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) throw_errno("epoll_ctl");
  tokens_[descriptor] = token;
  watches_[token] = std::make_shared<Watch>(descriptor, std::move(handler));
}

void Poller::change(int descriptor, std::uint32_t events) {
  const auto token = tokens_.find(descriptor);
  BRUME_CHECK(token != tokens_.end());
  epoll_event event{.events = events, .data = {.u64 = token->second}};
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) != 0) throw_errno("epoll_ctl");
}

void Poller::remove(int descriptor) {
  const auto token = tokens_.find(descriptor);
  if (token == tokens_.end()) return;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  watches_.erase(token->second);
  tokens_.erase(token);
}

Poller::TimerId Poller::after(std::chrono::milliseconds span, std::function<void()> function) {
  const TimerId timer = next_++;
  const Moment when = std::chrono::steady_clock::now() + span;
  timers_.emplace(std::pair(when, timer), std::move(function));
  deadlines_[timer] = when;
  return timer;
}

void Poller::cancel(TimerId timer) {
  const auto deadline = deadlines_.find(timer);
  if (deadline == deadlines_.end()) return;
  timers_.erase({deadline->second, timer});
  deadlines_.erase(deadline);
}

int Poller::wait_ms() const {
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first.first - std::chrono::steady_clock::now();
  if (left <= left.zero()) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

void Poller::run_timers() {
  const Moment now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto function = std::move(timers_.begin()->second);
    deadlines_.erase(timers_.begin()->first.second);
    timers_.erase(timers_.begin());
    function();
  }
}

void Poller::run_once() {
  std::array<epoll_event, 64> events{};
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
  if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
  for (int i = 0; i < count; ++i) {
    // Copied out: the kernel's structure is packed, its members must not be bound to references.
    const std::uint64_t token = events[static_cast<std::size_t>(i)].data.u64;
    const std::uint32_t ready = events[static_cast<std::size_t>(i)].events;
    if (token == 0) {
      std::uint64_t value = 0;
      while (read(event_, &value, sizeof value) > 0) continue;
      continue;
    }
    // A handler before this one may have removed it: its token is then gone, even if the descriptor's number is in use
    // again.
    const auto found = watches_.find(token);
    if (found == watches_.end()) continue;
    const std::shared_ptr<Watch> watch = found->second;
    watch->handler(ready);
  }
  run_timers();
}

void Poller::wake() {
  const std::uint64_t one = 1;
  // A full counter wakes as well.
  [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
}

}  // namespace brume::names
