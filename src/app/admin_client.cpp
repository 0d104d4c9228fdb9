#include "app/admin_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace brume::app {
namespace {

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

pid_t admin_process(const Instance& instance) {
  const int fd = connect_unix(instance.admin_socket());
  if (fd < 0) return 0;
  ucred daemon{};
  socklen_t size = sizeof daemon;
  const bool is_told = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &daemon, &size) == 0;
  close(fd);
  return is_told ? daemon.pid : 0;
}

std::optional<AdminAnswer> admin_call(const Instance& instance, std::string_view method, std::string_view target) {
  int fd = connect_unix(instance.admin_socket());
  if (fd < 0) return std::nullopt;
  const std::string request = std::string(method) + " " + std::string(target) +
                              " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  std::string text;
  char buffer[16384];
  if (send_all(fd, request)) {
    for (ssize_t count = 0; (count = recv(fd, buffer, sizeof buffer, 0)) > 0;)
      text.append(buffer, static_cast<std::size_t>(count));
  }
  close(fd);
  std::size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos || text.size() < 12) return std::nullopt;
  return AdminAnswer{std::atoi(text.c_str() + 9), text.substr(head + 4)};
}

std::string ask_daemon(const Instance& instance, std::string_view method, std::string_view target) {
  std::optional<AdminAnswer> answer = admin_call(instance, method, target);
  if (!answer) throw std::runtime_error("no cloud is up in " + instance.state + " (brume up)");
  if (answer->status != 200) throw std::runtime_error(answer->body);
  return std::move(answer->body);
}

}  // namespace brume::app
