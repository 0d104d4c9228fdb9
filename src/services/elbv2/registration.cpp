#include "services/elbv2/registration.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "gen/elbv2.h"
#include "services/elbv2/attributes.h"
#include "services/elbv2/reconciler.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

constexpr std::size_t kMostTargets = 1000;  // "Quotas for your Application Load Balancers"

bool parse_address(std::string_view text, std::uint32_t& address) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return false;
  address = 0;
  for (std::string_view part : parts) {
    std::int64_t octet = 0;
    if (part.empty() || part.size() > 3 || !parse_int(part, octet) || octet < 0 || octet > 255) return false;
    address = (address << 8) | static_cast<std::uint32_t>(octet);
  }
  return true;
}

bool is_in(std::uint32_t address, std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  std::uint32_t network = 0;
  std::int64_t bits = 0;
  if (slash == std::string_view::npos || !parse_address(cidr.substr(0, slash), network) ||
      !parse_int(cidr.substr(slash + 1), bits) || bits < 0 || bits > 32)
    return false;
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (address & mask) == (network & mask);
}

void check_address(const Elbv2& elbv2, const Scope& scope, const TargetGroupRecord& group, const std::string& text) {
  std::uint32_t address = 0;
  if (!parse_address(text, address))
    throw validation_error("The IP address '" + text + "' is not a valid IPv4 address");
  const auto cidrs = elbv2.needs.network.vpc_cidrs(scope, group.vpc);
  // AWS also takes addresses that a VPC reaches by peering, VPN or Direct Connect; there is nothing of these here.
  if (std::ranges::none_of(cidrs, [&](const std::string& cidr) { return is_in(address, cidr); }))
    throw invalid_target_exception("The IP address '" + text + "' is not within the CIDR blocks of the VPC '" +
                                   group.vpc + "' of the target group");
}

void tell_after_commit(Elbv2& elbv2, Tx& tx, const Scope& scope, const std::string& group) {
  elbv2.touch_group(tx, scope, group);
  tx.on_commit([&elbv2, scope, group] { elbv2.reconciler->tell_targets_changed(scope, group); });
}

}  // namespace

std::string target_key(const std::string& group_key, const std::string& address, std::int64_t port) {
  return group_key + "|" + address + ":" + std::to_string(port);
}

void register_address(Elbv2& elbv2, Tx& tx, const Scope& scope, const TargetGroupRecord& group,
                      const std::string& address, std::int64_t port) {
  if (group.target_type == "instance") throw invalid_target_exception("Instance ID '" + address + "' is not valid");
  check_address(elbv2, scope, group, address);
  TargetRecord record{.key = target_key(group.key, address, port), .group = group.key, .address = address};
  record.port = port;
  record.registration = elbv2.needs.random.hex(8);
  record.zone = elbv2.needs.network.zone_of_address(scope, group.vpc, address);
  const TargetRecord* existing = elbv2.targets.find(scope, record.key);
  if (existing != nullptr && !existing->draining) return;
  if (existing == nullptr && targets_of(elbv2, scope, group.key).size() >= kMostTargets)
    throw too_many_targets_exception("The maximum number of targets for the target group has been reached");
  const std::string key = record.key;
  elbv2.targets.put(tx, scope, key, std::move(record));
  tell_after_commit(elbv2, tx, scope, group.key);
}

void deregister_address(Elbv2& elbv2, Tx& tx, const Scope& scope, const TargetGroupRecord& group,
                        const std::string& address, std::int64_t port) {
  const std::string key = target_key(group.key, address, port);
  const TargetRecord* existing = elbv2.targets.find(scope, key);
  if (existing == nullptr || existing->draining) return;
  const std::int64_t delay =
      integer_attribute(target_group_attributes(), group.attributes, "deregistration_delay.timeout_seconds");
  if (balancer_using(elbv2, scope, group.key).empty() || delay == 0) {
    elbv2.targets.erase(tx, scope, key);
  } else {
    const Time drained = elbv2.needs.clock.now() + seconds(delay);
    elbv2.targets.modify(tx, scope, key, [&](TargetRecord& record) {
      record.draining = true;
      record.drained = drained;
    });
    tx.on_commit([&elbv2, scope, key, drained] { elbv2.reconciler->forget_target_at(scope, key, drained); });
  }
  tell_after_commit(elbv2, tx, scope, group.key);
}

}  // namespace brume::elbv2
