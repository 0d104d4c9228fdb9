// The parts of test_world.h.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/error.h"
#include "core/text.h"
#include "planes/balancer/test_world.h"

namespace brume::testing {
namespace {

sockaddr_in place(const std::string& address, int port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Reads one message: head and, by its Content-Length, body. False at the end of the connection.
bool read_message(int socket, std::string& head, std::string& body) {
  std::string text;
  std::array<char, 4096> buffer;
  std::size_t end = std::string::npos, size = 0;
  while (true) {
    if (end == std::string::npos && (end = text.find("\r\n\r\n")) != std::string::npos) {
      head = text.substr(0, end + 4);
      std::int64_t length = 0;
      parse_int(TestReply{.head = head}.header("content-length"), length);
      size = end + 4 + static_cast<std::size_t>(length);
    }
    if (end != std::string::npos && text.size() >= size) break;
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  body = text.substr(end + 4, size - end - 4);
  return true;
}

std::string word(const std::string& text, int index) {
  const auto parts = split(std::string_view(text).substr(0, text.find("\r\n")), ' ');
  return static_cast<std::size_t>(index) < parts.size() ? std::string(parts[static_cast<std::size_t>(index)]) : "";
}

}  // namespace

TestNetwork::TestNetwork(const std::vector<std::string>& addresses) {
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) return;
    std::string command = "ip link set lo up";
    for (const std::string& address : addresses) command += " && ip addr add " + address + "/32 dev lo";
    if (std::system(command.c_str()) == 0) descriptor_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  }).join();
  if (descriptor_ < 0) throw PlaneError(PlaneError::Kind::permanent, "cannot make a network namespace: not root?");
}

TestNetwork::~TestNetwork() { ::close(descriptor_); }

std::string TestNetwork::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_);
}

void TestNetwork::inside(const std::function<void()>& function) const {
  std::thread([&] {
    enter();
    function();
  }).join();
}

int TestNetwork::listen(const std::string& address, int port) const {
  int result = -1;
  inside([&] {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in at = place(address, port);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(socket, 64) == 0)
      result = socket;
    else
      ::close(socket);
  });
  return result;
}

int TestNetwork::connect(const std::string& address, int port) const {
  int socket = -1;
  inside([&] { socket = connect_here(address, port); });
  return socket;
}

void TestNetwork::enter() const { BRUME_CHECK(::setns(descriptor_, CLONE_NEWNET) == 0); }

int TestNetwork::connect_here(const std::string& address, int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{.tv_sec = 20};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const sockaddr_in at = place(address, port);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return socket;
  ::close(socket);
  return -1;
}

TestTarget::TestTarget(const TestNetwork& network, std::string address, int port, std::string name)
    : address_(std::move(address)), name_(std::move(name)), port_(port), listener_(network.listen(address_, port)) {
  BRUME_CHECK(listener_ >= 0);
  acceptor_ = std::thread([this] { accept_all(); });
}

TestTarget::~TestTarget() {
  kill();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return connections_.empty(); });
}

void TestTarget::kill() {
  {
    const std::lock_guard lock(mutex_);
    if (killed_) return;
    killed_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  changed_.notify_all();
  acceptor_.join();
  ::close(listener_);
}

void TestTarget::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

void TestTarget::accept_all() {
  while (true) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::lock_guard lock(mutex_);
    if (killed_) {
      ::close(connection);
      return;
    }
    connections_.push_back(connection);
    std::thread([this, connection] { serve(connection); }).detach();  // the destructor waits for them
  }
}

void TestTarget::serve(int connection) {
  std::string head, body;
  while (read_message(connection, head, body) && send_all(connection, answer(head)) &&
         to_lower(TestReply{.head = head}.header("connection")) != "close") {
  }
  const std::lock_guard lock(mutex_);
  std::erase(connections_, connection);
  ::close(connection);
  changed_.notify_all();
}

std::string TestTarget::answer(const std::string& head) {
  const std::string path = word(head, 1);
  int code = status;
  if (path.starts_with("/health")) {
    code = health_status;
  } else {
    ++served;
  }
  if (path == "/wait") {
    std::unique_lock lock(mutex_);
    ++waiting;
    changed_.wait(lock, [this] { return released_ || killed_; });
    --waiting;
  }
  const std::string body = path.starts_with("/head") ? head : name_ + " " + path;
  return "HTTP/1.1 " + std::to_string(code) + " Whatever\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string TestReply::header(std::string_view name) const {
  for (std::string_view line : split(head, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), name))
      return std::string(trim(line.substr(colon + 1)));
  }
  return {};
}

namespace {

TestReply ask_and_close(int connection, const std::string& method, const std::string& path,
                        const std::string& headers) {
  if (connection < 0) return {};
  TestReply reply;
  if (send_all(connection, method + " " + path + " HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n") &&
      read_message(connection, reply.head, reply.body))
    reply.status = std::atoi(word(reply.head, 1).c_str());
  ::close(connection);
  return reply;
}

}  // namespace

TestReply fetch(const TestNetwork& network, const std::string& address, int port, const std::string& path,
                const std::string& headers, const std::string& method) {
  return ask_and_close(network.connect(address, port), method, path, headers);
}

TestReply exchange(int connection, const std::string& path) {
  TestReply reply;
  if (send_all(connection, "GET " + path + " HTTP/1.1\r\nHost: app.example.com\r\n\r\n") &&
      read_message(connection, reply.head, reply.body))
    reply.status = std::atoi(word(reply.head, 1).c_str());
  return reply;
}

TestLoad::TestLoad(const TestNetwork& network, std::string address, int port, std::string path, int clients)
    : network_(network), address_(std::move(address)), path_(std::move(path)), port_(port) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this, i] { run(i % 2 == 0); });
}

void TestLoad::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::map<std::string, int> TestLoad::by_body() {
  const std::lock_guard lock(mutex_);
  return bodies_;
}

void TestLoad::run(bool keep) {
  network_.enter();
  int connection = -1;
  std::map<std::string, int> bodies;
  while (!stopping_) {
    TestReply reply;
    if (keep) {
      if (connection < 0) connection = TestNetwork::connect_here(address_, port_);
      reply = exchange(connection, path_);
      // The server may say that it closes: the next request needs another connection.
      if (reply.status == 0 || to_lower(reply.header("connection")) == "close") {
        ::close(connection);
        connection = -1;
      }
    } else {
      reply = ask_and_close(TestNetwork::connect_here(address_, port_), "GET", path_, "Host: app.example.com\r\n");
    }
    ++bodies[reply.body];
    reply.status == 200 ? ++answered_ : ++failed_;
  }
  if (connection >= 0) ::close(connection);
  const std::lock_guard lock(mutex_);
  for (const auto& [body, count] : bodies) bodies_[body] += count;
}

}  // namespace brume::testing
