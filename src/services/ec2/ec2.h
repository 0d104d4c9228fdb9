// EC2's networking: its tables, what it works with, and the entry of every handler. Made by app; control thread.
#pragma once

#include <string>
#include <string_view>

#include "aws/paging.h"
#include "aws/request.h"
#include "core/error.h"
#include "core/random.h"
#include "core/runtime.h"
#include "core/scope.h"
#include "core/time.h"
#include "services/ec2/flow_collector.h"
#include "services/ec2/ids.h"
#include "services/ec2/needs.h"
#include "services/ec2/reconciler.h"
#include "services/ec2/records.h"
#include "store/table.h"

namespace brume::network {
class Network;
}

namespace brume::ec2 {

struct Ec2 {
  Ec2(Store& store, const Clock& clock, Random& random, Control& control, network::Network& network, Names& names,
      PagingTokens paging);
  Ec2(const Ec2&) = delete;
  Ec2& operator=(const Ec2&) = delete;

  const Clock& clock;
  Random& random;
  const PagingTokens paging;

  Table<RegionRecord> regions;
  Table<VpcRecord> vpcs;
  Table<NetworkRecord> networks;
  Table<SubnetRecord> subnets;
  Table<RouteTableRecord> route_tables;
  Table<InternetGatewayRecord> internet_gateways;
  Table<AddressRecord> addresses;
  Table<PublicAddressRecord> public_addresses;
  Table<NatGatewayRecord> nat_gateways;
  Table<GroupRecord> groups;
  Table<GroupRuleRecord> group_rules;
  Table<InterfaceRecord> interfaces;
  Table<AclRecord> acls;
  Table<PrefixListRecord> prefix_lists;
  Table<EndpointRecord> endpoints;
  Table<FlowLogRecord> flow_logs;

  TableIndex<SubnetRecord> subnets_by_vpc;
  TableIndex<GroupRecord> groups_by_name;  // name_in_vpc, with the VPC and without
  TableIndex<GroupRecord> groups_by_vpc;
  TableIndex<GroupRuleRecord> rules_by_group;
  TableIndex<GroupRuleRecord> rules_by_peer;      // the group that a rule refers to
  TableIndex<InterfaceRecord> interfaces_by_vpc;  // and by running_in, those of something that runs
  TableIndex<InterfaceRecord> interfaces_by_subnet;
  TableIndex<InterfaceRecord> interfaces_by_group;
  TableIndex<InterfaceRecord> interfaces_by_value;  // each private address, the MAC address, attachment and sandbox
  TableIndex<InterfaceRecord> interfaces_by_token;  // the request's that made it

  FlowCollector flow_collector;
  Reconciler reconciler;

  // A fresh id: "vpc-" and 17 hexadecimal digits.
  std::string new_id(const IdKind& kind) { return random.ec2_id(kind.prefix); }
  // The VPC's network must be applied again once the transaction is committed.
  void touch(Tx& tx, const Scope& scope, const std::string& vpc_id);
};

// The id of the one RegionRecord in each scope.
inline constexpr std::string_view kRegionKey = "region";
// The region's record; makes it and the default VPC when this account is seen in this region for the first time.
const RegionRecord& enter_region(Ec2& ec2, Tx& tx, const Scope& scope);

// DryRunOperation, as AWS answers once the caller was found to be allowed (HTTP 412).
AwsError dry_run_operation();
// "Unknown things" of DECISIONS: what is in AWS's model and not served is refused by its name.
AwsError unsupported(std::string_view what);
AwsError invalid_parameter(std::string message);
AwsError missing_parameter(std::string_view name);
AwsError dependency_violation(std::string message);

// First thing in every handler.
template <class Input>
void begin(Ec2& ec2, Tx& tx, const Request<Input>& request) {
  enter_region(ec2, tx, request.scope);
  if constexpr (requires { request.input.dry_run; }) {
    if (request.input.dry_run.get()) throw dry_run_operation();
  }
}

std::string running_in(std::string_view vpc_id);
// Security groups of a VPC have names of their own: a text for groups_by_name.
std::string name_in_vpc(std::string_view vpc_id, std::string_view name);

// The record, or the code of a malformed or unknown id.
template <class Record>
const Record& get(const Table<Record>& table, const Scope& scope, const IdKind& kind, const std::string& id) {
  if (const Record* record = table.find(scope, id)) return *record;
  check_form(kind, id);
  throw not_found(kind, id);
}

// The record that an earlier request with this client token made ("Ensuring idempotency"), or null. `same(record)` says
// whether that request was identical; if it was not: IdempotentParameterMismatch.
AwsError idempotent_parameter_mismatch();
template <class Record, class Same>
const Record* find_by_token(const std::vector<const Record*>& found, const Same& same) {
  if (found.empty()) return nullptr;
  if (!same(*found.front())) throw idempotent_parameter_mismatch();
  return found.front();
}
template <class Record, class Same>
const Record* find_by_token(const Table<Record>& table, const Scope& scope, const opt<std::string>& token,
                            const Same& same) {
  if (!token || token->empty()) return nullptr;
  return find_by_token(table.select(scope, [&](const Record& record) { return record.client_token == *token; }), same);
}
template <class Record, class Same>
const Record* find_by_token(const TableIndex<Record>& by_token, const Scope& scope, const opt<std::string>& token,
                            const Same& same) {
  if (!token || token->empty()) return nullptr;
  return find_by_token(by_token.find(scope, *token), same);
}

}  // namespace brume::ec2
