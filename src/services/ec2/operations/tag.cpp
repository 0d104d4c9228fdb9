// Tags on every resource type.
#include <algorithm>
#include <functional>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

constexpr std::size_t kMostResources = 1000;

using ChangeTags = std::function<void(Tags&)>;

template <class Record>
void change(Table<Record>& table, Tx& tx, const Scope& scope, const IdKind& kind, const std::string& id,
            const ChangeTags& function) {
  get(table, scope, kind, id);
  table.modify(tx, scope, id, [&](Record& record) { function(record.tags); });
}

void change_tags(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id, const ChangeTags& function) {
  const std::string_view type = resource_type_of(id);
  if (type == "vpc") return change(ec2.vpcs, tx, scope, kVpcId, id, function);
  if (type == "subnet") return change(ec2.subnets, tx, scope, kSubnetId, id, function);
  if (type == "route-table") return change(ec2.route_tables, tx, scope, kRouteTableId, id, function);
  if (type == "internet-gateway") return change(ec2.internet_gateways, tx, scope, kInternetGatewayId, id, function);
  if (type == "elastic-ip") return change(ec2.addresses, tx, scope, kAllocationId, id, function);
  if (type == "natgateway") return change(ec2.nat_gateways, tx, scope, kNatGatewayId, id, function);
  if (type == "security-group") return change(ec2.groups, tx, scope, kGroupId, id, function);
  if (type == "security-group-rule") return change(ec2.group_rules, tx, scope, kGroupRuleId, id, function);
  if (type == "network-interface") return change(ec2.interfaces, tx, scope, kInterfaceId, id, function);
  if (type == "network-acl") return change(ec2.acls, tx, scope, kAclId, id, function);
  if (type == "prefix-list") return change(ec2.prefix_lists, tx, scope, kPrefixListId, id, function);
  if (type == "vpc-endpoint") return change(ec2.endpoints, tx, scope, kEndpointId, id, function);
  if (type == "vpc-flow-log") return change(ec2.flow_logs, tx, scope, kFlowLogId, id, function);
  if (type == "dhcp-options") {
    if (ec2.regions.find(scope, kRegionKey)->dhcp_options != id) throw not_found(kDhcpOptionsId, id);
    ec2.regions.modify(tx, scope, kRegionKey, [&](RegionRecord& record) { function(record.dhcp_tags); });
    return;
  }
  throw AwsError("InvalidID", "The ID '" + id + "' is not valid");
}

void check_resources(const std::vector<std::string>& ids) {
  if (ids.empty()) throw missing_parameter("resourceIdSet");
  if (ids.size() > kMostResources) throw invalid_parameter("The number of resources is over 1000.");
}

template <class Record>
void collect(const Table<Record>& table, const Scope& scope, std::vector<TagDescription>& out) {
  table.for_each(scope, [&](const Record& record) {
    for (const auto& [key, value] : record.tags) {
      out.push_back(
          {.key = key, .resource_id = record.id, .resource_type = resource_type_of(record.id), .value = value});
    }
  });
}

const FilterField<TagDescription> kFilters[] = {
    {"key", [](const TagDescription& tag) { return one(tag.key); }},
    {"resource-id", [](const TagDescription& tag) { return one(tag.resource_id); }},
    {"resource-type", [](const TagDescription& tag) { return one(tag.resource_type); }},
    {"value", [](const TagDescription& tag) { return one(tag.value); }},
};

// "DescribeTags" knows tag:KEY too: the tags with that key and one of the values.
Filters without_tag_filters(Filters filters, std::vector<TagDescription>& tags) {
  std::erase_if(filters, [&](const brume::Filter& filter) {
    if (!filter.name.starts_with("tag:")) return false;
    std::erase_if(tags, [&](const TagDescription& tag) {
      bool holds = false;
      is_tag_filter(filter, {{*tag.key, *tag.value}}, holds);
      return !holds;
    });
    return true;
  });
  return filters;
}

}  // namespace

CreateTagsOutput create_tags(Ec2& ec2, Tx& tx, const Request<CreateTagsInput>& request) {
  begin(ec2, tx, request);
  check_resources(request.input.resources.get());
  const Tags added = tags_from(request.input.tags.get());
  if (added.empty()) throw missing_parameter("tagSet");
  check_tags(added);
  for (const std::string& id : request.input.resources.get()) {
    change_tags(ec2, tx, request.scope, id, [&](Tags& tags) {
      for (const auto& [key, value] : added) tags[key] = value;
      check_tags(tags);
    });
  }
  return {};
}

DeleteTagsOutput delete_tags(Ec2& ec2, Tx& tx, const Request<DeleteTagsInput>& request) {
  begin(ec2, tx, request);
  check_resources(request.input.resources.get());
  for (const std::string& id : request.input.resources.get()) {
    change_tags(ec2, tx, request.scope, id, [&](Tags& tags) {
      // "DeleteTags": without tags all go; a value that is given must match, an empty one as well.
      if (request.input.tags.get().empty()) tags.clear();
      for (const Tag& tag : request.input.tags.get()) {
        const auto found = tags.find(tag.key.get());
        if (found != tags.end() && (!tag.value || *tag.value == found->second)) tags.erase(found);
      }
    });
  }
  return {};
}

DescribeTagsOutput describe_tags(Ec2& ec2, Tx& tx, const Request<DescribeTagsInput>& request) {
  begin(ec2, tx, request);
  DescribeTagsOutput output;
  std::vector<TagDescription>& tags = output.tags.ensure();
  const Scope& scope = request.scope;
  collect(ec2.vpcs, scope, tags);
  collect(ec2.subnets, scope, tags);
  collect(ec2.route_tables, scope, tags);
  collect(ec2.internet_gateways, scope, tags);
  collect(ec2.addresses, scope, tags);
  collect(ec2.nat_gateways, scope, tags);
  collect(ec2.groups, scope, tags);
  collect(ec2.group_rules, scope, tags);
  collect(ec2.interfaces, scope, tags);
  collect(ec2.acls, scope, tags);
  collect(ec2.prefix_lists, scope, tags);
  collect(ec2.endpoints, scope, tags);
  collect(ec2.flow_logs, scope, tags);
  const RegionRecord& region = *ec2.regions.find(scope, kRegionKey);
  for (const auto& [key, value] : region.dhcp_tags) {
    tags.push_back({.key = key, .resource_id = region.dhcp_options, .resource_type = "dhcp-options", .value = value});
  }
  const auto position = [](const TagDescription& tag) { return *tag.resource_id + "/" + *tag.key; };
  std::ranges::sort(tags, {}, position);
  apply_filters<TagDescription>(without_tag_filters(filters_from(request.input.filters.get()), tags), kFilters, tags);
  output.next_token = page(ec2, request, "DescribeTags", tags, position);
  return output;
}

}  // namespace brume::ec2
