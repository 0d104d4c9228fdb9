#include "planes/keeper/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/log.h"

namespace brume::keeper {
namespace {

constexpr std::size_t kOutBytes = 1ULL << 20U;  // lines wait in their spools above this

}  // namespace

Connection::Connection(Poller& poller, Descriptor socket, OnFrame on_frame, std::function<void(Connection&)> on_close)
    : poller_(poller), socket_(std::move(socket)), on_frame_(std::move(on_frame)), on_close_(std::move(on_close)) {
  token_ = poller_.add(socket_.get(), EPOLLIN, [this](std::uint32_t events) { ready(events); });
}

Connection::~Connection() { poller_.remove(token_); }

bool Connection::accepts_more() const { return out_.size() - sent_ < kOutBytes; }

void Connection::send(Message type, std::string_view payload) {
  append_frame(out_, static_cast<std::uint8_t>(type), payload);
  // A broken connection is noticed by the loop, which closes it.
  if (!writing_) flush();
}

bool Connection::flush() {
  while (sent_ < out_.size()) {
    const ssize_t sent = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;
    sent_ += static_cast<std::size_t>(sent);
  }
  const bool broken = sent_ < out_.size() && errno != EAGAIN;
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  } else if (sent_ > kOutBytes) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  const bool wants = !out_.empty() && !broken;
  if (wants != writing_) {
    writing_ = wants;
    poller_.modify(token_, wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
  return !broken;
}

bool Connection::receive() {
  std::array<char, 65'536> buffer;
  while (true) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    reader_.feed({buffer.data(), static_cast<std::size_t>(got)});
    while (std::optional<Frame> frame = reader_.next()) on_frame_(*this, *frame);
  }
}

void Connection::ready(std::uint32_t events) {
  bool open = true;
  try {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) open = receive();
    if (open && (events & EPOLLOUT) != 0) open = flush();
  } catch (const PlaneError& error) {
    log::error("keeper", error.message);
    open = false;
  }
  if (open) return;
  const auto on_close = on_close_;  // a copy: the call may destroy this connection
  on_close(*this);
}

}  // namespace brume::keeper
