// What make_resolver builds, with the parts a test replaces. See names.h for the contract.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "planes/names/forwarder.h"
#include "planes/names/names.h"

namespace brume::names {

struct ResolverOptions {
  std::function<std::vector<Upstream>()> upstreams = host_upstreams;
  // Three attempts end before a client's own five seconds (resolv.conf(5), timeout) do.
  std::chrono::milliseconds attempt{1500};
  std::chrono::milliseconds idle{10'000};  // of a TCP connection
};
std::unique_ptr<Resolver> make_resolver(Zone& zone, ResolverOptions options);

// True for names that never leave this machine although they are not ours: special-use names (RFC 6761, 6762, 6303),
// the reverse trees of private and of Brume's own address ranges, and ".internal", under which the clouds that may host
// this machine keep their metadata services.
bool is_local_only_name(std::string_view name);

}  // namespace brume::names
