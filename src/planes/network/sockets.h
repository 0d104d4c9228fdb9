// Sockets made inside a namespace: a socket stays in the namespace it was made in, wherever its thread goes. Kernel
// thread. Throws PlaneError{transient}.
#pragma once

#include <cstdint>
#include <string>

#include "planes/network/address.h"
#include "planes/network/descriptor.h"
#include "planes/network/namespaces.h"

namespace brume::network {

enum class Transport { tcp, udp };
// Bound, and listening if TCP; blocking.
Descriptor open_listener(const Namespaces& namespaces, const std::string& name, Transport transport, Ipv4 address,
                         std::uint16_t port);
// The same for TCP on an address that the namespace does not have, but routes to itself in some table.
Descriptor open_transparent_listener(const Namespaces& namespaces, const std::string& name, Ipv4 address,
                                     std::uint16_t port);
// A TCP connection under way: non-blocking, writable when it is made or has failed (`finish_connect` tells).
Descriptor begin_connect(const Namespaces& namespaces, const std::string& name, Ipv4 address, std::uint16_t port);
// Makes the socket blocking. "" when it is connected, else why not.
std::string finish_connect(int socket);

}  // namespace brume::network
