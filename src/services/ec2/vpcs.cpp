#include "services/ec2/vpcs.h"

#include <algorithm>

#include "services/ec2/groups.h"

namespace brume::ec2 {

namespace {

constexpr Cidr kDefaultVpcBlock{0xac1f0000, 16};
constexpr int kDefaultSubnetPrefix = 20;
constexpr std::int64_t kDefaultEntryNumber = 100;

AclRecord default_acl(const std::string& id, const std::string& vpc) {
  AclRecord acl{.id = id, .vpc = vpc, .is_default = true};
  for (const bool egress : {false, true}) {
    acl.entries.push_back(
        {.number = kDefaultEntryNumber, .egress = egress, .allow = true, .protocol = "-1", .cidr = "0.0.0.0/0"});
  }
  return acl;
}

}  // namespace

const VpcRecord& make_vpc(Ec2& ec2, Tx& tx, const Scope& scope, const Cidr& block, bool is_default, Tags tags) {
  VpcRecord vpc{.id = ec2.new_id(kVpcId), .is_default = is_default, .dns_hostnames = is_default};
  vpc.cidrs.push_back({.id = ec2.new_id(kCidrAssociationId), .cidr = to_string(block)});
  vpc.main_route_table = ec2.new_id(kRouteTableId);
  vpc.main_association = ec2.random.ec2_id("rtbassoc-");
  vpc.default_acl = ec2.new_id(kAclId);
  vpc.default_group = ec2.new_id(kGroupId);
  vpc.tags = std::move(tags);
  ec2.route_tables.insert(tx, scope, vpc.main_route_table, {.id = vpc.main_route_table, .vpc = vpc.id});
  ec2.acls.insert(tx, scope, vpc.default_acl, default_acl(vpc.default_acl, vpc.id));
  insert_default_group(ec2, tx, scope, vpc.id, vpc.default_group);
  const std::string id = vpc.id;
  return ec2.vpcs.insert(tx, scope, id, std::move(vpc));
}

const VpcRecord& make_default_vpc(Ec2& ec2, Tx& tx, const Scope& scope) {
  const VpcRecord& vpc = make_vpc(ec2, tx, scope, kDefaultVpcBlock, true, {});
  const std::string gateway = ec2.new_id(kInternetGatewayId);
  ec2.internet_gateways.insert(tx, scope, gateway, {.id = gateway, .vpc = vpc.id});
  ec2.route_tables.modify(tx, scope, vpc.main_route_table, [&](RouteTableRecord& table) {
    table.routes.push_back({.cidr = "0.0.0.0/0", .target = gateway});
  });
  for (const Zone& zone : zones_of(scope.region)) {
    const SubnetRecord& subnet =
        make_subnet(ec2, tx, scope, vpc, free_default_subnet_block(ec2, scope, vpc).value(), zone.name, {});
    ec2.subnets.modify(tx, scope, std::string(subnet.id), [](SubnetRecord& record) {
      record.default_for_az = true;
      record.map_public_ip_on_launch = true;
    });
  }
  return vpc;
}

const VpcRecord* find_default_vpc(const Ec2& ec2, const Scope& scope) {
  const auto found = ec2.vpcs.select(scope, [](const VpcRecord& vpc) { return vpc.is_default; });
  return found.empty() ? nullptr : found.front();
}

const SubnetRecord& make_subnet(Ec2& ec2, Tx& tx, const Scope& scope, const VpcRecord& vpc, const Cidr& block,
                                const std::string& zone, Tags tags) {
  SubnetRecord subnet{.id = ec2.new_id(kSubnetId), .vpc = vpc.id, .cidr = to_string(block), .zone = zone};
  subnet.acl = vpc.default_acl;
  subnet.acl_association = ec2.random.ec2_id("aclassoc-");
  subnet.tags = std::move(tags);
  const std::string id = subnet.id;
  return ec2.subnets.insert(tx, scope, id, std::move(subnet));
}

std::optional<Cidr> free_default_subnet_block(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc) {
  const std::vector<const SubnetRecord*> subnets = subnets_of(ec2, scope, vpc.id);
  Cidr block{kDefaultVpcBlock.address, kDefaultSubnetPrefix};
  for (; kDefaultVpcBlock.contains(block); block.address += static_cast<IpAddress>(block.size())) {
    if (std::ranges::none_of(subnets, [&](const auto* subnet) { return parse_cidr(subnet->cidr)->overlaps(block); })) {
      return block;
    }
  }
  return std::nullopt;
}

std::vector<const SubnetRecord*> subnets_of(const Ec2& ec2, const Scope& scope, const std::string& vpc_id) {
  return ec2.subnets_by_vpc.find(scope, vpc_id);
}

std::int64_t available_addresses(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet) {
  std::size_t used = 0;
  for (const InterfaceRecord* interface : ec2.interfaces_by_subnet.find(scope, subnet.id))
    used += interface->addresses.size();
  const auto size = static_cast<std::int64_t>(parse_cidr(subnet.cidr)->size());
  return size - kReservedInSubnet - static_cast<std::int64_t>(used);
}

}  // namespace brume::ec2
