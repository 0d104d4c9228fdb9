#include "services/ecs/metadata.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/text.h"

namespace brume::ecs {
namespace {

namespace json = boost::json;

// The SDKs ask again some minutes before the end.
constexpr Duration kRenewBefore = minutes(15);

HttpReply reply(int status, const json::value& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = Body::of(json::serialize(body))};
}

HttpReply not_found(const std::string& what) { return reply(404, json::object{{"message", what}}); }

// "Amazon ECS task metadata endpoint version 4 for tasks on Fargate": the members of a container.
json::object describe_container(const Scope& scope, const TaskRecord& task, const ContainerRecord& container,
                                const ContainerDefinition& definition) {
  json::object labels{{"com.amazonaws.ecs.cluster", cluster_arn(scope, task.cluster)},
                      {"com.amazonaws.ecs.container-name", container.name},
                      {"com.amazonaws.ecs.task-arn", task_arn(scope, task.cluster, task.id)}};
  const std::string family = short_name(task.definition);
  labels["com.amazonaws.ecs.task-definition-family"] = family.substr(0, family.find(':'));
  labels["com.amazonaws.ecs.task-definition-version"] = family.substr(family.find(':') + 1);
  json::object network{{"NetworkMode", "awsvpc"},
                       {"IPv4Addresses", json::array{json::string(task.private_address)}},
                       {"AttachmentIndex", 0},
                       {"MACAddress", task.mac},
                       {"IPv4SubnetCIDRBlock", task.subnet_cidr},
                       {"PrivateDNSName", task.private_dns_name}};
  json::object item{{"DockerId", container.runtime_id},
                    {"Name", container.name},
                    {"DockerName", container.name},
                    {"Image", container.image},
                    {"ImageID", container.image_digest},
                    {"Labels", std::move(labels)},
                    {"DesiredStatus", task.desired_status},
                    {"KnownStatus", container.last_status},
                    {"Limits", json::object{{"CPU", definition.cpu.value_or(0)}}},
                    {"CreatedAt", iso8601(task.created_at, true)},
                    {"Type", "NORMAL"},
                    {"ContainerARN",
                     make_arn(scope, "ecs", "container/" + task.cluster + "/" + task.id + "/" + container.runtime_id)},
                    {"Networks", json::array{std::move(network)}}};
  if (container.started_at != Time{}) item["StartedAt"] = iso8601(container.started_at, true);
  if (container.exit_code) item["ExitCode"] = *container.exit_code;
  if (definition.health_check) item["Health"] = json::object{{"status", container.health}};
  if (!container.log_group.empty()) {
    item["LogDriver"] = "awslogs";
    item["LogOptions"] = json::object{{"awslogs-group", container.log_group},
                                      {"awslogs-region", scope.region},
                                      {"awslogs-stream", container.log_stream}};
  }
  return item;
}

json::object describe_task(const Ecs& ecs, const Scope& scope, const TaskRecord& task) {
  const TaskDefinition& definition = find_definition(ecs, scope, task.definition)->definition;
  json::array containers;
  for (const ContainerDefinition& container : definition.container_definitions.get()) {
    const auto record = std::ranges::find(task.containers, container.name.get(), &ContainerRecord::name);
    containers.push_back(describe_container(scope, task, *record, container));
  }
  std::int64_t cpu = 0, memory = 0;
  parse_int(task.cpu, cpu);
  parse_int(task.memory, memory);
  const std::string family = short_name(task.definition);
  json::object item{{"Cluster", cluster_arn(scope, task.cluster)},
                    {"TaskARN", task_arn(scope, task.cluster, task.id)},
                    {"Family", family.substr(0, family.find(':'))},
                    {"Revision", family.substr(family.find(':') + 1)},
                    {"DesiredStatus", task.desired_status},
                    {"KnownStatus", task.last_status},
                    {"Limits", json::object{{"CPU", static_cast<double>(cpu) / 1024.0}, {"Memory", memory}}},
                    {"AvailabilityZone", task.zone},
                    {"LaunchType", task.launch_type},
                    {"VPCID", task.vpc},
                    {"Containers", std::move(containers)}};
  // In MiB, "Amazon ECS task metadata v4 JSON response for tasks on Fargate".
  item["EphemeralStorageMetrics"] = json::object{{"Utilized", ecs.needs.containers.disk_usage(task.id) >> 20U},
                                                 {"Reserved", ephemeral_storage_gib(task, definition) * 1024}};
  if (!task.service.empty()) item["ServiceName"] = task.service;
  if (task.pull_started_at != Time{}) item["PullStartedAt"] = iso8601(task.pull_started_at, true);
  if (task.pull_stopped_at != Time{}) item["PullStoppedAt"] = iso8601(task.pull_stopped_at, true);
  return item;
}

json::object describe_usage(const containers::Usage& usage) {
  return {{"cpu_stats", json::object{{"cpu_usage", json::object{{"total_usage", usage.cpu_ns}}}}},
          {"memory_stats", json::object{{"usage", usage.memory_bytes}, {"limit", usage.memory_limit_bytes}}}};
}

}  // namespace

