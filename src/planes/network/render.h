// A VPC rendered: the kernel objects and the nftables table that make it behave. Pure functions; a Vpc that contradicts
// itself (a subnet without its route table, a text that is no address) throws PlaneError{permanent}.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "planes/network/address.h"
#include "planes/network/network.h"
#include "planes/network/nft_table.h"
#include "planes/network/topology.h"

namespace brume::network {

// Brume's own addresses (DECISIONS 9). Public addresses are the only sources and destinations that the internet
// namespace carries for VPCs.
inline constexpr const char* kEndpointPool = "198.18.0.0/16";
inline constexpr const char* kPublicPool = "198.19.0.0/16";
inline constexpr const char* kInternetDns = "198.18.0.1";
inline constexpr const char* kInternetEndpoint = "198.18.0.2";
// The addresses of services that have gateway endpoints, one per service and region: within the endpoint pool.
inline constexpr const char* kServicePool = "198.18.64.0/23";
// What a load balancer sees as the client when a tool inside `brume exec` asks it.
inline constexpr const char* kInternetClient = "198.18.0.3";

// The addresses that every VPC's router answers on, apart from the resolver at the VPC's base plus two ("Amazon DNS
// server", "Instance metadata", "Task IAM roles").
inline constexpr const char* kLinkLocalDns = "169.254.169.253";
inline constexpr const char* kMetadata = "169.254.169.254";
inline constexpr const char* kCredentials = "169.254.170.2";

std::string router_namespace(std::string_view vpc_id);    // the file name below RUN/netns
std::string sandbox_namespace(std::string_view sandbox);  // any text, made safe for a file name
inline constexpr const char* kInternetNamespace = "internet";
inline constexpr const char* kGatewayLink = "igw0";         // the router's end of the way to the internet namespace
inline constexpr const char* kTapLink = "tap0";             // the internet namespace's way to the real internet
std::string interface_link(std::string_view interface_id);  // "eni-" and 11 digits of a digest: at most 15 characters
std::string internet_link(std::string_view vpc_id);         // "vpc-" and the same

Ipv4 resolver_address(const Vpc& vpc);  // base of the primary CIDR block plus two

// The device names that interfaces have already, by sandbox namespace and interface: kept, new ones take free names.
using DeviceNames = std::map<std::pair<std::string, std::string>, std::string>;
// Throws PlaneError{permanent} for what cannot be (an interface in a subnet that the VPC lacks).
Topology render_topology(const Vpc& vpc, const DeviceNames& device_names);

// The table of the VPC's router namespace.
NftTable render_table(const Vpc& vpc);
// Its parts for what the router itself answers as a gateway endpoint, and for the counting of flows. They change what
// the others have rendered.
class VpcIndex;
void add_service_endpoints(const VpcIndex& index, NftTable& table);
void add_flow_counting(const VpcIndex& index, NftTable& table);
// The counters of that table, by the ids they stand for.
Counters read_counters(const NftCounters& counters);

// The internet namespace's own table. `endpoints`: the addresses, protocols ("tcp", "udp") and ports that VPCs may
// reach in it. `egress`: whether VPCs' traffic may leave by the tap for the real internet.
using Endpoints = std::set<std::tuple<std::string, std::string, int>>;
NftTable render_internet_table(const Endpoints& endpoints, bool egress);
// The internet namespace's objects that belong to no VPC. It is labelled with the instance whose it is.
NamespaceState render_internet_namespace(const std::string& instance_id);

}  // namespace brume::network
