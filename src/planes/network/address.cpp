#include "planes/network/address.h"

#include <arpa/inet.h>

#include "core/error.h"
#include "core/text.h"

namespace brume::network {
namespace {

std::uint32_t mask(int prefix) { return prefix == 0 ? 0U : ~0U << (32 - prefix); }

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  return Ipv4{ntohl(parsed.s_addr)};
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<Ipv4> address = parse_ipv4(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  std::int64_t prefix = 0;
  if (!address || digits.size() > 2 || !parse_int(digits, prefix) || prefix < 0 || prefix > 32) return std::nullopt;
  const int bits = static_cast<int>(prefix);
  return Cidr{{address->value & mask(bits)}, bits};
}

bool is_ipv6_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  in6_addr parsed{};
  std::int64_t prefix = 0;
  return slash != std::string_view::npos &&
         inet_pton(AF_INET6, std::string(text.substr(0, slash)).c_str(), &parsed) == 1 &&
         parse_int(text.substr(slash + 1), prefix) && prefix >= 0 && prefix <= 128;
}

Ipv4 require_ipv4(std::string_view text) {
  if (const std::optional<Ipv4> address = parse_ipv4(text)) return *address;
  throw PlaneError(PlaneError::Kind::permanent, "not an IPv4 address: \"" + std::string(text) + "\"");
}

Cidr require_cidr(std::string_view text) {
  if (const std::optional<Cidr> cidr = parse_cidr(text)) return *cidr;
  throw PlaneError(PlaneError::Kind::permanent, "not an IPv4 CIDR block: \"" + std::string(text) + "\"");
}

std::string to_string(Ipv4 address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (!text.empty()) text += '.';
    text += std::to_string((address.value >> shift) & 0xFFU);
  }
  return text;
}

std::string to_string(Cidr cidr) { return to_string(cidr.network) + "/" + std::to_string(cidr.prefix); }

bool contains(Cidr outer, Ipv4 address) { return (address.value & mask(outer.prefix)) == outer.network.value; }

bool contains(Cidr outer, Cidr inner) { return outer.prefix <= inner.prefix && contains(outer, inner.network); }

}  // namespace brume::network
