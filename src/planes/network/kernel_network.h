// The network plane on the real kernel. Its methods are called on the control thread; the work is done on one kernel
// thread and answered on the control thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "core/runtime.h"
#include "planes/keeper/keeper.h"
#include "planes/network/network.h"

namespace brume::network {

struct Options {
  std::string run_directory;  // "/run/brume/ID": namespaces are bound below it
  std::string instance_id;    // labels what is made: another instance's namespaces are not adopted
  // The most text of one nft transaction. The kernel limits a netlink message to the socket's send buffer, which only
  // real root may grow; none: as much as this process's rights allow.
  std::optional<std::size_t> transaction_limit_bytes;
};

// `keeper` and `control` must outlive it. Nothing is done before `recover`.
std::unique_ptr<Network> make_network(Options options, Keeper& keeper, Control& control);

// Makes RUN/netns and shares it, so that namespaces made later are seen by a keeper that has a mount namespace of its
// own: called before that keeper is started. Throws PlaneError.
void prepare_run_directory(const std::string& run_directory);

}  // namespace brume::network
