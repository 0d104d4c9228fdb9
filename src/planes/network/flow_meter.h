// From the kernel's counts of packets, by flow and by how far they got, to what was accepted and rejected since the
// last reading. Pure apart from what it remembers; kernel thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "planes/network/flow_listing.h"
#include "planes/network/network.h"

namespace brume::network {

// The sets of the table, by what they hold: what an interface was seen to send or be sent, or what of that passed its
// groups and its subnet's ACL. The sets of TCP flags are among the former.
std::vector<std::string> flow_sets(bool passed);

class FlowMeter {
 public:
  // `seen` was listed before `passed`. `interfaces`: the ids by the routers' links. The first reading only remembers:
  // what was counted before may have been told by an earlier daemon.
  Flows read(const FlowListing& seen, const FlowListing& passed, const std::map<std::string, std::string>& interfaces);

 private:
  // Elements go when a flow is quiet and start anew with its next packet: `total` goes on.
  struct Count {
    Counter last, total;
    std::uint64_t reading = 0;  // the last one in which the element was there
  };
  struct State {
    Count seen, passed;
    Counter accepted, rejected;  // told so far
  };
  using Key = std::tuple<std::string, bool, int, std::string, std::string, int, int>;
  void take(const FlowListing& listing, bool passed);
  Flow difference(const Key& key, State& state) const;

  std::map<Key, State> states_;
  std::map<std::string, std::string> known_;  // interfaces by their links, also those that are gone
  std::uint64_t readings_ = 0;
};

}  // namespace brume::network
