#include "planes/keeper/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/error.h"

namespace brume::keeper {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw_errno("epoll_create1");
}

Poller::~Poller() { ::close(epoll_); }

Poller::Token Poller::add(int descriptor, std::uint32_t events, Callback callback) {
  const Token token = next_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) throw_errno("epoll_ctl");
  watches_.emplace(token, Watch{descriptor, std::make_shared<Callback>(std::move(callback))});
  return token;
}

void Poller::modify(Token token, std::uint32_t events) {
  const auto found = watches_.find(token);
  if (found == watches_.end()) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, found->second.descriptor, &event) != 0) throw_errno("epoll_ctl");
}

void Poller::remove(Token token) {
  const auto found = watches_.find(token);
  if (found == watches_.end()) return;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, found->second.descriptor, nullptr);
  watches_.erase(found);
}

Poller::Token Poller::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  const Token token = next_++;
  timers_.emplace(token, Timer{std::chrono::steady_clock::now() + delay, std::move(callback)});
  return token;
}

void Poller::cancel(Token timer) { timers_.erase(timer); }

int Poller::timeout_ms() const {
  if (timers_.empty()) return -1;
  const auto next = std::ranges::min_element(timers_, {}, [](const auto& entry) { return entry.second.when; });
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next->second.when - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Poller::run_once() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms());
  if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
  for (int i = 0; i < count; ++i) {
    // Copies: the kernel's structure is packed, so its members may not be referred to.
    const Token token = events[static_cast<std::size_t>(i)].data.u64;
    const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    const auto found = watches_.find(token);
    if (found == watches_.end()) continue;  // removed by a callback before it
    const std::shared_ptr<Callback> callback = found->second.callback;
    (*callback)(what);
  }
  run_timers();
}

void Poller::run_timers() {
  const Moment now = std::chrono::steady_clock::now();
  while (true) {
    const auto due = std::ranges::find_if(timers_, [&](const auto& entry) { return entry.second.when <= now; });
    if (due == timers_.end()) return;
    const std::function<void()> callback = std::move(due->second.callback);
    timers_.erase(due);
    callback();
  }
}

}  // namespace brume::keeper
