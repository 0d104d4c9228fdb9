// VPCs and their IPv4 blocks.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/tag_specifications.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

// "Amazon VPC quotas" are raised on request, so that these are the documented maxima, not the defaults.
constexpr std::size_t kMostVpcs = 100;
constexpr std::size_t kMostBlocks = 5;

Vpc vpc_shape(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc) {
  Vpc shape{.owner_id = scope.account,
            .instance_tenancy = "default",
            .is_default = vpc.is_default,
            .tags = tags_to<Tag>(vpc.tags),
            .vpc_id = vpc.id,
            .state = "available",
            .cidr_block = vpc.cidrs.front().cidr,
            .dhcp_options_id = ec2.regions.find(scope, kRegionKey)->dhcp_options};
  auto& blocks = shape.cidr_block_association_set.ensure();
  for (const CidrAssociation& block : vpc.cidrs) {
    blocks.push_back({.association_id = block.id,
                      .cidr_block = block.cidr,
                      .cidr_block_state = VpcCidrBlockState{.state = "associated"}});
  }
  return shape;
}

const FilterField<Vpc> kFilters[] = {
    {"cidr", [](const Vpc& vpc) { return one(vpc.cidr_block); }},
    {"cidr-block", [](const Vpc& vpc) { return one(vpc.cidr_block); }},
    {"cidrBlock", [](const Vpc& vpc) { return one(vpc.cidr_block); }},
    {"cidr-block-association.cidr-block",
     [](const Vpc& vpc) {
       return each(vpc.cidr_block_association_set, [](const auto& block) { return one(block.cidr_block); });
     }},
    {"cidr-block-association.association-id",
     [](const Vpc& vpc) {
       return each(vpc.cidr_block_association_set, [](const auto& block) { return one(block.association_id); });
     }},
    {"cidr-block-association.state",
     [](const Vpc& vpc) {
       return each(vpc.cidr_block_association_set,
                   [](const auto& block) { return one(block.cidr_block_state->state); });
     }},
    {"dhcp-options-id", [](const Vpc& vpc) { return one(vpc.dhcp_options_id); }},
    {"dhcpOptionsId", [](const Vpc& vpc) { return one(vpc.dhcp_options_id); }},
    {"ipv6-cidr-block-association.association-id", none<Vpc>},
    {"ipv6-cidr-block-association.ipv6-cidr-block", none<Vpc>},
    {"ipv6-cidr-block-association.ipv6-pool", none<Vpc>},
    {"ipv6-cidr-block-association.state", none<Vpc>},
    {"is-default", [](const Vpc& vpc) { return flag(vpc.is_default); }},
    {"isDefault", [](const Vpc& vpc) { return flag(vpc.is_default); }},
    {"owner-id", [](const Vpc& vpc) { return one(vpc.owner_id); }},
    {"state", [](const Vpc& vpc) { return one(vpc.state); }},
    {"vpc-id", [](const Vpc& vpc) { return one(vpc.vpc_id); }},
};

AwsError not_a_block(const std::string& text) {
  return invalid_parameter("Value (" + text + ") for parameter cidrBlock is invalid. This is not a valid CIDR block.");
}

// IPv6 and IPAM members, common to CreateVpc and AssociateVpcCidrBlock.
template <class Input>
void refuse_unserved_blocks(const Input& input) {
  if (input.amazon_provided_ipv6_cidr_block.get()) throw unsupported("AmazonProvidedIpv6CidrBlock");
  if (input.ipv6_cidr_block) throw unsupported("Ipv6CidrBlock");
  if (input.ipv6_pool) throw unsupported("Ipv6Pool");
  if (input.ipv6_ipam_pool_id) throw unsupported("Ipv6IpamPoolId");
  if (input.ipv6_netmask_length) throw unsupported("Ipv6NetmaskLength");
  if (input.ipv6_cidr_block_network_border_group) throw unsupported("Ipv6CidrBlockNetworkBorderGroup");
  if (input.ipv4_ipam_pool_id) throw unsupported("Ipv4IpamPoolId");
  if (input.ipv4_netmask_length) throw unsupported("Ipv4NetmaskLength");
  if (!input.cidr_block) throw missing_parameter("cidrBlock");
}

AwsError invalid_range(const std::string& block, const std::string& why = " is invalid.") {
  return {"InvalidVpc.Range", "The CIDR '" + block + "'" + why};
}

// Why a VPC cannot go, in AWS's order of looking.
bool has_dependencies(const Ec2& ec2, const Scope& scope, const VpcRecord& vpc) {
  const auto in_vpc = [&](const auto& record) { return record.vpc == vpc.id; };
  const auto besides = [&](const std::string& own) {
    return [&vpc, own](const auto& record) { return record.vpc == vpc.id && record.id != own; };
  };
  const auto runs = [&](const NatGatewayRecord& gateway) {
    return gateway.vpc == vpc.id && gateway.state != "deleted" && gateway.state != "failed";
  };
  return !ec2.subnets_by_vpc.find(scope, vpc.id).empty() || !ec2.internet_gateways.select(scope, in_vpc).empty() ||
         !ec2.interfaces_by_vpc.find(scope, vpc.id).empty() || !ec2.nat_gateways.select(scope, runs).empty() ||
         !ec2.route_tables.select(scope, besides(vpc.main_route_table)).empty() ||
         !ec2.acls.select(scope, besides(vpc.default_acl)).empty() ||
         ec2.groups_by_vpc.find(scope, vpc.id).size() > 1 || !ec2.endpoints.select(scope, in_vpc).empty();
}

}  // namespace

