#include "planes/names/connections.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "planes/names/message.h"

namespace brume::names {
namespace {

constexpr std::size_t kMostConnections = 256;
constexpr std::size_t kMostQuestionsUnderWay = 32;
constexpr std::size_t kMostUnsentBytes = 256 * 1024;

}  // namespace

struct Connections::Connection {
  int descriptor = -1;
  std::string view, input, output;
  std::size_t under_way = 0;
  bool ended = false;   // the client sends no more
  bool asking = false;  // ask_all is at work and will go on by itself
  Poller::TimerId timer = 0;

  bool may_read() const { return !ended && under_way < kMostQuestionsUnderWay && output.size() < kMostUnsentBytes; }
};

Connections::Connections(Poller& poller, std::chrono::milliseconds idle, Ask ask)
    : poller_(poller), idle_(idle), ask_(std::move(ask)) {}

Connections::~Connections() {
  while (!connections_.empty()) close(connections_.begin()->first);
}

void Connections::accept_from(const std::string& view, int listener) {
  const int descriptor = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) return;
  if (connections_.size() >= kMostConnections) {
    ::close(descriptor);
    return;
  }
  const std::uint64_t id = next_++;
  auto connection = std::make_unique<Connection>();
  connection->descriptor = descriptor;
  connection->view = view;
  connections_[id] = std::move(connection);
  poller_.add(descriptor, EPOLLIN, [this, id](std::uint32_t events) { ready(id, events); });
  watch(id);
}

void Connections::close_view(const std::string& view) {
  std::vector<std::uint64_t> closing;
  for (const auto& [id, connection] : connections_)
    if (connection->view == view) closing.push_back(id);
  for (std::uint64_t id : closing) close(id);
}

void Connections::ready(std::uint64_t id, std::uint32_t events) {
  Connection& connection = *connections_.at(id);
  if (((events & EPOLLOUT) != 0 && !flush(connection)) || (events & (EPOLLERR | EPOLLHUP)) != 0) {
    close(id);
    return;
  }
  if ((events & EPOLLIN) != 0 && connection.may_read() && !receive(connection)) {
    close(id);
    return;
  }
  ask_all(id);
}

bool Connections::receive(Connection& connection) {
  std::array<char, 16384> buffer{};
  const ssize_t size = recv(connection.descriptor, buffer.data(), buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) connection.ended = true;
  connection.input.append(buffer.data(), static_cast<std::size_t>(size));
  return true;
}

void Connections::ask_all(std::uint64_t id) {
  while (true) {
    const auto found = connections_.find(id);  // an answer may have closed it
    if (found == connections_.end()) return;
    Connection& connection = *found->second;
    connection.asking = true;
    // The length stands where a datagram has its id.
    const std::size_t length = message_id(connection.input);
    if (connection.under_way >= kMostQuestionsUnderWay || connection.input.size() < 2 ||
        connection.input.size() < length + 2) {
      connection.asking = false;
      break;
    }
    std::string message = connection.input.substr(2, length);
    connection.input.erase(0, length + 2);
    ++connection.under_way;
    ask_(connection.view, std::move(message), [this, id](const std::string& answer) { reply(id, answer); });
  }
  watch(id);
}

void Connections::reply(std::uint64_t id, const std::string& message) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  --connection.under_way;
  connection.output.push_back(static_cast<char>(message.size() >> 8));
  connection.output.push_back(static_cast<char>(message.size() & 0xff));
  connection.output += message;
  if (message.empty() || !flush(connection)) {
    close(id);
    return;
  }
  if (!connection.asking) ask_all(id);
}

bool Connections::flush(Connection& connection) {
  while (!connection.output.empty()) {
    const ssize_t sent = send(connection.descriptor, connection.output.data(), connection.output.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.output.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

// Waits for what the connection can do next, and closes it when it has nothing left to do.
void Connections::watch(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (connection.ended && connection.under_way == 0 && connection.output.empty()) {
    close(id);
    return;
  }
  std::uint32_t events = 0;
  if (connection.may_read()) events |= EPOLLIN;
  if (!connection.output.empty()) events |= EPOLLOUT;
  poller_.change(connection.descriptor, events);
  if (connection.timer != 0) poller_.cancel(connection.timer);
  connection.timer = poller_.after(idle_, [this, id] { close(id); });
}

void Connections::close(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  poller_.cancel(found->second->timer);
  poller_.remove(found->second->descriptor);
  ::close(found->second->descriptor);
  connections_.erase(found);
}

}  // namespace brume::names
