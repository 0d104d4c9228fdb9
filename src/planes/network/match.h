// A rule's protocol, ports and peer as the match part of an nft rule. Pure.
#pragma once

#include <optional>
#include <string>

namespace brume::network {

// "tcp dport 80-90 ", "icmp type 8 ", "" for all protocols. `protocol` is a name or number as EC2 knows them; the ports
// are type and code for ICMP; -1 is any. None when the rule can match no IPv4 packet (ICMPv6).
// Throws PlaneError{permanent} for a protocol or port that does not exist.
std::optional<std::string> match_protocol(const std::string& protocol, int from_port, int to_port);

// "ip saddr 10.0.0.0/8 " for direction "saddr"; "" for everywhere. None for an IPv6 block.
std::optional<std::string> match_cidr(const std::string& direction, const std::string& cidr);

}  // namespace brume::network
