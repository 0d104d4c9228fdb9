// The real balancer plane: HAProxy processes as the keeper's children. Called on the control thread; files and admin
// sockets are handled on a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/runtime.h"
#include "planes/balancer/balancer.h"
#include "planes/keeper/keeper.h"

namespace brume::balancer {

struct HaproxyOptions {
  // Holds one directory per load balancer. Short: a socket's path has room for 107 characters.
  std::string directory;
  std::string program = "/usr/sbin/haproxy";
  std::uint32_t uid = 64'100, gid = 64'100;  // nobody else's
  int threads = 2;
};

// `keeper` and `control` must outlive it. Destroying it leaves the processes running.
std::unique_ptr<Balancer> make_haproxy_balancer(HaproxyOptions options, Keeper& keeper, Control& control);

}  // namespace brume::balancer
