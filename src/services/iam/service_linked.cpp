#include "services/iam/service_linked.h"

#include <utility>

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
    {"dynamodb.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
     "arn:aws:iam::aws:policy/aws-service-role/AWSApplicationAutoscalingDynamoDBTablePolicy", ""},
    {"custom-resource.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_CustomResource",
     "arn:aws:iam::aws:policy/aws-service-role/AWSApplicationAutoScalingCustomResourcePolicy", ""},
    {"autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling",
     "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy",
     "Default Service-Linked Role enables access to AWS Services and Resources used or managed by Auto Scaling", true},
    {"elasticbeanstalk.amazonaws.com", "AWSServiceRoleForElasticBeanstalk",
     "arn:aws:iam::aws:policy/aws-service-role/AWSElasticBeanstalkServiceRolePolicy", ""},
    {"elasticache.amazonaws.com", "AWSServiceRoleForElastiCache",
     "arn:aws:iam::aws:policy/aws-service-role/ElastiCacheServiceRolePolicy", ""},
    {"rds.amazonaws.com", "AWSServiceRoleForRDS", "arn:aws:iam::aws:policy/aws-service-role/AmazonRDSServiceRolePolicy",
     ""},
    {"cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail",
     "arn:aws:iam::aws:policy/aws-service-role/CloudTrailServiceRolePolicy", ""},
    {"ops.apigateway.amazonaws.com", "AWSServiceRoleForAPIGateway",
     "arn:aws:iam::aws:policy/aws-service-role/APIGatewayServiceRolePolicy", ""},
    {"spot.amazonaws.com", "AWSServiceRoleForEC2Spot",
     "arn:aws:iam::aws:policy/aws-service-role/AWSEC2SpotServiceRolePolicy", ""},
};

RoleRecord linked_role(Iam& iam, const Scope& scope, const LinkedService& linked, std::string name) {
  RoleRecord role;
  role.name = std::move(name);
  role.linked_service = std::string(linked.service);
  role.path = "/aws-service-role/" + role.linked_service + "/";
  role.arn = make_global_arn(scope, "iam", "role" + role.path + role.name);
  role.id = new_unique_id(iam, "AROA");
  role.created = iam.clock.now();
  role.description = std::string(linked.description);
  role.has_description = !linked.description.empty();
  role.trust = R"({"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Principal":{"Service":[")" +
               role.linked_service + R"("]},"Effect":"Allow"}]})";
  role.permissions.attached.emplace_back(linked.policy_arn);
  return role;
}

}  // namespace

const LinkedService* find_linked_service(std::string_view service) {
  for (const LinkedService& linked : kServices)
    if (linked.service == service) return &linked;
  return nullptr;
}

std::string linked_role_name(const LinkedService& linked, const std::string& suffix) {
  return std::string(linked.role_name) + (suffix.empty() ? "" : "_" + suffix);
}

std::string ensure_linked_role(Iam& iam, Tx& tx, const Scope& scope, std::string_view service,
                               const std::string& suffix) {
  const LinkedService* linked = find_linked_service(service);
  BRUME_CHECK(linked != nullptr);
  const Scope where = global(scope.account);
  const std::string name = linked_role_name(*linked, suffix), key = key_of(name);
  if (const RoleRecord* role = iam.roles.find(where, key)) return role->arn;
  const RoleRecord role = linked_role(iam, scope, *linked, name);
  index_policies(iam, tx, scope.account, entity_of(role), {}, role.permissions);
  return iam.roles.insert(tx, where, key, role).arn;
}

void check_modifiable(const RoleRecord& role) {
  if (!role.linked_service.empty())
    throw unmodifiable_entity_exception("Cannot perform the operation on the protected role '" + role.name +
                                        "' - this role is only modifiable by AWS");
}

}  // namespace brume::iam
