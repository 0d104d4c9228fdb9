#include "services/iam/service_linked.h"

#include "core/error.h"
#include "gen/iam.h"

namespace brume::iam {
namespace {

constexpr LinkedService kServices[] = {
    {"ecs.amazonaws.com", "AWSServiceRoleForECS", "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy",
     "Role to enable Amazon ECS to manage your cluster."},
    {"elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing",
     "arn:aws:iam::aws:policy/aws-service-role/AWSElasticLoadBalancingServiceRolePolicy",
     "Allows ELB to call AWS services on your behalf."},
    {"ecs.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_ECSService",
     "arn:aws:iam::aws:policy/aws-service-role/AWSApplicationAutoscalingECSServicePolicy", ""},
};

RoleRecord linked_role(Iam& iam, const Scope& scope, const LinkedService& linked) {
  RoleRecord role;
  role.name = std::string(linked.role_name);
  role.linked_service = std::string(linked.service);
  role.path = "/aws-service-role/" + role.linked_service + "/";
  role.arn = make_global_arn(scope, "iam", "role" + role.path + role.name);
  role.id = new_unique_id(iam, "AROA");
  role.created = iam.clock.now();
  role.description = std::string(linked.description);
  role.has_description = !linked.description.empty();
  role.trust = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":")" +
               role.linked_service + R"("},"Action":"sts:AssumeRole"}]})";
  role.permissions.attached.emplace_back(linked.policy_arn);
  return role;
}

}  // namespace

const LinkedService* find_linked_service(std::string_view service) {
  for (const LinkedService& linked : kServices)
    if (linked.service == service) return &linked;
  return nullptr;
}

std::string ensure_linked_role(Iam& iam, Tx& tx, const Scope& scope, std::string_view service) {
  const LinkedService* linked = find_linked_service(service);
  BRUME_CHECK(linked != nullptr);
  const Scope where = global(scope.account);
  const std::string key = key_of(linked->role_name);
  if (const RoleRecord* role = iam.roles.find(where, key)) return role->arn;
  return iam.roles.insert(tx, where, key, linked_role(iam, scope, *linked)).arn;
}

void check_modifiable(const RoleRecord& role) {
  if (!role.linked_service.empty())
    throw unmodifiable_entity_exception("Cannot perform the operation on the protected role '" + role.name +
                                        "' - this role is only modifiable by AWS");
}

}  // namespace brume::iam
