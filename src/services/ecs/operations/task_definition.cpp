// Task definitions and their revisions.
#include <algorithm>
#include <set>

#include "core/text.h"
#include "services/ecs/request_checks.h"
#include "services/ecs/validate_definition.h"

namespace brume::ecs {
namespace {

// The family's first revision from `from` on; null: there is none.
const TaskDefinitionRecord* revision_from(const Ecs& ecs, const Scope& scope, const std::string& family,
                                          std::int64_t from) {
  const TaskDefinitionRecord* found = nullptr;
  ecs.definitions.visit_from(scope, definition_key(family, from), [&](const TaskDefinitionRecord& record) {
    if (record.definition.family.get() == family) found = &record;
    return false;
  });
  return found;
}

// The family's latest revision, of whatever status. A family may have thousands: ever longer steps find the end, ever
// shorter ones the last before it.
const TaskDefinitionRecord* latest_revision(const Ecs& ecs, const Scope& scope, const std::string& family) {
  const TaskDefinitionRecord* latest = revision_from(ecs, scope, family, 1);
  bool longer = true;
  for (std::int64_t step = 1; latest != nullptr && step > 0; step = longer ? step * 2 : step / 2) {
    const TaskDefinitionRecord* next = revision_from(ecs, scope, family, *latest->definition.revision + step);
    if (next != nullptr) latest = next;
    longer = longer && next != nullptr;
  }
  return latest;
}

std::int64_t next_revision(const Ecs& ecs, const Scope& scope, const std::string& family) {
  const TaskDefinitionRecord* latest = latest_revision(ecs, scope, family);
  return latest == nullptr ? 1 : *latest->definition.revision + 1;
}

// The defaults that ECS adds when it registers: they are part of what DescribeTaskDefinition answers.
ContainerDefinition with_defaults(ContainerDefinition container) {
  container.cpu = container.cpu.value_or(0);
  container.essential = container.essential.value_or(true);
  for (PortMapping& mapping : container.port_mappings.ensure()) {
    mapping.host_port = *mapping.container_port;
    mapping.protocol = mapping.protocol.value_or("tcp");
  }
  container.environment.ensure();
  container.mount_points.ensure();
  container.system_controls.ensure();
  container.volumes_from.ensure();
  if (container.health_check) {
    HealthCheck& check = *container.health_check;
    check.interval = check.interval.value_or(30);
    check.timeout = check.timeout.value_or(5);
    check.retries = check.retries.value_or(3);
  }
  return container;
}

TaskDefinition described(TaskDefinition definition) {
  for (ContainerDefinition& container : *definition.container_definitions) {
    container.volumes_from.ensure();
    container.system_controls.ensure();
  }
  definition.placement_constraints.ensure();
  definition.volumes.ensure();
  definition.requires_attributes.ensure();
  return definition;
}

const TaskDefinitionRecord& get_definition(const Ecs& ecs, const Scope& scope, const std::string& name) {
  const TaskDefinitionRecord* record = find_definition(ecs, scope, name);
  if (record == nullptr) throw client_exception("Unable to describe task definition.");
  return *record;
}

TaskDefinition make_definition(const RegisterTaskDefinitionRequest& input) {
  TaskDefinition definition;
  definition.family = input.family;
  definition.task_role_arn = input.task_role_arn;
  definition.execution_role_arn = input.execution_role_arn;
  definition.network_mode = input.network_mode;
  definition.volumes = input.volumes.get();
  definition.status = "ACTIVE";
  definition.compatibilities = std::vector<std::string>{"EC2", "FARGATE"};
  definition.runtime_platform = input.runtime_platform;
  definition.requires_compatibilities = input.requires_compatibilities;
  definition.cpu = input.cpu;
  definition.memory = input.memory;
  definition.ephemeral_storage = input.ephemeral_storage;
  definition.container_definitions.ensure();
  for (const ContainerDefinition& container : input.container_definitions.get())
    definition.container_definitions->push_back(with_defaults(container));
  return definition;
}

}  // namespace

const TaskDefinitionRecord* find_definition(const Ecs& ecs, const Scope& scope, const std::string& name) {
  const std::string reference = short_name(name);
  if (const std::size_t colon = reference.find(':'); colon != std::string::npos) {
    std::int64_t revision = 0;
    if (!parse_int(reference.substr(colon + 1), revision)) return nullptr;
    return ecs.definitions.find(scope, definition_key(reference.substr(0, colon), revision));
  }
  const TaskDefinitionRecord* latest = latest_revision(ecs, scope, reference);
  if (latest == nullptr || latest->definition.status.get() == "ACTIVE") return latest;
  // The latest was deregistered: one before it may be active.
  latest = nullptr;
  ecs.definitions.visit_from(scope, definition_key(reference, 1), [&](const TaskDefinitionRecord& record) {
    if (record.definition.family.get() != reference) return false;
    if (record.definition.status.get() == "ACTIVE") latest = &record;
    return true;
  });
  return latest;
}

RegisterTaskDefinitionOutput register_task_definition(Ecs& ecs, Tx& tx,
                                                      const Request<RegisterTaskDefinitionInput>& request) {
  const RegisterTaskDefinitionInput& input = request.input;
  validate_definition(input);
  const Tags tags = tags_from(input.tags.get());
  check_tags(tags);
  TaskDefinition definition = make_definition(input);
  const std::int64_t revision = next_revision(ecs, request.scope, input.family.get());
  definition.revision = revision;
  definition.task_definition_arn = definition_arn(request.scope, input.family.get(), revision);
  definition.registered_at = request.now;
  definition.registered_by = request.principal.arn;
  ecs.definitions.insert(tx, request.scope, definition_key(input.family.get(), revision), {definition, tags});
  RegisterTaskDefinitionOutput output;
  output.task_definition = described(definition);
  output.tags = tags_to<Tag>(tags);
  return output;
}

DescribeTaskDefinitionOutput describe_task_definition(Ecs& ecs, Tx&,
                                                      const Request<DescribeTaskDefinitionInput>& request) {
  const TaskDefinitionRecord& record = get_definition(ecs, request.scope, request.input.task_definition.get());
  DescribeTaskDefinitionOutput output;
  output.task_definition = described(record.definition);
  const std::vector<std::string>& include = request.input.include.get();
  if (std::ranges::find(include, "TAGS") != include.end()) output.tags = tags_to<Tag>(record.tags);
  return output;
}

DeregisterTaskDefinitionOutput deregister_task_definition(Ecs& ecs, Tx& tx,
                                                          const Request<DeregisterTaskDefinitionInput>& request) {
  const std::string& name = request.input.task_definition.get();
  if (short_name(name).find(':') == std::string::npos)
    throw client_exception("Task definition does not support update, must specify a revision.");
  const TaskDefinition& definition = get_definition(ecs, request.scope, name).definition;
  const std::string key = definition_key(definition.family.get(), *definition.revision);
  DeregisterTaskDefinitionOutput output;
  output.task_definition = described(ecs.definitions
                                         .modify(tx, request.scope, key,
                                                 [&](TaskDefinitionRecord& record) {
                                                   record.definition.status = "INACTIVE";
                                                   record.definition.deregistered_at = request.now;
                                                 })
                                         .definition);
  return output;
}

DeleteTaskDefinitionsOutput delete_task_definitions(Ecs& ecs, Tx& tx,
                                                    const Request<DeleteTaskDefinitionsInput>& request) {
  DeleteTaskDefinitionsOutput output;
  output.task_definitions.ensure();
  output.failures.ensure();
  for (const std::string& name : request.input.task_definitions.get()) {
    const TaskDefinitionRecord* record = find_definition(ecs, request.scope, name);
    if (record == nullptr || record->definition.status.get() != "INACTIVE") {
      Failure failure;
      failure.arn = name;
      failure.reason =
          record == nullptr
              ? "The specified task definition does not exist."
              : "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
      output.failures->push_back(std::move(failure));
      continue;
    }
    TaskDefinition definition = record->definition;
    const std::string arn = definition.task_definition_arn.get();
    bool used = false;
    ecs.tasks.for_each(request.scope, [&](const TaskRecord& task) {
      used = used || (task.definition == arn && task.last_status != "STOPPED");
    });
    definition.status = "DELETE_IN_PROGRESS";
    if (!used) ecs.definitions.erase(tx, request.scope, definition_key(definition.family.get(), *definition.revision));
    output.task_definitions->push_back(described(std::move(definition)));
  }
  return output;
}

ListTaskDefinitionsOutput list_task_definitions(Ecs& ecs, Tx&, const Request<ListTaskDefinitionsInput>& request) {
  const std::string status = request.input.status.value_or("ACTIVE");
  const bool descending = request.input.sort.value_or("ASC") == "DESC";
  const auto limit = static_cast<std::size_t>(request.input.max_results.value_or(100));
  const std::string purpose = paging_purpose("ecs:ListTaskDefinitions", request.scope, descending ? "DESC" : "ASC");
  const std::string start =
      page_start(ecs.paging, purpose, request.input.next_token, invalid_parameter_exception("Invalid token."));
  const auto key_of = [](const TaskDefinitionRecord* record) {
    return definition_key(record->definition.family.get(), *record->definition.revision);
  };
  std::vector<const TaskDefinitionRecord*> meant;
  ecs.definitions.visit_from(
      request.scope, descending || start.empty() ? "" : start + '\0', [&](const TaskDefinitionRecord& record) {
        if (descending && !start.empty() && key_of(&record) >= start) return false;
        const TaskDefinition& definition = record.definition;
        const bool in_family = !request.input.family_prefix || definition.family.get() == *request.input.family_prefix;
        if (definition.status.get() == status && in_family) meant.push_back(&record);
        return descending || meant.size() <= limit;
      });
  if (descending) std::ranges::reverse(meant);
  ListTaskDefinitionsOutput output;
  output.next_token = end_page(ecs.paging, purpose, limit, meant, key_of);
  for (const TaskDefinitionRecord* record : meant)
    output.task_definition_arns.ensure().push_back(record->definition.task_definition_arn.get());
  output.task_definition_arns.ensure();
  return output;
}

ListTaskDefinitionFamiliesOutput list_task_definition_families(
    Ecs& ecs, Tx&, const Request<ListTaskDefinitionFamiliesInput>& request) {
  const std::string status = request.input.status.value_or("ALL");
  std::set<std::string> families, active;
  ecs.definitions.for_each(request.scope, [&](const TaskDefinitionRecord& record) {
    const std::string& family = record.definition.family.get();
    if (!family.starts_with(request.input.family_prefix.get())) return;
    families.insert(family);
    if (record.definition.status.get() == "ACTIVE") active.insert(family);
  });
  std::vector<std::string> items;
  for (const std::string& family : families)
    if (status == "ALL" || active.contains(family) == (status == "ACTIVE")) items.emplace_back(family);
  ListTaskDefinitionFamiliesOutput output;
  output.families = page_of(ecs, request, "ListTaskDefinitionFamilies", std::move(items), output.next_token);
  return output;
}

}  // namespace brume::ecs
