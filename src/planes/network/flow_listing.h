// What nft prints of the sets in which packets are counted, as values. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace brume::network {

// Set → element, its parts as nft prints them → packets and bytes (zero for sets that do not count).
using FlowKey = std::vector<std::string>;
using FlowListing = std::map<std::string, std::map<FlowKey, std::pair<std::uint64_t, std::uint64_t>>>;

// Reads the answer of `list set` for one or more sets.
FlowListing parse_flows(const std::string& listing);

}  // namespace brume::network
