// IPv4 addresses and CIDR blocks as values. Pure functions; every text that reaches the kernel or nft went through
// these, so that nothing a user wrote is ever passed on verbatim.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brume::network {

struct Ipv4 {
  std::uint32_t value = 0;  // host byte order
  auto operator<=>(const Ipv4&) const = default;
};

struct Cidr {
  Ipv4 network;  // host bits are zero
  int prefix = 0;
  auto operator<=>(const Cidr&) const = default;
};

std::optional<Ipv4> parse_ipv4(std::string_view text);
std::optional<Cidr> parse_cidr(std::string_view text);  // host bits are cleared, as EC2 does
bool is_ipv6_cidr(std::string_view text);

// Throw PlaneError{permanent} that names the text.
Ipv4 require_ipv4(std::string_view text);
Cidr require_cidr(std::string_view text);

std::string to_string(Ipv4 address);
std::string to_string(Cidr cidr);

constexpr Ipv4 operator+(Ipv4 address, std::uint32_t offset) { return {address.value + offset}; }
constexpr Cidr host(Ipv4 address) { return {address, 32}; }
bool contains(Cidr outer, Ipv4 address);
bool contains(Cidr outer, Cidr inner);

}  // namespace brume::network
