#include "planes/network/flow_meter.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/text.h"

namespace brume::network {
namespace {

constexpr std::array<std::string_view, 2> kDirections = {"out", "in"};
constexpr std::array<std::string_view, 3> kKinds = {"tcp", "udp", "other"};
constexpr std::size_t kMostElements = 65'535;
constexpr int kTcp = 6, kUdp = 17;

// "Available fields: tcp-flags": the bits of FIN, SYN, RST; ACK counts only together with SYN.
struct FlagSet {
  std::string_view name;
  int bits;
};
constexpr std::array<FlagSet, 4> kFlagSets = {{{"flow.fin", 1}, {"flow.syn", 2}, {"flow.rst", 4}, {"flow.synack", 18}}};

std::string set_name(std::string_view direction, bool passed, std::string_view kind) {
  std::string name = "flow.";
  name += direction;
  name += passed ? "_passed." : "_seen.";
  name += kind;
  return name;
}

int number(const std::string& text) {
  std::int64_t value = 0;
  parse_int(text, value);
  return static_cast<int>(value);
}

// nft prints the names of protocols that it knows.
int protocol_number(const std::string& text) {
  static const std::map<std::string, int, std::less<>> kNames = {
      {"icmp", 1},   {"igmp", 2},  {"tcp", 6},       {"udp", 17}, {"esp", 50},       {"ah", 51},  {"comp", 108},
      {"sctp", 132}, {"dccp", 33}, {"udplite", 136}, {"gre", 47}, {"ipv6-icmp", 58}, {"ipv6", 41}};
  const auto found = kNames.find(text);
  return found == kNames.end() ? number(text) : found->second;
}

Counter minus(const Counter& a, const Counter& b) {
  return {a.packets > b.packets ? a.packets - b.packets : 0, a.bytes > b.bytes ? a.bytes - b.bytes : 0};
}
Counter plus(const Counter& a, const Counter& b) { return {a.packets + b.packets, a.bytes + b.bytes}; }

}  // namespace

std::vector<std::string> flow_sets(bool passed) {
  std::vector<std::string> names;
  for (const std::string_view direction : kDirections)
    for (const std::string_view kind : kKinds) names.push_back(set_name(direction, passed, kind));
  if (!passed)
    for (const FlagSet& set : kFlagSets) names.emplace_back(set.name);
  return names;
}

void FlowMeter::take(const FlowListing& listing, bool passed) {
  for (const std::string_view direction : kDirections)
    for (const std::string_view kind : kKinds) {
      const auto set = listing.find(set_name(direction, passed, kind));
      if (set == listing.end()) continue;
      for (const auto& [parts, counted] : set->second) {
        if (parts.size() != (kind == "other" ? 4U : 5U)) continue;
        const int protocol = kind == "tcp" ? kTcp : kind == "udp" ? kUdp : protocol_number(parts[3]);
        const bool has_ports = kind != "other";
        State& state = states_[{parts[0], direction == "in", protocol, parts[1], parts[2],
                                has_ports ? number(parts[3]) : 0, has_ports ? number(parts[4]) : 0}];
        Count& count = passed ? state.passed : state.seen;
        const Counter now{counted.first, counted.second};
        // One that was away, or counts less than before, is a new element.
        const bool goes_on = count.reading + 1 == readings_ && now.packets >= count.last.packets;
        count.total = plus(count.total, goes_on ? minus(now, count.last) : now);
        count.last = now;
        count.reading = readings_;
      }
    }
}

Flow FlowMeter::difference(const Key& key, State& state) const {
  const auto& [link, ingress, protocol, source, destination, source_port, destination_port] = key;
  Flow flow{.interface = link,
            .ingress = ingress,
            .source = source,
            .destination = destination,
            .protocol = protocol,
            .source_port = source_port,
            .destination_port = destination_port};
  flow.accepted = minus(state.passed.total, state.accepted);
  // What passed while the listing went on was not seen in it, which can only hide rejected packets until the next one.
  flow.rejected = minus(minus(state.seen.total, state.passed.total), state.rejected);
  state.accepted = state.passed.total;
  state.rejected = plus(state.rejected, flow.rejected);
  return flow;
}

Flows FlowMeter::read(const FlowListing& seen, const FlowListing& passed,
                      const std::map<std::string, std::string>& interfaces) {
  ++readings_;
  known_.insert(interfaces.begin(), interfaces.end());
  take(seen, false);
  take(passed, true);
  Flows result;
  result.complete = readings_ > 1;
  for (const FlowListing* listing : {&seen, &passed})
    for (const auto& [name, elements] : *listing)
      if (elements.size() >= kMostElements) result.complete = false;
  for (auto& [key, state] : states_) {
    Flow flow = difference(key, state);
    const auto interface = known_.find(flow.interface);
    if (readings_ == 1 || interface == known_.end()) continue;
    if (flow.accepted.packets == 0 && flow.rejected.packets == 0) continue;
    flow.interface = interface->second;
    for (const FlagSet& set : kFlagSets) {
      const auto flags = seen.find(std::string(set.name));
      const FlowKey parts = {flow.source, flow.destination, std::to_string(flow.source_port),
                             std::to_string(flow.destination_port)};
      if (flow.protocol == kTcp && flags != seen.end() && flags->second.contains(parts)) flow.tcp_flags |= set.bits;
    }
    result.flows.push_back(std::move(flow));
  }
  std::erase_if(states_, [&](const auto& item) {
    return item.second.seen.reading != readings_ && item.second.passed.reading != readings_;
  });
  std::erase_if(known_, [&](const auto& item) {
    return !interfaces.contains(item.first) &&
           std::ranges::none_of(states_, [&](const auto& state) { return std::get<0>(state.first) == item.first; });
  });
  return result;
}

}  // namespace brume::network
