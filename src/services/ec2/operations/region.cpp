// The region, its zones, and what the account has in it.
#include <algorithm>
#include <array>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/groups.h"
#include "services/ec2/vpcs.h"

namespace brume::ec2 {

namespace {

// Regions that an account must enable; here every account has. All others need no opt-in ("Regions and zones").
constexpr std::array<std::string_view, 17> kOptInRegions{
    "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-south-2", "ap-southeast-3", "ap-southeast-4",
    "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1",  "eu-central-2",   "eu-south-1",
    "eu-south-2",     "il-central-1",   "me-central-1",   "me-south-1", "mx-central-1"};

const FilterField<AvailabilityZone> kZoneFilters[] = {
    {"group-name", [](const AvailabilityZone& zone) { return one(zone.group_name); }},
    {"message", none<AvailabilityZone>},
    {"opt-in-status", [](const AvailabilityZone& zone) { return one(zone.opt_in_status); }},
    {"parent-zone-id", none<AvailabilityZone>},
    {"parent-zone-name", none<AvailabilityZone>},
    {"region-name", [](const AvailabilityZone& zone) { return one(zone.region_name); }},
    {"state", [](const AvailabilityZone& zone) { return one(zone.state); }},
    {"zone-id", [](const AvailabilityZone& zone) { return one(zone.zone_id); }},
    {"zone-name", [](const AvailabilityZone& zone) { return one(zone.zone_name); }},
    {"zone-type", [](const AvailabilityZone& zone) { return one(zone.zone_type); }},
};

const FilterField<Region> kRegionFilters[] = {
    {"endpoint", [](const Region& region) { return one(region.endpoint); }},
    {"opt-in-status", [](const Region& region) { return one(region.opt_in_status); }},
    {"region-name", [](const Region& region) { return one(region.region_name); }},
};

const FilterField<DhcpOptions> kDhcpFilters[] = {
    {"dhcp-options-id", [](const DhcpOptions& options) { return one(options.dhcp_options_id); }},
    {"key",
     [](const DhcpOptions& options) {
       return each(options.dhcp_configurations, [](const auto& item) { return one(item.key); });
     }},
    {"owner-id", [](const DhcpOptions& options) { return one(options.owner_id); }},
    {"value",
     [](const DhcpOptions& options) {
       return each(options.dhcp_configurations, [](const auto& item) {
         return each(item.values, [](const AttributeValue& value) { return one(value.value); });
       });
     }},
};

// Keeps the items whose name is asked for; a name that no item has is an error.
template <class Shape, class NameOf>
void keep_named(const std::vector<std::string>& names, std::vector<Shape>& shapes, std::string_view what,
                const NameOf& name_of) {
  if (names.empty()) return;
  for (const std::string& name : names) {
    if (std::ranges::none_of(shapes, [&](const Shape& shape) { return name_of(shape) == name; })) {
      throw invalid_parameter("Invalid " + std::string(what) + ": [" + name + "]");
    }
  }
  std::erase_if(shapes, [&](const Shape& shape) { return std::ranges::find(names, name_of(shape)) == names.end(); });
}

DhcpConfiguration configuration(std::string key, std::string value) {
  DhcpConfiguration shape{.key = std::move(key)};
  shape.values.ensure().push_back({.value = std::move(value)});
  return shape;
}

}  // namespace

DescribeAvailabilityZonesOutput describe_availability_zones(Ec2& ec2, Tx& tx,
                                                            const Request<DescribeAvailabilityZonesInput>& request) {
  begin(ec2, tx, request);
  const std::string& region = request.scope.region;
  DescribeAvailabilityZonesOutput output;
  auto& zones = output.availability_zones.ensure();
  for (const Zone& zone : zones_of(region)) {
    zones.push_back({.opt_in_status = "opt-in-not-required",
                     .region_name = region,
                     .zone_name = zone.name,
                     .zone_id = zone.id,
                     .group_name = region + "-zg-1",
                     .network_border_group = region,
                     .zone_type = "availability-zone",
                     .state = "available"});
    zones.back().messages.ensure();
  }
  keep_named(request.input.zone_names.get(), zones, "availability zone",
             [](const AvailabilityZone& zone) { return *zone.zone_name; });
  keep_named(request.input.zone_ids.get(), zones, "availability zone-id",
             [](const AvailabilityZone& zone) { return *zone.zone_id; });
  apply_filters<AvailabilityZone>(filters_from(request.input.filters.get()), kZoneFilters, zones);
  return output;
}

DescribeRegionsOutput describe_regions(Ec2& ec2, Tx& tx, const Request<DescribeRegionsInput>& request) {
  begin(ec2, tx, request);
  DescribeRegionsOutput output;
  auto& regions = output.regions.ensure();
  for (const std::string_view name : all_regions()) {
    if (partition_of(name) != partition_of(request.scope.region)) continue;
    const bool opted_in = std::ranges::find(kOptInRegions, name) != kOptInRegions.end();
    regions.push_back({.opt_in_status = opted_in ? "opted-in" : "opt-in-not-required",
                       .region_name = std::string(name),
                       .endpoint = "ec2." + std::string(name) + "." + std::string(dns_suffix_of(name))});
  }
  keep_named(request.input.region_names.get(), regions, "region",
             [](const Region& region) { return *region.region_name; });
  apply_filters<Region>(filters_from(request.input.filters.get()), kRegionFilters, regions);
  return output;
}

DescribeAccountAttributesOutput describe_account_attributes(Ec2& ec2, Tx& tx,
                                                            const Request<DescribeAccountAttributesInput>& request) {
  begin(ec2, tx, request);
  const VpcRecord* vpc = find_default_vpc(ec2, request.scope);
  const std::pair<std::string, std::string> values[] = {
      {"supported-platforms", "VPC"},
      {"default-vpc", vpc == nullptr ? "none" : vpc->id},
      {"vpc-max-security-groups-per-interface", std::to_string(kMostGroupsPerInterface)},
  };
  DescribeAccountAttributesOutput output;
  auto& attributes = output.account_attributes.ensure();
  for (const auto& [name, value] : values) {
    AccountAttribute& attribute = attributes.emplace_back();
    attribute.attribute_name = name;
    attribute.attribute_values.ensure().push_back({.attribute_value = value});
  }
  keep_named(request.input.attribute_names.get(), attributes, "account attribute",
             [](const AccountAttribute& attribute) { return *attribute.attribute_name; });
  return output;
}

DescribeDhcpOptionsOutput describe_dhcp_options(Ec2& ec2, Tx& tx, const Request<DescribeDhcpOptionsInput>& request) {
  begin(ec2, tx, request);
  const RegionRecord& record = *ec2.regions.find(request.scope, kRegionKey);
  const std::string& region = request.scope.region;
  for (const std::string& id : request.input.dhcp_options_ids.get()) {
    check_form(kDhcpOptionsId, id);
    if (id != record.dhcp_options) throw not_found(kDhcpOptionsId, id);
  }
  DescribeDhcpOptionsOutput output;
  auto& list = output.dhcp_options.ensure();
  DhcpOptions& options = list.emplace_back();
  options.owner_id = request.scope.account;
  options.dhcp_options_id = record.dhcp_options;
  options.tags = tags_to<Tag>(record.dhcp_tags);
  const std::string domain = region == "us-east-1" ? "ec2.internal" : region + ".compute.internal";
  options.dhcp_configurations.ensure().push_back(configuration("domain-name", domain));
  options.dhcp_configurations->push_back(configuration("domain-name-servers", "AmazonProvidedDNS"));
  apply_filters<DhcpOptions>(filters_from(request.input.filters.get()), kDhcpFilters, list);
  output.next_token =
      page(ec2, request, "DescribeDhcpOptions", list, [](const DhcpOptions& item) { return *item.dhcp_options_id; });
  return output;
}

}  // namespace brume::ec2
