// The internet namespace: Brume's endpoints on "lo", the public addresses of every VPC behind its link, the tap to the
// real internet when there is one. Kernel thread. Throws PlaneError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "planes/network/loaded_table.h"
#include "planes/network/namespaces.h"
#include "planes/network/network.h"
#include "planes/network/render.h"

namespace brume::network {

class Internet {
 public:
  Internet(const Namespaces& namespaces, std::string instance_id, std::size_t transaction_limit_bytes);

  // Makes the namespace, or adopts the one that is there; another instance's is refused. Says how many objects and
  // statements the kernel was asked for.
  std::size_t ensure();
  std::size_t set_egress(bool allowed);
  std::vector<Listener> open_listeners() const;
  // A listening TCP socket on an address of the endpoint pool, which VPCs may reach from now on.
  Descriptor listen(const std::string& address, std::uint16_t port);
  void remove();  // it is not used after that

  // Whether the tap has its address and the default route leads over it.
  bool has_tap() const;
  // A socket that becomes readable when links, addresses or routes of the namespace change.
  Descriptor watch() const;

 private:
  std::size_t load();

  const Namespaces& namespaces_;
  const std::string instance_id_;
  LoadedTable table_;
  std::set<Ipv4> more_addresses_;
  Endpoints endpoints_;
  bool egress_ = false;
  bool ensured_ = false;
};

}  // namespace brume::network
