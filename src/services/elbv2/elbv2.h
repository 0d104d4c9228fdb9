// Elastic Load Balancing (ELBv2): application load balancers that are real proxies, their listeners, rules, target
// groups and targets. Made by app; control thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "aws/paging.h"
#include "aws/request.h"
#include "aws/sinks.h"
#include "core/random.h"
#include "core/runtime.h"
#include "planes/balancer/balancer.h"
#include "planes/names/names.h"
#include "services/elbv2/needs.h"
#include "services/elbv2/records.h"
#include "store/table.h"

namespace brume::elbv2 {

class Reconciler;
class Meter;

// What app hands over. All outlive the service.
struct Elbv2Needs {
  Store& store;
  const Clock& clock;
  Random& random;
  Control& control;
  balancer::Balancer& balancer;
  BalancerNetwork& network;
  names::Zone& zone;
  MetricSink& metrics;
  CertificateStore* certificates = nullptr;
};

struct Elbv2 {
  explicit Elbv2(const Elbv2Needs& needs);
  ~Elbv2();
  Elbv2(const Elbv2&) = delete;
  Elbv2& operator=(const Elbv2&) = delete;

  // After the planes have recovered: takes up every load balancer.
  void start();

  Elbv2Needs needs;
  PagingTokens paging;
  Table<LoadBalancerRecord> balancers;
  Table<TargetGroupRecord> target_groups;
  Table<TargetRecord> targets;
  Table<ListenerRecord> listeners;
  Table<RuleRecord> rules;
  TableIndex<LoadBalancerRecord> balancers_by_name;
  TableIndex<TargetGroupRecord> target_groups_by_name;
  TableIndex<TargetRecord> targets_by_group;
  TableIndex<ListenerRecord> listeners_by_balancer;
  TableIndex<ListenerRecord> listeners_by_group;  // that their default actions forward to
  TableIndex<RuleRecord> rules_by_listener;
  TableIndex<RuleRecord> rules_by_group;
  std::unique_ptr<Meter> meter;
  std::unique_ptr<Reconciler> reconciler;

  // The load balancer must be made so once the transaction is committed.
  void touch(Tx& tx, const Scope& scope, const std::string& balancer_key);
  // The same for the load balancer that uses the target group; nothing if none does.
  void touch_group(Tx& tx, const Scope& scope, const std::string& group_key);
};

// "Unknown things" of DECISIONS: what is in AWS's model and not served is refused by its name.
AwsError unsupported(std::string_view what);
AwsError validation_error(std::string message);

}  // namespace brume::elbv2
