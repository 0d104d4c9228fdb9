// Subnets.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/tag_specifications.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostSubnetsPerVpc = 200;

Subnet subnet_shape(const Ec2& ec2, const Scope& scope, const SubnetRecord& subnet) {
  Subnet shape{.map_customer_owned_ip_on_launch = false,
               .owner_id = scope.account,
               .assign_ipv6_address_on_creation = false,
               .tags = tags_to<Tag>(subnet.tags),
               .subnet_arn = make_arn(scope, "ec2", "subnet/" + subnet.id),
               .enable_dns64 = false,
               .ipv6_native = false,
               .subnet_id = subnet.id,
               .state = "available",
               .vpc_id = subnet.vpc,
               .cidr_block = subnet.cidr,
               .available_ip_address_count = available_addresses(ec2, scope, subnet),
               .availability_zone = subnet.zone,
               .default_for_az = subnet.default_for_az,
               .map_public_ip_on_launch = subnet.map_public_ip_on_launch};
  shape.private_dns_name_options_on_launch =
      PrivateDnsNameOptionsOnLaunch{.hostname_type = subnet.hostname_type,
                                    .enable_resource_name_dns_a_record = subnet.resource_name_dns_a_record,
                                    .enable_resource_name_dns_aaaa_record = false};
  shape.ipv6_cidr_block_association_set.ensure();
  for (const Zone& zone : zones_of(scope.region)) {
    if (zone.name == subnet.zone) shape.availability_zone_id = zone.id;
  }
  return shape;
}

const FilterField<Subnet> kFilters[] = {
    {"availability-zone", [](const Subnet& subnet) { return one(subnet.availability_zone); }},
    {"availabilityZone", [](const Subnet& subnet) { return one(subnet.availability_zone); }},
    {"availability-zone-id", [](const Subnet& subnet) { return one(subnet.availability_zone_id); }},
    {"availabilityZoneId", [](const Subnet& subnet) { return one(subnet.availability_zone_id); }},
    {"available-ip-address-count", [](const Subnet& subnet) { return number(subnet.available_ip_address_count); }},
    {"cidr-block", [](const Subnet& subnet) { return one(subnet.cidr_block); }},
    {"cidr", [](const Subnet& subnet) { return one(subnet.cidr_block); }},
    {"cidrBlock", [](const Subnet& subnet) { return one(subnet.cidr_block); }},
    {"customer-owned-ipv4-pool", none<Subnet>},
    {"default-for-az", [](const Subnet& subnet) { return flag(subnet.default_for_az); }},
    {"defaultForAz", [](const Subnet& subnet) { return flag(subnet.default_for_az); }},
    {"enable-dns64", [](const Subnet& subnet) { return flag(subnet.enable_dns64); }},
    {"enable-lni-at-device-index", none<Subnet>},
    {"ipv6-cidr-block-association.ipv6-cidr-block", none<Subnet>},
    {"ipv6-cidr-block-association.association-id", none<Subnet>},
    {"ipv6-cidr-block-association.state", none<Subnet>},
    {"ipv6-native", [](const Subnet& subnet) { return flag(subnet.ipv6_native); }},
    {"map-customer-owned-ip-on-launch",
     [](const Subnet& subnet) { return flag(subnet.map_customer_owned_ip_on_launch); }},
    {"map-public-ip-on-launch", [](const Subnet& subnet) { return flag(subnet.map_public_ip_on_launch); }},
    {"outpost-arn", none<Subnet>},
    {"owner-id", [](const Subnet& subnet) { return one(subnet.owner_id); }},
    {"private-dns-name-options-on-launch.hostname-type",
     [](const Subnet& subnet) { return one(subnet.private_dns_name_options_on_launch->hostname_type); }},
    {"private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
     [](const Subnet& subnet) {
       return flag(subnet.private_dns_name_options_on_launch->enable_resource_name_dns_a_record);
     }},
    {"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
     [](const Subnet& subnet) {
       return flag(subnet.private_dns_name_options_on_launch->enable_resource_name_dns_aaaa_record);
     }},
    {"state", [](const Subnet& subnet) { return one(subnet.state); }},
    {"subnet-arn", [](const Subnet& subnet) { return one(subnet.subnet_arn); }},
    {"subnet-id", [](const Subnet& subnet) { return one(subnet.subnet_id); }},
    {"vpc-id", [](const Subnet& subnet) { return one(subnet.vpc_id); }},
};

