// What EC2 keeps. Desired state, written by handlers, unless a member is marked observed: those are the reconciler's.
// Associations live on the thing that has exactly one of them (a subnet's route table and ACL, a VPC's main table).
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "aws/tags.h"
#include "core/time.h"

namespace brume::ec2 {

// One per account and region, made at first sight together with the default VPC.
struct RegionRecord {
  std::string dhcp_options;  // dopt-…: the default set, the only one
  Tags dhcp_tags;
};
BOOST_DESCRIBE_STRUCT(RegionRecord, (), (dhcp_options, dhcp_tags))

struct CidrAssociation {
  std::string id;  // vpc-cidr-assoc-…
  std::string cidr;
};
BOOST_DESCRIBE_STRUCT(CidrAssociation, (), (id, cidr))

struct VpcRecord {
  std::string id;
  std::vector<CidrAssociation> cidrs;  // the primary first
  bool is_default = false;
  bool dns_support = true;
  bool dns_hostnames = false;
  bool network_address_usage_metrics = false;
  std::string main_route_table, main_association;
  std::string default_acl, default_group;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(VpcRecord, (),
                      (id, cidrs, is_default, dns_support, dns_hostnames, network_address_usage_metrics,
                       main_route_table, main_association, default_acl, default_group, tags))

// A VPC that may have a namespace. Written before the plane makes one, erased after it is removed.
struct NetworkRecord {
  std::string vpc;
};
BOOST_DESCRIBE_STRUCT(NetworkRecord, (), (vpc))

struct SubnetRecord {
  std::string id, vpc, cidr, zone;
  bool default_for_az = false;
  bool map_public_ip_on_launch = false;
  std::string hostname_type = "ip-name";
  bool resource_name_dns_a_record = false;
  std::string route_table, route_table_association;  // empty: the VPC's main table
  std::string acl, acl_association;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(SubnetRecord, (),
                      (id, vpc, cidr, zone, default_for_az, map_public_ip_on_launch, hostname_type,
                       resource_name_dns_a_record, route_table, route_table_association, acl, acl_association, tags))

struct RouteRecord {
  std::string cidr;         // empty: the destination is a prefix list
  std::string target;       // igw-…, nat-…, eni-…; the local routes are not kept, they follow the VPC's blocks
  std::string prefix_list;  // pl-…
};
BOOST_DESCRIBE_STRUCT(RouteRecord, (), (cidr, target, prefix_list))

struct RouteTableRecord {
  std::string id, vpc;
  std::vector<RouteRecord> routes;
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(RouteTableRecord, (), (id, vpc, routes, client_token, tags))

struct InternetGatewayRecord {
  std::string id;
  std::string vpc;  // attached to; empty: to none
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(InternetGatewayRecord, (), (id, vpc, tags))

// An elastic IP address.
struct AddressRecord {
  std::string id;  // eipalloc-…
  std::string public_ip;
  std::string association;  // eipassoc-…; empty: not associated
  std::string interface, private_ip;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(AddressRecord, (), (id, public_ip, association, interface, private_ip, tags))

// Who holds a public address, over all accounts and regions: kept under the address itself in a scope of its own.
struct PublicAddressRecord {
  std::string account, region, holder;  // eipalloc-… or eni-…
};
BOOST_DESCRIBE_STRUCT(PublicAddressRecord, (), (account, region, holder))

struct NatGatewayRecord {
  std::string id, subnet, vpc;
  std::string allocation, association, interface, private_ip, public_ip;
  std::string state = "pending";  // `available` and `deleted` are observed
  std::string failure_code, failure_message;
  Time created, available, deleted;
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(NatGatewayRecord, (),
                      (id, subnet, vpc, allocation, association, interface, private_ip, public_ip, state, failure_code,
                       failure_message, created, available, deleted, client_token, tags))

struct GroupRecord {
  std::string id, vpc, name, description;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(GroupRecord, (), (id, vpc, name, description, tags))

struct GroupRuleRecord {
  std::string id, group;
  bool egress = false;
  std::string protocol;  // "-1", "tcp", "udp", "icmp", "icmpv6" or a number
  std::int64_t from_port = -1, to_port = -1;
  std::string cidr, cidr6, peer_group, prefix_list;  // exactly one
  std::string description;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(GroupRuleRecord, (),
                      (id, group, egress, protocol, from_port, to_port, cidr, cidr6, peer_group, prefix_list,
                       description, tags))

struct InterfaceRecord {
  std::string id, vpc, subnet, zone, mac, description;
  std::vector<std::string> addresses;  // private, the primary first
  std::vector<std::string> groups;
  bool source_dest_check = true;
  std::string type = "interface";
  // Of interfaces that a service made: who manages it, whose attachment it is, and the namespace it is plugged into.
  std::string requester, instance_owner, attachment, sandbox;
  std::string public_ip, public_owner;  // assigned to the primary address without an elastic IP
  bool plugged = false;                 // observed
  Time attached;
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(InterfaceRecord, (),
                      (id, vpc, subnet, zone, mac, description, addresses, groups, source_dest_check, type, requester,
                       instance_owner, attachment, sandbox, public_ip, public_owner, plugged, attached, client_token,
                       tags))

struct AclEntryRecord {
  std::int64_t number = 0;
  bool egress = false, allow = false;
  std::string protocol;  // a number, "-1" for all
  std::string cidr, cidr6;
  std::int64_t from_port = -1, to_port = -1;
  std::int64_t icmp_type = -1, icmp_code = -1;
};
BOOST_DESCRIBE_STRUCT(AclEntryRecord, (),
                      (number, egress, allow, protocol, cidr, cidr6, from_port, to_port, icmp_type, icmp_code))

struct AclRecord {
  std::string id, vpc;
  bool is_default = false;
  std::vector<AclEntryRecord> entries;  // by direction and number; the closing denies are not kept
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(AclRecord, (), (id, vpc, is_default, entries, client_token, tags))

struct PrefixListEntryRecord {
  std::string cidr, description;
  bool operator==(const PrefixListEntryRecord&) const = default;
};
BOOST_DESCRIBE_STRUCT(PrefixListEntryRecord, (), (cidr, description))

struct PrefixListVersionRecord {
  std::int64_t version = 0;
  std::vector<PrefixListEntryRecord> entries;
};
BOOST_DESCRIBE_STRUCT(PrefixListVersionRecord, (), (version, entries))

// A customer-managed prefix list. AWS's own are not kept, they follow from the region.
struct PrefixListRecord {
  std::string id, name, family;  // "IPv4", "IPv6"
  std::int64_t max_entries = 0;
  std::string state = "create-complete";
  std::vector<PrefixListVersionRecord> versions;  // oldest first; the last one is in force
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(PrefixListRecord, (), (id, name, family, max_entries, state, versions, client_token, tags))

// A gateway endpoint. Its routes are not kept, they follow from the route tables it names.
struct EndpointRecord {
  std::string id, vpc, service;  // "s3", "dynamodb"
  std::string policy;            // empty: full access
  std::vector<std::string> route_tables;
  Time created;
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(EndpointRecord, (), (id, vpc, service, policy, route_tables, created, client_token, tags))

struct FlowLogRecord {
  std::string id, resource;      // vpc-…, subnet-…, eni-…
  std::string traffic = "ALL";   // "ACCEPT", "REJECT"
  std::string destination_type;  // "cloud-watch-logs", "s3"
  std::string group, role;       // of CloudWatch Logs
  std::string bucket, folder;    // of S3; the folder ends with a slash unless it is empty
  std::string format;
  std::int64_t interval = 600;  // seconds
  bool hive_partitions = false, hour_partition = false;
  Time created;
  std::string delivery_error;  // observed: "Access error"; empty: delivered
  std::string client_token;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(FlowLogRecord, (),
                      (id, resource, traffic, destination_type, group, role, bucket, folder, format, interval,
                       hive_partitions, hour_partition, created, delivery_error, client_token, tags))

}  // namespace brume::ec2
