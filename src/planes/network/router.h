// One VPC in the kernel: its router namespace, its sandboxes, its share of the internet namespace. Kernel thread.
// Throws PlaneError; after that the VPC has its former state or a part of the new one, and `apply` can be repeated.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "planes/network/flow_meter.h"
#include "planes/network/loaded_table.h"
#include "planes/network/namespaces.h"
#include "planes/network/network.h"
#include "planes/network/render.h"

namespace brume::network {

class Router {
 public:
  Router(const Namespaces& namespaces, std::string vpc_id, std::size_t transaction_limit_bytes);

  // Makes the VPC so. Says how many objects and statements the kernel was asked for.
  std::size_t apply(const Vpc& vpc);
  void remove();
  Counters counters();
  // The flows of logged interfaces since the last call.
  Flows flows();
  // The sockets of the services that the daemon serves in the router; the VPC was applied or is there from before.
  std::vector<Listener> open_listeners() const;
  // And of those at a service's address.
  std::vector<Listener> open_endpoint(const std::string& address) const;

 private:
  Topology observe_all() const;
  void check_sandboxes(const Topology& observed, const Topology& desired) const;

  const Namespaces& namespaces_;
  const std::string vpc_id_;
  LoadedTable table_;
  FlowMeter meter_;
  std::optional<Vpc> applied_;
  std::optional<Topology> observed_;  // none: the kernel must be asked
};

}  // namespace brume::network
