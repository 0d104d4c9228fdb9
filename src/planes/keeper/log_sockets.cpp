#include "planes/keeper/log_sockets.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "planes/keeper/children.h"

namespace brume::keeper {
namespace {

constexpr std::size_t kMessageBytes = 64ULL << 10U;
constexpr int kMessagesPerEvent = 512;

Descriptor current_network_namespace() { return Descriptor(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)); }

}  // namespace

// A datagram socket holds as many unread messages as net.unix.max_dgram_qlen of the network namespace that it was made
// in says: ten, by default, which loses one HAProxy line in eight under load (measured). The host's value is not ours
// to change, so the sockets are made in an empty namespace that exists for this only; a path is reached from every one.
LogSockets::LogSockets(Poller& poller, Outbox& outbox)
    : poller_(poller), outbox_(outbox), own_namespace_(current_network_namespace()) {
  if (::unshare(CLONE_NEWNET) != 0) {
    log::warning("keeper", std::string("log sockets keep the default queue: ") + std::strerror(errno));
    return;
  }
  const Descriptor limit(::open("/proc/sys/net/unix/max_dgram_qlen", O_WRONLY | O_CLOEXEC));
  constexpr std::string_view kMessages = "20000";
  if (::write(limit.get(), kMessages.data(), kMessages.size()) < 0) {
    log::warning("keeper", std::string("max_dgram_qlen: ") + std::strerror(errno));
  }
  quiet_namespace_ = current_network_namespace();
  BRUME_CHECK(::setns(own_namespace_.get(), CLONE_NEWNET) == 0);
}

LogSockets::~LogSockets() { close_all(); }

void LogSockets::close_all() {
  while (!sockets_.empty()) close(std::string(sockets_.begin()->first));
}

Descriptor LogSockets::make_socket() const {
  if (quiet_namespace_) BRUME_CHECK(::setns(quiet_namespace_.get(), CLONE_NEWNET) == 0);
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (quiet_namespace_) BRUME_CHECK(::setns(own_namespace_.get(), CLONE_NEWNET) == 0);
  return socket;
}

void LogSockets::open(const std::string& path, const std::string& id) {
  if (const auto existing = sockets_.find(id); existing != sockets_.end()) {
    if (existing->second.path == path && ::access(path.c_str(), F_OK) == 0) return;
    close(id);
  }
  Descriptor descriptor = make_socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    log::error("keeper", "log socket " + path + ": the path is too long");
    return;
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  if (!descriptor || ::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0666) != 0) {  // the logging program has another user; the directory guards the socket
    log::error("keeper", "log socket " + path + ": " + std::strerror(errno));
    return;
  }
  Socket& socket = sockets_[id];
  socket.descriptor = std::move(descriptor);
  socket.path = path;
  socket.feed = &outbox_.open(id);
  socket.token = poller_.add(socket.descriptor.get(), EPOLLIN, [this, &socket](std::uint32_t) { receive(socket); });
}

void LogSockets::receive(Socket& socket) {
  std::vector<char> buffer(kMessageBytes);  // not of the thread: every thread of the process would be given one
  const std::int64_t at = now_ms();
  for (int i = 0; i < kMessagesPerEvent; ++i) {
    const ssize_t got = ::recv(socket.descriptor.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return;
    std::string_view text(buffer.data(), static_cast<std::size_t>(got));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.remove_suffix(1);
    socket.feed->append(Stream::out, at, text);
  }
}

void LogSockets::close(const std::string& id) {
  const auto found = sockets_.find(id);
  if (found == sockets_.end()) return;
  poller_.remove(found->second.token);
  ::unlink(found->second.path.c_str());
  sockets_.erase(found);
  outbox_.close(id);
}

}  // namespace brume::keeper
