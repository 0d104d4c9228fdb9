#include "planes/network/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace brume::network {
namespace {

sockaddr_in socket_address(Ipv4 address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(address.value);
  return result;
}

std::string place(Ipv4 address, std::uint16_t port, const std::string& name) {
  return to_string(address) + ":" + std::to_string(port) + " in " + name;
}

Descriptor bound_socket(const Namespaces& namespaces, const std::string& name, Transport transport, Ipv4 address,
                        std::uint16_t port, bool transparent) {
  const Entered entered(namespaces.open(name));
  const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
  Descriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("socket");
  const int on = 1;
  // Connections of an earlier daemon may still be closing.
  if (transport == Transport::tcp) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (transparent && ::setsockopt(socket.get(), IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) != 0)
    throw_errno("IP_TRANSPARENT");
  const sockaddr_in local = socket_address(address, port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0)
    throw_errno("bind " + place(address, port, name));
  if (transport == Transport::tcp && ::listen(socket.get(), 1024) != 0)
    throw_errno("listen " + place(address, port, name));
  return socket;
}

}  // namespace

Descriptor open_listener(const Namespaces& namespaces, const std::string& name, Transport transport, Ipv4 address,
                         std::uint16_t port) {
  return bound_socket(namespaces, name, transport, address, port, false);
}

Descriptor open_transparent_listener(const Namespaces& namespaces, const std::string& name, Ipv4 address,
                                     std::uint16_t port) {
  return bound_socket(namespaces, name, Transport::tcp, address, port, true);
}

Descriptor begin_connect(const Namespaces& namespaces, const std::string& name, Ipv4 address, std::uint16_t port) {
  const Entered entered(namespaces.open(name));
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw_errno("socket");
  const sockaddr_in remote = socket_address(address, port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0 && errno != EINPROGRESS)
    throw_errno("connect " + place(address, port, name));
  return socket;
}

std::string finish_connect(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return std::strerror(error);
  const int flags = ::fcntl(socket, F_GETFL);
  ::fcntl(socket, F_SETFL, flags & ~O_NONBLOCK);
  return "";
}

}  // namespace brume::network
