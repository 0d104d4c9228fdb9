// Listening sockets: making them, and the addresses of accepted ones.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "front/http/exchange.h"
#include "front/http/fd.h"

namespace brume::http {

// The loopback port in both families. Port 0 picks a free one. Without IPv6 on this machine `v6` is empty.
struct LoopbackSockets {
  Fd v4, v6;
  std::uint16_t port = 0;
};
// Throws PlaneError{permanent} that says what to do when the port is taken.
LoopbackSockets listen_loopback(std::uint16_t port);

// A unix socket that only its owner can connect to. An abandoned one at the path is replaced.
Fd listen_unix(const std::string& path);

// The addresses of a connected socket.
Peer describe_peer(int fd);
// The user at the other end of a unix socket.
std::optional<uid_t> peer_user(int fd);

}  // namespace brume::http
