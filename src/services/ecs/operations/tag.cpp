// Tags of clusters, services, task definitions and tasks, by ARN.
#include "services/ecs/request_checks.h"

namespace brume::ecs {
namespace {

// Calls `change(Tags&)` on the tags of the resource that the ARN names; throws when there is none.
template <class Change>
void change_tags(Ecs& ecs, Tx& tx, const Scope& scope, const std::string& text, Change&& change) {
  const std::optional<Arn> arn = parse_arn(text);
  if (!arn || arn->service != "ecs")
    throw invalid_parameter_exception("The specified resourceArn is not valid: " + text);
  const std::size_t slash = arn->resource.find('/');
  const std::string kind = arn->resource.substr(0, slash);
  const std::string name = arn->resource.substr(slash + 1);
  const auto apply = [&](auto& table, const std::string& key) {
    if (table.find(scope, key) == nullptr) return false;
    table.modify(tx, scope, key, [&](auto& record) { change(record.tags); });
    return true;
  };
  bool found = false;
  if (kind == "cluster") found = apply(ecs.clusters, name);
  if (kind == "service") found = apply(ecs.services, name);
  if (kind == "task") found = apply(ecs.tasks, name);
  if (kind == "task-definition") {
    if (const TaskDefinitionRecord* record = find_definition(ecs, scope, text))
      found = apply(ecs.definitions, definition_key(record->definition.family.get(), *record->definition.revision));
  }
  if (!found) throw resource_not_found_exception("The specified resource could not be found: " + text);
}

}  // namespace

TagResourceOutput tag_resource(Ecs& ecs, Tx& tx, const Request<TagResourceInput>& request) {
  change_tags(ecs, tx, request.scope, request.input.resource_arn.get(), [&](Tags& tags) {
    for (const auto& [key, value] : tags_from(request.input.tags.get())) tags[key] = value;
    check_tags(tags);
  });
  return {};
}

UntagResourceOutput untag_resource(Ecs& ecs, Tx& tx, const Request<UntagResourceInput>& request) {
  change_tags(ecs, tx, request.scope, request.input.resource_arn.get(), [&](Tags& tags) {
    for (const std::string& key : request.input.tag_keys.get()) tags.erase(key);
  });
  return {};
}

ListTagsForResourceOutput list_tags_for_resource(Ecs& ecs, Tx& tx, const Request<ListTagsForResourceInput>& request) {
  ListTagsForResourceOutput output;
  change_tags(ecs, tx, request.scope, request.input.resource_arn.get(),
              [&](const Tags& tags) { output.tags = tags_to<Tag>(tags); });
  return output;
}

}  // namespace brume::ecs
