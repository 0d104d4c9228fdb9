// What other services need of EC2's networks, as plain functions over Ec2: used by app's adapters, never included by a
// service. Control thread; what changes something takes the caller's transaction. Errors are EC2's AwsErrors.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/tags.h"
#include "core/scope.h"

namespace brume {
class Tx;
}

namespace brume::ec2 {

struct Ec2;

// An interface that a service makes, manages and deletes; users see it and cannot touch it.
struct ServiceInterface {
  std::string subnet;
  std::vector<std::string> groups;  // empty: the VPC's default group
  std::string description;          // "ELB app/NAME/ID"
  std::string requester;            // "amazon-elb", an account's number for ECS; not empty
  std::string instance_owner;       // of the attachment: "amazon-elb"; empty: as the requester
  std::string type = "interface";   // "network_load_balancer", "lambda" …
  std::string sandbox;              // the namespace that it is plugged into
  bool assign_public_ip = false;
  std::string private_ip;  // empty: one is chosen
  bool source_dest_check = true;
  Tags tags;
};

struct InterfaceFacts {
  std::string id, vpc, subnet, subnet_cidr, zone, mac, private_ip;
  std::string public_ip;         // assigned or elastic; empty: none
  std::string private_dns_name;  // empty when the VPC has no DNS host names
  std::string attachment;        // eni-attach-… or ela-attach-…
  std::string sandbox;
  std::vector<std::string> groups;
};

InterfaceFacts create_service_interface(Ec2& ec2, Tx& tx, const Scope& scope, const ServiceInterface& wanted);
// An unknown id is no error: the work is done.
void delete_service_interface(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id);
void set_service_interface_groups(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id,
                                  const std::vector<std::string>& groups);
std::optional<InterfaceFacts> find_interface(const Ec2& ec2, const Scope& scope, const std::string& id);
std::vector<InterfaceFacts> interfaces_of_sandbox(const Ec2& ec2, const Scope& scope, const std::string& sandbox);

// Whether the network plane has plugged it, in this run of the daemon.
bool is_ready(const Ec2& ec2, const std::string& interface_id);
// Called once per interface that becomes ready; after a restart again for those that are adopted.
void on_ready(Ec2& ec2, std::function<void(const Scope& scope, const std::string& interface_id)> callback);

struct SubnetFacts {
  std::string id, vpc, zone, zone_id, cidr;
  std::int64_t available_addresses = 0;
  bool is_default = false, map_public_ip_on_launch = false;
};
// Throws InvalidSubnetID.NotFound or .Malformed.
SubnetFacts get_subnet(const Ec2& ec2, const Scope& scope, const std::string& id);
std::optional<SubnetFacts> find_subnet(const Ec2& ec2, const Scope& scope, const std::string& id);

bool vpc_exists(const Ec2& ec2, const Scope& scope, const std::string& vpc_id);
std::vector<std::string> vpc_cidrs(const Ec2& ec2, const Scope& scope, const std::string& vpc_id);
std::optional<std::string> default_group_of(const Ec2& ec2, const Scope& scope, const std::string& vpc_id);
// The group's VPC, or nullopt when there is no such group.
std::optional<std::string> vpc_of_group(const Ec2& ec2, const Scope& scope, const std::string& group_id);
// The default VPC of the account in the region, made at first sight; empty when it was deleted.
std::string default_vpc(Ec2& ec2, Tx& tx, const Scope& scope);

// Where packets for the internet go from the subnet: follows its route table now.
enum class Outbound { none, internet_gateway, nat_gateway };
Outbound outbound_of(const Ec2& ec2, const Scope& scope, const std::string& subnet_id);
// Whether the interface reaches the internet: by a NAT gateway, or by an internet gateway with a public address.
bool reaches_internet(const Ec2& ec2, const Scope& scope, const std::string& interface_id);

// For what answers inside a VPC (instance metadata, task credentials): who has this private address? Over all accounts,
// since a VPC's id is unique.
struct Resident {
  Scope scope;
  InterfaceFacts interface;
};
std::optional<Resident> resident_at(const Ec2& ec2, const std::string& vpc_id, const std::string& private_address);
// Who has this public address: for what arrives from the internet namespace.
std::optional<Resident> resident_at_public(const Ec2& ec2, const std::string& public_address);
// The account and region of a VPC.
std::optional<Scope> scope_of_vpc(const Ec2& ec2, const std::string& vpc_id);

// The gateway endpoint by which an interface at a private address of the VPC reaches the service ("s3"): its subnet's
// route table leads there.
struct EndpointFacts {
  std::string id, policy;
};
std::optional<EndpointFacts> endpoint_for(const Ec2& ec2, const std::string& vpc_id, const std::string& private_address,
                                          const std::string& service);

// Whether the VPC's resolver answers: enableDnsSupport.
bool dns_support(const Ec2& ec2, const std::string& vpc_id);

}  // namespace brume::ec2
