#include "services/ec2/cidr.h"

#include <arpa/inet.h>

#include <array>

#include "core/text.h"

namespace brume::ec2 {

namespace {

// Zero to `largest` in at most three digits, nothing else.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t largest) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value <= largest ? std::optional(value) : std::nullopt;
}

IpAddress mask_of(int prefix) { return prefix == 0 ? 0 : ~IpAddress{0} << (32 - prefix); }

constexpr Cidr kPrivate10{0x0a000000, 8};
constexpr Cidr kPrivate172{0xac100000, 12};
constexpr Cidr kPrivate192{0xc0a80000, 16};
constexpr std::array kRefused{
    Cidr{0x00000000, 8},   // "this network"
    Cidr{0x7f000000, 8},   // loopback
    Cidr{0xa9fe0000, 16},  // link-local: metadata and credentials live there
    Cidr{0xc6120000, 15},  // 198.18.0.0/15: the platform's endpoints and public addresses
    Cidr{0xe0000000, 3},   // multicast and reserved
};

const Cidr* private_range_of(const Cidr& cidr) {
  for (const Cidr* range : {&kPrivate10, &kPrivate172, &kPrivate192}) {
    if (range->overlaps(cidr)) return range;
  }
  return nullptr;
}

}  // namespace

std::optional<IpAddress> parse_address(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  IpAddress address = 0;
  for (const std::string_view part : parts) {
    const std::optional<std::uint32_t> byte = parse_number(part, 255);
    if (!byte) return std::nullopt;
    address = address << 8 | *byte;
  }
  return address;
}

std::string address_text(IpAddress address) {
  std::string text;
  for (const int shift : {24, 16, 8, 0}) {
    if (!text.empty()) text += '.';
    text += std::to_string(address >> shift & 0xff);
  }
  return text;
}

IpAddress Cidr::last() const { return address | ~mask_of(prefix); }

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<IpAddress> address = parse_address(text.substr(0, slash));
  const std::optional<std::uint32_t> prefix = parse_number(text.substr(slash + 1), 32);
  if (!address || !prefix) return std::nullopt;
  const int length = static_cast<int>(*prefix);
  return Cidr{*address & mask_of(length), length};
}

std::string to_string(const Cidr& cidr) { return address_text(cidr.address) + "/" + std::to_string(cidr.prefix); }

std::optional<std::string> canonical_ipv6_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint32_t> prefix = parse_number(text.substr(slash + 1), 128);
  std::array<unsigned char, 16> bytes{};
  if (!prefix || inet_pton(AF_INET6, std::string(text.substr(0, slash)).c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  for (std::size_t bit = *prefix; bit < 128; ++bit) {
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] & ~(0x80u >> bit % 8));
  }
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  return std::string(out.data()) + "/" + std::to_string(*prefix);
}

bool is_vpc_block(const Cidr& cidr) {
  if (cidr.prefix < 16 || cidr.prefix > 28) return false;
  for (const Cidr& range : kRefused) {
    if (range.overlaps(cidr)) return false;
  }
  return true;
}

bool may_be_added(const Cidr& primary, const Cidr& secondary) {
  const Cidr* range = private_range_of(secondary);
  const Cidr* own = private_range_of(primary);
  return range == nullptr || own == nullptr || range == own;
}

bool is_reserved_in_subnet(const Cidr& subnet, IpAddress address) {
  return address < subnet.first() + 4 || address == subnet.last();
}

}  // namespace brume::ec2
