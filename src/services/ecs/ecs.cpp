#include "services/ecs/ecs.h"

#include <map>

#include "core/text.h"
#include "services/ecs/metadata.h"
#include "services/ecs/service_scheduler.h"
#include "services/ecs/task_runner.h"

namespace brume::ecs {

Ecs::Ecs(const EcsNeeds& given)
    : needs(given),
      clusters(given.store, {"ecs.cluster"}),
      definitions(given.store, {"ecs.task_definition"}),
      services(given.store, {"ecs.service"}),
      tasks(given.store, {"ecs.task"}),
      kept_lines(given.store, "ecs.kept_lines"),
      paging(PagingTokens::load(given.store, given.random)),
      runner(std::make_unique<TaskRunner>(*this)),
      scheduler(std::make_unique<ServiceScheduler>(*this)),
      metadata_handler(std::make_unique<MetadataHandler>(*this)) {}

Ecs::~Ecs() = default;

void Ecs::start() {
  runner->start();
  scheduler->start();
}

HttpHandler& Ecs::metadata() { return *metadata_handler; }

void Ecs::take_lines(const std::vector<Keeper::Line>& lines) {
  struct Destination {
    Scope scope;
    std::string group, stream;
    auto operator<=>(const Destination&) const = default;
  };
  std::map<Destination, std::vector<TaskLogs::Line>> by_stream;
  // Lines that were kept and not acknowledged, because the daemon was killed in between, come again.
  std::map<std::string, std::uint64_t> last;
  for (const Keeper::Line& line : lines) {
    const auto [known, is_new] = last.try_emplace(line.id);
    if (is_new)
      if (const auto kept = kept_lines.get(line.id)) known->second = std::stoull(*kept);
    if (line.sequence <= known->second) continue;
    known->second = line.sequence;
    const std::vector<std::string_view> parts = split(line.id, '/');  // task/TASK/CONTAINER
    if (parts.size() != 3) continue;
    const TaskKey* key = runner->find(std::string(parts[1]));
    const TaskRecord* task = key == nullptr ? nullptr : tasks.find(key->scope, key->key);
    if (task == nullptr) continue;
    for (const ContainerRecord& container : task->containers) {
      if (container.name != parts[2] || container.log_stream.empty()) continue;
      Scope scope = key->scope;
      if (!container.log_region.empty()) scope.region = container.log_region;
      by_stream[{scope, container.log_group, container.log_stream}].push_back({Time{line.at_ms}, line.text});
    }
  }
  if (by_stream.empty()) return;
  in_transaction(needs.store, [&](Tx& tx) {
    for (const auto& [to, texts] : by_stream) needs.logs.put(tx, to.scope, to.group, to.stream, texts);
    for (const auto& [id, number] : last) kept_lines.put(tx, id, std::to_string(number));
  });
}

std::string cluster_arn(const Scope& scope, const std::string& name) {
  return make_arn(scope, "ecs", "cluster/" + name);
}
std::string service_arn(const Scope& scope, const std::string& cluster, const std::string& name) {
  return make_arn(scope, "ecs", "service/" + cluster + "/" + name);
}
std::string task_arn(const Scope& scope, const std::string& cluster, const std::string& id) {
  return make_arn(scope, "ecs", "task/" + cluster + "/" + id);
}
std::string definition_arn(const Scope& scope, const std::string& family, std::int64_t revision) {
  return make_arn(scope, "ecs", "task-definition/" + family + ":" + std::to_string(revision));
}
std::string definition_key(const std::string& family, std::int64_t revision) {
  std::string number = std::to_string(revision);
  return family + ":" + std::string(12 - number.size(), '0') + number;
}
std::string short_name(const std::string& name_or_arn) { return name_or_arn.substr(name_or_arn.rfind('/') + 1); }

}  // namespace brume::ecs
