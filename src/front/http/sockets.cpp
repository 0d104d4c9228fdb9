#include "front/http/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace brume::http {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to its own limit
constexpr int kAttempts = 16;   // port 0: the port that IPv4 gave may be taken in IPv6

Fd make_socket(int family) { return Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

void set_option(int fd, int level, int name) {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

// 0, or errno.
int bind_and_listen(int fd, const sockaddr* address, socklen_t size) {
  if (::bind(fd, address, size) != 0 || ::listen(fd, kBacklog) != 0) return errno;
  return 0;
}

int listen_v4(Fd& fd, std::uint16_t port) {
  fd = make_socket(AF_INET);
  if (!fd) return errno;
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind_and_listen(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int listen_v6(Fd& fd, std::uint16_t port) {
  fd = make_socket(AF_INET6);
  if (!fd) return errno;
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  return bind_and_listen(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

std::string address_text(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
  } else if (storage.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
    // A dual-stack socket shows IPv4 clients as ::ffff:a.b.c.d; policies compare with the plain form.
    if (IN6_IS_ADDR_V4MAPPED(&address))
      ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
    else
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
  }
  return text;
}

std::uint16_t port_number(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  return 0;
}

}  // namespace

LoopbackSockets listen_loopback(std::uint16_t port) {
  LoopbackSockets sockets;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (const int error = listen_v4(sockets.v4, port); error != 0)
      throw PlaneError(PlaneError::Kind::permanent, "Port " + std::to_string(port) +
                                                        " of 127.0.0.1 cannot be listened on: " + std::strerror(error) +
                                                        ". Choose another with --port, or 0 for any free one.");
    sockets.port = port_of(sockets.v4.get());
    const int error = listen_v6(sockets.v6, sockets.port);
    if (error == 0) return sockets;
    sockets.v6.reset(-1);
    // Something else has the port in IPv6: with a given port that is none of our business, clients use 127.0.0.1.
    if (error != EADDRINUSE || port != 0) return sockets;
  }
  return sockets;
}

Fd listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw PlaneError(PlaneError::Kind::permanent, "The path of the socket " + path + " is too long.");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd = make_socket(AF_UNIX);
  if (!fd) throw_errno("socket");
  ::unlink(path.c_str());
  // The mode is set before anyone can connect: between bind and listen connections are refused.
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw_errno("bind " + path);
  if (::chmod(path.c_str(), 0600) != 0) throw_errno("chmod " + path);
  if (::listen(fd.get(), kBacklog) != 0) throw_errno("listen " + path);
  return fd;
}

Peer describe_peer(int fd) {
  Peer peer;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0) peer.address = address_text(storage);
  storage = {};
  size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
    peer.local_address = address_text(storage);
    peer.local_port = port_number(storage);
  }
  return peer;
}

std::optional<uid_t> peer_user(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

}  // namespace brume::http