CreateVpcOutput create_vpc(Ec2& ec2, Tx& tx, const Request<CreateVpcInput>& request) {
  begin(ec2, tx, request);
  const CreateVpcInput& input = request.input;
  refuse_unserved_blocks(input);
  if (input.instance_tenancy.value_or("default") != "default") throw unsupported("InstanceTenancy other than default");
  if (input.vpc_encryption_control) throw unsupported("VpcEncryptionControl");
  const std::optional<Cidr> block = parse_cidr(*input.cidr_block);
  if (!block) throw not_a_block(*input.cidr_block);
  if (!is_vpc_block(*block)) throw invalid_range(*input.cidr_block);
  Tags tags = tags_for(input.tag_specifications.get(), "vpc");
  if (ec2.vpcs.count(request.scope) >= kMostVpcs) {
    throw AwsError("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
  }
  return {.vpc = vpc_shape(ec2, request.scope, make_vpc(ec2, tx, request.scope, *block, false, std::move(tags)))};
}

CreateDefaultVpcOutput create_default_vpc(Ec2& ec2, Tx& tx, const Request<CreateDefaultVpcInput>& request) {
  begin(ec2, tx, request);
  if (find_default_vpc(ec2, request.scope) != nullptr) {
    throw AwsError("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.");
  }
  return {.vpc = vpc_shape(ec2, request.scope, make_default_vpc(ec2, tx, request.scope))};
}

DeleteVpcOutput delete_vpc(Ec2& ec2, Tx& tx, const Request<DeleteVpcInput>& request) {
  begin(ec2, tx, request);
  const VpcRecord vpc = get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  if (has_dependencies(ec2, request.scope, vpc)) {
    throw dependency_violation("The vpc '" + vpc.id + "' has dependencies and cannot be deleted.");
  }
  for (const GroupRuleRecord* rule : ec2.rules_by_group.find(request.scope, vpc.default_group)) {
    ec2.group_rules.erase(tx, request.scope, std::string(rule->id));
  }
  ec2.groups.erase(tx, request.scope, vpc.default_group);
  ec2.acls.erase(tx, request.scope, vpc.default_acl);
  ec2.route_tables.erase(tx, request.scope, vpc.main_route_table);
  ec2.vpcs.erase(tx, request.scope, vpc.id);
  ec2.touch(tx, request.scope, vpc.id);
  return {};
}

DescribeVpcsOutput describe_vpcs(Ec2& ec2, Tx& tx, const Request<DescribeVpcsInput>& request) {
  begin(ec2, tx, request);
  DescribeVpcsOutput output;
  const auto records =
      candidates(ec2.vpcs, request.scope, kVpcId, request.input.vpc_ids.get(), filters_of(request.input));
  output.next_token = show_page(ec2, request, "DescribeVpcs", kFilters, records, output.vpcs.ensure(),
                                [&](const VpcRecord& vpc) { return vpc_shape(ec2, request.scope, vpc); });
  return output;
}

DescribeVpcAttributeOutput describe_vpc_attribute(Ec2& ec2, Tx& tx, const Request<DescribeVpcAttributeInput>& request) {
  begin(ec2, tx, request);
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  const std::string& attribute = request.input.attribute.get();
  DescribeVpcAttributeOutput output{.vpc_id = vpc.id};
  if (attribute == "enableDnsSupport") {
    output.enable_dns_support = AttributeBooleanValue{.value = vpc.dns_support};
  } else if (attribute == "enableDnsHostnames") {
    output.enable_dns_hostnames = AttributeBooleanValue{.value = vpc.dns_hostnames};
  } else if (attribute == "enableNetworkAddressUsageMetrics") {
    output.enable_network_address_usage_metrics = AttributeBooleanValue{.value = vpc.network_address_usage_metrics};
  } else {
    throw invalid_parameter("Value (" + attribute + ") for parameter attribute is invalid. Unknown attribute.");
  }
  return output;
}

ModifyVpcAttributeOutput modify_vpc_attribute(Ec2& ec2, Tx& tx, const Request<ModifyVpcAttributeInput>& request) {
  begin(ec2, tx, request);
  const ModifyVpcAttributeInput& input = request.input;
  const std::string id = get(ec2.vpcs, request.scope, kVpcId, input.vpc_id.get()).id;
  // "ModifyVpcAttribute": the attributes can only be changed one at a time.
  const int given = int{input.enable_dns_hostnames.has_value()} + int{input.enable_dns_support.has_value()} +
                    int{input.enable_network_address_usage_metrics.has_value()};
  if (given == 0) throw AwsError("InvalidParameterCombination", "No attributes specified.");
  if (given > 1) throw AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified");
  ec2.vpcs.modify(tx, request.scope, id, [&](VpcRecord& vpc) {
    if (input.enable_dns_hostnames) vpc.dns_hostnames = input.enable_dns_hostnames->value.get();
    if (input.enable_dns_support) vpc.dns_support = input.enable_dns_support->value.get();
    if (input.enable_network_address_usage_metrics) {
      vpc.network_address_usage_metrics = input.enable_network_address_usage_metrics->value.get();
    }
  });
  ec2.touch(tx, request.scope, id);
  return {};
}

ModifyVpcTenancyOutput modify_vpc_tenancy(Ec2& ec2, Tx& tx, const Request<ModifyVpcTenancyInput>& request) {
  begin(ec2, tx, request);
  get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  if (request.input.instance_tenancy.get() != "default") {
    throw AwsError("UnsupportedTenancy", "The tenancy value " + request.input.instance_tenancy.get() +
                                             " is not supported; it can be changed to default only.");
  }
  return {.return_value = true};
}

AssociateVpcCidrBlockOutput associate_vpc_cidr_block(Ec2& ec2, Tx& tx,
                                                     const Request<AssociateVpcCidrBlockInput>& request) {
  begin(ec2, tx, request);
  refuse_unserved_blocks(request.input);
  const std::string& text = *request.input.cidr_block;
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, request.input.vpc_id.get());
  const std::optional<Cidr> block = parse_cidr(text);
  if (!block) throw not_a_block(text);
  if (!is_vpc_block(*block)) throw invalid_range(text);
  if (!may_be_added(parse_cidr(vpc.cidrs.front().cidr).value(), *block)) {
    throw invalid_range(text,
                        " is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or "
                        "use a publicly-routable CIDR. For additional restrictions, see "
                        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html");
  }
  for (const CidrAssociation& other : vpc.cidrs) {
    if (parse_cidr(other.cidr)->overlaps(*block)) {
      throw AwsError("InvalidVpc.Conflict", "The CIDR '" + text + "' conflicts with another CIDR of the VPC.");
    }
  }
  if (vpc.cidrs.size() >= kMostBlocks) {
    throw AwsError("CidrLimitExceeded", "This network '" + vpc.id + "' has met its maximum number of allowed CIDRs: 5");
  }
  const CidrAssociation added{.id = ec2.new_id(kCidrAssociationId), .cidr = to_string(*block)};
  const std::string id = vpc.id;
  ec2.vpcs.modify(tx, request.scope, id, [&](VpcRecord& record) { record.cidrs.push_back(added); });
  ec2.touch(tx, request.scope, id);
  return {
      .cidr_block_association = VpcCidrBlockAssociation{.association_id = added.id,
                                                        .cidr_block = added.cidr,
                                                        .cidr_block_state = VpcCidrBlockState{.state = "associated"}},
      .vpc_id = id};
}

DisassociateVpcCidrBlockOutput disassociate_vpc_cidr_block(Ec2& ec2, Tx& tx,
                                                           const Request<DisassociateVpcCidrBlockInput>& request) {
  begin(ec2, tx, request);
  const std::string& id = request.input.association_id.get();
  const auto has_id = [&](const CidrAssociation& block) { return block.id == id; };
  const auto found =
      ec2.vpcs.select(request.scope, [&](const VpcRecord& vpc) { return std::ranges::any_of(vpc.cidrs, has_id); });
  if (found.empty()) throw not_found(kCidrAssociationId, id);
  const std::string vpc_id = found.front()->id;
  if (found.front()->cidrs.front().id == id) {
    throw AwsError("OperationNotPermitted", "The vpc CIDR block with association ID " + id +
                                                " may not be disassociated. It is the primary IPv4 CIDR block of the "
                                                "VPC");
  }
  const CidrAssociation block = *std::ranges::find_if(found.front()->cidrs, has_id);
  for (const SubnetRecord* subnet : subnets_of(ec2, request.scope, vpc_id)) {
    if (parse_cidr(block.cidr)->contains(parse_cidr(subnet->cidr).value())) {
      throw AwsError("InvalidCidrBlock.InUse",
                     "The vpc " + vpc_id + " currently has a subnet within CIDR block " + block.cidr);
    }
  }
  ec2.vpcs.modify(tx, request.scope, vpc_id, [&](VpcRecord& vpc) { std::erase_if(vpc.cidrs, has_id); });
  ec2.touch(tx, request.scope, vpc_id);
  return {.cidr_block_association =
              VpcCidrBlockAssociation{.association_id = block.id,
                                      .cidr_block = block.cidr,
                                      .cidr_block_state = VpcCidrBlockState{.state = "disassociating"}},
          .vpc_id = vpc_id};
}

}  // namespace brume::ec2