void refuse_unserved(const CreateSubnetInput& input) {
  if (input.ipv6_cidr_block) throw unsupported("Ipv6CidrBlock");
  if (input.ipv6_native.get()) throw unsupported("Ipv6Native");
  if (input.ipv6_ipam_pool_id) throw unsupported("Ipv6IpamPoolId");
  if (input.ipv6_netmask_length) throw unsupported("Ipv6NetmaskLength");
  if (input.ipv4_ipam_pool_id) throw unsupported("Ipv4IpamPoolId");
  if (input.ipv4_netmask_length) throw unsupported("Ipv4NetmaskLength");
  if (input.outpost_arn) throw unsupported("OutpostArn");
}

// The zone that is asked for by name or id; else the one with the fewest of the VPC's subnets.
std::string zone_for(const Ec2& ec2, const Scope& scope, const CreateSubnetInput& input, const std::string& vpc) {
  const std::span<const Zone> zones = zones_of(scope.region);
  if (!input.availability_zone && !input.availability_zone_id) {
    const std::vector<const SubnetRecord*> subnets = subnets_of(ec2, scope, vpc);
    return std::ranges::min_element(
               zones, {}, [&](const Zone& zone) { return std::ranges::count(subnets, zone.name, &SubnetRecord::zone); })
        ->name;
  }
  std::string names;
  for (const Zone& zone : zones) {
    const bool named = input.availability_zone.value_or(zone.name) == zone.name;
    if (named && input.availability_zone_id.value_or(zone.id) == zone.id) return zone.name;
    names += (names.empty() ? "" : ", ") + (input.availability_zone ? zone.name : zone.id);
  }
  const bool by_name = input.availability_zone.has_value();
  throw invalid_parameter(
      "Value (" + (by_name ? *input.availability_zone : *input.availability_zone_id) + ") for parameter " +
      (by_name ? "availabilityZone" : "availabilityZoneId") +
      " is invalid. Subnets can currently only be created in the following availability zones: " + names + ".");
}

// Throws AWS's code for a block that the VPC has not, or has given to another subnet.
void check_block(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc, const Cidr& block, const std::string& text) {
  const bool inside =
      std::ranges::any_of(vpc.cidrs, [&](const CidrAssociation& own) { return parse_cidr(own.cidr)->contains(block); });
  if (!inside || block.prefix < 16 || block.prefix > 28) {
    throw AwsError("InvalidSubnet.Range", "The CIDR '" + text + "' is invalid.");
  }
  for (const SubnetRecord* subnet : subnets_of(ec2, scope, vpc.id)) {
    if (parse_cidr(subnet->cidr)->overlaps(block)) {
      throw AwsError("InvalidSubnet.Conflict", "The CIDR '" + text + "' conflicts with another subnet");
    }
  }
}

}  // namespace

CreateSubnetOutput create_subnet(Ec2& ec2, Tx& tx, const Request<CreateSubnetInput>& request) {
  begin(ec2, tx, request);
  const CreateSubnetInput& input = request.input;
  refuse_unserved(input);
  if (!input.cidr_block) throw missing_parameter("cidrBlock");
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, input.vpc_id.get());
  const std::optional<Cidr> block = parse_cidr(*input.cidr_block);
  if (!block) {
    throw invalid_parameter("Value (" + *input.cidr_block +
                            ") for parameter cidrBlock is invalid. This is not a valid CIDR block.");
  }
  check_block(ec2, request.scope, vpc, *block, *input.cidr_block);
  if (subnets_of(ec2, request.scope, vpc.id).size() >= kMostSubnetsPerVpc) {
    throw AwsError("SubnetLimitExceeded", "The maximum number of subnets has been reached.");
  }
  const SubnetRecord& subnet =
      make_subnet(ec2, tx, request.scope, vpc, *block, zone_for(ec2, request.scope, input, vpc.id),
                  tags_for(input.tag_specifications.get(), "subnet"));
  ec2.touch(tx, request.scope, vpc.id);
  return {.subnet = subnet_shape(ec2, request.scope, subnet)};
}

