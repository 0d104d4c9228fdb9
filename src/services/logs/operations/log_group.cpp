// Log groups: made, described, kept, tagged.
#include <algorithm>

#include "services/logs/logs.h"

namespace brume::logs {
namespace {

// The values that PutRetentionPolicy takes.
constexpr std::int64_t kRetentions[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                        365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

LogGroup describe(const Logs& logs, const Scope& scope, const GroupRecord& record) {
  std::int64_t bytes = 0;
  for (const StreamRecord* stream : streams_of(logs, scope, record.name)) bytes += stream->stored_bytes;
  LogGroup group;
  group.log_group_name = record.name;
  group.creation_time = record.created_at.ms;
  if (record.retention_days > 0) group.retention_in_days = record.retention_days;
  group.metric_filter_count = static_cast<std::int64_t>(record.metric_filters.size());
  group.arn = group_arn(scope, record.name) + ":*";
  group.log_group_arn = group_arn(scope, record.name);
  group.stored_bytes = bytes;
  group.log_group_class = record.log_class;
  group.deletion_protection_enabled = false;
  return group;
}

void check_tags(const Tags& tags) {
  if (std::string problem = tag_problem(tags); !problem.empty()) throw invalid_parameter_exception(problem);
}

void change_tags(Logs& logs, Tx& tx, const Scope& scope, const std::string& group, const auto& change) {
  Tags tags = get_group(logs, scope, group).tags;
  change(tags);
  check_tags(tags);
  logs.groups.modify(tx, scope, group, [&](GroupRecord& record) { record.tags = tags; });
}

std::string group_of_arn(const std::string& arn) {
  const std::optional<Arn> parsed = parse_arn(arn);
  if (!parsed || parsed->service != "logs" || !parsed->resource.starts_with("log-group:"))
    throw invalid_parameter_exception("Brume tags log groups only; this is no log group's ARN: " + arn);
  return group_name_of({}, arn);
}

}  // namespace

CreateLogGroupOutput create_log_group(Logs& logs, Tx& tx, const Request<CreateLogGroupInput>& request) {
  const CreateLogGroupInput& input = request.input;
  if (input.kms_key_id) throw invalid_parameter_exception("Brume does not serve kmsKeyId of logs:CreateLogGroup.");
  if (input.log_group_class.value_or("STANDARD") != "STANDARD")
    throw invalid_parameter_exception("Brume does not serve logGroupClass " + *input.log_group_class + ".");
  if (input.deletion_protection_enabled.value_or(false))
    throw invalid_parameter_exception("Brume does not serve deletionProtectionEnabled of logs:CreateLogGroup.");
  check_tags(input.tags.get());
  create_group(logs, tx, request.scope, input.log_group_name.get(), input.tags.get());
  return {};
}

DeleteLogGroupOutput delete_log_group(Logs& logs, Tx& tx, const Request<DeleteLogGroupInput>& request) {
  const std::string name = get_group(logs, request.scope, request.input.log_group_name.get()).name;
  std::vector<StreamRecord> streams;
  for (const StreamRecord* stream : streams_of(logs, request.scope, name)) streams.push_back(*stream);
  for (const StreamRecord& stream : streams) erase_stream(logs, tx, request.scope, stream);
  logs.groups.erase(tx, request.scope, name);
  return {};
}

DescribeLogGroupsOutput describe_log_groups(Logs& logs, Tx&, const Request<DescribeLogGroupsInput>& request) {
  const DescribeLogGroupsInput& input = request.input;
  if (input.log_group_name_prefix && input.log_group_name_pattern)
    throw invalid_parameter_exception(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  std::vector<std::string> identifiers;
  for (const std::string& identifier : input.log_group_identifiers.get())
    identifiers.push_back(group_name_of({}, identifier));
  const std::string purpose = paging_purpose("logs:DescribeLogGroups", request.scope);
  const std::string after = page_start(logs.paging, purpose, input.next_token,
                                       invalid_parameter_exception("The specified nextToken is invalid."));
  const std::string& prefix = input.log_group_name_prefix.get();
  const auto limit = static_cast<std::size_t>(input.limit.value_or(50));
  std::vector<const GroupRecord*> groups;
  logs.groups.visit_from(request.scope, std::max(after, prefix), [&](const GroupRecord& group) {
    if (!group.name.starts_with(prefix)) return false;
    const bool meant = (after.empty() || group.name != after) &&
                       group.name.find(input.log_group_name_pattern.get()) != std::string::npos &&
                       (!input.log_group_class || group.log_class == *input.log_group_class) &&
                       (identifiers.empty() || std::ranges::find(identifiers, group.name) != identifiers.end());
    if (meant) groups.push_back(&group);
    return groups.size() <= limit;
  });
  DescribeLogGroupsOutput output;
  output.next_token =
      end_page(logs.paging, purpose, limit, groups, [](const GroupRecord* group) { return group->name; });
  output.log_groups.ensure();
  for (const GroupRecord* group : groups) output.log_groups->push_back(describe(logs, request.scope, *group));
  return output;
}

PutRetentionPolicyOutput put_retention_policy(Logs& logs, Tx& tx, const Request<PutRetentionPolicyInput>& request) {
  const std::int64_t wanted = request.input.retention_in_days.value_or(0);
  if (std::ranges::find(kRetentions, wanted) == std::end(kRetentions))
    throw invalid_parameter_exception(
        "1 validation error detected: Value '" + std::to_string(wanted) +
        "' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set");
  const std::string name = get_group(logs, request.scope, request.input.log_group_name.get()).name;
  logs.groups.modify(tx, request.scope, name, [&](GroupRecord& group) { group.retention_days = wanted; });
  return {};
}

DeleteRetentionPolicyOutput delete_retention_policy(Logs& logs, Tx& tx,
                                                    const Request<DeleteRetentionPolicyInput>& request) {
  const std::string name = get_group(logs, request.scope, request.input.log_group_name.get()).name;
  logs.groups.modify(tx, request.scope, name, [](GroupRecord& group) { group.retention_days = 0; });
  return {};
}

TagResourceOutput tag_resource(Logs& logs, Tx& tx, const Request<TagResourceInput>& request) {
  change_tags(logs, tx, request.scope, group_of_arn(request.input.resource_arn.get()), [&](Tags& tags) {
    for (const auto& [key, value] : request.input.tags.get()) tags[key] = value;
  });
  return {};
}

UntagResourceOutput untag_resource(Logs& logs, Tx& tx, const Request<UntagResourceInput>& request) {
  change_tags(logs, tx, request.scope, group_of_arn(request.input.resource_arn.get()), [&](Tags& tags) {
    for (const std::string& key : request.input.tag_keys.get()) tags.erase(key);
  });
  return {};
}

ListTagsForResourceOutput list_tags_for_resource(Logs& logs, Tx&, const Request<ListTagsForResourceInput>& request) {
  ListTagsForResourceOutput output;
  output.tags = get_group(logs, request.scope, group_of_arn(request.input.resource_arn.get())).tags;
  return output;
}

TagLogGroupOutput tag_log_group(Logs& logs, Tx& tx, const Request<TagLogGroupInput>& request) {
  change_tags(logs, tx, request.scope, request.input.log_group_name.get(), [&](Tags& tags) {
    for (const auto& [key, value] : request.input.tags.get()) tags[key] = value;
  });
  return {};
}

UntagLogGroupOutput untag_log_group(Logs& logs, Tx& tx, const Request<UntagLogGroupInput>& request) {
  change_tags(logs, tx, request.scope, request.input.log_group_name.get(), [&](Tags& tags) {
    for (const std::string& key : request.input.tags.get()) tags.erase(key);
  });
  return {};
}

ListTagsLogGroupOutput list_tags_log_group(Logs& logs, Tx&, const Request<ListTagsLogGroupInput>& request) {
  ListTagsLogGroupOutput output;
  output.tags = get_group(logs, request.scope, request.input.log_group_name.get()).tags;
  return output;
}

}  // namespace brume::logs
