#include "services/cloudtrail/trail.h"

#include <algorithm>

#include "aws/queue_url.h"
#include "core/scope.h"

namespace brume::cloudtrail {
namespace {

// A data resource is an ARN's beginning; "arn:aws:s3" is every bucket ("Logging data events").
bool selects_resource(const DataResource& data, const EventRecord& event) {
  for (const ResourceName& resource : event.resources) {
    if (resource.type == "AWS::S3::Bucket" && data.type.get() == "AWS::S3::Object") {
      const std::string arn = "arn:aws:s3:::" + resource.name + "/";
      for (const std::string& value : data.values.get())
        if (value == "arn:aws:s3" || value == "arn:aws:s3:::" || arn.starts_with(value) || value.starts_with(arn))
          return true;
    }
    if (resource.type == "AWS::DynamoDB::Table" && data.type.get() == "AWS::DynamoDB::Table") {
      for (const std::string& value : data.values.get())
        if (value == "arn:aws:dynamodb" || value.ends_with(":table/" + resource.name)) return true;
    }
  }
  return false;
}

bool selects(const EventSelector& selector, const EventRecord& event) {
  const std::string kind = selector.read_write_type.value_or("All");
  if (kind == "ReadOnly" && !event.read_only) return false;
  if (kind == "WriteOnly" && event.read_only) return false;
  if (event.management) {
    const auto& excluded = selector.exclude_management_event_sources.get();
    return selector.include_management_events.value_or(true) &&
           std::ranges::find(excluded, event.source) == excluded.end();
  }
  return std::ranges::any_of(selector.data_resources.get(),
                             [&](const DataResource& data) { return selects_resource(data, event); });
}

// SQS's resources are told by their URLs, and chosen by their ARNs.
std::string queue_arn(const Scope& scope, const std::string& url) {
  const QueueAddress queue = parse_queue_url(url);
  return make_arn({queue.account.empty() ? scope.account : queue.account, scope.region}, "sqs", queue.name);
}

// The values of an event under a field of an advanced selector.
std::vector<std::string> field(const EventRecord& event, const std::string& name) {
  if (name == "eventCategory") return {event.management ? "Management" : "Data"};
  if (name == "readOnly") return {event.read_only ? "true" : "false"};
  if (name == "eventName") return {event.name};
  if (name == "eventSource") return {event.source};
  std::vector<std::string> values;
  for (const ResourceName& resource : event.resources) {
    const bool bucket = resource.type == "AWS::S3::Bucket";
    if (name == "resources.type") values.push_back(bucket ? "AWS::S3::Object" : resource.type);
    const bool queue = resource.type == "AWS::SQS::Queue";
    if (name == "resources.ARN" && queue)
      values.push_back(queue_arn(event.scope, resource.name));
    else if (name == "resources.ARN")
      values.push_back(bucket ? "arn:aws:s3:::" + resource.name + "/" : resource.name);
  }
  return values;
}

// "equals" and its like hold if one of their values does, "notEquals" and its like if none of theirs does.
bool holds(const AdvancedFieldSelector& selector, const EventRecord& event) {
  const std::vector<std::string> values = field(event, selector.field.get());
  const auto any = [&](const std::vector<std::string>& wanted, const auto& fits) {
    return std::ranges::any_of(values, [&](const std::string& value) {
      return std::ranges::any_of(wanted, [&](const std::string& each) { return fits(value, each); });
    });
  };
  const auto same = [](const std::string& value, const std::string& each) { return value == each; };
  const auto begins = [](const std::string& value, const std::string& each) { return value.starts_with(each); };
  const auto ends = [](const std::string& value, const std::string& each) { return value.ends_with(each); };
  return (!selector.equals || any(*selector.equals, same)) &&
         (!selector.starts_with || any(*selector.starts_with, begins)) &&
         (!selector.ends_with || any(*selector.ends_with, ends)) &&
         !(selector.not_equals && any(*selector.not_equals, same)) &&
         !(selector.not_starts_with && any(*selector.not_starts_with, begins)) &&
         !(selector.not_ends_with && any(*selector.not_ends_with, ends));
}

bool selects(const AdvancedEventSelector& selector, const EventRecord& event) {
  return std::ranges::all_of(selector.field_selectors.get(),
                             [&](const AdvancedFieldSelector& each) { return holds(each, event); });
}

}  // namespace

std::vector<EventSelector> default_selectors() {
  EventSelector all;
  all.read_write_type = "All";
  all.include_management_events = true;
  all.data_resources.emplace();
  all.exclude_management_event_sources.emplace();
  return {all};
}

bool selects(const TrailRecord& trail, const Scope& scope, const EventRecord& event) {
  if (!trail.logging || trail.account != scope.account) return false;
  const bool global =
      scope.region == "us-east-1" && (event.source == "iam.amazonaws.com" || event.source == "sts.amazonaws.com");
  if (!trail.multi_region && scope.region != trail.home_region && !(global && trail.include_global_events))
    return false;
  if (global && !trail.include_global_events) return false;
  const auto chosen = [&](const auto& selector) { return selects(selector, event); };
  return std::ranges::any_of(trail.selectors, chosen) || std::ranges::any_of(trail.advanced_selectors, chosen);
}

bool selects_data_events(const TrailRecord& trail) {
  const auto of_data = [](const AdvancedFieldSelector& each) {
    const auto& values = each.equals.get();
    return each.field.get() == "eventCategory" && std::ranges::find(values, "Data") != values.end();
  };
  return trail.logging &&
         (std::ranges::any_of(trail.selectors, [](const auto& each) { return !each.data_resources.get().empty(); }) ||
          std::ranges::any_of(trail.advanced_selectors, [&](const AdvancedEventSelector& selector) {
            return std::ranges::any_of(selector.field_selectors.get(), of_data);
          }));
}

std::string object_prefix(const TrailRecord& trail) {
  return (trail.prefix.empty() ? "" : trail.prefix + "/") + "AWSLogs/" + trail.account + "/";
}

}  // namespace brume::cloudtrail
