#include "app/adapters/resource_tags.h"

#include "core/text.h"
#include "services/dynamodb/dynamodb.h"
#include "services/ec2/ec2.h"
#include "services/ecr/ecr.h"
#include "services/ecs/ecs.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/elbv2.h"
#include "services/logs/logs.h"
#include "services/sqs/sqs.h"

namespace brume::app {
namespace {

template <class Record>
std::optional<Tags> tags_in(const Table<Record>& table, const Scope& scope, const std::string& id) {
  const Record* record = table.find(scope, id);
  if (record == nullptr) return std::nullopt;
  return record->tags;
}

}  // namespace

std::optional<Tags> ResourceTags::of_ec2(const Scope& scope, const std::string& type, const std::string& id) const {
  const ec2::Ec2& ec2 = services_.ec2;
  if (type == "vpc") return tags_in(ec2.vpcs, scope, id);
  if (type == "subnet") return tags_in(ec2.subnets, scope, id);
  if (type == "security-group") return tags_in(ec2.groups, scope, id);
  if (type == "security-group-rule") return tags_in(ec2.group_rules, scope, id);
  if (type == "route-table") return tags_in(ec2.route_tables, scope, id);
  if (type == "internet-gateway") return tags_in(ec2.internet_gateways, scope, id);
  if (type == "natgateway") return tags_in(ec2.nat_gateways, scope, id);
  if (type == "elastic-ip") return tags_in(ec2.addresses, scope, id);
  if (type == "network-interface") return tags_in(ec2.interfaces, scope, id);
  if (type == "network-acl") return tags_in(ec2.acls, scope, id);
  return std::nullopt;
}

std::optional<Tags> ResourceTags::of_elbv2(const Scope& scope, const std::string& arn) const {
  using elbv2::key_of;
  using elbv2::Resource;
  const elbv2::Elbv2& elbv2 = services_.elbv2;
  if (const auto key = key_of(scope, Resource::load_balancer, arn)) return tags_in(elbv2.balancers, scope, *key);
  if (const auto key = key_of(scope, Resource::target_group, arn)) return tags_in(elbv2.target_groups, scope, *key);
  if (const auto key = key_of(scope, Resource::listener, arn)) return tags_in(elbv2.listeners, scope, *key);
  if (const auto key = key_of(scope, Resource::rule, arn)) return tags_in(elbv2.rules, scope, *key);
  return std::nullopt;
}

std::optional<Tags> ResourceTags::of_ecs(const Scope& scope, const std::string& type, const std::string& id) const {
  const ecs::Ecs& ecs = services_.ecs;
  if (type == "cluster") return tags_in(ecs.clusters, scope, id);
  if (type == "service") return tags_in(ecs.services, scope, id);
  if (type == "task") return tags_in(ecs.tasks, scope, id);
  const std::size_t colon = id.rfind(':');
  std::int64_t revision = 0;
  if (type != "task-definition" || colon == std::string::npos || !parse_int(id.substr(colon + 1), revision))
    return std::nullopt;
  return tags_in(ecs.definitions, scope, ecs::definition_key(id.substr(0, colon), revision));
}

std::optional<Tags> ResourceTags::find(const std::string& resource_arn) const {
  const std::optional<Arn> arn = parse_arn(resource_arn);
  if (!arn) return std::nullopt;
  const Scope scope{arn->account, arn->region};
  const std::size_t slash = arn->resource.find('/');
  const std::string type = arn->resource.substr(0, slash);
  const std::string id = slash == std::string::npos ? std::string() : arn->resource.substr(slash + 1);
  if (arn->service == "ec2") return of_ec2(scope, type, id);
  if (arn->service == "elasticloadbalancing") return of_elbv2(scope, resource_arn);
  if (arn->service == "ecs") return of_ecs(scope, type, id);
  if (arn->service == "ecr") return tags_in(services_.ecr.repositories, scope, id);
  if (arn->service == "dynamodb" && type == "table")
    return tags_in(services_.dynamodb.tables, scope, id.substr(0, id.find('/')));
  if (arn->service == "sqs") return tags_in(services_.sqs.queues, scope, arn->resource);
  if (arn->service == "logs" && arn->resource.starts_with("log-group:")) {
    const std::string name = arn->resource.substr(10);
    return tags_in(services_.logs.groups, scope, name.substr(0, name.find(':')));
  }
  return std::nullopt;
}

}  // namespace brume::app
