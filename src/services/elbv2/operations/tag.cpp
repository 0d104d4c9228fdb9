#include <functional>

#include "services/elbv2/arns.h"
#include "services/elbv2/request_checks.h"

namespace brume::elbv2 {
namespace {

using Change = std::function<void(Tags&)>;

template <class Record>
Tags edit(Table<Record>& table, Tx& tx, const Scope& scope, const Record& record, Tags Record::* member,
          const Change& change) {
  if (!change) return record.*member;
  const std::string key = record.key;
  return table.modify(tx, scope, key, [&](Record& now) { change(now.*member); }).*member;
}

// The tags of whatever the ARN names, after `change` if one is given. Throws AWS's codes for unknown ones.
Tags tags_of(Elbv2& elbv2, Tx& tx, const Scope& scope, const std::string& arn, const Change& change = nullptr) {
  if (key_of(scope, Resource::load_balancer, arn))
    return edit(elbv2.balancers, tx, scope, get_load_balancer(elbv2, scope, arn), &LoadBalancerRecord::tags, change);
  if (key_of(scope, Resource::target_group, arn))
    return edit(elbv2.target_groups, tx, scope, get_target_group(elbv2, scope, arn), &TargetGroupRecord::tags, change);
  if (key_of(scope, Resource::listener, arn))
    return edit(elbv2.listeners, tx, scope, get_listener(elbv2, scope, arn), &ListenerRecord::tags, change);
  if (!key_of(scope, Resource::rule, arn)) throw validation_error("'" + arn + "' is not a valid ARN");
  const FoundRule found = get_rule(elbv2, scope, arn);
  if (found.rule != nullptr) return edit(elbv2.rules, tx, scope, *found.rule, &RuleRecord::tags, change);
  return edit(elbv2.listeners, tx, scope, *found.listener, &ListenerRecord::default_rule_tags, change);
}

}  // namespace

AddTagsOutput add_tags(Elbv2& elbv2, Tx& tx, const Request<AddTagsInput>& request) {
  const Tags added = read_tags(request.input.tags);
  for (const std::string& arn : request.input.resource_arns.get())
    tags_of(elbv2, tx, request.scope, arn, [&](Tags& tags) {
      for (const auto& [key, value] : added) tags[key] = value;
      check_tags(tags);
    });
  return {};
}

RemoveTagsOutput remove_tags(Elbv2& elbv2, Tx& tx, const Request<RemoveTagsInput>& request) {
  for (const std::string& arn : request.input.resource_arns.get())
    tags_of(elbv2, tx, request.scope, arn, [&](Tags& tags) {
      for (const std::string& key : request.input.tag_keys.get()) tags.erase(key);
    });
  return {};
}

DescribeTagsOutput describe_tags(Elbv2& elbv2, Tx& tx, const Request<DescribeTagsInput>& request) {
  DescribeTagsOutput output;
  output.tag_descriptions.emplace();
  for (const std::string& arn : request.input.resource_arns.get())
    output.tag_descriptions->push_back(
        {.resource_arn = arn, .tags = tags_to<Tag>(tags_of(elbv2, tx, request.scope, arn))});
  return output;
}

}  // namespace brume::elbv2
