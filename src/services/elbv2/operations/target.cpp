#include "gen/elbv2.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/registration.h"
#include "services/elbv2/target_state.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

TargetHealthDescription health_shape(const TargetGroupRecord& group, const TargetDescription& target,
                                     const TargetState& state) {
  TargetHealthDescription shape;
  shape.target = target;
  shape.health_check_port =
      std::to_string(group.health_port != 0 ? group.health_port : target.port.value_or(group.port));
  TargetHealth& health = shape.target_health.emplace();
  health.state = state.state;
  if (!state.reason.empty()) health.reason = state.reason;
  if (!state.description.empty()) health.description = state.description;
  return shape;
}

TargetDescription target_shape(const TargetRecord& record) {
  TargetDescription shape;
  shape.id = record.address;
  shape.port = record.port;
  if (!record.zone.empty()) shape.availability_zone = record.zone;
  return shape;
}

}  // namespace

RegisterTargetsOutput register_targets(Elbv2& elbv2, Tx& tx, const Request<RegisterTargetsInput>& request) {
  const TargetGroupRecord& group = get_target_group(elbv2, request.scope, request.input.target_group_arn.get());
  for (const TargetDescription& target : request.input.targets.get()) {
    if (target.quic_server_id) throw unsupported("QuicServerId");
    register_address(elbv2, tx, request.scope, group, target.id.get(), target.port.value_or(group.port));
  }
  return {};
}

DeregisterTargetsOutput deregister_targets(Elbv2& elbv2, Tx& tx, const Request<DeregisterTargetsInput>& request) {
  const TargetGroupRecord& group = get_target_group(elbv2, request.scope, request.input.target_group_arn.get());
  for (const TargetDescription& target : request.input.targets.get()) {
    if (target.port) {
      deregister_address(elbv2, tx, request.scope, group, target.id.get(), *target.port);
      continue;
    }
    // "If the port is not specified, all of the target's ports are deregistered."
    std::vector<std::int64_t> ports;
    for (const TargetRecord* record : targets_of(elbv2, request.scope, group.key))
      if (record->address == target.id.get()) ports.push_back(record->port);
    for (std::int64_t port : ports) deregister_address(elbv2, tx, request.scope, group, target.id.get(), port);
  }
  return {};
}

DescribeTargetHealthOutput describe_target_health(Elbv2& elbv2, Tx&,
                                                  const Request<DescribeTargetHealthInput>& request) {
  const TargetGroupRecord& group = get_target_group(elbv2, request.scope, request.input.target_group_arn.get());
  const LoadBalancerRecord* user = elbv2.balancers.find(request.scope, balancer_using(elbv2, request.scope, group.key));
  DescribeTargetHealthOutput output;
  output.target_health_descriptions.emplace();
  for (const TargetDescription& asked : request.input.targets.get()) {
    TargetDescription target = asked;
    target.port = asked.port.value_or(group.port);
    const TargetRecord* record = elbv2.targets.find(request.scope, target_key(group.key, asked.id.get(), *target.port));
    output.target_health_descriptions->push_back(
        record == nullptr ? health_shape(group, target, not_registered())
                          : health_shape(group, target_shape(*record), target_state(user, *record)));
  }
  if (request.input.targets.get().empty())
    for (const TargetRecord* record : targets_of(elbv2, request.scope, group.key))
      output.target_health_descriptions->push_back(
          health_shape(group, target_shape(*record), target_state(user, *record)));
  return output;
}

}  // namespace brume::elbv2
