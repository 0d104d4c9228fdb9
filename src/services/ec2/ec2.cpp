#include "services/ec2/ec2.h"

#include "services/ec2/vpcs.h"
#include "store/tx.h"

namespace brume::ec2 {

Ec2::Ec2(Store& store, const Clock& clock_, Random& random_, Control& control, network::Network& network, Names& names,
         PagingTokens paging_)
    : clock(clock_),
      random(random_),
      paging(std::move(paging_)),
      regions(store, {"ec2.region"}),
      vpcs(store, {"ec2.vpc"}),
      networks(store, {"ec2.network"}),
      subnets(store, {"ec2.subnet"}),
      route_tables(store, {"ec2.route-table"}),
      internet_gateways(store, {"ec2.internet-gateway"}),
      addresses(store, {"ec2.address"}),
      public_addresses(store, {"ec2.public-address"}),
      nat_gateways(store, {"ec2.nat-gateway"}),
      groups(store, {"ec2.security-group"}),
      group_rules(store, {"ec2.security-group-rule"}),
      interfaces(store, {"ec2.network-interface"}),
      acls(store, {"ec2.network-acl"}),
      prefix_lists(store, {"ec2.prefix-list"}),
      endpoints(store, {"ec2.vpc-endpoint"}),
      flow_logs(store, {"ec2.flow-log"}),
      subnets_by_vpc(subnets, [](const SubnetRecord& subnet) { return std::vector{subnet.vpc}; }),
      groups_by_name(groups,
                     [](const GroupRecord& group) {
                       return std::vector{name_in_vpc(group.vpc, group.name), name_in_vpc({}, group.name)};
                     }),
      groups_by_vpc(groups, [](const GroupRecord& group) { return std::vector{group.vpc}; }),
      rules_by_group(group_rules, [](const GroupRuleRecord& rule) { return std::vector{rule.group}; }),
      rules_by_peer(group_rules,
                    [](const GroupRuleRecord& rule) {
                      return rule.peer_group.empty() ? std::vector<std::string>() : std::vector{rule.peer_group};
                    }),
      interfaces_by_vpc(interfaces,
                        [](const InterfaceRecord& interface) {
                          std::vector<std::string> texts{interface.vpc};
                          if (interface.type != "nat_gateway" && !interface.sandbox.empty())
                            texts.push_back(running_in(interface.vpc));
                          return texts;
                        }),
      interfaces_by_subnet(interfaces, [](const InterfaceRecord& interface) { return std::vector{interface.subnet}; }),
      interfaces_by_group(interfaces, [](const InterfaceRecord& interface) { return interface.groups; }),
      interfaces_by_value(interfaces,
                          [](const InterfaceRecord& interface) {
                            std::vector<std::string> values = interface.addresses;
                            values.push_back(interface.mac);
                            for (const std::string& value : {interface.attachment, interface.sandbox})
                              if (!value.empty()) values.push_back(value);
                            return values;
                          }),
      interfaces_by_token(interfaces,
                          [](const InterfaceRecord& interface) {
                            return interface.client_token.empty() ? std::vector<std::string>()
                                                                  : std::vector{interface.client_token};
                          }),
      flow_collector(*this, store, control, network),
      reconciler(*this, store, clock_, control, network, names) {}

void Ec2::touch(Tx& tx, const Scope& scope, const std::string& vpc_id) {
  tx.on_commit([this, scope, vpc_id] { reconciler.wake(scope, vpc_id); });
}

const RegionRecord& enter_region(Ec2& ec2, Tx& tx, const Scope& scope) {
  if (const RegionRecord* region = ec2.regions.find(scope, kRegionKey)) return *region;
  if (zones_of(scope.region).empty()) {
    throw AwsError("InvalidRegion", "The region '" + scope.region + "' does not exist.");
  }
  make_default_vpc(ec2, tx, scope);
  return ec2.regions.insert(tx, scope, kRegionKey, {.dhcp_options = ec2.new_id(kDhcpOptionsId)});
}

std::string running_in(std::string_view vpc_id) { return std::string(vpc_id).append("/running"); }

std::string name_in_vpc(std::string_view vpc_id, std::string_view name) {
  return std::string(vpc_id).append("/").append(name);
}

AwsError dry_run_operation() {
  return {"DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412};
}

AwsError unsupported(std::string_view what) {
  return {"UnsupportedOperation", "Brume does not serve " + std::string(what) + "."};
}

AwsError invalid_parameter(std::string message) { return {"InvalidParameterValue", std::move(message)}; }

AwsError missing_parameter(std::string_view name) {
  return {"MissingParameter", "The request must contain the parameter " + std::string(name)};
}

AwsError idempotent_parameter_mismatch() {
  return {"IdempotentParameterMismatch",
          "The client token you have provided is associated with a resource whose parameters are different."};
}

AwsError dependency_violation(std::string message) { return {"DependencyViolation", std::move(message)}; }

}  // namespace brume::ec2
