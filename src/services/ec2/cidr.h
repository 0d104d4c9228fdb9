// IPv4 blocks and addresses, and the ranges that EC2 refuses. Pure functions over values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brume::ec2 {

// An address in host byte order: 10.0.0.1 is 0x0a000001.
using IpAddress = std::uint32_t;

std::optional<IpAddress> parse_address(std::string_view text);
std::string address_text(IpAddress address);

struct Cidr {
  IpAddress address = 0;  // canonical: no bits outside the prefix
  int prefix = 0;

  IpAddress first() const { return address; }
  IpAddress last() const;
  std::uint64_t size() const { return std::uint64_t{1} << (32 - prefix); }
  bool contains(IpAddress other) const { return other >= first() && other <= last(); }
  bool contains(const Cidr& other) const { return contains(other.first()) && contains(other.last()); }
  bool overlaps(const Cidr& other) const { return contains(other.first()) || other.contains(first()); }
  bool operator==(const Cidr&) const = default;
};

// Bits outside the prefix are cleared, as EC2 does ("CreateVpc": 100.68.0.18/18 becomes 100.68.0.0/18).
std::optional<Cidr> parse_cidr(std::string_view text);
std::string to_string(const Cidr& cidr);

// An IPv6 block in its canonical text ("::/0"), or nullopt.
std::optional<std::string> canonical_ipv6_cidr(std::string_view text);

// Whether a VPC may have the block: /16 to /28, and none of the ranges that are loopback, link-local, multicast or
// the platform's own (198.18.0.0/15).
bool is_vpc_block(const Cidr& cidr);
// "VPC CIDR blocks: IPv4 CIDR block association restrictions": a VPC in one private range of RFC 1918 takes no block
// of another.
bool may_be_added(const Cidr& primary, const Cidr& secondary);

// The five addresses of a subnet that nobody gets: network, router, resolver, future use, broadcast
// ("Subnet CIDR blocks").
bool is_reserved_in_subnet(const Cidr& subnet, IpAddress address);
inline constexpr std::int64_t kReservedInSubnet = 5;

}  // namespace brume::ec2