MetadataHandler::Asker MetadataHandler::find_asker(const std::string& vpc, const std::string& address) const {
  Asker asker;
  ecs_.tasks.for_all([&](const Scope& scope, std::string_view, const TaskRecord& task) {
    if (task.vpc == vpc && task.private_address == address && task.last_status != "STOPPED" &&
        !task.interface_id.empty())
      asker = {scope, &task};
  });
  return asker;
}

HttpReply MetadataHandler::credentials(const Asker& asker, const std::string& id) {
  const TaskRecord& task = *asker.task;
  if (id != task.credentials_id || task.task_role.empty())
    return not_found("no credentials of that id belong to this task");
  Roles::SessionKeys& keys = sessions_[task.id];
  if (keys.access_key_id.empty() || keys.expires < ecs_.needs.clock.now() + kRenewBefore) {
    std::string why_not;
    std::optional<Roles::SessionKeys> issued;
    in_transaction(ecs_.needs.store, [&](Tx& tx) {
      issued = ecs_.needs.roles.issue(tx, task.task_role, "ecs-tasks.amazonaws.com", task.id, why_not);
    });
    if (!issued) return reply(403, json::object{{"code", "AccessDenied"}, {"message", why_not}});
    keys = *issued;
  }
  return reply(200, json::object{{"RoleArn", keys.role_arn},
                                 {"AccessKeyId", keys.access_key_id},
                                 {"SecretAccessKey", keys.secret_access_key},
                                 {"Token", keys.session_token},
                                 {"Expiration", iso8601(keys.expires)}});
}

void MetadataHandler::stats(const Asker& asker, std::vector<std::string> names, bool single,
                            std::function<void(HttpReply)> done) {
  auto result = std::make_shared<json::object>();  // shared by the answers that come one by one
  auto waiting = std::make_shared<std::size_t>(names.size());
  for (const std::string& name : names) {
    const auto record = std::ranges::find(asker.task->containers, name, &ContainerRecord::name);
    ecs_.needs.containers.usage(
        asker.task->id + "/" + name, [=, id = record->runtime_id](const containers::Usage& usage) {
          (*result)[id] = describe_usage(usage);
          if (--*waiting > 0) return;
          done(reply(200, single ? json::value(result->begin()->value()) : json::value(*result)));
        });
  }
}

void MetadataHandler::handle(HttpRequest request, std::function<void(HttpReply)> done) {
  const std::string vpc = request.listener.substr(request.listener.rfind('/') + 1);
  const Asker asker = find_asker(vpc, request.peer_address);
  if (asker.task == nullptr) return done(not_found("no task has this address"));
  if (request.method != "GET") return done(reply(405, json::object{{"message", "only GET is served"}}));
  std::vector<std::string> parts;
  for (std::string_view part : split(request.path, '/'))
    if (!part.empty()) parts.emplace_back(part);
  if (parts.size() == 3 && parts[0] == "v2" && parts[1] == "credentials") return done(credentials(asker, parts[2]));
  if (parts.size() < 2 || (parts[0] != "v4" && parts[0] != "v3")) return done(not_found("unknown path"));
  const TaskRecord& task = *asker.task;
  const auto container = std::ranges::find(task.containers, parts[1], &ContainerRecord::runtime_id);
  if (container == task.containers.end()) return done(not_found("unknown container"));
  const std::string rest = join({parts.begin() + 2, parts.end()}, "/");
  if (rest == "task" || rest == "taskWithTags") {
    json::object item = describe_task(ecs_, asker.scope, task);
    if (rest == "taskWithTags") {
      json::object& tags = item["TaskTags"].emplace_object();
      for (const auto& [key, value] : task.tags) tags[key] = value;
    }
    return done(reply(200, item));
  }
  std::vector<std::string> names;
  for (const ContainerRecord& record : task.containers) names.push_back(record.name);
  if (rest == "task/stats") return stats(asker, names, false, std::move(done));
  if (rest == "stats") return stats(asker, {container->name}, true, std::move(done));
  if (!rest.empty()) return done(not_found("unknown path"));
  const TaskDefinition& definition = find_definition(ecs_, asker.scope, task.definition)->definition;
  for (const ContainerDefinition& item : definition.container_definitions.get())
    if (item.name.get() == container->name)
      return done(reply(200, describe_container(asker.scope, task, *container, item)));
}

}  // namespace brume::ecs
