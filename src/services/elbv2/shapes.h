// Records as AWS's answers show them. Control thread.
#pragma once

#include "gen/elbv2.h"
#include "services/elbv2/elbv2.h"

namespace brume::elbv2 {

LoadBalancer load_balancer_shape(const Scope& scope, const LoadBalancerRecord& record);
TargetGroup target_group_shape(const Elbv2& elbv2, const Scope& scope, const TargetGroupRecord& record);
Listener listener_shape(const Scope& scope, const ListenerRecord& record);
Rule rule_shape(const Scope& scope, const RuleRecord& record);
Rule default_rule_shape(const Scope& scope, const ListenerRecord& record);

}  // namespace brume::elbv2
