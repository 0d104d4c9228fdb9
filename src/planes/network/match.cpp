#include "planes/network/match.h"

#include "core/error.h"
#include "core/text.h"
#include "planes/network/address.h"

namespace brume::network {
namespace {

constexpr int kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpV6 = 58, kAll = -1;

[[noreturn]] void refuse(const std::string& message) { throw PlaneError(PlaneError::Kind::permanent, message); }

int protocol_number(const std::string& protocol) {
  if (protocol == "tcp") return kTcp;
  if (protocol == "udp") return kUdp;
  if (protocol == "icmp") return kIcmp;
  if (protocol == "icmpv6") return kIcmpV6;
  if (protocol == "all") return kAll;
  std::int64_t number = 0;
  if (!parse_int(protocol, number) || number < -1 || number > 255) refuse("not a protocol: \"" + protocol + "\"");
  return static_cast<int>(number);
}

std::string match_ports(const std::string& name, int from, int to) {
  if (from == -1 && to == -1) return "meta l4proto " + name + " ";
  if (from < 0 || to > 65535 || from > to)
    refuse("not a port range: " + std::to_string(from) + "-" + std::to_string(to));
  if (from == 0 && to == 65535) return "meta l4proto " + name + " ";
  std::string text = name + " dport " + std::to_string(from);
  if (to != from) text += "-" + std::to_string(to);
  return text + " ";
}

std::string match_icmp(int type, int code) {
  if (type < -1 || type > 255 || code < -1 || code > 255) refuse("not an ICMP type and code");
  if (type == -1) return "meta l4proto icmp ";
  std::string text = "icmp type " + std::to_string(type) + " ";
  if (code != -1) text += "icmp code " + std::to_string(code) + " ";
  return text;
}

}  // namespace

std::optional<std::string> match_protocol(const std::string& protocol, int from_port, int to_port) {
  const int number = protocol_number(protocol);
  if (number == kAll) return "";
  if (number == kTcp) return match_ports("tcp", from_port, to_port);
  if (number == kUdp) return match_ports("udp", from_port, to_port);
  if (number == kIcmp) return match_icmp(from_port, to_port);
  if (number == kIcmpV6) return std::nullopt;
  // "Security group rules": for other protocols all ports are meant, whatever the rule says.
  return "meta l4proto " + std::to_string(number) + " ";
}

std::optional<std::string> match_cidr(const std::string& direction, const std::string& cidr) {
  if (is_ipv6_cidr(cidr)) return std::nullopt;
  const Cidr block = require_cidr(cidr);
  if (block.prefix == 0) return "";
  return "ip " + direction + " " + (block.prefix == 32 ? to_string(block.network) : to_string(block)) + " ";
}

}  // namespace brume::network