CreateDefaultSubnetOutput create_default_subnet(Ec2& ec2, Tx& tx, const Request<CreateDefaultSubnetInput>& request) {
  begin(ec2, tx, request);
  const CreateDefaultSubnetInput& input = request.input;
  if (input.ipv6_native.get()) throw unsupported("Ipv6Native");
  if (!input.availability_zone && !input.availability_zone_id) throw missing_parameter("availabilityZone");
  const VpcRecord* vpc = find_default_vpc(ec2, request.scope);
  if (vpc == nullptr) {
    throw AwsError("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.");
  }
  CreateSubnetInput wanted;
  wanted.availability_zone = input.availability_zone;
  wanted.availability_zone_id = input.availability_zone_id;
  const std::string zone = zone_for(ec2, request.scope, wanted, vpc->id);
  for (const SubnetRecord* subnet : subnets_of(ec2, request.scope, vpc->id)) {
    if (subnet->zone == zone && subnet->default_for_az) {
      throw AwsError("DefaultSubnetAlreadyExistsInAvailabilityZone",
                     "'" + subnet->id + "' is already the default subnet in " + zone + ".");
    }
  }
  const std::optional<Cidr> block = free_default_subnet_block(ec2, request.scope, *vpc);
  if (!block) throw AwsError("InvalidSubnet.Range", "The default VPC has no free /20 block.");
  const std::string id = make_subnet(ec2, tx, request.scope, *vpc, *block, zone, {}).id;
  const SubnetRecord& subnet = ec2.subnets.modify(tx, request.scope, id, [](SubnetRecord& record) {
    record.default_for_az = record.map_public_ip_on_launch = true;
  });
  ec2.touch(tx, request.scope, vpc->id);
  return {.subnet = subnet_shape(ec2, request.scope, subnet)};
}

DeleteSubnetOutput delete_subnet(Ec2& ec2, Tx& tx, const Request<DeleteSubnetInput>& request) {
  begin(ec2, tx, request);
  const SubnetRecord subnet = get(ec2.subnets, request.scope, kSubnetId, request.input.subnet_id.get());
  if (ec2.interfaces_by_subnet.find_first(request.scope, subnet.id) != nullptr) {
    throw dependency_violation("The subnet '" + subnet.id + "' has dependencies and cannot be deleted.");
  }
  ec2.subnets.erase(tx, request.scope, subnet.id);
  ec2.touch(tx, request.scope, subnet.vpc);
  return {};
}

DescribeSubnetsOutput describe_subnets(Ec2& ec2, Tx& tx, const Request<DescribeSubnetsInput>& request) {
  begin(ec2, tx, request);
  DescribeSubnetsOutput output;
  const auto records =
      candidates(ec2.subnets, request.scope, kSubnetId, request.input.subnet_ids.get(), filters_of(request.input));
  output.next_token = show_page(ec2, request, "DescribeSubnets", kFilters, records, output.subnets.ensure(),
                                [&](const SubnetRecord& subnet) { return subnet_shape(ec2, request.scope, subnet); });
  return output;
}

ModifySubnetAttributeOutput modify_subnet_attribute(Ec2& ec2, Tx& tx,
                                                    const Request<ModifySubnetAttributeInput>& request) {
  begin(ec2, tx, request);
  const ModifySubnetAttributeInput& input = request.input;
  const std::string id = get(ec2.subnets, request.scope, kSubnetId, input.subnet_id.get()).id;
  const auto on = [](const opt<AttributeBooleanValue>& value) { return value && value->value.get(); };
  if (on(input.assign_ipv6_address_on_creation)) throw unsupported("AssignIpv6AddressOnCreation");
  if (on(input.enable_dns64)) throw unsupported("EnableDns64");
  if (on(input.map_customer_owned_ip_on_launch)) throw unsupported("MapCustomerOwnedIpOnLaunch");
  if (input.customer_owned_ipv4_pool) throw unsupported("CustomerOwnedIpv4Pool");
  if (input.enable_lni_at_device_index) throw unsupported("EnableLniAtDeviceIndex");
  if (on(input.enable_resource_name_dns_aaaa_record_on_launch)) {
    throw unsupported("EnableResourceNameDnsAAAARecordOnLaunch");
  }
  const std::string& type = input.private_dns_hostname_type_on_launch.get();
  if (input.private_dns_hostname_type_on_launch && type != "ip-name" && type != "resource-name") {
    throw invalid_parameter("Value (" + type + ") for parameter privateDnsHostnameTypeOnLaunch is invalid.");
  }
  ec2.subnets.modify(tx, request.scope, id, [&](SubnetRecord& subnet) {
    if (input.map_public_ip_on_launch) subnet.map_public_ip_on_launch = on(input.map_public_ip_on_launch);
    if (!type.empty()) subnet.hostname_type = type;
    if (input.enable_resource_name_dns_a_record_on_launch) {
      subnet.resource_name_dns_a_record = on(input.enable_resource_name_dns_a_record_on_launch);
    }
  });
  return {};
}

}  // namespace brume::ec2
