// Network interfaces, made by CreateNetworkInterface, by NAT gateways and for other services. Control thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gen/ec2.h"
#include "services/ec2/ec2.h"

namespace brume::ec2 {

// "Network interface quotas": as many as the largest instance types take.
inline constexpr std::size_t kMostAddressesPerInterface = 50;

struct NewInterface {
  std::string subnet;
  std::vector<std::string> groups;     // empty: the VPC's default group
  std::vector<std::string> addresses;  // the primary first; empty: one is chosen
  std::size_t more_addresses = 0;      // chosen ones besides
  std::string description, type = "interface";
  std::string requester, instance_owner, sandbox, public_owner;  // see InterfaceRecord
  bool source_dest_check = true;
  bool assign_public_ip = false;
  std::string client_token;
  Tags tags;
};
// Checks everything and touches the VPC. Throws AWS's codes.
const InterfaceRecord& create_interface(Ec2& ec2, Tx& tx, const Scope& scope, NewInterface wanted);
// Gives its public address back, lets go of elastic IPs, touches the VPC.
void erase_interface(Ec2& ec2, Tx& tx, const Scope& scope, const InterfaceRecord& interface);

// `count` free addresses of the subnet that are not among `taken`. Throws InsufficientFreeAddressesInSubnet.
std::vector<std::string> choose_addresses(Ec2& ec2, const Scope& scope, const SubnetRecord& subnet, std::size_t count,
                                          const std::vector<std::string>& taken);
// Throws AWS's code for an address that the subnet does not have, reserves, or that somebody holds.
void check_address(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet, const std::string& address);

// Made and managed by a service: users may look at it and not touch it.
inline bool is_managed(const InterfaceRecord& interface) { return !interface.requester.empty(); }
// Throws AuthFailure for a managed one.
void check_not_managed(const InterfaceRecord& interface);

NetworkInterface interface_shape(const Ec2& ec2, const Scope& scope, const InterfaceRecord& interface);

}  // namespace brume::ec2
